"""Record: record an evaluation that the host made, with the snapshot of its decision."""

from collections.abc import Iterable
from datetime import datetime

import attrs

from loyalty_rules.ledger.idempotency import IdempotencyRecord, identity_of_event
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.operations.lookups import sale_locks
from loyalty_rules.ledger.operations.operation import Decision, Operation
from loyalty_rules.ledger.receipts import SaleReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["Record"]


@attrs.frozen
class Record(Operation[SaleReceipt]):
    """An evaluation; its claims are checked again, since the counters may have moved since its snapshot."""

    evaluation: Evaluation
    recorded_at: datetime
    serials: SerialGenerator | None = None

    @property
    def program(self) -> Program:
        """The program of the evaluation."""
        return self.evaluation.basis.program

    def receipt_class(self) -> type[SaleReceipt]:
        """Return the class of the receipt."""
        return SaleReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the event's document and the program's version."""
        return identity_of_event(self.program, self.evaluation.basis.event, self.recorded_at)

    def locks(self) -> Iterable[LockKey]:
        """Return the locks of the event's accounts and counters."""
        event = self.evaluation.basis.event
        return sale_locks(self.program, event, self.program.counters(event))

    def decide(self, storage: Storage) -> Decision:
        """Return the intents of the evaluation."""
        basis = self.evaluation.basis
        storage.save_sale(Sale(basis.program, basis.event, basis.snapshot))
        return self.evaluation.intents

    def with_serials(self, serials: SerialGenerator | None) -> "Record":
        """Return the operation with a serial generator, unless it has one."""
        return self if self.serials is not None else attrs.evolve(self, serials=serials)

    def serial_generator(self) -> SerialGenerator | None:
        """Return the serial generator."""
        return self.serials
