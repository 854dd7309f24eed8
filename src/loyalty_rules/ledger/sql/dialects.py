"""What differs between the databases: how a transaction begins, how something is held, what is worth another try.

SQLite: one writer at a time, and each transaction that may write begins as one (BEGIN IMMEDIATE): one that begins
by reading loses what others write meanwhile. PostgreSQL: READ COMMITTED; what a decision is about is held by an
advisory lock for each scope, in one order everywhere, so that what is read then stays true. Source: ledger 3.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from loyalty_rules.errors import LoyaltyError
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.sql.statements import Statements

__all__ = ["Dialect", "PostgreSQL", "SQLite", "UnsupportedDatabaseError", "dialect_of"]

_SET_UP = (
    "PRAGMA busy_timeout = 30000",  # first, for the next one may have to wait
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)
_IS_SET_UP = "loyalty_rules: set up"


class UnsupportedDatabaseError(LoyaltyError):
    """A database that this ledger can't keep its promises on: `name` is SQLAlchemy's for it."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)

    def __str__(self) -> str:
        return f"SQLLedger keeps its promises on sqlite and postgresql; this database is {self.name}"


class Dialect(Protocol):
    """What a ledger must know of its database."""

    options: Mapping[str, Any]
    """What every connection of an engine is asked for."""

    def insert(self, table: Table) -> Any:
        """Insert into a table, with a word on rows that are there already."""

    def begin(self, connection: Connection) -> None:
        """Begin to write, on a connection on which nothing has been done, or in the host's transaction."""

    def begin_to_read(self, connection: Connection) -> None:
        """Begin to read on a connection on which nothing has been done: all that is read is as of one moment."""

    def lock(self, connection: Connection, scopes: Iterable[LockKey]) -> None:
        """Let nobody else decide about these until the transaction ends."""

    def claim(
        self, connection: Connection, statements: Statements, row: Mapping[str, Any], scopes: Collection[LockKey]
    ) -> int | None:
        """Claim a batch and hold what it is about; give its number, or None where it is there already."""

    def hold_tables(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Let nobody else write to these tables until the transaction ends."""

    def is_worth_another_try(self, error: DBAPIError) -> bool:
        """Say whether the transaction failed for what others did at the same time, and will not if begun anew."""


class SQLite:
    """A file, one writer at a time, every commit on the disk before it is answered."""

    options: Mapping[str, Any] = MappingProxyType({})

    def insert(self, table: Table) -> Any:
        """Insert into a table, with a word on rows that are there already."""
        return sqlite.insert(table)

    def begin(self, connection: Connection) -> None:
        """Take the write lock now; later it could be refused, for somebody has written since the first look."""
        self._begin(connection, "BEGIN IMMEDIATE")

    def begin_to_read(self, connection: Connection) -> None:
        """Read as of one moment."""
        self._begin(connection, "BEGIN")

    def _begin(self, connection: Connection, statement: str) -> None:
        driver: Any = connection.connection.driver_connection
        if driver.in_transaction:
            return  # the host has begun: it is its transaction
        if _IS_SET_UP not in connection.info:
            for pragma in _SET_UP:
                connection.exec_driver_sql(pragma)
            connection.info[_IS_SET_UP] = True
        connection.exec_driver_sql(statement)

    def lock(self, connection: Connection, scopes: Iterable[LockKey]) -> None:
        """Nothing to do: one transaction at a time has the file."""

    def claim(
        self,
        connection: Connection,
        statements: Statements,
        row: Mapping[str, Any],
        scopes: Collection[LockKey],  # noqa: ARG002
    ) -> int | None:
        """Claim a batch; all is held already."""
        batch: int | None = connection.execute(statements.claim, row).scalar_one_or_none()
        return batch

    def hold_tables(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Nothing to do: one transaction at a time has the file."""

    def is_worth_another_try(self, error: DBAPIError) -> bool:  # noqa: ARG002
        """Never: who has the file has it alone."""
        return False


class PostgreSQL:
    """A server for many tills."""

    options: Mapping[str, Any] = MappingProxyType({"isolation_level": "READ COMMITTED"})

    _HOLD = text("SELECT pg_advisory_xact_lock(scope) FROM unnest(CAST(:scopes AS bigint[])) AS scope")
    _WORTH_ANOTHER_TRY = frozenset({"40001", "40P01"})  # serialization failure, deadlock

    def insert(self, table: Table) -> Any:
        """Insert into a table, with a word on rows that are there already."""
        # Without being asked to, SQLAlchemy keeps the number of rows for changes and removals alone.
        return postgresql.insert(table).execution_options(preserve_rowcount=True)

    def begin(self, connection: Connection) -> None:
        """Nothing to do: the first statement begins it."""

    def begin_to_read(self, connection: Connection) -> None:
        """Read as of one moment."""
        connection.execution_options(isolation_level="REPEATABLE READ")

    def lock(self, connection: Connection, scopes: Iterable[LockKey]) -> None:
        """Take a lock for each scope: sales before accounts before counters, each in the order of their numbers."""
        connection.execute(self._HOLD, {"scopes": _lock_numbers(scopes)})

    def claim(
        self, connection: Connection, statements: Statements, row: Mapping[str, Any], scopes: Collection[LockKey]
    ) -> int | None:
        """Claim a batch and take the locks as `hold` does, in one statement: a round trip is dearer than the rest."""
        if not scopes:
            batch: int | None = connection.execute(statements.claim, row).scalar_one_or_none()
            return batch
        claimed = connection.execute(statements.claim_and_hold, {**row, "scopes": _lock_numbers(scopes)}).first()
        return claimed.id if claimed is not None else None

    def hold_tables(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Wait until nobody writes to them, and let nobody begin to."""
        for table in tables:
            connection.exec_driver_sql(f"LOCK TABLE {table.fullname} IN EXCLUSIVE MODE")

    def is_worth_another_try(self, error: DBAPIError) -> bool:
        """Say whether it was a deadlock or a failure to serialise: nothing else is tried again."""
        return getattr(error.orig, "sqlstate", None) in self._WORTH_ANOTHER_TRY


def _lock_numbers(scopes: Iterable[LockKey]) -> list[int]:
    return [_lock_number(scope) for scope in sorted(scopes)]


def _lock_number(scope: LockKey) -> int:
    """Give a scope a number of 64 bits; two that share one wait for each other, and no more."""
    digest = hashlib.blake2b(f"loyalty-rules/{scope[1]}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def dialect_of(bind: Engine | Connection) -> Dialect:
    """Give what is known of a database; raises `UnsupportedDatabaseError`."""
    known: dict[str, Dialect] = {"sqlite": SQLite(), "postgresql": PostgreSQL()}
    name = bind.dialect.name
    if name not in known:
        raise UnsupportedDatabaseError(name)
    return known[name]
