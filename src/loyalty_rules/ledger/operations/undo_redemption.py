"""Undo a redemption, once: the coupon is reinstated if it is still valid. Source: semantics 9."""

from datetime import datetime
from decimal import Decimal

import attrs
from attrs.converters import optional

from loyalty_rules.intents import RedeemCoupon, VoidCoupon
from loyalty_rules.keys import part_undo_key, undo_redemption_phase, void_key
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations.lookups import is_earned, locked_coupon, payment_of
from loyalty_rules.ledger.operations.operation import (
    Decision,
    Operation,
    already_undone,
    host_identity,
    unknown_sale,
)
from loyalty_rules.ledger.receipts import UndoRedemptionReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.claims import released_claims_of_coupon
from loyalty_rules.lifecycle.records import Refusal
from loyalty_rules.lifecycle.redemption import is_revived, undo_redemption
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import read_positive, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["UndoRedemptionOf"]


@attrs.frozen(field_transformer=checked)
class UndoRedemptionOf(Operation[UndoRedemptionReceipt]):
    """An undo of the redemption with the key `redemption`; `event` is the id of the undoing event.

    With an `amount` only that part of a stored value is given back.
    """

    program: Program
    redemption: str = attrs.field(converter=read_text)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)
    amount: Decimal | None = attrs.field(default=None, converter=optional(read_positive))

    def receipt_class(self) -> type[UndoRedemptionReceipt]:
        """Return the class of the receipt."""
        return UndoRedemptionReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the key of the redemption and the amount, if there is one."""
        inputs = {"redemption": self.redemption}
        if self.amount is not None:
            inputs["amount"] = text_of(self.amount)
        return host_identity(self.program, self.event, undo_redemption_phase(self.redemption), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Reinstate the coupon; void it in the same batch if returns of its own sale have taken it."""
        payment = payment_of(storage, self.program, self.redemption)
        redeemed = payment.intent if payment is not None else None
        if payment is None or not isinstance(redeemed, RedeemCoupon):
            return Refusal(("unknown_redemption",), f"no redemption {self.redemption} has been recorded")
        coupon = locked_coupon(storage, self.program, redeemed.coupon)
        payment = payment_of(storage, self.program, self.redemption)  # again: it may have changed before the lock
        assert payment is not None
        if payment.is_undone:
            return already_undone(self.redemption)
        if self.at < payment.at:
            return Refusal(("too_early",), f"the undo is dated before the redemption {self.redemption}")
        if coupon is None:
            return unknown_sale(redeemed.coupon)
        key = None if self.amount is None else part_undo_key(self.program.id, self.event, redeemed.key)
        undone = undo_redemption(redeemed, coupon, self.at, amount=self.amount, undone=payment.undone, key=key)
        if isinstance(undone, Refusal):
            return undone
        if not is_revived(coupon, self.at) or is_earned(storage, self.program, coupon, self.at):
            return (undone,)
        key = void_key(self.program.id, self.event, coupon.key)
        return (undone, VoidCoupon(key, coupon.key, self.event, released_claims_of_coupon(coupon)))
