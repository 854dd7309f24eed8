"""One event as the rules look at it: local date and time, amounts as integers, the money's exchange rate.

Made once an evaluation; what only some rules ask for (the lines, a tracker's standing) is worked out when first
asked for. Source: semantics 3 (exchange rates), 5 (event date).
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo

import attrs

from loyalty_rules.amounts import MICRO, RATE_UNIT, Ratio, micros, picos, rate_units
from loyalty_rules.dates import with_fixed_offset
from loyalty_rules.events import Activity, Line, Member, Snapshot, Transaction
from loyalty_rules.identifiers import key_part
from loyalty_rules.shares import Weights
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

    def __init__(self, line: Line, rate: int | None, value: int) -> None:
        self.line = line
        self.rate = rate
        self.value = value


def _line_value(line: Line) -> int:
    """Give a line's value in 10⁻¹²: it need not be given."""
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
        "_bill",
        "_line_facts",
        "_standings",
        "_trackers",
        "_values",
        "amount",
        "event",
        "event_key",
        "event_lines",
        "event_on",
        "member",
        "rate",
        "snapshot",
        "zone",
        "zoned",
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
        self.zoned: datetime = event.occurred_at.astimezone(zone)
        self.event_on: date = event.business_date or self.zoned.date()
        self.event_key = key_part(event.id)
        self.rate = RATE_UNIT if money is None else _rate(event, money)
        self.amount: int | None = None
        self.event_lines: tuple[Line, ...] = ()  # as they came in, none for an activity
        if isinstance(event, Transaction):
            self.amount = micros(event.amount)
            self.event_lines = event.lines
        self._trackers = trackers
        self._standings: dict[str, Standing] = {}
        self._line_facts: list[LineFacts] | None = None
        self._values: list[int] | None = None
        self._bill: tuple[list[str], Weights] | None = None

    @property
    def local(self) -> datetime:
        """The instant of the event with the offset that the zone has then, fixed."""
        return with_fixed_offset(self.zoned)

    @property
    def lines(self) -> list[LineFacts]:
        """The lines of the bill, none for an activity."""
        if self._line_facts is None:
            rate = self.rate
            pairs = zip(self.event_lines, self.values, strict=True)
            self._line_facts = [LineFacts(line, rate, value) for line, value in pairs]
        return self._line_facts

    @property
    def values(self) -> list[int]:
        """The value of each line, in 10⁻¹² of the event's currency."""
        if self._values is None:
            given = [line.value for line in self.event_lines]
            self._values = [_line_value(line) for line in self.event_lines] if None in given else picos(given)
        return self._values

    def bill(self) -> tuple[list[str], Weights]:
        """Give the ids of all lines, and how much each weighs in an amount that came from the bill as a whole."""
        if self._bill is None:
            self._bill = [line.id for line in self.event_lines], Weights(self.values)
        return self._bill

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


def _rate(event: Transaction | Activity, money: str) -> int | None:
    if event.currency is None or event.currency == money:
        return RATE_UNIT
    return rate_units(event.exchange_rate) if event.exchange_rate is not None else None
