"""SQLite: a file with one writer at a time, and every commit on the disk before it is acknowledged.

A transaction that may write begins with BEGIN IMMEDIATE. One that begins by reading would be refused its first write
if another connection has written since. A transaction that the host has begun otherwise is refused. Source: ledger 2
and 3.
"""

import contextlib
import inspect
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from loyalty_rules.ledger.errors import UnsafeTransactionError
from loyalty_rules.ledger.locks import LockKey

__all__ = ["SQLite"]

_PRAGMAS = (
    "PRAGMA busy_timeout = 30000",  # first, because the next one may have to wait
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)
_DEFERRED = "begun without the write lock of the file (BEGIN DEFERRED, the default)"
_JOINABLE = "BEGIN IMMEDIATE: run it as the first statement, or in the listener of `begin`, or open the block first"
_PRAGMAS_ARE_SET = "loyalty_rules: pragmas are set"


class SQLite:
    """The dialect of SQLite. The write lock of the file stands for all other locks."""

    options: Mapping[str, Any] = MappingProxyType({})
    has_one_writer = True

    def triggers(self, table: Table, prefix: str) -> list[str]:  # noqa: ARG002
        """Return the triggers that refuse updates and deletions."""
        told = table.name.replace("'", "''")
        return [
            f"CREATE TRIGGER {_trigger(table, change)} BEFORE {change} ON {_quoted(table.name)} "
            f"BEGIN SELECT RAISE(ABORT, '{told} is only ever added to'); END"
            for change in _CHANGES
        ]

    def drop_triggers(self, table: Table) -> list[str]:
        """Return the statements that drop the triggers of a table, if they are there."""
        return [f"DROP TRIGGER IF EXISTS {_trigger(table, change)}" for change in _CHANGES]

    def missing_triggers(self, connection: Connection, log: Iterable[Table], prefix: str) -> Iterator[str]:
        """Compare the triggers of the file with those that the tables should have."""
        found = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'trigger'").scalars()
        statements = {*found}
        for table in log:
            if not statements.issuperset(self.triggers(table, prefix)):
                yield f"{table.name} can be changed: a trigger of it is missing"

    def insert(self, table: Table) -> Any:
        """Return an insert that supports ON CONFLICT."""
        return sqlite.insert(table)

    def claim_statement(self, batches: Table) -> Executable:
        """Return the insert of a batch, which returns no row if the batch exists."""
        statement: Executable = self.insert(batches).on_conflict_do_nothing().returning(batches.c.id)
        return statement

    def claim(
        self,
        connection: Connection,
        statement: Executable,
        row: Mapping[str, Any],
        keys: Collection[LockKey],  # noqa: ARG002
    ) -> int | None:
        """Insert the row of a batch; the transaction has the write lock of the file already."""
        batch: int | None = connection.execute(statement, row).scalar_one_or_none()
        return batch

    def begin(self, connection: Connection) -> None:
        """Take the write lock now: a later attempt could fail because of writes since the first read."""
        self._begin(connection, "BEGIN IMMEDIATE")

    def begin_to_read(self, connection: Connection) -> None:
        """Begin a transaction that takes no write lock."""
        self._begin(connection, "BEGIN")

    def join(self, connection: Connection) -> None:
        """Check that the host's transaction has the write lock, or begin one with it."""
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:
            self.begin(connection)  # the driver begins its transaction with the first write
        elif not _has_write_lock(driver):
            if connection.in_transaction():
                raise UnsafeTransactionError(_DEFERRED, _JOINABLE)
            self.begin(connection)

    def _begin(self, connection: Connection, statement: str) -> None:
        """Run a BEGIN in the place of that of a driver or of a listener of the host.

        The transaction of SQLAlchemy is begun before. Its listeners may run a BEGIN of their own, as in the recipe of
        its documentation. Neither a PRAGMA nor a second BEGIN can follow that one.
        """
        if not connection.in_transaction():
            connection.begin()
        driver: Any = connection.connection.driver_connection
        if driver.in_transaction:
            connection.exec_driver_sql("ROLLBACK")
        if _PRAGMAS_ARE_SET not in connection.info:
            for pragma in _PRAGMAS:
                connection.exec_driver_sql(pragma)
            connection.info[_PRAGMAS_ARE_SET] = True
        connection.exec_driver_sql(statement)

    def lock(self, connection: Connection, keys: Iterable[LockKey]) -> None:
        """Do nothing: the transaction has the write lock of the file."""

    def lock_tables(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Do nothing: the transaction has the write lock of the file."""

    def vacuum(self, connection: Connection, erasable: Table) -> None:  # noqa: ARG002
        """Rewrite the file and cut its write-ahead log, so that no byte of a deleted row remains in either."""
        driver: Any = connection.connection.driver_connection
        if driver.in_transaction:  # a listener of the host has begun one
            connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def is_retryable(self, error: DBAPIError) -> bool:  # noqa: ARG002
        """Return False: a transaction with the write lock cannot conflict with another."""
        return False


_CHANGES = ("UPDATE", "DELETE")
_PREPARER = sqlite.dialect().identifier_preparer


def _quoted(name: str) -> str:
    """Return an identifier as SQL has it: in quotes if it needs them."""
    quoted: str = _PREPARER.quote(name)
    return quoted


def _trigger(table: Table, change: str) -> str:
    return _quoted(f"{table.name}_no_{change.lower()}")


class _StopError(Exception):
    """The end of a backup that was begun only to learn the state of its source."""


def _has_write_lock(driver: Any) -> bool:
    """Return whether a connection in a transaction has the write lock of its file.

    The backup of a connection that is writing is refused as busy. SQLite has no other way to ask.
    """
    answers: list[int] = []

    def stop(status: int, _remaining: int, _pages: int) -> None:
        answers.append(status)
        raise _StopError

    nowhere = sqlite3.connect(":memory:", check_same_thread=False)  # the driver for asyncio has a thread of its own
    with contextlib.closing(nowhere), contextlib.suppress(_StopError):
        backup = driver.backup(nowhere, pages=1, progress=stop)
        if inspect.isawaitable(backup):
            await_only(backup)
    return answers[0] not in (sqlite3.SQLITE_OK, sqlite3.SQLITE_DONE)
