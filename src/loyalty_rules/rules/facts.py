"""The facts of one event for the rules: local date and time, amounts as integers, the exchange rate.

They are built once for each evaluation. Facts that only some rules need (lines, standings of trackers) are computed
on first use. Source: semantics 3 (exchange rates), 5 (event date).
"""

import copy
from collections.abc import Callable, Container, Mapping, Sequence
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
    """The value of a tracker before the event, and the event's contribution to it, both in millionths.

    With `repeats` every multiple of the target is a milestone, otherwise only the target itself. `is_known` is False if
    the contribution is money of another currency and the event has no exchange rate; the contribution is then 0.
    `is_anyones` is False if the tracker belongs to groups and the member has none. Source: semantics 3 (bases) and 7
    (trackers).
    """

    target: int
    before: int
    contribution: int
    is_known: bool = True
    repeats: bool = False
    is_anyones: bool = True

    @property
    def after(self) -> int:
        """The value after the event."""
        return self.before + self.contribution

    @property
    def gap_before(self) -> int:
        """The rest up to the next milestone before the event; zero beyond the last."""
        return self._gap(self.before)

    @property
    def gap_after(self) -> int:
        """The rest up to the next milestone after the event; zero beyond the last."""
        return self._gap(self.after)

    @property
    def crossings(self) -> int:
        """The number of milestones that the event passes."""
        return self._passed(self.after) - self._passed(self.before)

    @property
    def is_reached(self) -> bool:
        """Whether the tracker is at or past its target after the event."""
        return self.after >= self.target

    def _gap(self, value: int) -> int:
        milestone = (self._passed(value) + 1) * self.target if self.repeats else self.target
        return max(milestone - value, 0)

    def _passed(self, value: int) -> int:
        """Return how many milestones a value is at or past; they are positive multiples of the target."""
        passed = max(value // self.target, 0)
        return passed if self.repeats else min(passed, 1)


class NoRate:
    """The value at a path of money if the event has no exchange rate. Every comparison with it is false."""


NO_RATE = NoRate()


class LineFacts:
    """The facts of one line for a condition; `rate` is the event's exchange rate."""

    __slots__ = ("line", "rate")

    def __init__(self, line: Line, rate: int | None) -> None:
        self.line = line
        self.rate = rate

    @property
    def value(self) -> int:
        """The value of the line, in 10⁻¹² of the event's currency."""
        return _line_value(self.line)


def _line_value(line: Line) -> int:
    """Return a line's value in 10⁻¹². Without a value it is quantity × price, which needs that many decimals."""
    if line.value is not None:
        return micros(line.value) * MICRO
    assert line.unit_price is not None  # the constructor of a line requires a value or a price
    discount = micros(line.discount) * MICRO if line.discount is not None else 0
    return micros(line.quantity) * micros(line.unit_price) - discount


class Facts:
    """One transaction or activity with its snapshot, in a program's time zone and money.

    `rate` is the program's money for one unit of the event's, in 10⁻¹². It is 1 if no conversion is needed, and None
    if a rate is needed and the event has none. `priced` is the amount times the rate, as conditions compare it.
    `is_refund` is whether the amount is below zero. `candidates` are the promotions that the event reaches in the
    index, as the index keeps them; None until it is asked.
    """

    __slots__ = (
        "_bill",
        "_line_facts",
        "_standings",
        "_tiers",
        "_tiers_of_groups",
        "_trackers",
        "_values",
        "amount",
        "candidates",
        "event",
        "event_lines",
        "event_on",
        "is_refund",
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
        tiers: Mapping[str, Sequence[str]],
        tiers_of_groups: Container[str] = (),
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
            self.is_refund = amount < 0
        else:
            self.is_refund = False
            self.amount, self.priced, self.event_lines = None, None if self.rate is not None else NO_RATE, ()
        self._trackers = trackers
        self._tiers = tiers
        self._tiers_of_groups = tiers_of_groups
        self._standings: dict[str, Standing] = {}
        self._line_facts: list[LineFacts] | None = None
        self._values: tuple[list[int], int] | None = None
        self._bill: tuple[list[str], Weights] | None = None
        self.candidates: list[tuple[int, int | None]] | None = None

    def with_snapshot(self, snapshot: Snapshot) -> "Facts":
        """Return the same facts with another snapshot: only the standings of trackers depend on it."""
        facts = copy.copy(self)
        facts.snapshot, facts._standings = snapshot, {}
        return facts

    @property
    def local(self) -> datetime:
        """The instant of the event with the zone's offset at that instant, fixed."""
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
        """The value of each line in the event's currency as numerators, and their common denominator.

        The denominator is 10⁶ if every line has a value, and 10¹² if some line is a quantity times a price.
        """
        if self._values is None:
            lines = self.event_lines
            if [line for line in lines if line.value is None]:
                self._values = [_line_value(line) for line in lines], MICRO * MICRO
            else:
                self._values = each_in_micros([line.value for line in lines]), MICRO
        return self._values

    def bill(self) -> tuple[list[str], Weights]:
        """Return the ids of all lines, and their weights for an amount computed from the whole bill."""
        if self._bill is None:
            self._bill = [line.id for line in self.event_lines], Weights(self.values[0])
        return self._bill

    def standing(self, tracker: str) -> Standing:
        """Return the standing of a tracker; an anonymous event contributes to none."""
        if tracker not in self._standings:
            self._standings[tracker] = self._trackers[tracker](self)
        return self._standings[tracker]

    def award(self, tracker: str, amount: int) -> None:
        """Set the contribution of the event's awards to a tracker, in millionths; known only after all actions."""
        self._standings[tracker] = attrs.evolve(self.standing(tracker), contribution=amount)

    def levels(self, tier: str) -> Sequence[str]:
        """Return the levels of a tier, the lowest first."""
        return self._tiers[tier]

    def level(self, tier: str) -> str | None:
        """Return the member's level of a tier before the event, by default the first; None without a member.

        A member without a group has the first level of a group's tier.
        """
        if self.member is None:
            return None
        if self.member.group is None and tier in self._tiers_of_groups:
            return self._tiers[tier][0]
        standing = self.snapshot.tiers.get(tier)
        return standing.level if standing is not None else self._tiers[tier][0]

    def balance(self, currency: str) -> int | None:
        """Return the balance of the member's own account before the event, in millionths; None without a member."""
        if self.member is None:
            return None
        balance = self.snapshot.balances.get(currency)
        return micros(balance) if balance is not None else 0

    def in_money(self, value: int, denominator: int) -> Ratio:
        """Convert an amount of the event's currency to the program's money, exactly.

        Raises `Skip` with `no_exchange_rate` if a rate is needed and missing.
        """
        if self.rate == RATE_UNIT:
            return value, denominator
        if self.rate is None:
            raise Skip("no_exchange_rate", f"the event is in {self.event.currency} and has no exchange_rate")
        return value * self.rate, denominator * RATE_UNIT

    @property
    def tax_of_lines(self) -> list[int] | None:
        """The lines' own tax, in millionths; None unless every line of the bill carries it."""
        taxes = [line.tax for line in self.event_lines]
        return each_in_micros(taxes) if taxes and None not in taxes else None

    @property
    def tenders(self) -> dict[str, int]:
        """The payments by type of tender, in millionths of the event's currency; types that sum to zero are absent."""
        paid: dict[str, int] = {}
        for tender in self.event.tenders:
            paid[tender.type] = paid.get(tender.type, 0) + micros(tender.amount)
        return {tender: amount for tender, amount in paid.items() if amount}


def _rate(event: Transaction | Activity, money: str) -> int | None:
    if event.currency is None or event.currency == money:
        return RATE_UNIT
    return rate_units(event.exchange_rate) if event.exchange_rate is not None else None
