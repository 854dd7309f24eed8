"""The questions of a help desk, over any storage: the reasons of an event, progress, expiring units.

Nothing is written. Source: semantics 16.
"""

from collections.abc import Iterator
from datetime import date, datetime

from loyalty_rules.engine.counters import tracker_counter
from loyalty_rules.events import Event, Member, TierStanding
from loyalty_rules.ledger.operations.lookups import (
    counter_value,
    current_event,
    current_member,
    holder_of,
    level_at,
    read_lots,
    read_snapshot,
)
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import progress
from loyalty_rules.lifecycle.explaining import (
    EventExplanation,
    intent_text,
    later_events,
    state_of_coupon,
    state_of_lot,
    trace_of,
)
from loyalty_rules.lifecycle.levels import TierStatus, status_of
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.program import Preview, Program
from loyalty_rules.rules.tiers import Tier
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.values.amounts import text_of
from loyalty_rules.values.dates import in_zone

__all__ = ["expiring_units", "explained", "previewed", "progress_of", "tier_status"]


def explained(storage: Storage, program: str, event: str) -> EventExplanation | None:
    """Explain a recorded event; None if no such event was recorded.

    A sale or an activity is traced under the terms that were frozen with it, after any edit of the program.
    """
    receipt = storage.receipt(program, event, "event")
    if receipt is None:
        return None
    recorded = tuple(_recorded(receipt))
    sale = storage.sale(program, event)
    if sale is None:
        return EventExplanation(event, program, None, recorded, ())
    since = [
        *later_events(sale),
        *map(state_of_lot, storage.lots_of_sale(program, event)),
        *map(state_of_coupon, storage.coupons_of_sale(program, event)),
    ]
    return EventExplanation(event, program, trace_of(sale), recorded, tuple(since))


def _recorded(receipt: Receipt) -> Iterator[str]:
    """Yield the intents of a receipt in words, and the amounts that caps left out when it was recorded."""
    yield from map(intent_text, receipt.intents)
    for trim in receipt.trims:
        yield f"{trim.intent}: {text_of(trim.left)} of {text_of(trim.asked)} recorded, because of {trim.counter}"


def previewed(storage: Storage, program: Program, event: Event) -> Preview:
    """Evaluate a cart with the present snapshot; no serial is derived and nothing is recorded."""
    current = current_event(storage, program, event)
    return program.preview(current, read_snapshot(storage, program, current, program.counters(current)))


def expiring_units(
    storage: Storage, program: str, account: Account, currency: str, at: datetime, before: datetime | date
) -> tuple[progress.Expiring, ...]:
    """Return the units of an account as of an instant that expire before another, by their last day."""
    return progress.expiring(read_lots(storage, program, account, currency, at)[0], at, before)


def progress_of(
    storage: Storage, program: Program, member: str, at: datetime, group: str | None = None
) -> progress.Progress:
    """Return the progress of a member in each tracker and tier of the program, in the windows that contain `at`."""
    holder = Member(current_member(storage, program, member), group)
    trackers = [each for tracker in program.trackers if (each := _tracker(storage, program, tracker, holder, at))]
    tiers = {tier.id: tier_status(storage, program, tier, holder, at) for tier in program.tiers}
    return progress.Progress(holder.id, at, tuple(trackers), tiers)


def _tracker(
    storage: Storage, program: Program, tracker: Tracker, member: Member, at: datetime
) -> progress.TrackerProgress | None:
    holder = tracker.holder(member)
    if holder is None:
        return None
    day = in_zone(at, program.plan.zone).date()
    value = counter_value(storage, program, tracker_counter(tracker, holder, day))
    return progress.tracker_progress(tracker, value, day)


def tier_status(storage: Storage, program: Program, tier: Tier, member: Member, at: datetime) -> TierStatus:
    """Return the level of a member in a tier as of an instant, and the way to the next level.

    A member without a group has the first level of a tier by a tracker of groups.
    """
    tracker = next(each for each in program.trackers if each.id == tier.by)
    account = holder_of(program, tier, member)
    if account is None:
        return status_of(tier, TierStanding(tier.first), 0)
    day = in_zone(at, program.plan.zone).date()
    value = counter_value(storage, program, tracker_counter(tracker, account.id, day))
    return status_of(tier, level_at(storage, program, tier, account, at), value)
