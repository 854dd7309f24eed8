"""One event as the rules look at it: local date and time, amounts as integers, the money's exchange rate.

Made once an evaluation; what only some rules ask for (the lines, a tracker's standing) is worked out when first
asked for. Source: semantics 3 (exchange rates), 5 (event date).
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo

import attrs

from loyalty_rules.amounts import MICRO, RATE_UNIT, Ratio, micros, rate_units
from loyalty_rules.dates import in_zone
from loyalty_rules.events import Activity, Line, Member, Snapshot, Transaction
from loyalty_rules.identifiers import key_part
from loyalty_rules.skips import Skip

__all__ = ["Facts", "LineFacts", "Standing"]


@attrs.frozen
class Standing:
    """Where a tracker stands for the event's member, in millionths: before the event, and what the event adds.

    `is_known` is False where what it adds is money of another currency and the event has no exchange rate; it
    counts as 0 then. Source: semantics 3 (bases) and 7 (trackers).
    """

    target: int
    before: int
    contribution: int
    is_known: bool = True

    @property
    def after(self) -> int:
        return self.before + self.contribution

    @property
    def gap_before(self) -> int:
        return max(self.target - self.before, 0)


class LineFacts:
    """One line: `value` in 10⁻¹² of the event's currency (a quantity times a price has so many digits), the rate."""

    __slots__ = ("line", "rate", "value")

    def __init__(self, line: Line, rate: int | None) -> None:
        self.line = line
        self.rate = rate
        self.value = _line_value(line)


def _line_value(line: Line) -> int:
    if line.value is not None:
        return micros(line.value) * MICRO
    assert line.unit_price is not None  # a line without a value has a price: checked where it is built
    discount = micros(line.discount) * MICRO if line.discount is not None else 0
    return micros(line.quantity) * micros(line.unit_price) - discount


class Facts:
    """One transaction or activity with its snapshot, seen from a program's zone and in its money.

    `rate` is the program's money for one unit of the event's, in 10⁻¹²: one where nothing is converted, None where
    a rate is needed and the event has none.
    """

    __slots__ = (
        "_line_facts",
        "_standings",
        "_trackers",
        "amount",
        "event",
        "event_key",
        "event_on",
        "local",
        "member",
        "rate",
        "snapshot",
        "zone",
    )

    def __init__(
        self,
        event: Transaction | Activity,
        snapshot: Snapshot,
        zone: tzinfo,
        money: str | None,
        trackers: "Mapping[str, Callable[[Facts], Standing]]",
    ) -> None:
        self.event = event
        self.snapshot = snapshot
        self.zone = zone
        self.member: Member | None = event.member
        self.local: datetime = in_zone(event.occurred_at, zone)
        self.event_on: date = event.business_date or self.local.date()
        self.event_key = key_part(event.id)
        self.rate = _rate(event, money)
        self.amount: int | None = micros(event.amount) if isinstance(event, Transaction) else None
        self._trackers = trackers
        self._standings: dict[str, Standing] = {}
        self._line_facts: list[LineFacts] | None = None

    @property
    def event_lines(self) -> tuple[Line, ...]:
        """The lines of the bill as they came in, none for an activity."""
        return self.event.lines if isinstance(self.event, Transaction) else ()

    @property
    def lines(self) -> list[LineFacts]:
        """The lines of the bill, none for an activity."""
        if self._line_facts is None:
            self._line_facts = [LineFacts(line, self.rate) for line in self.event_lines]
        return self._line_facts

    def standing(self, tracker: str) -> Standing:
        """Where a tracker of the program stands; an anonymous event moves none."""
        if tracker not in self._standings:
            self._standings[tracker] = self._trackers[tracker](self)
        return self._standings[tracker]

    def in_money(self, value: int, denominator: int) -> Ratio:
        """Give an amount of the event's currency in the program's money, exactly; `no_exchange_rate` without a rate."""
        if self.rate == RATE_UNIT:
            return value, denominator
        if self.rate is None:
            raise Skip("no_exchange_rate", f"the event is in {self.event.currency} and has no exchange_rate")
        return value * self.rate, denominator * RATE_UNIT

    @property
    def tenders(self) -> dict[str, int]:
        """What was paid in each way, in millionths of the event's currency; a way that paid nothing is absent."""
        paid: dict[str, int] = {}
        for tender in self.event.tenders:
            paid[tender.type] = paid.get(tender.type, 0) + micros(tender.amount)
        return {way: amount for way, amount in paid.items() if amount}


def _rate(event: Transaction | Activity, money: str | None) -> int | None:
    if money is None or event.currency is None or event.currency == money:
        return RATE_UNIT
    return rate_units(event.exchange_rate) if event.exchange_rate is not None else None
