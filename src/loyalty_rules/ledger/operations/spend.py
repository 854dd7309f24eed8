"""Spend: spend from an account's live lots, soonest expiry first. Source: semantics 12."""

from datetime import datetime
from decimal import Decimal

import attrs

from loyalty_rules.keys import spend_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.locks import account_lock
from loyalty_rules.ledger.operations.operation import Decision, Operation, host_identity
from loyalty_rules.ledger.receipts import SpendReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import spending
from loyalty_rules.lifecycle.extending import extension_of_spend
from loyalty_rules.lifecycle.records import Account, Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import read_decimal, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name

__all__ = ["Spend"]


@attrs.frozen(field_transformer=checked)
class Spend(Operation[SpendReceipt]):
    """A spend of `amount`; `member` pays, and `event` is the id of the transaction that is paid for.

    A transaction can spend each currency once. Raises `InvalidValueError` for an argument that cannot be read.
    """

    program: Program
    account: Account
    member: str = attrs.field(converter=read_name)
    currency: str
    amount: Decimal = attrs.field(converter=read_decimal)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[SpendReceipt]:
        """Return the class of the receipt."""
        return SpendReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the account, the member and the amount."""
        inputs = {
            "account": f"{self.account.kind} {self.account.id}",
            "member": self.member,
            "amount": text_of(self.amount),
        }
        return host_identity(self.program, self.event, spend_phase(self.currency), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Draw the amount from the account's live lots, unless the rate or the balance forbids it."""
        storage.lock([account_lock(self.program.id, self.account)])
        lots = storage.lots_of(self.program.id, self.account)
        spent = spending.spend(
            self.program, self.account, self.member, self.currency, self.event, lots, self.amount, self.at
        )
        if isinstance(spent, Refusal):
            return spent
        extension = extension_of_spend(self.program, spent, self.at)
        return (spent, extension) if extension is not None else (spent,)
