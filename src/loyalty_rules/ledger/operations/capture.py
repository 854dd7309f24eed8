"""Capture: spend the units of a hold; the rest of them is released at once. Source: semantics 12."""

from datetime import datetime
from decimal import Decimal

import attrs
from attrs.converters import optional

from loyalty_rules.intents import SpendCurrency
from loyalty_rules.keys import spend_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations.checkout import check_unspent
from loyalty_rules.ledger.operations.lookups import hold_of, locked_hold
from loyalty_rules.ledger.operations.operation import (
    Decision,
    Operation,
    host_identity,
    is_wholly_undone,
    unknown_hold,
)
from loyalty_rules.ledger.receipts import CaptureReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import holding
from loyalty_rules.lifecycle.extending import extension_of_spend
from loyalty_rules.lifecycle.records import Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import read_decimal, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["Capture"]


@attrs.frozen(field_transformer=checked)
class Capture(Operation[CaptureReceipt]):
    """A capture of the hold with the key `hold`, or of an `amount` of it; `event` is the transaction that it pays.

    It is a spend of that transaction, which can spend each currency once.
    """

    program: Program
    hold: str = attrs.field(converter=read_text)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)
    amount: Decimal | None = attrs.field(default=None, converter=optional(read_decimal))

    def receipt_class(self) -> type[CaptureReceipt]:
        """Return the class of the receipt."""
        return CaptureReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:
        """Return the identity: that of a spend of the hold's currency, with the key of the hold and the amount."""
        held = hold_of(storage, self.program, self.hold)
        currency = held.intent.currency if held is not None else ""
        inputs = {"hold": self.hold, "amount": text_of(self.amount) if self.amount is not None else None}
        return host_identity(self.program, self.event, spend_phase(currency), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Spend the held units, and let the others go, which first settle shortfalls."""
        locked = locked_hold(storage, self.program, self.hold, self.at)
        if locked is None:
            return unknown_hold(self.hold)
        currency, amount = locked.hold.intent.currency, self.amount or locked.hold.intent.amount
        check_unspent(storage, self.program, self.event, currency, amount)
        captured = holding.capture(
            self.program, locked.hold, self.event, locked.lots, locked.shortfalls, self.at, self.amount
        )
        if isinstance(captured, Refusal):
            return captured
        spent = next(each for each in captured if isinstance(each, SpendCurrency))
        extension = extension_of_spend(self.program, spent, self.at)
        return (*captured, extension) if extension is not None else captured

    def replayed(self, storage: Storage, receipt: CaptureReceipt) -> CaptureReceipt:
        """Return the recorded receipt, marked if the spend has been undone."""
        return attrs.evolve(receipt, undone=is_wholly_undone(storage, receipt))
