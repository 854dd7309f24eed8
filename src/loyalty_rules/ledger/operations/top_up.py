"""Top up: add to a stored value. Source: semantics 13."""

from datetime import datetime
from decimal import Decimal

import attrs

from loyalty_rules.keys import top_up_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations.lookups import against_coupon_of_later, locked_coupon
from loyalty_rules.ledger.operations.operation import Decision, Operation, decision_of, host_identity
from loyalty_rules.ledger.receipts import TopUpReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import by_hand
from loyalty_rules.lifecycle.records import Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import read_decimal, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["TopUp"]


@attrs.frozen(field_transformer=checked)
class TopUp(Operation[TopUpReceipt]):
    """An addition of `amount` to the card with the key `coupon`; `event` is its own id."""

    program: Program
    coupon: str = attrs.field(converter=read_text)
    amount: Decimal = attrs.field(converter=read_decimal)
    reason: str = attrs.field(converter=read_name)
    by: str = attrs.field(converter=read_name)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[TopUpReceipt]:
        """Return the class of the receipt."""
        return TopUpReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the coupon, the amount, the reason and the person."""
        inputs = {"coupon": self.coupon, "amount": text_of(self.amount), "reason": self.reason, "by": self.by}
        return host_identity(self.program, self.event, top_up_phase(self.coupon), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Add the amount, unless the coupon is no stored value or has ended."""
        coupon = locked_coupon(storage, self.program, self.coupon)
        if coupon is None:
            return Refusal(("unknown",), "there is no such coupon")
        refusal = against_coupon_of_later(storage, self.program, coupon, self.at)
        if refusal is not None:
            return refusal
        return decision_of(
            by_hand.top_up(
                self.program, coupon, self.amount, reason=self.reason, by=self.by, event=self.event, at=self.at
            )
        )
