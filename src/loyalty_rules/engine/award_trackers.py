"""Trackers of awards: they count the units of a currency that an event issued or promised, after all its actions.

Only issues to the tracker's own account count: the event's member's, or the group's. Source: semantics 7a and 17.
"""

from collections.abc import Callable, Iterable

import attrs

from loyalty_rules.intents import IssueCurrency
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.trackers import AwardedCurrency, Tracker, bind_applies

__all__ = ["AwardTracker", "award_trackers"]


@attrs.frozen(eq=False)
class AwardTracker:
    """A tracker that measures awards, bound. `applies` is its condition `when`."""

    id: str
    currency: str
    is_of_group: bool
    applies: Callable[[Facts], bool]

    def counts(self, facts: Facts, issue: IssueCurrency) -> bool:
        """Return whether an issue of the event is booked to the tracker's account, in its currency."""
        member = facts.member
        if member is None or issue.currency != self.currency:
            return False
        if self.is_of_group:
            return issue.group is not None and issue.group == member.group
        return issue.group is None and issue.member == member.id

    def total(self, facts: Facts, issues: Iterable[tuple[IssueCurrency, int]]) -> int:
        """Return the sum of the amounts that count, in millionths; zero if the condition does not hold."""
        counted = [amount for issue, amount in issues if self.counts(facts, issue)]
        return sum(counted) if counted and self.applies(facts) else 0


def award_trackers(trackers: Iterable[Tracker]) -> tuple[AwardTracker, ...]:
    """Return those trackers that measure awards, bound."""
    return tuple(
        AwardTracker(each.id, each.measure.currency, each.per == "member_group", bind_applies(each))
        for each in trackers
        if isinstance(each.measure, AwardedCurrency)
    )
