"""Undo a spend, once: its units return to their lots. Source: semantics 12."""

from datetime import datetime

import attrs

from loyalty_rules.intents import SpendCurrency
from loyalty_rules.keys import undo_spend_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.locks import account_lock
from loyalty_rules.ledger.operations.lookups import is_undone, payment_of
from loyalty_rules.ledger.operations.operation import Decision, Operation, already_undone, host_identity
from loyalty_rules.ledger.receipts import UndoSpendReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import spending
from loyalty_rules.lifecycle.records import Account, Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["UndoSpendOf"]


@attrs.frozen(field_transformer=checked)
class UndoSpendOf(Operation[UndoSpendReceipt]):
    """An undo of the spend with the key `spend`; `event` is the id of the undoing event."""

    program: Program
    spend: str = attrs.field(converter=read_text)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[UndoSpendReceipt]:
        """Return the class of the receipt."""
        return UndoSpendReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the key of the spend."""
        return host_identity(self.program, self.event, undo_spend_phase(self.spend), {"spend": self.spend}, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Return the units to their lots, which keep their expiry."""
        payment = payment_of(storage, self.program, self.spend)
        spent = payment.intent if payment is not None else None
        if not isinstance(spent, SpendCurrency):
            return Refusal(("unknown_spend",), f"no spend {self.spend} has been recorded")
        storage.lock([account_lock(self.program.id, Account.of(spent))])
        if is_undone(storage, self.spend):
            return already_undone(self.spend)
        lots = {each.lot: lot for each in spent.draws if (lot := storage.lot(each.lot)) is not None}
        return (spending.undo_spend(spent, lots, self.at),)
