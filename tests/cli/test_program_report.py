"""The reports of one program, as text and as JSON."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.cli.program_report import program_report, report_document, report_text
from loyalty_rules.ledger import MemoryLedger

from .recorded import PROGRAM, sale

AT = datetime(2025, 2, 2, 10, tzinfo=UTC)


@pytest.fixture
def program() -> lr.Program:
    """A program with pending points and coupons."""
    return lr.load_program(PROGRAM)


@pytest.fixture
def ledger(program: lr.Program) -> MemoryLedger:
    """A ledger with a sale in January and one in February; the promise of the first is settled."""
    ledger = MemoryLedger()
    for document in (
        {**sale(1, "2025-01-01T10:00:00", "100"), "store": "S1"},
        {**sale(2, "2025-02-02T10:00:00", "90"), "store": "S2"},
    ):
        event = lr.load_event(document)
        ledger.record(program.evaluate(event, ledger.snapshot(program, event)))
    ledger.settle(program, AT)
    return ledger


def test_a_report_without_dimensions_covers_all_time(ledger: MemoryLedger, program: lr.Program) -> None:
    report = program_report(ledger, program, AT, ["program"])

    assert (report.program, report.by, report.conversion_by) == ("shop", (), ())
    assert [(row.of, row.issued) for row in report.issuance] == [("tenner", Decimal(2)), ("points", Decimal(190))]
    assert [(row.coupon_type, row.issued) for row in report.conversion] == [("tenner", 2)]
    assert report.liability.total == Decimal("21.9")  # 190 points at 1 for 100, and two coupons of 10


@pytest.mark.parametrize("by", ["month", "issued_in"])
def test_conversion_by_month_has_a_row_for_each_month_with_coupons(
    ledger: MemoryLedger, program: lr.Program, by: str
) -> None:
    report = program_report(ledger, program, AT, ["store", by])

    assert report.conversion_by == ("month", "store")
    issued = [(row.group["month"], row.group["store"], row.issued) for row in report.conversion if row.issued]
    assert issued == [("2025-01", "S1", 1), ("2025-02", "S2", 1)]


def test_the_text_begins_each_program_with_its_name_and_instant(ledger: MemoryLedger, program: lr.Program) -> None:
    report = program_report(ledger, program, AT, ())

    blocks = report_text([report, report]).split("\n\n")

    assert [block for block in blocks if " as of " in block] == ["shop as of 2025-02-02T10:00:00+00:00"] * 2
    assert len(blocks) == 2 * 6  # the heading and five tables


def test_the_document_has_the_reports_of_each_program(ledger: MemoryLedger, program: lr.Program) -> None:
    document = json.loads(report_document([program_report(ledger, program, AT, ())]))

    assert document["as_of"] == "2025-02-02T10:00:00+00:00"
    [shop] = document["programs"]
    assert list(shop) == ["program", "money", "as_of", "issuance", "conversion", "rates", "liability"]
    assert shop["liability"]["total"] == "21.9"


def test_an_empty_ledger_has_no_instant_and_no_program() -> None:
    assert report_text([]) == "the ledger has recorded no sale"
    assert json.loads(report_document([])) == {"as_of": None, "programs": []}
