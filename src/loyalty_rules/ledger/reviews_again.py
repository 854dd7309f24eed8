"""Reviews that a sale recorded late makes the ledger judge again. Source: semantics 14, 17.

So the order in which sales and reviews are recorded makes no difference.
"""

from collections.abc import Iterable
from datetime import date

import attrs

from loyalty_rules.engine.counters import tracker_counter
from loyalty_rules.engine.plan import BoundTier
from loyalty_rules.events import TierStanding
from loyalty_rules.intents import AdvanceTracker, ChangeTier
from loyalty_rules.keys import event_key, review_again_key, until_in
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import LEVELS, holder_name
from loyalty_rules.ledger.storage import Storage, window_of
from loyalty_rules.lifecycle.levels import reviewed, standing_at
from loyalty_rules.lifecycle.records import Account, LevelChange, Sale
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.values.dates import in_zone

__all__ = ["reviews_again"]


def reviews_again(
    storage: Storage, identity: IdempotencyRecord, sale: Sale, advances: Iterable[AdvanceTracker]
) -> list[ChangeTier]:
    """Judge the reviews again that a sale, already posted, belongs before; return the changes of level."""
    program, changed = sale.program, []
    trackers = {each.id: each for each in program.trackers}
    for advance in advances:
        for bound in program.plan.tiers:
            if bound.tier.by == advance.tracker:
                account = Account("group", advance.group) if advance.group else Account("member", advance.member)
                changed += _of_tier(storage, identity, sale, bound, trackers[advance.tracker], account)
    return changed


def _of_tier(
    storage: Storage, identity: IdempotencyRecord, sale: Sale, bound: BoundTier, tracker: Tracker, account: Account
) -> list[ChangeTier]:
    program, tier = sale.program, bound.tier
    changes = [*storage.records(LEVELS, program.id, holder=holder_name(tier.id, account))]
    reviews = sorted((each for each in changes if each.is_review and each.at >= identity.at), key=lambda each: each.at)
    if not reviews:
        return []
    last = reviews[-1].at
    before = standing_at(tier, changes, last)
    for review in reviews:
        until = until_in(review.key)
        earlier = [each for each in changes if each.at < review.at or reviews.index(review) > _place(reviews, each)]
        window = window_of(tracker_counter(tracker, account.id, until))
        value = storage.counter_value(program.id, window) if sale.event_on <= until else None
        judged = _judged(bound, review, standing_at(tier, earlier, review.at), until, value)
        if judged != review:
            storage.save_record(LEVELS, program.id, judged, identity.at)
            changes = [judged if each.key == review.key else each for each in changes]
    after = standing_at(tier, changes, last)
    if after == before:
        return []
    is_group = account.kind == "group"
    return [
        ChangeTier(
            review_again_key(event_key(program.id, identity.event), tier.id),
            tier.id,
            None if is_group else account.id,
            account.id if is_group else None,
            before.level,
            after.level,
            in_zone(identity.at, program.plan.zone).date(),
            after.until,
        )
    ]


def _place(reviews: list[LevelChange], change: LevelChange) -> int:
    """Return the position of a change among the reviews; that of any other change comes after all."""
    return next((index for index, each in enumerate(reviews) if each.key == change.key), len(reviews))


def _judged(
    bound: BoundTier, review: LevelChange, standing: TierStanding, until: date, value: int | None
) -> LevelChange:
    """Return the review as it is had the sale come first; `value` is None if the sale is after the period."""
    if standing.until != until:  # the sale has moved the last day: the period has not ended
        return attrs.evolve(review, level=standing.level, until=standing.until)
    if value is None:
        return review
    judged = reviewed(bound, standing, value)
    return attrs.evolve(review, level=judged.level, until=judged.until)
