"""Confirm: a confirmation releases or cancels the promise that it names."""

from datetime import datetime

import attrs

from loyalty_rules.events import Confirmation
from loyalty_rules.keys import is_of_program
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import ADJUSTMENTS
from loyalty_rules.ledger.late import issued_after
from loyalty_rules.ledger.operations.lookups import check_open, locked_further_lot, locked_lot
from loyalty_rules.ledger.operations.operation import Decision, EventOperation
from loyalty_rules.ledger.receipts import ConfirmationReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import promises
from loyalty_rules.lifecycle.adjusting import confirm_adjustment
from loyalty_rules.lifecycle.records import Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant

__all__ = ["Confirm"]


@attrs.frozen(field_transformer=checked)
class Confirm(EventOperation[ConfirmationReceipt]):
    """A confirmation, decided under the frozen terms of the promise's sale."""

    program: Program
    event: Confirmation
    recorded_at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[ConfirmationReceipt]:
        """Return the class of the receipt."""
        return ConfirmationReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:
        """Return the identity of the event; the promise belongs to its sale, also one that an amendment issued."""
        identity = super().identity(storage)
        lot = storage.lot(self.event.promise) if is_of_program(self.event.promise, self.program.id) else None
        return attrs.evolve(identity, of=lot.issue.event) if lot is not None and identity.of is not None else identity

    def decide(self, storage: Storage) -> Decision:
        """Release or cancel the promise, which may be an adjustment that waits for another person."""
        locked = locked_lot(storage, self.program, self.event.promise)
        if locked is not None:
            check_open(storage, self.program, locked[1].account)
            is_later = issued_after(storage, locked[1], self.event.occurred_at) is not None  # by an amendment
            return promises.confirm(*locked, self.event, is_early=is_later)
        adjustment = storage.record(ADJUSTMENTS, self.event.promise)
        lot = locked_further_lot(storage, self.program, self.event.promise)
        if adjustment is None or lot is None:
            return Refusal(("unknown_promise",), f"no promise {self.event.promise} has been recorded")
        check_open(storage, self.program, lot.account)
        return confirm_adjustment(self.program, lot, adjustment, self.event)
