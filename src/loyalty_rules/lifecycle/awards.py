"""Trackers of awards after the sale: units that are no longer awarded lower them, in the window of the sale.

Source: semantics 7a and 17.
"""

from collections.abc import Iterable, Iterator, Mapping

from loyalty_rules.events import Member
from loyalty_rules.intents import AdvanceTracker, IssueCurrency
from loyalty_rules.keys import tracker_key
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.rules.windows import window_days
from loyalty_rules.values.amounts import decimal_of

__all__ = ["advance", "lost_awards", "lowered_trackers"]


def lost_awards(sale: Sale, lost: Iterable[tuple[IssueCurrency, int]]) -> dict[str, int]:
    """Return the units that each tracker of awards loses with units of the sale's issues, in millionths."""
    plan = sale.program.plan
    if not plan.award_trackers:
        return {}
    facts, issues = plan.facts(sale.current(), sale.snapshot), [*lost]
    return {each.id: each.total(facts, issues) for each in plan.award_trackers}


def lowered_trackers(sale: Sale, key: str, surplus: Mapping[str, int]) -> Iterator[AdvanceTracker]:
    """Yield an advance below zero for each tracker with a surplus in millionths; `key` begins the intents' keys."""
    member = sale.current().member
    if member is None:
        return
    for tracker in sale.program.plan.trackers:
        if surplus.get(tracker.id, 0) > 0:
            yield advance(sale, tracker, member, tracker_key(key, tracker.id), -surplus[tracker.id])


def advance(sale: Sale, tracker: Tracker, member: Member, key: str, step: int) -> AdvanceTracker:
    """Return the advance of a member's tracker by millionths, in the window of a sale."""
    plan = sale.program.plan
    days = window_days(tracker.window, sale.event_on)
    return AdvanceTracker(
        key,
        tracker.id,
        member.id,
        decimal_of(step),
        plan.start_of(days[0]) if days is not None else None,
        plan.end_of(days[1]) if days is not None else None,
        member.group if tracker.per == "member_group" else None,
    )
