"""A run with a ledger: events after the sale count, and the run ends with issuance and liability."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import loyalty_rules as lr
from loyalty_rules.cli import main
from loyalty_rules.cli.recording import RecordingRun, ledger_tables
from loyalty_rules.ledger import MemoryLedger

from .recorded import PROGRAM, back, files, sale
from .running import Capture, Document


def record(tmp_path: Path, capsys: Capture, *events: Document) -> tuple[int, list[Any], str]:
    """Record events in memory; return the status, the intents as types with amounts, and standard error."""
    status = main(["run", *files(tmp_path, list(events))])
    out, err = capsys.readouterr()
    intents = [json.loads(line) for line in out.splitlines()]
    return status, [(each["type"], each.get("amount")) for each in intents], err


def test_a_promise_is_released_when_it_is_due(tmp_path: Path, capsys: Capture) -> None:
    status, intents, _ = record(
        tmp_path, capsys, sale(1, "2025-01-01T10:00:00", "50"), sale(2, "2025-01-20T10:00:00", "20")
    )

    assert status == 0
    assert intents == [("issue_currency", "50"), ("release_promise", "50"), ("issue_currency", "20")]


def test_a_return_at_the_instant_of_a_release_comes_first(tmp_path: Path, capsys: Capture) -> None:
    _, intents, _ = record(
        tmp_path, capsys, sale(1, "2025-01-01T10:00:00", "50"), back(1, "2025-01-15T10:00:00", 1, "30")
    )

    assert intents == [("issue_currency", "50"), ("reverse_currency", "30"), ("release_promise", "20")]


def test_the_tables_show_points_and_coupons_that_a_return_took_back(tmp_path: Path, capsys: Capture) -> None:
    status, intents, tables = record(
        tmp_path,
        capsys,
        sale(1, "2025-01-01T10:00:00", "100"),
        sale(2, "2025-01-02T10:00:00", "90"),
        back(1, "2025-01-20T10:00:00", 1, "40"),
    )

    assert status == 0
    assert [kind for kind, _ in intents].count("void_coupon") == 1
    lines = [line.split() for line in tables.splitlines()]
    assert ["points", "units", "190", "0", "0", "40", "0", "150"] in lines  # 100 + 90, of which 40 were taken back
    assert ["tenner", "coupons", "2", "0", "0", "0", "1", "1"] in lines
    assert ["points", "units", "2025-04", "150", "0", "1.5"] in lines  # at 1.00 for 100
    assert ["tenner", "coupons", "-", "1", "0", "10"] in lines


def test_the_return_of_an_unknown_sale_is_reported_and_the_run_continues(tmp_path: Path, capsys: Capture) -> None:
    status, intents, err = record(
        tmp_path, capsys, back(1, "2025-01-01T10:00:00", 9, "1"), sale(1, "2025-01-02T10:00:00", "5")
    )

    assert status == 1
    assert intents == [("issue_currency", "5")]
    assert "event 'R1' is refused: no sale T9 has been recorded" in err


def test_another_receipt_under_a_known_id_is_a_conflict(tmp_path: Path, capsys: Capture) -> None:
    status, intents, err = record(
        tmp_path, capsys, sale(1, "2025-01-01T10:00:00", "5"), sale(1, "2025-01-01T10:00:00", "6")
    )

    assert status == 1
    assert intents == [("issue_currency", "5")]
    assert "another event.amount: 5 was recorded, 6 is offered" in err


def test_the_run_ends_with_settled_promises_and_expiries() -> None:
    running = RecordingRun(lr.load_program(PROGRAM), MemoryLedger())
    at = datetime(2025, 1, 1, 10, tzinfo=UTC)
    running.decide(lr.load_event(sale(1, "2025-01-01T10:00:00", "50")))

    assert running.finish(at) == ()
    assert [each.type for each in running.finish(datetime(2025, 1, 15, 10, tzinfo=UTC))] == ["release_promise"]
    assert [each.type for each in running.finish(datetime(2026, 1, 1, tzinfo=UTC))] == ["expire_currency"]


def test_an_empty_ledger_has_no_tables() -> None:
    running = RecordingRun(lr.load_program(PROGRAM), MemoryLedger())

    assert ledger_tables(running, datetime(2025, 1, 1, tzinfo=UTC)) == []
