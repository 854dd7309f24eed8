"""One event as the rules look at it: local date and time, amounts as integers, the money's exchange rate.

Made once an evaluation; what only some rules ask for (the lines, a tracker's standing) is worked out when first
asked for. Source: semantics 3 (exchange rates), 5 (event date).
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo

import attrs

from loyalty_rules.events import Activity, Line, Member, Snapshot, Transaction
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import MICRO, RATE_UNIT, Ratio, each_in_micros, micros, rate_units
from loyalty_rules.values.apportionment import Weights
from loyalty_rules.values.dates import with_fixed_offset

__all__ = ["NO_RATE", "Facts", "LineFacts", "NoRate", "Standing"]


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


class NoRate:
    """What stands at a path of money where the event has no exchange rate: nothing compares with it."""


NO_RATE = NoRate()


class LineFacts:
    """One line as a condition looks at it; `rate` is the event's."""

    __slots__ = ("line", "rate")

    def __init__(self, line: Line, rate: int | None) -> None:
        self.line = line
        self.rate = rate

    @property
    def value(self) -> int:
        """What the line is worth, in 10⁻¹² of the event's currency."""
        return _line_value(self.line)


def _line_value(line: Line) -> int:
    """Give a line's value in 10⁻¹², which a quantity times a price takes: the value need not be given."""
    if line.value is not None:
        return micros(line.value) * MICRO
    assert line.unit_price is not None  # a line without a value has a price: checked where it is built
    discount = micros(line.discount) * MICRO if line.discount is not None else 0
    return micros(line.quantity) * micros(line.unit_price) - discount


class Facts:
    """One transaction or activity with its snapshot, seen from a program's zone and in its money.

    `rate` is the program's money for one unit of the event's, in 10⁻¹²: one where nothing is converted, None where
    a rate is needed and the event has none. `priced` is the amount times the rate, as conditions compare it.
    """

    __slots__ = (
        "_bill",
        "_line_facts",
        "_standings",
        "_trackers",
        "_values",
        "amount",
        "event",
        "event_lines",
        "event_on",
        "member",
        "priced",
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
        self.rate = RATE_UNIT if money is None else _rate(event, money)
        if isinstance(event, Transaction):
            amount = micros(event.amount)
            self.amount: int | None = amount
            self.priced: int | NoRate | None = amount * self.rate if self.rate is not None else NO_RATE
            self.event_lines: tuple[Line, ...] = event.lines
        else:
            self.amount, self.priced, self.event_lines = None, None if self.rate is not None else NO_RATE, ()
        self._trackers = trackers
        self._standings: dict[str, Standing] = {}
        self._line_facts: list[LineFacts] | None = None
        self._values: tuple[list[int], int] | None = None
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
            self._line_facts = [LineFacts(line, rate) for line in self.event_lines]
        return self._line_facts

    @property
    def values(self) -> tuple[list[int], int]:
        """The value of each line in the event's currency, and how many of its units make one: numbers and denominator.

        Millionths where every line says what it is worth; a quantity times a price takes 10⁻¹².
        """
        if self._values is None:
            lines = self.event_lines
            if [line for line in lines if line.value is None]:
                self._values = [_line_value(line) for line in lines], MICRO * MICRO
            else:
                self._values = each_in_micros([line.value for line in lines]), MICRO
        return self._values

    def bill(self) -> tuple[list[str], Weights]:
        """Give the ids of all lines, and how much each weighs in an amount that came from the bill as a whole."""
        if self._bill is None:
            self._bill = [line.id for line in self.event_lines], Weights(self.values[0])
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
