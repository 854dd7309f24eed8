"""The parts of intents: claims on counters, shares of lines, draws on lots, settlements, releases."""

from datetime import date
from decimal import Decimal
from typing import Literal

import attrs

from loyalty_rules.rules.conditions import Condition

__all__ = ["Claim", "LotDraw", "MovedUnits", "Release", "Settlement", "Share", "TakenUnits", "WriteOff"]


@attrs.frozen
class Claim:
    """An intent's draw on a counter: with `amount` added, the counter may not exceed `limit`.

    The counter of a rolling window is the sum of the days `from_date` to `to_date`, both included. The name of any
    other counter contains its window. Source: semantics 8, documents (claims).
    """

    counter: str
    limit: Decimal
    amount: Decimal
    from_date: date | None = None
    to_date: date | None = None


@attrs.frozen
class Share:
    """The part of an amount that belongs to one line: an earned part, or a part of a discount.

    The shares of an amount sum to it exactly. `line` is None for the rest of a bill, beyond its lines: postage, tax.
    """

    line: str | None
    amount: Decimal


@attrs.frozen
class TakenUnits:
    """A number of units of one line that a benefit has taken, so that no later one takes them again."""

    line: str
    units: int


@attrs.frozen
class Release:
    """The event that releases a promise: its due date, a confirmation, or an update that satisfies `when`."""

    type: Literal["delayed", "external", "transaction_update"]
    when: Condition | None = None


@attrs.frozen
class LotDraw:
    """An amount taken from one lot, from its promised, its available or its held units."""

    lot: str
    amount: Decimal
    taken_from: Literal["promised", "available", "held"] = "available"


@attrs.frozen
class Settlement:
    """An amount of a lot that is reversed to make good a part of a shortfall.

    `shortfall` is the key of the reversal that was short.
    """

    lot: str
    shortfall: str
    amount: Decimal


@attrs.frozen
class WriteOff:
    """A debt that nobody pays any more; `shortfall` is the key of the reversal that was short."""

    shortfall: str
    amount: Decimal


@attrs.frozen
class MovedUnits:
    """Units that a transfer moves from one lot of its source to the new lot `to_lot` of its target."""

    lot: str
    amount: Decimal
    to_lot: str
