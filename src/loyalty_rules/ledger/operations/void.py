"""Void: take a coupon out of circulation. Source: semantics 9."""

from datetime import datetime

import attrs
from attrs.converters import optional

from loyalty_rules.keys import void_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations.lookups import against_coupon_of_later, locked_coupon
from loyalty_rules.ledger.operations.operation import Decision, Operation, decision_of, host_identity
from loyalty_rules.ledger.receipts import VoidReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import redemption
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["Void"]


@attrs.frozen(field_transformer=checked)
class Void(Operation[VoidReceipt]):
    """A void of the coupon whose intent has the key `coupon`; `event` is the id of the voiding event."""

    program: Program
    coupon: str = attrs.field(converter=read_text)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)
    reason: str | None = attrs.field(default=None, converter=optional(read_name))
    by: str | None = attrs.field(default=None, converter=optional(read_name))

    def receipt_class(self) -> type[VoidReceipt]:
        """Return the class of the receipt."""
        return VoidReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the key of the coupon and, if given, the reason and the person."""
        named = {"coupon": self.coupon, "reason": self.reason, "by": self.by}
        inputs = {name: value for name, value in named.items() if value is not None}
        return host_identity(self.program, self.event, void_phase(self.coupon), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Void the coupon, unless it is redeemed or expired."""
        coupon = locked_coupon(storage, self.program, self.coupon)
        if coupon is not None:
            refusal = against_coupon_of_later(storage, self.program, coupon, self.at)
            if refusal is not None:
                return refusal
        return decision_of(redemption.void(self.program, coupon, self.event, self.at, reason=self.reason, by=self.by))
