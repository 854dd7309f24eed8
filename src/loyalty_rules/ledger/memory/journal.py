"""The undo journal of the storage in memory, for transactions and savepoints. Source: ledger 2 (P5)."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TypeVar

__all__ = ["Journal"]

K = TypeVar("K")
V = TypeVar("V")


class Journal:
    """Tables with an undo journal: every write goes through `put`, `drop` or `append`."""

    def __init__(self) -> None:
        self._journal: list[tuple[MutableMapping[Any, Any], Any, bool, Any]] = []
        self._marks: list[int] = []  # the length of the journal at each `begin`

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Keep all writes of the block; an error that leaves the block rolls them back. Blocks may be nested."""
        self.begin()
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self.commit()

    def begin(self) -> None:
        """Begin a transaction, or a savepoint within one."""
        self._marks.append(len(self._journal))

    def commit(self) -> None:
        """End the innermost transaction, and keep its writes if the enclosing one is kept."""
        self._marks.pop()
        if not self._marks:
            self._journal.clear()

    def rollback(self) -> None:
        """Undo the writes since the last `begin`."""
        mark = self._marks.pop()
        while len(self._journal) > mark:
            table, key, was_there, before = self._journal.pop()
            if was_there:
                table[key] = before
            else:
                table.pop(key, None)

    def put(self, table: MutableMapping[K, V], key: K, value: V) -> None:
        """Write one row, and note the previous one for a rollback."""
        self._journal.append((table, key, key in table, table.get(key)))
        table[key] = value

    def drop(self, table: MutableMapping[K, V], key: K) -> None:
        """Remove one row, and note it for a rollback."""
        if key in table:
            self._journal.append((table, key, True, table[key]))
            del table[key]

    def append(self, table: MutableMapping[K, tuple[V, ...]], key: K, value: V) -> None:
        """Append a value to a row of several values."""
        self.put(table, key, (*table.get(key, ()), value))
