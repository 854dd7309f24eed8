"""Spend: spend from an account's live lots, soonest expiry first. Source: semantics 12."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from loyalty_rules.events import Transaction
from loyalty_rules.keys import spend_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.late import usable_lots
from loyalty_rules.ledger.locks import sale_lock
from loyalty_rules.ledger.operations.checkout import check_unspent, standing_of
from loyalty_rules.ledger.operations.lookups import current_account, lots_of, open_member
from loyalty_rules.ledger.operations.operation import Decision, Operation, host_identity, is_wholly_undone
from loyalty_rules.ledger.receipts import SpendReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import spending
from loyalty_rules.lifecycle.bill import amount_of
from loyalty_rules.lifecycle.extending import extension_of_spend
from loyalty_rules.lifecycle.records import Account, Refusal
from loyalty_rules.lifecycle.redemption import checkout_of
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import read_decimal, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name

__all__ = ["Spend"]


@attrs.frozen(field_transformer=checked)
class Spend(Operation[SpendReceipt]):
    """A spend of `amount`; `member` pays, and `event` is the id of the transaction that is paid for.

    A transaction can spend each currency once. With its `bill` the spend is at most the remainder after the earlier
    redemptions and spends, and `event` is the id of the attempt. Raises `InvalidValueError` for an argument that cannot
    be read.
    """

    program: Program
    account: Account
    member: str = attrs.field(converter=read_name)
    currency: str
    amount: Decimal = attrs.field(converter=read_decimal)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)
    bill: Transaction | None = None

    def receipt_class(self) -> type[SpendReceipt]:
        """Return the class of the receipt."""
        return SpendReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the account, the member and the amount."""
        inputs: dict[str, Any] = {
            "account": f"{self.account.kind} {self.account.id}",
            "member": self.member,
            "amount": text_of(self.amount),
        }
        if self.bill is not None:
            inputs["bill"] = dump(self.bill)
        return host_identity(self.program, self.event, spend_phase(self.currency), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Draw the amount from the account's live lots, unless the rate or the balance forbids it."""
        program, of = self.program, self.bill.id if self.bill is not None else self.event
        storage.lock([sale_lock(program.id, of)])
        account = current_account(storage, program, self.account)
        if self.member != self.account.id:
            open_member(storage, program, self.member)
        check_unspent(storage, program, self.event, self.currency, self.amount)
        bill = None
        if self.bill is not None:
            bill = checkout_of(program, self.bill, standing_of(storage, program, of)).bill
        lots = usable_lots(storage, lots_of(storage, program, self.identity(storage), account, self.at), self.at)
        spent = spending.spend(
            program, account, self.member, self.currency, self.event, lots, self.amount, self.at, bill,
            has_rate=bill is not None or self.bill is None,
        )  # fmt: skip
        if isinstance(spent, Refusal):
            return spent
        extension = extension_of_spend(program, spent, self.at)
        return (spent, extension) if extension is not None else (spent,)

    def bill_amount(self) -> Decimal | None:
        """Return the amount of the bill, in the program's money."""
        return amount_of(self.program, self.bill)

    def bill_store(self) -> str | None:
        """Return the store of the bill."""
        return self.bill.store if self.bill is not None else None

    def replayed(self, storage: Storage, receipt: SpendReceipt) -> SpendReceipt:
        """Return the recorded receipt, marked if the spend has been undone."""
        return attrs.evolve(receipt, undone=is_wholly_undone(storage, receipt))
