"""Settle: a delayed promise that is due becomes issued."""

from datetime import datetime

import attrs

from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations.lookups import locked_lot
from loyalty_rules.ledger.operations.operation import Decision, Operation, unknown_sale
from loyalty_rules.ledger.receipts import SettleReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import promises
from loyalty_rules.lifecycle.records import Lot
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant

__all__ = ["Settle"]


@attrs.frozen(field_transformer=checked)
class Settle(Operation[SettleReceipt]):
    """The settlement of one promise, a lot of `program`, that is due by `at`."""

    program: Program
    promise: Lot
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[SettleReceipt]:
        """Return the class of the receipt."""
        return SettleReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the key of the promise, dated when it was due."""
        key, due_at = self.promise.key, self.promise.issue.due_at or self.at
        return IdempotencyRecord(
            self.program.id, key, "settle", {"promise": key}, due_at, self.at, self.promise.issue.event
        )

    def decide(self, storage: Storage) -> Decision:
        """Release the promise, or end it if it has lapsed."""
        locked = locked_lot(storage, self.program, self.promise.key)
        return promises.settle(*locked, self.at) if locked is not None else unknown_sale(self.promise.issue.event)
