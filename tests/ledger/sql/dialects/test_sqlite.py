"""The dialect of SQLite: triggers, transactions, and the settings of each connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ledger.sql.sqlite_files import busy_week, execute
from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import Tables
from loyalty_rules.ledger.sql.dialects import SQLite, dialect_of
from loyalty_rules.testing.ledgers.facts.till import Till, earn, fixed, shop

# -- triggers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    ["programs", "batches", "receipts", "entries", "lot_changes", "extensions", "coupon_states", "draws", "versions"],
)
@pytest.mark.parametrize("change", ["UPDATE {} SET batch = batch", "DELETE FROM {}"])
def test_the_log_refuses_updates_and_deletions(till: Till, path: Path, table: str, change: str) -> None:
    busy_week(till)
    till.runs(shop(earn(fixed("10"), expiry={"type": "rolling", "after": {"days": 30}})))
    till.sell("T9")
    if table in ("programs", "batches"):
        change = change.replace("batch = batch", "program = program")
    with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
        execute(path, change.format(f"loyalty_{table}"))


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


# -- transactions ------------------------------------------------------------------------------------------------------


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


def test_a_transaction_that_reads_takes_no_write_lock(engine: Engine, ledger: SQLLedger) -> None:
    """Both begin before either ends; a second BEGIN IMMEDIATE would wait for the first."""
    dialect = dialect_of(engine)
    with engine.connect() as writer, engine.connect() as reader:
        dialect.begin(writer)
        dialect.begin_to_read(reader)
        assert reader.exec_driver_sql("SELECT count(*) FROM loyalty_batches").scalar_one() == 0


def test_a_transaction_of_the_host_is_joined(engine: Engine, ledger: SQLLedger) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        dialect_of(engine).join(connection)  # a second BEGIN would be an error
        assert connection.exec_driver_sql("SELECT count(*) FROM loyalty_batches").scalar_one() == 0


def test_no_error_of_sqlite_is_retryable() -> None:
    """A transaction with the write lock of the file cannot conflict with another."""
    error = DBAPIError("COMMIT", {}, sqlite3.OperationalError("database is locked"))

    assert not SQLite().is_retryable(error)
