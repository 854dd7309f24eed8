"""The tables: their constraints, and their place in the host's metadata."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData

from loyalty_rules.ledger import MemoryLedger, SQLLedger
from loyalty_rules.ledger.sql import Tables
from loyalty_rules.testing.ledgers.facts.till import (
    Till,
    earn,
    fixed,
    shop,
)

from .sqlite_files import busy_week, execute


@pytest.mark.parametrize(
    "overdraft",
    [
        "UPDATE loyalty_lots SET outstanding = -1, spent = issued + 1",
        "UPDATE loyalty_lots SET spent = spent + 1",
        "UPDATE loyalty_counters SET value = -1",
        "UPDATE loyalty_lots SET outstanding = 0.5",
    ],
)
def test_the_tables_refuse_impossible_rows(till: Till, path: Path, overdraft: str) -> None:
    busy_week(till)
    with pytest.raises(sqlite3.IntegrityError):
        execute(path, overdraft)


def test_the_tables_attach_to_the_hosts_metadata() -> None:
    metadata = MetaData()
    tables = Tables(metadata, prefix="points_")
    assert metadata.tables["points_lots"] is tables.lots
    assert {*metadata.tables} == {each.name for each in (*tables.log, *tables.state)}


def test_two_ledgers_in_one_database_are_independent(engine: Engine) -> None:
    metadata = MetaData()
    one, other = (SQLLedger(engine, tables=Tables(metadata, prefix=each)) for each in ("one_", "other_"))
    metadata.create_all(engine)
    program, bill = shop(earn(fixed("10"))), Till(MemoryLedger()).bill("T1")
    assert [each.process(program, bill).status for each in (one, other)] == ["recorded", "recorded"]


def test_a_migration_tool_finds_no_difference_after_create_all(ledger: SQLLedger, engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, ledger.tables.metadata) == []
        assert compare_metadata(context, MetaData()) != []  # the tool does find differences
