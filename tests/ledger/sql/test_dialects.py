"""The dialects: triggers, claims, locks, and the settings of each connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import UnsupportedDatabaseError
from loyalty_rules.ledger.sql.dialects import dialect_of
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
