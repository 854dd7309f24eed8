"""Levels: the level of an account in a tier as of an instant, from its recorded changes. Source: semantics 14."""

from collections.abc import Iterable
from datetime import datetime

from loyalty_rules.events import TierStanding
from loyalty_rules.lifecycle.records import LevelChange
from loyalty_rules.rules.tiers import Tier

__all__ = ["standing_at"]


def standing_at(tier: Tier, changes: Iterable[LevelChange], at: datetime) -> TierStanding:
    """Return the level and its last day as of an instant; changes count in the order of their instants.

    A review sets the level. An event raises it, or moves its last day later. So an event that is recorded late counts
    at its own instant.
    """
    level, until = tier.first, None
    for change in sorted(changes, key=lambda each: each.at):
        if change.at > at:
            break
        rank, present = tier.rank(change.level), tier.rank(level)
        if change.is_review or rank > present:
            level, until = change.level, change.until
        elif rank == present and until is not None:
            until = None if change.until is None else max(until, change.until)
    return TierStanding(level, until)
