"""The dialects: triggers, claims, locks, and the settings of each connection."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import Tables, UnsupportedDatabaseError
from loyalty_rules.ledger.sql.dialects import PostgreSQL, SQLite, dialect_of, postgresql
from loyalty_rules.testing.ledgers.facts.till import (
    Till,
)

from .sqlite_files import busy_week, execute


def test_an_unsupported_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = create_engine("sqlite://")
    monkeypatch.setattr(engine.dialect, "name", "mysql")
    with pytest.raises(UnsupportedDatabaseError, match="mysql"):
        SQLLedger(engine)


@pytest.mark.parametrize(
    "table",
    ["programs", "batches", "receipts", "entries", "lot_changes", "coupon_states", "draws", "citations", "undone"],
)
@pytest.mark.parametrize("change", ["UPDATE {} SET batch = batch", "DELETE FROM {}"])
def test_the_log_refuses_updates_and_deletions(till: Till, path: Path, table: str, change: str) -> None:
    busy_week(till)
    if table in ("programs", "batches"):
        change = change.replace("batch = batch", "program = program")
    with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
        execute(path, change.format(f"loyalty_{table}"))


def test_every_connection_is_durable(ledger: SQLLedger, engine: Engine) -> None:
    with SQLLedger(engine).transaction(), engine.connect() as fresh:
        pass
    with engine.connect() as connection:
        dialect_of(engine).begin(connection)
        read: Callable[[str], Any] = lambda name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()  # noqa: E731
        assert (read("journal_mode"), read("synchronous"), read("foreign_keys")) == ("wal", 2, 1)
        assert read("busy_timeout") == 30_000
        assert connection.connection.driver_connection.in_transaction  # type: ignore[union-attr]
    assert fresh.closed


# -- triggers ----------------------------------------------------------------------------------------------------------


def test_every_table_of_the_log_has_triggers_and_no_other_table(ledger: SQLLedger, path: Path) -> None:
    rows = execute(path, "SELECT tbl_name, count(*) FROM sqlite_master WHERE type = 'trigger' GROUP BY tbl_name")
    assert dict(rows) == {table.name: 2 for table in ledger.tables.log}


def test_the_triggers_of_sqlite_abort_updates_and_deletions() -> None:
    tables = Tables()
    assert tables.triggers(tables.entries, "sqlite") == [
        "CREATE TRIGGER loyalty_entries_no_update BEFORE UPDATE ON loyalty_entries "
        "BEGIN SELECT RAISE(ABORT, 'loyalty_entries is only ever added to'); END",
        "CREATE TRIGGER loyalty_entries_no_delete BEFORE DELETE ON loyalty_entries "
        "BEGIN SELECT RAISE(ABORT, 'loyalty_entries is only ever added to'); END",
    ]


def test_the_trigger_of_postgresql_is_in_the_schema_of_its_table() -> None:
    tables = Tables(prefix="points_", schema="shop")
    function, trigger = tables.triggers(tables.entries, "postgresql")
    assert function.startswith('CREATE OR REPLACE FUNCTION "shop".points_only_added_to() RETURNS trigger ')
    assert trigger == (
        'CREATE TRIGGER points_entries_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON "shop".points_entries '
        'FOR EACH STATEMENT EXECUTE FUNCTION "shop".points_only_added_to()'
    )


def test_the_log_refuses_changes_on_postgresql(postgres_url: str) -> None:
    with closing(SQLLedger.open(postgres_url)) as ledger, ledger._bind.connect() as connection:  # type: ignore[union-attr]
        for table in ledger.tables.log:
            column = table.columns.keys()[0]
            for change in (
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ):
                with pytest.raises(DBAPIError, match="only ever added to"), connection.begin():
                    connection.exec_driver_sql(change)


# -- locks and errors --------------------------------------------------------------------------------------------------


def test_lock_numbers_are_sorted_by_rank_and_have_64_bits() -> None:
    keys = [(2, "acme/cap"), (0, "acme/T1"), (1, "acme/member/anna")]
    numbers = postgresql._lock_numbers(keys)
    assert numbers == [postgresql._lock_number(each) for each in (keys[1], keys[2], keys[0])]
    assert all(-(2**63) <= each < 2**63 for each in numbers)


def test_a_lock_number_is_the_signed_hash_of_its_name() -> None:
    digest = hashlib.blake2b(b"loyalty-rules/acme/T1", digest_size=8).digest()
    assert postgresql._lock_number((0, "acme/T1")) == int.from_bytes(digest, "big", signed=True)


@pytest.mark.parametrize(
    ("code", "retryable"), [("40001", True), ("40P01", True), ("23505", False), ("55P03", False), (None, False)]
)
def test_only_deadlocks_and_serialization_failures_are_retryable(code: str | None, retryable: bool) -> None:
    error = DBAPIError("SELECT 1", {}, Refused(code))
    assert PostgreSQL().is_retryable(error) == retryable
    assert not SQLite().is_retryable(error)


class Refused(Exception):
    """An error of a driver with an SQLSTATE."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def test_a_transaction_that_reads_takes_no_write_lock(engine: Engine, ledger: SQLLedger) -> None:
    """Both begin before either ends; a second BEGIN IMMEDIATE would wait for the first."""
    dialect = dialect_of(engine)
    with engine.connect() as writer, engine.connect() as reader:
        dialect.begin(writer)
        dialect.begin_to_read(reader)
        assert reader.exec_driver_sql("SELECT count(*) FROM loyalty_batches").scalar_one() == 0


def test_a_transaction_of_the_host_is_joined(engine: Engine, ledger: SQLLedger) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        dialect_of(engine).begin(connection)  # a second BEGIN would be an error
        assert connection.exec_driver_sql("SELECT count(*) FROM loyalty_batches").scalar_one() == 0
