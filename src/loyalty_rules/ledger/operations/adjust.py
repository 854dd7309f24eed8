"""Adjust: correct a balance by hand. Source: semantics 13."""

from datetime import date, datetime
from decimal import Decimal

import attrs
from attrs.converters import optional

from loyalty_rules.keys import adjustment_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.late import usable_lots
from loyalty_rules.ledger.operations.lookups import current_account, lots_of
from loyalty_rules.ledger.operations.operation import Decision, Operation, decision_of, host_identity
from loyalty_rules.ledger.receipts import AdjustReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.adjusting import adjust
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import read_decimal, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_date, read_instant
from loyalty_rules.values.identifiers import read_name

__all__ = ["Adjust"]


@attrs.frozen(field_transformer=checked)
class Adjust(Operation[AdjustReceipt]):
    """An adjustment of an account by a signed `amount`; `event` is its own id, `by` the person who made it.

    Upward it adds a lot that ends with the day `expires_on`, or never ends. Downward it takes from live lots.
    """

    program: Program
    account: Account
    currency: str = attrs.field(converter=read_name)
    amount: Decimal = attrs.field(converter=read_decimal)
    reason: str = attrs.field(converter=read_name)
    by: str = attrs.field(converter=read_name)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)
    expires_on: date | None = attrs.field(default=None, converter=optional(read_date))

    def receipt_class(self) -> type[AdjustReceipt]:
        """Return the class of the receipt."""
        return AdjustReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the account, the amount, the last day, the reason and the person."""
        inputs = {
            "account": f"{self.account.kind} {self.account.id}",
            "amount": text_of(self.amount),
            "expires_on": self.expires_on.isoformat() if self.expires_on is not None else None,
            "reason": self.reason,
            "by": self.by,
        }
        return host_identity(self.program, self.event, adjustment_phase(self.currency), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Add a lot, or void units of live lots, unless the program's terms or the balance forbid it."""
        account = current_account(storage, self.program, self.account)
        lots = lots_of(storage, self.program, self.identity(storage), account, self.at)
        return decision_of(
            adjust(
                self.program,
                account,
                self.currency,
                self.amount,
                usable_lots(storage, lots, self.at),
                reason=self.reason,
                by=self.by,
                event=self.event,
                at=self.at,
                expires_on=self.expires_on,
            )
        )
