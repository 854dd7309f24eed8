"""The reference ledger: plain, in memory, thread-safe. Source: ledger.

It keeps all records for ever, in dictionaries, and is as durable as its process. It serves tests and replays of a file,
and defines the results that every ledger must return.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from loyalty_rules.ledger.autocommit import AutocommitLedger
from loyalty_rules.ledger.memory.invariants import violations
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.serials import SerialGenerator

__all__ = ["MemoryLedger"]

T = TypeVar("T")


class MemoryLedger(AutocommitLedger):
    """A ledger in memory: see `Ledger` for its operations.

    `serials` generates the serials of coupons if `process` is called without a generator, and the next one if a serial
    is taken.
    """

    def __init__(self, serials: SerialGenerator | None = None) -> None:
        self._storage = MemoryStorage()
        self._service = LedgerService(self._storage, serials)
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[LedgerService]:
        """Join several operations in one transaction: an error that leaves the block rolls all of them back."""
        with self._lock, self._storage.atomic():
            yield self._service

    def _write(self, work: Callable[[LedgerService], T]) -> T:
        with self._lock:
            return work(self._service)

    def check_invariants(self) -> Sequence[str]:
        """Return the violated invariants as sentences; an empty list means the ledger is consistent."""
        with self._lock:
            return [*violations(self._storage)]
