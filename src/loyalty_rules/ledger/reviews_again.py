"""Reviews that a sale recorded late makes the ledger judge again. Source: semantics 14, 17.

So the order in which sales and reviews are recorded makes no difference.
"""

from collections.abc import Iterable
from datetime import date, datetime

import attrs

from loyalty_rules.engine.counters import tracker_counter
from loyalty_rules.engine.plan import BoundTier
from loyalty_rules.events import TierStanding
from loyalty_rules.intents import AdvanceTracker, ChangeTier
from loyalty_rules.keys import event_key, review_again_key, review_key
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import LEVELS, holder_name
from loyalty_rules.ledger.storage import Storage, window_of
from loyalty_rules.lifecycle.levels import has_passed, reviewed, standing_at
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
    judge = _Judge(storage, identity, sale, bound, tracker, account, {each.key: each for each in changes})
    for at in dict.fromkeys(each.at for each in reviews):
        judge.judge_again(at)
    changes = [*judge.changes.values()]
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


@attrs.define
class _Judge:
    """The reviews of an account in a tier, judged again one after the other. `changes` are its changes, by their keys.

    A late sale may end a period earlier, as a higher level does, so that a review has more periods to judge.
    """

    storage: Storage
    identity: IdempotencyRecord
    sale: Sale
    bound: BoundTier
    tracker: Tracker
    account: Account
    changes: dict[str, LevelChange]

    def judge_again(self, at: datetime) -> None:
        """Judge all periods that have passed by the instant of a review, from the level before it."""
        recorded = {each.key: each for each in self.changes.values() if each.is_review and each.at == at}
        others = [each for each in self.changes.values() if each.key not in recorded and each.at <= at]
        standing = standing_at(self.bound.tier, others, at)
        while (until := standing.until) is not None and has_passed(self.sale.program, self.bound, until, at):
            key = review_key(self.sale.program.id, self.bound.tier.id, self.account.id, until)
            review = recorded.pop(key, None) or self.changes.get(key)
            judged = self._judged(standing, until, review)
            if judged == standing:
                break
            standing = judged
            new = LevelChange(key, self.bound.tier.id, self.account, at, judged.level, judged.until, is_review=True)
            self._save(new)
        for review in recorded.values():  # their periods have not ended by then
            self._save(attrs.evolve(review, level=standing.level, until=standing.until))

    def _judged(self, standing: TierStanding, until: date, review: LevelChange | None) -> TierStanding:
        """Return the level after a period; a review of it holds if the sale is after the period."""
        if review is not None and self.sale.event_on > until:
            return TierStanding(review.level, review.until)
        window = window_of(tracker_counter(self.tracker, self.account.id, until))
        return reviewed(self.bound, standing, self.storage.counter_value(self.sale.program.id, window))

    def _save(self, review: LevelChange) -> None:
        if self.changes.get(review.key) != review:
            self.changes[review.key] = review
            self.storage.save_record(LEVELS, self.sale.program.id, review, self.identity.at)
