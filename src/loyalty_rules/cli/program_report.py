"""The reports of one program, from the rows of a ledger: issuance, conversion and liability, as text and as JSON."""

import json
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs

from loyalty_rules.cli.report_tables import conversion_table, issuance_table, liability_table, total_table
from loyalty_rules.cli.tables import plain_text
from loyalty_rules.ledger import ReportRows
from loyalty_rules.ledger.reports import DIMENSIONS as ISSUANCE_DIMENSIONS
from loyalty_rules.ledger.reports import By, Conversion, Issuance, Liability, conversion, issuance, liability
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.values.dates import instant_text

if TYPE_CHECKING:
    from loyalty_rules.ledger import SQLLedger

__all__ = ["DIMENSIONS", "ProgramReport", "program_report", "report_document", "report_text"]

DIMENSIONS = ("program", *ISSUANCE_DIMENSIONS)

_FIRST_DAY, _LAST_DAY = date.min, date.max


@attrs.frozen
class ProgramReport:
    """The reports of one program; `by` lists the groups of its issuance, `conversion_by` those of its conversion."""

    program: str
    issuance: tuple[Issuance, ...]
    conversion: tuple[Conversion, ...]
    liability: Liability
    by: tuple[By, ...]
    conversion_by: tuple[str, ...]


def program_report(ledger: "SQLLedger", program: Program, at: datetime, by: Sequence[str]) -> ProgramReport:
    """Build the reports of one program as of an instant, split by dimensions."""
    rows = ledger.report_rows(program.id, at)
    split = tuple(cast(By, each) for each in by if each != "program")  # each program has a report of its own
    return ProgramReport(
        program.id,
        issuance(program, rows, split),
        tuple(_conversion(program, rows, split)),
        liability(program, rows),
        split,
        (*(["month"] if _is_by_month(split) else []), *_of_coupons(split)),
    )


# -- conversion by month ---------------------------------------------------------------------------------------------


def _conversion(program: Program, rows: ReportRows, by: Sequence[By]) -> Iterator[Conversion]:
    """Yield conversion over all time or, if split by month, over each month with changes of coupons."""
    if not _is_by_month(by):
        yield from conversion(program, rows, _FIRST_DAY, _LAST_DAY, _of_coupons(by))
        return
    for month in _months(program, rows):
        for row in conversion(program, rows, *_days_of(month), _of_coupons(by)):
            yield attrs.evolve(row, group={"month": month, **row.group})


def _is_by_month(by: Sequence[By]) -> bool:
    return "month" in by or "issued_in" in by


def _of_coupons(by: Sequence[By]) -> tuple[Literal["promotion", "store"], ...]:
    return tuple(each for each in by if each == "promotion" or each == "store")


def _months(program: Program, rows: ReportRows) -> list[str]:
    by_month = issuance(program, rows, ("month",))
    return sorted({month for row in by_month if row.kind == "coupon" and (month := row.group["month"]) is not None})


def _days_of(month: str) -> tuple[date, date]:
    first = date.fromisoformat(f"{month}-01")
    return first, first.replace(day=monthrange(first.year, first.month)[1])


# -- output ------------------------------------------------------------------------------------------------------------


def report_document(reports: Sequence[ProgramReport], at: datetime | None) -> str:
    """Format reports as a JSON document."""
    document: dict[str, Any] = {
        "as_of": instant_text(at) if at is not None else None,
        "programs": [
            {
                "program": each.program,
                "issuance": [dump(row) for row in each.issuance],
                "conversion": [dump(row) for row in each.conversion],
                "liability": dump(each.liability),
            }
            for each in reports
        ],
    }
    return json.dumps(document, indent=2)


def report_text(reports: Sequence[ProgramReport], at: datetime | None) -> str:
    """Format reports as tables in plain text."""
    if at is None or not reports:
        return "the ledger has recorded no sale"
    return "\n\n".join(_program_text(each, at) for each in reports)


def _program_text(each: ProgramReport, at: datetime) -> str:
    tables = [
        issuance_table(each.issuance, each.by),
        conversion_table(each.conversion, each.conversion_by),
        liability_table(each.liability),
        total_table(each.liability),
    ]
    return f"{each.program} as of {instant_text(at)}\n\n" + plain_text(table for table in tables if table.rows)
