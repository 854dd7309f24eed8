"""Changes of level that the contributions of an event cause. Source: semantics 14."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from loyalty_rules.engine.plan import BoundTier
from loyalty_rules.intents import AdvanceTracker, ChangeTier, Intent
from loyalty_rules.keys import tier_key
from loyalty_rules.rules.facts import Facts
from loyalty_rules.values.amounts import micros

__all__ = ["tier_changes"]

ZERO = Decimal(0)


def tier_changes(
    tiers: Iterable[BoundTier], facts: Facts, intents: Iterable[Intent], event: str
) -> Iterator[ChangeTier]:
    """Yield the change of each level that the advances of trackers among the intents raise or prolong.

    `event` is the event key. A tier that no event raises or prolongs yields nothing.
    """
    advances = {each.tracker: each for each in intents if isinstance(each, AdvanceTracker)}
    for bound in tiers:
        advance = advances.get(bound.tier.by)
        if advance is not None:
            yield from _change(bound, facts, advance, event)


def _change(bound: BoundTier, facts: Facts, advance: AdvanceTracker, event: str) -> Iterator[ChangeTier]:
    tier = bound.tier
    standing = facts.snapshot.tiers.get(tier.id)
    level, until = (standing.level, standing.until) if standing is not None else (tier.first, None)
    value = micros(facts.snapshot.trackers.get(advance.tracker, ZERO)) + micros(advance.value)
    reached = tier.reached(value)
    if tier.rank(reached) == 0 or tier.rank(reached) < tier.rank(level):
        return
    last = bound.until(facts.event_on)
    if reached == level and (until is None or (last is not None and last <= until)):
        return  # a last day never moves to an earlier one; None is later than any
    yield ChangeTier(
        tier_key(event, tier.id), tier.id, advance.member, advance.group, level, reached, facts.event_on, last
    )
