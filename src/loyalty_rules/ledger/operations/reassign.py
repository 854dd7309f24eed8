"""Reassign: move a coupon to another member. Source: semantics 13."""

from datetime import datetime

import attrs

from loyalty_rules.keys import reassign_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations.lookups import against_coupon_of_later, locked_coupon, open_member
from loyalty_rules.ledger.operations.operation import Decision, Operation, decision_of, host_identity
from loyalty_rules.ledger.receipts import ReassignReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import by_hand
from loyalty_rules.lifecycle.records import Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["Reassign"]


@attrs.frozen(field_transformer=checked)
class Reassign(Operation[ReassignReceipt]):
    """A change of the member who has the coupon with the key `coupon`; `event` is its own id."""

    program: Program
    coupon: str = attrs.field(converter=read_text)
    member: str = attrs.field(converter=read_name)
    reason: str = attrs.field(converter=read_name)
    by: str = attrs.field(converter=read_name)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[ReassignReceipt]:
        """Return the class of the receipt."""
        return ReassignReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the coupon, the member, the reason and the person."""
        inputs = {"coupon": self.coupon, "member": self.member, "reason": self.reason, "by": self.by}
        return host_identity(self.program, self.event, reassign_phase(self.coupon), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Move the coupon to the member, unless it cannot be redeemed any more."""
        coupon = locked_coupon(storage, self.program, self.coupon)
        if coupon is None:
            return Refusal(("unknown",), "there is no such coupon")
        member = open_member(storage, self.program, self.member)
        refusal = against_coupon_of_later(storage, self.program, coupon, self.at)
        if refusal is not None:
            return refusal
        return decision_of(
            by_hand.reassign(self.program, coupon, member, reason=self.reason, by=self.by, event=self.event, at=self.at)
        )
