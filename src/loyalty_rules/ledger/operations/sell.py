"""Sell: evaluate a transaction or an activity with the ledger's own snapshot, and record it."""

import functools
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar

import attrs

from loyalty_rules.engine.counters import Counter
from loyalty_rules.events import Activity, Transaction
from loyalty_rules.ledger.idempotency import IdempotencyRecord, identity_of_event
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.operations.lookups import read_snapshot, sale_locks
from loyalty_rules.ledger.operations.operation import Decision, Operation
from loyalty_rules.ledger.receipts import SaleReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["Sell"]


@attrs.frozen
class Sell(Operation[SaleReceipt]):
    """A transaction or an activity, decided under `program`; a retry may come under another version of it."""

    program: Program
    event: Transaction | Activity
    recorded_at: datetime
    serials: SerialGenerator | None = None

    ignoring: ClassVar[tuple[str, ...]] = ("program_version",)

    def receipt_class(self) -> type[SaleReceipt]:
        """Return the class of the receipt."""
        return SaleReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the event's document and the program's version."""
        return identity_of_event(self.program, self.event, self.recorded_at)

    @functools.cached_property
    def counters(self) -> Sequence[Counter]:
        """The counters of the event's snapshot."""
        return self.program.counters(self.event)

    def locks(self) -> Iterable[LockKey]:
        """Return the locks of the event's accounts and counters."""
        return sale_locks(self.program, self.event, self.counters)

    def decide(self, storage: Storage) -> Decision:
        """Evaluate the event with a snapshot of its counters."""
        snapshot = read_snapshot(storage, self.program, self.event, self.counters)
        evaluation = self.program.evaluate(self.event, snapshot, serials=self.serials)
        storage.save_sale(Sale(self.program, self.event, snapshot))
        return evaluation.intents

    def with_serials(self, serials: SerialGenerator | None) -> "Sell":
        """Return the operation with a serial generator, unless it has one."""
        return self if self.serials is not None else attrs.evolve(self, serials=serials)

    def serial_generator(self) -> SerialGenerator | None:
        """Return the serial generator."""
        return self.serials
