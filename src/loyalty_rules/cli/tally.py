"""Counter values of a run without a ledger, in memory.

The claims of intents and the advances of trackers add to them; the snapshot of the next event reads them.
Source: documents (snapshot, claims), semantics 7 and 8.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import attrs

from loyalty_rules.engine.counters import Counter
from loyalty_rules.intents import AdvanceTracker, Claim, Intent, IssueCoupon, IssueCurrency
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["Tally"]


@attrs.define
class _Days:
    """Amounts by day, in millionths: `sums` holds running sums over the sorted `days`."""

    days: list[date] = attrs.field(factory=list)
    sums: list[int] = attrs.field(factory=list)

    def add(self, day: date, amount: int) -> None:
        place = bisect_left(self.days, day)
        if place == len(self.days) or self.days[place] != day:
            self.days.insert(place, day)
            self.sums.insert(place, self._until(place))
        for later in range(place, len(self.sums)):  # the day is nearly always the last
            self.sums[later] += amount

    def between(self, first: date, last: date) -> int:
        """Sum the days from `first` to `last`, both included."""
        return self._until(bisect_right(self.days, last)) - self._until(bisect_left(self.days, first))

    def _until(self, place: int) -> int:
        return self.sums[place - 1] if place else 0


class Tally:
    """Exact counter values, by the name of the counter."""

    def __init__(self) -> None:
        self._totals: dict[str, int] = {}
        self._by_day: dict[str, _Days] = {}

    def value_of(self, counter: Counter) -> Decimal:
        """Return the value of a counter, summed over its days if it is rolling; zero if it never counted."""
        if counter.from_date is None or counter.to_date is None:
            return decimal_of(self._totals.get(counter.name, 0))
        days = self._by_day.get(counter.name)
        return decimal_of(days.between(counter.from_date, counter.to_date)) if days is not None else Decimal(0)

    def count(self, intents: Iterable[Intent], counters: Sequence[Counter]) -> None:
        """Add the claims and tracker advances of one event's intents; `counters` are those of the event."""
        for intent in intents:
            if isinstance(intent, (IssueCurrency, IssueCoupon)):
                for claim in intent.claims:
                    self._count_claim(claim)
            elif isinstance(intent, AdvanceTracker):
                counter = next(each for each in counters if each.kind == "tracker" and each.of == intent.tracker)
                self._add(counter.name, counter.to_date, intent.value)

    def _count_claim(self, claim: Claim) -> None:
        self._add(claim.counter, claim.to_date, claim.amount)

    def _add(self, name: str, day: date | None, amount: Decimal) -> None:
        if day is not None:
            self._by_day.setdefault(name, _Days()).add(day, micros(amount))
        else:
            self._totals[name] = self._totals.get(name, 0) + micros(amount)
