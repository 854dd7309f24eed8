"""Review: judge a level whose period has passed. Source: semantics 14."""

from datetime import date, datetime

import attrs

from loyalty_rules.engine.counters import tracker_counter
from loyalty_rules.engine.plan import BoundTier
from loyalty_rules.intents import ChangeTier
from loyalty_rules.keys import review_key, review_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.locks import account_lock
from loyalty_rules.ledger.operations.lookups import level_at
from loyalty_rules.ledger.operations.operation import Decision, Operation, host_identity
from loyalty_rules.ledger.receipts import ReviewReceipt
from loyalty_rules.ledger.storage import Storage, window_of
from loyalty_rules.lifecycle.levels import has_passed, reviewed
from loyalty_rules.lifecycle.records import Account, Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import in_zone, read_instant

__all__ = ["Review"]


@attrs.frozen(field_transformer=checked)
class Review(Operation[ReviewReceipt]):
    """The review, at an instant, of the level that an account has in a tier until a day that has passed."""

    program: Program
    tier: str
    account: Account
    until: date
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[ReviewReceipt]:
        """Return the class of the receipt."""
        return ReviewReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the tier, the account and the last day."""
        phase = review_phase(self.tier, f"{self.account.kind} {self.account.id}", self.until)
        return host_identity(self.program, "review", phase, {"tier": self.tier}, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Judge the level by the tracker in the window that holds its last day."""
        storage.lock([account_lock(self.program.id, self.account)])
        bound = bound_tier(self.program, self.tier)
        standing = level_at(storage, self.program, bound.tier, self.account, self.at)
        if standing.until != self.until or not has_passed(self.program, bound, self.until, self.at):
            return Refusal(("not_due",), f"the level of {self.account.id} in {self.tier} is not due for a review")
        tracker = next(each for each in self.program.trackers if each.id == bound.tier.by)
        value = storage.counter_value(self.program.id, window_of(tracker_counter(tracker, self.account.id, self.until)))
        judged = reviewed(bound, standing, value)
        is_group = self.account.kind == "group"
        return (
            ChangeTier(
                review_key(self.program.id, self.tier, self.account.id, self.until),
                self.tier,
                None if is_group else self.account.id,
                self.account.id if is_group else None,
                standing.level,
                judged.level,
                in_zone(self.at, self.program.plan.zone).date(),
                judged.until,
            ),
        )


def bound_tier(program: Program, tier: str) -> BoundTier:
    """Return a tier of a program; raise `StopIteration` if the program has none of this id."""
    return next(each for each in program.plan.tiers if each.tier.id == tier)
