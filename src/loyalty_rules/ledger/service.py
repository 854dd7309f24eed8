"""The operations and queries of a ledger inside one transaction, over any storage. Source: ledger."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from loyalty_rules.events import Activity, Event, Snapshot, Transaction
from loyalty_rules.ledger.execution import execute
from loyalty_rules.ledger.methods import LedgerMethods
from loyalty_rules.ledger.operations import Operation
from loyalty_rules.ledger.operations.arguments import read_program
from loyalty_rules.ledger.operations.lookups import sale_locks
from loyalty_rules.ledger.queries import Queries
from loyalty_rules.ledger.receipts import ExpireReceipt, ReceiptT, SettleReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["LedgerService"]

T = TypeVar("T")


class LedgerService(LedgerMethods):
    """A ledger inside the transaction of its storage: see `Ledger` for its methods.

    `serials` generates the serials of coupons if an operation has no generator, and the next one if a serial is taken.
    """

    def __init__(self, storage: Storage, serials: SerialGenerator | None = None) -> None:
        self._storage = storage
        self._serials = serials
        self.queries = Queries(storage)

    def execute(self, operation: Operation[ReceiptT]) -> ReceiptT:
        """Execute an operation once, and return its receipt; a refusal or an error rolls it back by itself."""
        return execute(self._storage, operation.with_serials(self._serials))

    def lock(self, operations: Iterable[Operation[Any]]) -> None:
        """Lock what operations are known to need, before the first of them, until the transaction ends."""
        with self._storage.atomic():
            operations = [*operations]
            locks = [key for each in operations for key in each.locks()]
            batches = [each.identity(self._storage).key for each in operations]
            self._storage.lock([*locks, *self._storage.batch_locks(batches)])

    def read(self, query: Callable[[Queries], T]) -> T:
        """Run a read-only query."""
        return query(self.queries)

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Lock the counters, trackers and accounts of an event and read them, as the basis of a decision."""
        counters = read_program(program).counters(event)
        with self._storage.atomic():
            if isinstance(event, (Transaction, Activity)):  # those of the record that follows, in its order
                self._storage.lock(sale_locks(program, event, counters))
            return super().snapshot(program, event)

    def settle(self, program: Program, at: datetime) -> Sequence[SettleReceipt]:
        """Settle the delayed promises that are due by `at`: all of them, or none if one raises."""
        with self._storage.atomic():
            return super().settle(program, at)

    def expire(self, program: Program, at: datetime) -> Sequence[ExpireReceipt]:
        """Record the expiries up to `at`: all of them, or none if one raises."""
        with self._storage.atomic():
            return super().expire(program, at)
