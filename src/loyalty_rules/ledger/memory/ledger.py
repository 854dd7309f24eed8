"""The reference ledger: plain, obvious, in memory, thread-safe. Source: ledger.

It keeps everything for ever and looks things up in dictionaries; for tests, for replays of a file, and as the
answer to what a ledger must do. It is as durable as its process.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from loyalty_rules.ledger.autocommit import AutocommitLedger
from loyalty_rules.ledger.memory.invariants import broken_invariants
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.serials import SerialGenerator

__all__ = ["MemoryLedger"]

T = TypeVar("T")


class MemoryLedger(AutocommitLedger):
    """A ledger in memory: see `Ledger` for what each operation does.

    `serials` makes the serials of coupons where `process` is given none, and another where a serial is taken.
    """

    def __init__(self, serials: SerialGenerator | None = None) -> None:
        self._storage = MemoryStorage()
        self._operations = LedgerService(self._storage, serials)
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[LedgerService]:
        """Make several operations one: all are recorded or, where an error leaves the block, none."""
        with self._lock, self._storage.atomic():
            yield self._operations

    def _do(self, work: Callable[[LedgerService], T]) -> T:
        with self._lock:
            return work(self._operations)

    def check_invariants(self) -> Sequence[str]:
        """Say what does not hold of all that must always hold; nothing is fine."""
        with self._lock:
            return [*broken_invariants(self._storage)]
