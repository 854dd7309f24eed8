"""Undo a spend, or a part of it: its units settle shortfalls and return to their lots. Source: semantics 11, 12."""

from datetime import datetime
from decimal import Decimal

import attrs
from attrs.converters import optional

from loyalty_rules.intents import SpendCurrency
from loyalty_rules.keys import part_undo_key, undo_spend_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import SHORTFALLS, balance_name
from loyalty_rules.ledger.operations.lookups import current_account, end_holds, payment_of
from loyalty_rules.ledger.operations.operation import Decision, Operation, decision_of, host_identity
from loyalty_rules.ledger.receipts import UndoSpendReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import undoing
from loyalty_rules.lifecycle.records import Account, Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import read_decimal, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["UndoSpendOf"]


@attrs.frozen(field_transformer=checked)
class UndoSpendOf(Operation[UndoSpendReceipt]):
    """An undo of the spend with the key `spend`, or of an `amount` of it; `event` is the id of the undoing event.

    A spend can be undone in several parts, each by an event of its own.
    """

    program: Program
    spend: str = attrs.field(converter=read_text)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)
    amount: Decimal | None = attrs.field(default=None, converter=optional(read_decimal))

    def receipt_class(self) -> type[UndoSpendReceipt]:
        """Return the class of the receipt."""
        return UndoSpendReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the key of the spend, and the amount if there is one."""
        inputs = {"spend": self.spend} | ({"amount": text_of(self.amount)} if self.amount is not None else {})
        return host_identity(self.program, self.event, undo_spend_phase(self.spend), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Return the units to their lots, which keep their expiry, after they have settled shortfalls."""
        payment = payment_of(storage, self.program, self.spend)
        spent = payment.intent if payment is not None else None
        if payment is None or not isinstance(spent, SpendCurrency):
            return Refusal(("unknown_spend",), f"no spend {self.spend} has been recorded")
        program, account = self.program.id, current_account(storage, self.program, Account.of(spent))
        payment = payment_of(storage, self.program, self.spend) or payment  # again: a part may have been undone
        lots = {each.lot: lot for each in spent.draws if (lot := storage.lot(each.lot)) is not None}
        balance = balance_name(account, spent.currency)
        shortfalls = storage.records(SHORTFALLS, program, balance=balance)
        if shortfalls and end_holds(storage, self.program, self.identity(storage), storage.lots_of(program, account)):
            shortfalls = storage.records(SHORTFALLS, program, balance=balance)  # some were made good by held units
        key = part_undo_key(program, self.event, self.spend) if self.amount is not None else None
        return decision_of(undoing.undo_spend(payment, lots, shortfalls, self.at, self.amount, key))
