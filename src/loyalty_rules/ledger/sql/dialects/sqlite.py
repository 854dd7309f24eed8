"""SQLite: a file with one writer at a time, and every commit on the disk before it is acknowledged.

A transaction that may write begins with BEGIN IMMEDIATE. One that begins by reading would be refused its first write
if another connection has written since. Source: ledger 3.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from loyalty_rules.ledger.locks import LockKey

__all__ = ["SQLite"]

_PRAGMAS = (
    "PRAGMA busy_timeout = 30000",  # first, because the next one may have to wait
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)
_PRAGMAS_ARE_SET = "loyalty_rules: pragmas are set"


class SQLite:
    """The dialect of SQLite. The write lock of the file stands for all other locks."""

    options: Mapping[str, Any] = MappingProxyType({})

    def triggers(self, table: Table, prefix: str) -> list[str]:  # noqa: ARG002
        """Return the triggers that refuse updates and deletions."""
        name = table.name
        return [
            f"CREATE TRIGGER {name}_no_{change.lower()} BEFORE {change} ON {name} "
            f"BEGIN SELECT RAISE(ABORT, '{name} is only ever added to'); END"
            for change in ("UPDATE", "DELETE")
        ]

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

    def _begin(self, connection: Connection, statement: str) -> None:
        driver: Any = connection.connection.driver_connection
        if driver.in_transaction:
            return  # the host has begun the transaction
        if _PRAGMAS_ARE_SET not in connection.info:
            for pragma in _PRAGMAS:
                connection.exec_driver_sql(pragma)
            connection.info[_PRAGMAS_ARE_SET] = True
        connection.exec_driver_sql(statement)

    def lock(self, connection: Connection, keys: Iterable[LockKey]) -> None:
        """Do nothing: the transaction has the write lock of the file."""

    def lock_tables(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Do nothing: the transaction has the write lock of the file."""

    def is_retryable(self, error: DBAPIError) -> bool:  # noqa: ARG002
        """Return False: a transaction with the write lock cannot conflict with another."""
        return False
