"""Merge: two members become one. Source: semantics 13."""

from collections.abc import Iterator
from datetime import datetime

import attrs

from loyalty_rules.engine.counters import tracker_counter
from loyalty_rules.intents import ChangeTier
from loyalty_rules.keys import event_key, key_part, member_key, tier_key
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import MERGERS
from loyalty_rules.ledger.locks import account_lock, counter_lock
from loyalty_rules.ledger.operations.lookups import level_at
from loyalty_rules.ledger.operations.operation import Decision, Operation, host_identity
from loyalty_rules.ledger.receipts import MergeReceipt
from loyalty_rules.ledger.storage import Storage, window_of
from loyalty_rules.lifecycle.merging import merge, merged_level
from loyalty_rules.lifecycle.records import Account, Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import in_zone, read_instant
from loyalty_rules.values.identifiers import read_name

__all__ = ["Merge"]


@attrs.frozen(field_transformer=checked)
class Merge(Operation[MergeReceipt]):
    """A merge of the member `from_` into the member `into`; `event` is its own id."""

    program: Program
    from_: str = attrs.field(converter=read_name)
    into: str = attrs.field(converter=read_name)
    reason: str = attrs.field(converter=read_name)
    by: str = attrs.field(converter=read_name)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[MergeReceipt]:
        """Return the class of the receipt."""
        return MergeReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: both members, the reason and the person."""
        inputs = {"from": self.from_, "into": self.into, "reason": self.reason, "by": self.by}
        return host_identity(self.program, self.event, "merge", inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Move the counters and the level, unless one of the members stands for another one already."""
        program = self.program
        storage.lock(account_lock(program.id, Account("member", each)) for each in (self.from_, self.into))
        refusal = self._refusal(storage)
        if refusal is not None:
            return refusal
        counters = storage.counters_named(program.id, key_part(self.from_))
        storage.lock(counter_lock(program.id, name) for name, _, _ in counters)
        merged = merge(
            program,
            self.from_,
            self.into,
            storage.counters_named(program.id, key_part(self.from_)),
            storage.counters_named(program.id, key_part(self.into)),
            reason=self.reason,
            by=self.by,
            event=self.event,
        )
        return (merged, *self._levels(storage))

    def _refusal(self, storage: Storage) -> Refusal | None:
        if self.from_ == self.into:
            return Refusal(("same_member",), f"{self.from_} cannot be merged into itself")
        for member in (self.from_, self.into):
            merger = storage.record(MERGERS, member_key(self.program.id, member))
            if merger is not None and merger.into is None:
                return Refusal(("closed_account",), f"the account of {member} is closed")
            if merger is not None:
                return Refusal(("closed_account",), f"{member} was merged into {merger.into} already")
        return None

    def _levels(self, storage: Storage) -> Iterator[ChangeTier]:
        """Yield the changes of the new member's levels, in tiers of members."""
        program, on = self.program, in_zone(self.at, self.program.plan.zone).date()
        for bound in program.plan.tiers:
            tracker = next(each for each in program.trackers if each.id == bound.tier.by)
            if tracker.per != "member":
                continue
            old, new = (
                level_at(storage, program, bound.tier, Account("member", each), self.at)
                for each in (self.from_, self.into)
            )
            windows = [window_of(tracker_counter(tracker, each, on)) for each in (self.from_, self.into)]
            value = sum(storage.counter_value(program.id, window) for window in windows)
            level = merged_level(bound, old, new, value, on)
            if level is not None:
                key = tier_key(event_key(program.id, self.event), bound.tier.id)
                yield ChangeTier(key, bound.tier.id, self.into, None, new.level, level.level, on, level.until)
