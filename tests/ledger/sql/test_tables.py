"""The tables: their constraints, and their place in the host's metadata."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.ledger import MemoryLedger, SQLLedger
from loyalty_rules.ledger.sql import Tables
from loyalty_rules.testing.ledgers.facts.till import (
    SERIALS,
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
    assert {*metadata.tables} == {each.name for each in tables.every}


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


def test_the_names_of_tables_and_columns_stay_as_they_are() -> None:
    """Databases that exist depend on them."""
    tables = Tables()
    assert {table.name: table.columns.keys() for table in tables.every} == {
        "loyalty_programs": ["version", "program", "document"],
        "loyalty_batches": ["id", "program", "event", "phase", "of", "inputs", "at", "recorded_at"],
        "loyalty_receipts": [
            "number",
            "batch",
            "version",
            "snapshot",
            "intents",
            "trims",
            "notes",
            "personal",
            "chain",
            "position",
            "digest",
            "link",
        ],
        "loyalty_entries": [
            "number",
            "batch",
            "program",
            "kind",
            "account",
            "currency",
            "lot",
            "source",
            "target",
            "amount",
            "at",
            "recorded_at",
            "reason",
            "by",
        ],
        "loyalty_lot_changes": [
            "number",
            "batch",
            "lot",
            "at",
            "change",
            "day",
            "expires_at",
            "amount",
            "previous",
            "member",
        ],
        "loyalty_extensions": [
            "number",
            "batch",
            "program",
            "kind",
            "account",
            "currency",
            "scope",
            "at",
            "day",
            "expires_at",
        ],
        "loyalty_coupon_states": [
            "number",
            "batch",
            "coupon",
            "at",
            "state",
            "remaining",
            "redeemed_by",
            "redeemed_at",
            "voided_at",
            "member",
            "expires_on",
            "expires_at",
            "topped_up",
            "redemption",
            "redeemed_by_member",
            "redeemed_at_store",
            "uses_left",
            "left_in_all",
            "most",
            "taken",
        ],
        "loyalty_draws": ["number", "batch", "program", "name", "day", "amount", "most"],
        "loyalty_versions": ["number", "batch", "kind", "key", "at", "document"],
        "loyalty_lots": [
            "number",
            "key",
            "program",
            "kind",
            "account",
            "currency",
            "event",
            "store",
            "tier",
            "channel",
            "origin",
            "promotion",
            "issued_to",
            "issued_at",
            "issue",
            "rolling",
            "due_at",
            "issued",
            "promised",
            "outstanding",
            "held",
            "spent",
            "expired",
            "reversed",
            "voided",
            "moved_on",
            "taken_back",
            "issue_on",
            "expires_on",
            "expires_at",
            "available_at",
            "last_on",
            "last_at",
            "latest_at",
            "batch",
            "version",
        ],
        "loyalty_coupons": [
            "number",
            "key",
            "program",
            "event",
            "coupon_type",
            "promotion",
            "store",
            "tier",
            "channel",
            "issued_to",
            "issued_at",
            "code",
            "fingerprint",
            "issue",
            "valid_from",
            "state",
            "remaining",
            "redeemed_by",
            "redeemed_at",
            "voided_at",
            "member",
            "expires_on",
            "expires_at",
            "topped_up",
            "redemption",
            "redeemed_by_member",
            "redeemed_at_store",
            "uses_left",
            "left_in_all",
            "most",
            "taken",
            "latest_at",
            "version",
        ],
        "loyalty_counters": ["program", "name", "day", "value"],
        "loyalty_payments": ["number", "key", "program", "event", "store", "document", "latest_at", "version"],
        "loyalty_holds": [
            "number",
            "key",
            "program",
            "balance",
            "open_for",
            "state",
            "document",
            "latest_at",
            "version",
        ],
        "loyalty_amended_terms": ["number", "key", "program", "document", "latest_at", "version"],
        "loyalty_further_lots": ["number", "key", "program", "document", "latest_at", "version"],
        "loyalty_adjustments": ["number", "key", "program", "document", "latest_at", "version"],
        "loyalty_mergers": ["number", "key", "program", "merged_into", "document", "latest_at", "version"],
        "loyalty_edition": ["edition"],
        "loyalty_nightly_runs": ["number", "key", "program", "document", "latest_at", "version"],
        "loyalty_personal": ["batch", "program", "member", "salt", "document"],
        "loyalty_remarks": ["number", "key", "program", "account", "document", "latest_at", "version"],
        "loyalty_shortfalls": ["number", "key", "program", "balance", "debtor", "document", "latest_at", "version"],
        "loyalty_levels": ["number", "key", "program", "tier", "holder", "document", "latest_at", "version"],
    }


def test_no_table_of_the_log_refers_to_a_later_one() -> None:
    tables = Tables()
    for number, table in enumerate(tables.log):
        assert {key.column.table for key in table.foreign_keys} <= {*tables.log[:number]}


def test_the_content_of_a_batch_is_in_the_tables_with_its_number_except_its_receipt() -> None:
    tables = Tables()
    assert [each.name.removeprefix("loyalty_") for each in tables.written] == [
        "entries",
        "lot_changes",
        "extensions",
        "coupon_states",
        "draws",
        "versions",
    ]


def test_every_name_begins_with_the_prefix() -> None:
    tables = Tables(prefix="points_")
    for table in (*tables.log, *tables.state):
        assert table.name.startswith("points_")
        assert all(str(index.name).startswith("points_") for index in table.indexes)


@pytest.mark.parametrize("prefix", ["Shop_", "my-shop_", "select ", "é_", ""])
def test_any_prefix_works_as_it_is(database: str, prefix: str) -> None:
    engine = create_engine(database)
    ledger = SQLLedger(engine, serials=SERIALS, tables=Tables(prefix=prefix))
    ledger.create_all()
    till = Till(ledger)
    till.runs(shop(earn(fixed("5"))))
    assert till.sell("T1").status == "recorded"
    ledger.rebuild()
    assert ledger.check_invariants() == []
    engine.dispose()


def test_a_schema_that_needs_quotes_works(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE SCHEMA "Loy alty"')
    ledger = SQLLedger(engine, serials=SERIALS, tables=Tables(prefix="Shop_", schema="Loy alty"))
    ledger.create_all()
    ledger.rebuild()
    assert ledger.check_invariants() == []
    engine.dispose()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"prefix": "x" * 25}, "prefix: expected at most 24 printable characters"),
        ({"prefix": 'a"; DROP TABLE b; --'}, "prefix: expected"),
        ({"prefix": "a\n"}, "prefix: expected"),
        ({"prefix": 5}, "prefix: expected"),
        ({"schema": ""}, "schema: expected 1 to 63 printable characters"),
        ({"schema": "a'b"}, "schema: expected"),
    ],
)
def test_a_name_that_no_database_could_have_is_refused(names: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        Tables(**names)
