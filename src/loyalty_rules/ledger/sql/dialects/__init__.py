"""The databases that a ledger works on: one module a dialect, and the choice among them.

A dialect contains everything that differs between SQLite and PostgreSQL: the begin of a transaction, the claim of a
batch, the locks, the triggers that keep the log append-only, and the retryable errors. Source: ledger 3.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Executable, Table
from sqlalchemy.exc import DBAPIError

from loyalty_rules.errors import LoyaltyError
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.sql.dialects.postgresql import PostgreSQL
from loyalty_rules.ledger.sql.dialects.sqlite import SQLite

__all__ = ["DIALECTS", "Dialect", "PostgreSQL", "SQLite", "UnsupportedDatabaseError", "dialect_of"]


class UnsupportedDatabaseError(LoyaltyError):
    """A database for which there is no dialect: `name` is SQLAlchemy's name for it."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)

    def __str__(self) -> str:
        return f"SQLLedger supports {' and '.join(DIALECTS)}; this database is {self.name}"


class Dialect(Protocol):
    """Everything that a ledger does differently on different databases."""

    options: Mapping[str, Any]
    """The execution options of every engine that the ledger uses."""

    has_one_writer: bool
    """Whether only one transaction at a time can write, so that rows are numbered in the order of their batches."""

    def triggers(self, table: Table, prefix: str) -> list[str]:
        """Return the statements that create the triggers by which a table refuses any change but an insert.

        `prefix` is that of the ledger's tables; the names of functions that the triggers share begin with it.
        """

    def drop_triggers(self, table: Table) -> list[str]:
        """Return the statements that drop the triggers of a table, if they are there."""

    def missing_triggers(self, connection: Connection, log: Iterable[Table], prefix: str) -> Iterator[str]:
        """Yield a sentence for each table of the log that its triggers do not protect."""

    def insert(self, table: Table) -> Any:
        """Return an insert into a table that supports ON CONFLICT."""

    def claim_statement(self, batches: Table) -> Executable:
        """Return the statement that `claim` runs; it is built once a ledger."""

    def claim(
        self, connection: Connection, statement: Executable, row: Mapping[str, Any], keys: Collection[LockKey]
    ) -> int | None:
        """Insert the row of a batch and lock the keys; return its number, or None if the batch exists already."""

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that may write, on an unused connection."""

    def join(self, connection: Connection) -> None:
        """Join the transaction of the host on its connection, or begin one; raises `UnsafeTransactionError`."""

    def begin_to_read(self, connection: Connection) -> None:
        """Begin a transaction that only reads, on an unused connection: all rows are as of one moment."""

    def lock(self, connection: Connection, keys: Iterable[LockKey]) -> None:
        """Lock these keys until the transaction ends, so that rows read afterwards stay current."""

    def lock_tables(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Lock these tables against all other writers until the transaction ends."""

    def vacuum(self, connection: Connection, erasable: Table) -> None:
        """Remove the bytes of deleted rows of a table from the files; the connection is in no transaction."""

    def is_retryable(self, error: DBAPIError) -> bool:
        """Return whether the transaction failed because of concurrent ones, and may succeed in a retry."""


DIALECTS: Mapping[str, Callable[[], Dialect]] = MappingProxyType({"sqlite": SQLite, "postgresql": PostgreSQL})
"""Each dialect by SQLAlchemy's name for the database."""


def dialect_of(bind: Engine | Connection) -> Dialect:
    """Return the dialect of a database; raises `UnsupportedDatabaseError`."""
    name = bind.dialect.name
    if name not in DIALECTS:
        raise UnsupportedDatabaseError(name)
    return DIALECTS[name]()
