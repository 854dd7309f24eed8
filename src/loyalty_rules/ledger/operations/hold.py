"""Hold: set units aside for a payment that comes later, soonest expiry first. Source: semantics 12."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Transaction
from loyalty_rules.keys import hold_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.late import usable_lots
from loyalty_rules.ledger.locks import sale_lock
from loyalty_rules.ledger.operations.checkout import standing_of
from loyalty_rules.ledger.operations.lookups import current_account, lots_of, open_member
from loyalty_rules.ledger.operations.operation import Decision, Operation, decision_of, host_identity
from loyalty_rules.ledger.receipts import HoldReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import holding
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.lifecycle.redemption import checkout_of
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import read_decimal, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name

__all__ = ["HoldUnits"]


@attrs.frozen(field_transformer=checked)
class HoldUnits(Operation[HoldReceipt]):
    """A hold of `amount` until an instant; `event` is the id of the holding event, which can hold each currency once.

    `member` pays, by default the account itself. With its `bill` the hold is at most the remainder after the earlier
    redemptions and spends. Raises `InvalidValueError` for an argument that cannot be read.
    """

    program: Program
    account: Account
    currency: str
    amount: Decimal = attrs.field(converter=read_decimal)
    until: datetime = attrs.field(converter=read_instant)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)
    member: str | None = attrs.field(default=None, converter=optional(read_name))
    bill: Transaction | None = None

    def __attrs_post_init__(self) -> None:
        if self.until <= self.at:
            raise InvalidValueError("until", "out_of_range", f"a hold ends after it begins; found {self.until}")

    def receipt_class(self) -> type[HoldReceipt]:
        """Return the class of the receipt."""
        return HoldReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the account, the member, the amount and the end."""
        inputs: dict[str, Any] = {
            "account": f"{self.account.kind} {self.account.id}",
            "member": self.member,
            "amount": text_of(self.amount),
            "until": self.until.isoformat(),
        }
        if self.bill is not None:
            inputs["bill"] = dump(self.bill)
        return host_identity(self.program, self.event, hold_phase(self.currency), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Draw the amount from the account's live lots, unless a spend of it would be refused."""
        program, bill = self.program, None
        if self.bill is not None:
            storage.lock([sale_lock(program.id, self.bill.id)])
            bill = checkout_of(program, self.bill, standing_of(storage, program, self.bill.id)).bill
        account = current_account(storage, program, self.account)
        if self.member is not None and self.member != self.account.id:
            open_member(storage, program, self.member)
        lots = usable_lots(storage, lots_of(storage, program, self.identity(storage), account, self.at), self.at)
        member = self.member if self.member is not None else account.id
        held = holding.hold(
            program, account, member, self.currency, self.event, lots, self.amount, self.until, self.at, bill,
            has_rate=bill is not None or self.bill is None,
        )  # fmt: skip
        return decision_of(held)
