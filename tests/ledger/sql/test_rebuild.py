"""The state is computed again from the log alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.testing.ledgers.facts.till import (
    Till,
)

from .sqlite_files import busy_week, execute


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE loyalty_lots SET spent = spent + 1, expired = expired - 1 WHERE number = 1", "sum of its"),
        ("UPDATE loyalty_lots SET taken_back = 0", "not the sum of the claims"),
        ("UPDATE loyalty_counters SET value = value + 1", "sum of its draws"),
        ("UPDATE loyalty_coupons SET state = 'voided' WHERE state = 'redeemed'", "not in its last recorded state"),
        ("DELETE FROM loyalty_lots WHERE number = 1", "is missing"),
        ("DELETE FROM loyalty_payments WHERE number = 1", "is missing"),
        ("UPDATE loyalty_payments SET document = replace(document, 'true', 'false')", "not its last recorded version"),
        ("UPDATE loyalty_payments SET event = 'T9'", "found by other values than its own"),
    ],
)
def test_a_state_that_differs_from_the_log_is_found_and_rebuilt(
    till: Till, ledger: SQLLedger, path: Path, change: str, sentence: str
) -> None:
    busy_week(till)
    before = till.everything(), ledger.report_rows("acme", till.now)
    execute(path, change)
    assert any(sentence in each for each in ledger.check_invariants())
    ledger.rebuild()
    assert ledger.check_invariants() == []
    assert (till.everything(), ledger.report_rows("acme", till.now)) == before


def test_the_state_is_rebuilt_from_an_empty_one(till: Till, ledger: SQLLedger, path: Path) -> None:
    busy_week(till)
    tables = [table.name for table in ledger.tables.state]
    before = {name: execute(path, f"SELECT * FROM {name}") for name in tables}
    for name in tables:
        execute(path, f"DELETE FROM {name}")
    ledger.rebuild()
    after = {name: execute(path, f"SELECT * FROM {name}") for name in tables}
    # Everything but the version, which counts changes and begins again.
    assert {name: rows_without_version(path, name, after[name]) for name in tables} == {
        name: rows_without_version(path, name, before[name]) for name in tables
    }


def rows_without_version(path: Path, table: str, rows: list[Any]) -> list[dict[str, Any]]:
    names = [name for (_, name, *_) in execute(path, f"PRAGMA table_info({table})")]
    return [{name: value for name, value in zip(names, row, strict=True) if name != "version"} for row in rows]


def test_a_rebuilt_ledger_goes_on(till: Till, ledger: SQLLedger) -> None:
    busy_week(till)
    ledger.rebuild()
    assert till.sell("T9").status == "recorded"
    assert ledger.check_invariants() == []
    assert ledger.verify() == []


@pytest.mark.parametrize("size", [1, 2])
def test_the_state_is_the_same_in_chunks_of_any_size(
    till: Till, ledger: SQLLedger, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    busy_week(till)
    before = till.everything()
    monkeypatch.setattr("loyalty_rules.ledger.sql.rebuild._CHUNK_SIZE", size)
    ledger.rebuild()
    assert till.everything() == before
    assert ledger.check_invariants() == []
