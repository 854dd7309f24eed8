"""Sale operations: the parts that `Sell` and `Record` share."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Self, cast

import attrs

from loyalty_rules.engine.counters import Counter
from loyalty_rules.events import Activity, Transaction
from loyalty_rules.intents import Skipped
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.operations.lookups import sale_locks
from loyalty_rules.ledger.operations.operation import EventOperation, Noted
from loyalty_rules.ledger.receipts import SaleReceipt
from loyalty_rules.program import Evaluation
from loyalty_rules.serials import SerialGenerator

__all__ = ["SaleOperation"]


class SaleOperation(EventOperation[SaleReceipt]):
    """An operation that records a transaction or an activity, and may issue coupons with serials."""

    @property
    @abstractmethod
    def event(self) -> Transaction | Activity:
        """The transaction or activity."""

    @property
    @abstractmethod
    def serials(self) -> SerialGenerator | None:
        """The generator of serials; None if the operation takes that of the ledger."""

    @property
    def counters(self) -> Sequence[Counter]:
        """The counters of the event's snapshot."""
        return self.program.counters(self.event)

    def receipt_class(self) -> type[SaleReceipt]:
        """Return the class of the receipt."""
        return SaleReceipt

    def locks(self) -> Iterable[LockKey]:
        """Return the locks of the event's accounts and counters."""
        return sale_locks(self.program, self.event, self.counters)

    def bill_store(self) -> str | None:
        """Return the store of the sale, in which its own spends pay."""
        return self.event.store

    def noted(self, evaluation: Evaluation) -> Noted:
        """Return the intents of an evaluation, with the skipped actions for the receipt.

        Their details name fields without the values, which `forget` could not erase.
        """
        return Noted(evaluation.intents, {"skipped": tuple(map(_without_value, evaluation.skipped))})

    def with_serials(self, serials: SerialGenerator | None) -> Self:
        """Return the operation with a serial generator, unless it has one."""
        return self if self.serials is not None else attrs.evolve(cast(Any, self), serials=serials)

    def serial_generator(self) -> SerialGenerator | None:
        """Return the serial generator."""
        return self.serials


def _without_value(skipped: Skipped) -> Skipped:
    """Return a skipped action whose detail does not quote the value of a field, which follows a colon."""
    if skipped.reason not in ("missing_field", "invalid_field"):
        return skipped
    return attrs.evolve(skipped, detail=skipped.detail.partition(": ")[0])
