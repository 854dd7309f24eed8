"""Receipts: the result of each operation of a ledger. Source: ledger 2."""

from decimal import Decimal
from typing import Literal

import attrs

from loyalty_rules.intents import Intent
from loyalty_rules.lifecycle.records import Refusal

__all__ = ["Receipt", "Trim"]


@attrs.frozen
class Trim:
    """A cap that was reached at the time of recording: of `asked` units only `left` were recorded.

    If `left` is 0, the intent was refused.
    """

    intent: str
    counter: str
    asked: Decimal
    left: Decimal


@attrs.frozen
class Receipt:
    """The result of an operation. The statuses, in order of precedence:

    1. `already_recorded`: the same inputs were recorded before; intents and trims are those of the first time.
    2. `refused`: nothing was recorded; `refusal` gives the reasons.
    3. `recorded`: `intents` are the recorded intents, after caps; `trims` are the reductions by caps.
    """

    status: Literal["recorded", "already_recorded", "refused"]
    key: str
    intents: tuple[Intent, ...] = ()
    trims: tuple[Trim, ...] = ()
    refusal: Refusal | None = None
