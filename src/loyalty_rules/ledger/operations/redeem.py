"""Redeem: redeem a coupon by its serial, its shared code or its public code in a transaction. Source: semantics 9."""

from decimal import Decimal

import attrs
from attrs.converters import optional

from loyalty_rules.events import Transaction
from loyalty_rules.keys import redemption_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations.checkout import decide_checkout, name_of_code
from loyalty_rules.ledger.operations.operation import Decision, Operation, host_identity, is_wholly_undone
from loyalty_rules.ledger.receipts import RedeemReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.bill import amount_of
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["Redeem"]


@attrs.frozen(field_transformer=checked)
class Redeem(Operation[RedeemReceipt]):
    """A redemption; of several coupons with one shared code, it takes the redeeming member's own.

    It is the set of one: see `RedeemAll`. `event` is the id of another attempt within the same transaction, by default
    the transaction's own.
    """

    program: Program
    code: str = attrs.field(converter=read_text)
    transaction: Transaction
    event: str | None = attrs.field(default=None, converter=optional(read_name))

    def receipt_class(self) -> type[RedeemReceipt]:
        """Return the class of the receipt."""
        return RedeemReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:
        """Return the identity: the transaction and the coupon's key, since its serial is secret."""
        phase = name_of_code(storage, self.program, self.code) or redemption_phase()
        inputs = {"event": dump(self.transaction)}
        event = self.event if self.event is not None else self.transaction.id
        return host_identity(self.program, event, phase, inputs, self.transaction.occurred_at)

    def decide(self, storage: Storage) -> Decision:
        """Redeem the coupon for its discount, unless it is not valid for the transaction."""
        return decide_checkout(storage, self.program, self.transaction, [self.code], event=self.event)

    def bill_amount(self) -> Decimal | None:
        """Return the amount of the bill, in the program's money."""
        return amount_of(self.program, self.transaction)

    def bill_store(self) -> str | None:
        """Return the store of the bill."""
        return self.transaction.store

    def replayed(self, storage: Storage, receipt: RedeemReceipt) -> RedeemReceipt:
        """Return the recorded receipt, marked if the redemption has been undone."""
        return attrs.evolve(receipt, undone=is_wholly_undone(storage, receipt))
