"""PostgreSQL: a server for many tills, at READ COMMITTED, with an advisory lock for each lock key.

All transactions take their locks in the same order, and read after they have locked, so that rows stay current until
the commit. Source: ledger 3.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, Connection, Executable, Table, bindparam, func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from loyalty_rules.ledger.errors import UnsafeTransactionError
from loyalty_rules.ledger.locks import LockKey

__all__ = ["PostgreSQL"]

_JOINABLE = "READ COMMITTED or SERIALIZABLE: set `isolation_level` of the engine or of the connection"


class PostgreSQL:
    """The dialect of PostgreSQL."""

    options: Mapping[str, Any] = MappingProxyType({"isolation_level": "READ COMMITTED"})
    has_one_writer = False

    _LOCK = text("SELECT pg_advisory_xact_lock(number) FROM unnest(CAST(:numbers AS bigint[])) AS number")
    _RETRYABLE = frozenset({"40001", "40P01"})  # serialization failure, deadlock

    def triggers(self, table: Table, prefix: str) -> list[str]:
        """Return the trigger that refuses updates, deletions and truncation, after the function that it executes."""
        schema = f"{_quoted(table.schema)}." if table.schema is not None else ""
        function = f"{schema}{_quoted(f'{prefix}only_added_to')}()"
        return [
            f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME; END $$",
            f"CREATE TRIGGER {_trigger(table)} BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}{_quoted(table.name)} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}",
        ]

    def drop_triggers(self, table: Table) -> list[str]:
        """Return the statement that drops the trigger of a table, if it is there."""
        return [f"DROP TRIGGER IF EXISTS {_trigger(table)} ON {_PREPARER.format_table(table)}"]

    def missing_triggers(self, connection: Connection, log: Iterable[Table], prefix: str) -> Iterator[str]:  # noqa: ARG002
        """Look for each trigger in the catalogue, and whether it is enabled and calls its function."""
        found = text(
            "SELECT count(*) FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
            "WHERE tgrelid = to_regclass(:of) AND tgname = :trigger AND tgenabled IN ('O', 'A') "
            "AND (tgtype & 58) = 58 AND prosrc LIKE '%RAISE EXCEPTION%'"  # before, on delete, update and truncate
        )
        for table in log:
            of = ".".join(f'"{each}"' for each in (table.schema, table.name) if each is not None)
            if not connection.execute(found, {"of": of, "trigger": f"{table.name}_only_added_to"}).scalar_one():
                yield f"{table.name} can be changed: its trigger is missing or disabled"

    def insert(self, table: Table) -> Any:
        """Return an insert that supports ON CONFLICT and reports its number of rows."""
        # Without this option SQLAlchemy keeps the number of rows of updates and deletions only.
        return postgresql.insert(table).execution_options(preserve_rowcount=True)

    def claim_statement(self, batches: Table) -> Executable:
        """Return the insert of a batch, which locks in its RETURNING clause, and so only if the batch is new.

        One statement instead of two: a round trip costs more than everything else in it.
        """
        number = func.unnest(bindparam("numbers", type_=postgresql.ARRAY(BigInteger))).column_valued("number")
        locks = select(func.count(func.pg_advisory_xact_lock(number))).scalar_subquery()
        statement: Executable = self.insert(batches).on_conflict_do_nothing().returning(batches.c.id, locks)
        return statement

    def claim(
        self, connection: Connection, statement: Executable, row: Mapping[str, Any], keys: Collection[LockKey]
    ) -> int | None:
        """Insert the row of a batch and lock the keys in the order of `lock`."""
        claimed = connection.execute(statement, {**row, "numbers": _lock_numbers(keys)}).first()
        return claimed.id if claimed is not None else None

    def begin(self, connection: Connection) -> None:
        """Do nothing: the first statement begins the transaction."""

    def join(self, connection: Connection) -> None:
        """Check the isolation level of the host's transaction.

        At REPEATABLE READ, rows that are read after waiting for a lock would be as of the first statement. With
        AUTOCOMMIT, each statement would be a transaction of its own. SERIALIZABLE is safe: the server finds the
        conflicts.
        """
        driver: Any = connection.connection.driver_connection
        if getattr(driver, "autocommit", False):
            raise UnsafeTransactionError("in AUTOCOMMIT", _JOINABLE)
        level = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
        if level == "repeatable read":
            raise UnsafeTransactionError("at REPEATABLE READ", _JOINABLE)

    def begin_to_read(self, connection: Connection) -> None:
        """Set REPEATABLE READ, so that all statements see one moment."""
        connection.execution_options(isolation_level="REPEATABLE READ")

    def lock(self, connection: Connection, keys: Iterable[LockKey]) -> None:
        """Take an advisory lock for each key: sales, accounts, counters, chains; within each, in the keys' order."""
        connection.execute(self._LOCK, {"numbers": _lock_numbers(keys)})

    def lock_tables(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Wait for the writers of these tables, and lock out others."""
        for table in tables:
            connection.exec_driver_sql(f"LOCK TABLE {_PREPARER.format_table(table)} IN EXCLUSIVE MODE")

    def vacuum(self, connection: Connection, erasable: Table) -> None:
        """Rewrite the table with erasable rows, so that no deleted one remains in its file."""
        name = connection.dialect.identifier_preparer.format_table(erasable)
        connection.exec_driver_sql(f"VACUUM (FULL) {name}")

    def is_retryable(self, error: DBAPIError) -> bool:
        """Return whether the error is a deadlock or a serialization failure."""
        return getattr(error.orig, "sqlstate", None) in self._RETRYABLE


_PREPARER = postgresql.dialect().identifier_preparer  # type: ignore[no-untyped-call]


def _quoted(name: str) -> str:
    """Return an identifier as SQL has it: in quotes if it needs them."""
    quoted: str = _PREPARER.quote(name)
    return quoted


def _trigger(table: Table) -> str:
    return _quoted(f"{table.name}_only_added_to")


def _lock_numbers(keys: Iterable[LockKey]) -> list[int]:
    return [_lock_number(key) for key in sorted(keys)]


def _lock_number(key: LockKey) -> int:
    """Return the 64-bit number of a lock key. Two keys with one number wait for each other, which does no harm."""
    digest = hashlib.blake2b(f"loyalty-rules/{key[1]}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
