"""Levels that a return takes back, in the course of posting its advances of trackers. Source: semantics 11, 14."""

from loyalty_rules.intents import AdvanceTracker, ChangeTier
from loyalty_rules.keys import event_key, tier_key
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import LEVELS, holder_name
from loyalty_rules.ledger.storage import Storage, Window
from loyalty_rules.lifecycle.levels import standing_at, without_sale
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.values.dates import in_zone

__all__ = ["levels_taken_back"]


def levels_taken_back(
    storage: Storage, identity: IdempotencyRecord, sale: Sale, advance: AdvanceTracker, window: Window
) -> list[ChangeTier]:
    """Take back the levels that a sale gave, if the tracker in its window reaches them no more; return the changes."""
    program, at = sale.program, identity.at
    value, taken = storage.counter_value(program.id, window), []
    for bound in program.plan.tiers:
        change = storage.record(LEVELS, tier_key(event_key(program.id, sale.event.id), bound.tier.id))
        if bound.tier.by != advance.tracker or change is None:
            continue
        changes = storage.records(LEVELS, program.id, holder=holder_name(change.tier, change.account))
        left = without_sale(bound.tier, change, changes, value)
        if left is None or left == change:
            continue
        storage.save_record(LEVELS, program.id, left, at)
        before = standing_at(bound.tier, changes, at)
        after = standing_at(bound.tier, [left if each.key == left.key else each for each in changes], at)
        if after != before:
            taken.append(
                ChangeTier(
                    tier_key(event_key(program.id, identity.event), bound.tier.id),
                    bound.tier.id,
                    advance.member,
                    advance.group,
                    before.level,
                    after.level,
                    in_zone(at, program.plan.zone).date(),
                    after.until,
                )
            )
    return taken
