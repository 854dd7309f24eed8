"""Redeem: redeem a coupon by its serial or shared code in a transaction. Source: semantics 9."""

from collections.abc import Sequence

import attrs

from loyalty_rules.events import Transaction
from loyalty_rules.keys import redemption_phase
from loyalty_rules.ledger.coupon_serials import canonical_code
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.locks import sale_lock
from loyalty_rules.ledger.operations.lookups import read_snapshot
from loyalty_rules.ledger.operations.operation import Decision, Operation, decision_of, host_identity
from loyalty_rules.ledger.receipts import RedeemReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import redemption
from loyalty_rules.lifecycle.records import CouponRecord
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_text

__all__ = ["Redeem"]


@attrs.frozen(field_transformer=checked)
class Redeem(Operation[RedeemReceipt]):
    """A redemption; of several coupons with one shared code, it takes the redeeming member's own."""

    program: Program
    code: str = attrs.field(converter=read_text)
    transaction: Transaction

    def receipt_class(self) -> type[RedeemReceipt]:
        """Return the class of the receipt."""
        return RedeemReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:
        """Return the identity: the transaction and the coupon's key, since its serial is secret."""
        phase = _phase(self.code, storage.coupons_by_code(self.program.id, self.code))
        inputs = {"event": dump(self.transaction)}
        return host_identity(self.program, self.transaction.id, phase, inputs, self.transaction.occurred_at)

    def decide(self, storage: Storage) -> Decision:
        """Redeem the coupon for its discount, unless it is not valid for the transaction."""
        program, transaction = self.program, self.transaction
        coupons = storage.coupons_by_code(program.id, self.code)
        storage.lock(sale_lock(program.id, each.issue.event) for each in coupons)
        # Read again: the coupons may have changed before they were locked.
        coupon = _chosen(storage.coupons_by_code(program.id, self.code), transaction)
        snapshot = read_snapshot(storage, program, transaction, program.counters(transaction))
        return decision_of(redemption.redeem(program, coupon, transaction, snapshot))


def _phase(code: str, coupons: Sequence[CouponRecord]) -> str:
    """Return the phase: by the key of a coupon with a serial, or by a shared code."""
    if not coupons:
        return redemption_phase()
    if coupons[0].issue.serial is not None:
        return redemption_phase(coupons[0].key)
    return redemption_phase(code=canonical_code(code))


def _chosen(coupons: Sequence[CouponRecord], transaction: Transaction) -> CouponRecord | None:
    """Return the coupon that a transaction redeems: of a shared code the member's own, else one without a member."""
    if not coupons or coupons[0].issue.serial is not None:
        return coupons[0] if coupons else None
    at, member = transaction.occurred_at, transaction.member.id if transaction.member is not None else None
    mine = [each for each in coupons if each.member == member and member is not None]
    candidates = [*mine, *(each for each in coupons if each.member is None)]
    usable = [each for each in candidates if each.state_at(at) == "issued" and each.issue.valid_from <= at]
    return next(iter(usable or candidates), None)
