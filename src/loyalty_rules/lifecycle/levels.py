"""Levels: the level of an account in a tier as of an instant, reviews of levels, and their loss with a sale.

Source: semantics 11, 14.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

import attrs

from loyalty_rules.engine.plan import BoundTier
from loyalty_rules.events import TierStanding
from loyalty_rules.keys import until_in
from loyalty_rules.lifecycle.records import LevelChange
from loyalty_rules.program import Program
from loyalty_rules.rules.tiers import Tier
from loyalty_rules.values.amounts import decimal_of

__all__ = ["TierStatus", "has_passed", "reviewed", "standing_at", "status_of", "without_sale"]


@attrs.frozen
class TierStatus:
    """The level of a member in a tier, its last day, and the way to the next level.

    `to_next` is the amount by which the tier's tracker is below the next level; both are None at the highest.
    """

    level: str
    until: date | None
    next_level: str | None
    to_next: Decimal | None


def standing_at(tier: Tier, changes: Iterable[LevelChange], at: datetime) -> TierStanding:
    """Return the level and its last day as of an instant; changes count in the order of their instants.

    A review sets the level. An event raises it, or moves its last day later. So an event that is recorded late counts
    at its own instant.
    """
    level, until = tier.first, None
    for change in sorted(changes, key=_place):
        if change.at > at:
            break
        rank, present = tier.rank(change.level), tier.rank(level)
        if change.is_review or rank > present:
            level, until = change.level, change.until
        elif rank == present and until is not None:
            until = None if change.until is None else max(until, change.until)
    return TierStanding(level, until if tier.rank(level) else None)


def _place(change: LevelChange) -> tuple[datetime, date]:
    """Return the place of a change in time: reviews of one instant judge one period after the other."""
    return change.at, until_in(change.key) if change.is_review else date.min


def has_passed(program: Program, bound: BoundTier, until: date, at: datetime) -> bool:
    """Return whether the day `until` and the grace of the tier after it have passed."""
    last = bound.tier.grace.after(until) if bound.tier.grace is not None else until
    return last is not None and program.plan.end_of(last) <= at


def status_of(tier: Tier, standing: TierStanding, value: int) -> TierStatus:
    """Return the status of a level; `value` is the tracker's value, in millionths."""
    rank = tier.rank(standing.level)
    following = tier.levels[rank + 1] if rank + 1 < len(tier.levels) else None
    missing = decimal_of(max(tier.threshold(following) - value, 0)) if following is not None else None
    return TierStatus(standing.level, standing.until, following, missing)


def reviewed(bound: BoundTier, standing: TierStanding, value: int) -> TierStanding:
    """Return the level after the review of a period; `value` is the tracker's value in its window, in millionths.

    The level is kept if the value keeps it. Otherwise it falls by one, or to the level that was earned, or not at all.
    The new last day counts from the old one.
    """
    tier, level = bound.tier, standing.level
    assert standing.until is not None
    if not tier.keeps(level, value) and tier.falls != "never":
        level = tier.levels[tier.rank(level) - 1] if tier.falls == "one" else tier.reached(value)
    return TierStanding(level, bound.until(standing.until) if tier.rank(level) else None)


def without_sale(tier: Tier, change: LevelChange, others: Iterable[LevelChange], value: int) -> LevelChange | None:
    """Return the change that is left of a sale's after a return; None if the tracker still reaches its level.

    The account gets the highest level that the tracker still reaches, in millionths, not below the level before the
    sale. Source: semantics 14, 11.
    """
    if value >= tier.threshold(change.level):
        return None
    earlier = [each for each in others if each.key != change.key and each.at <= change.at]
    before = standing_at(tier, earlier, change.at)
    reached = tier.reached(value)
    if tier.rank(reached) > tier.rank(before.level):
        return attrs.evolve(change, level=reached)
    return attrs.evolve(change, level=before.level, until=before.until)
