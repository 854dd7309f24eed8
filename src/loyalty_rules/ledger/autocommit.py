"""Autocommit: each operation of a ledger in a transaction of its own."""

from abc import abstractmethod
from collections.abc import Callable
from typing import TypeVar

from loyalty_rules.ledger.methods import LedgerMethods
from loyalty_rules.ledger.operations import Operation
from loyalty_rules.ledger.queries import Queries
from loyalty_rules.ledger.receipts import ReceiptT
from loyalty_rules.ledger.service import LedgerService

__all__ = ["AutocommitLedger"]

T = TypeVar("T")


class AutocommitLedger(LedgerMethods):
    """The methods of `Ledger`, each operation in a transaction of its own; a subclass provides the transactions."""

    @abstractmethod
    def _write(self, work: Callable[[LedgerService], T]) -> T:
        """Run work in one transaction: all of its records are kept or, if it raises, none."""

    def execute(self, operation: Operation[ReceiptT]) -> ReceiptT:
        """Execute an operation once, in one transaction, and return its receipt."""
        return self._write(lambda service: service.execute(operation))

    def read(self, query: Callable[[Queries], T]) -> T:
        """Run a read-only query."""
        return self._write(lambda service: query(service.queries))
