"""The reports of one program: issuance, conversion, rates and liability, as text, as JSON and as CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import attrs

from loyalty_rules.cli.report_tables import (
    conversion_table,
    issuance_table,
    liability_table,
    rates_table,
    total_table,
)
from loyalty_rules.cli.tables import Table, plain_text
from loyalty_rules.ledger import Ledger
from loyalty_rules.ledger.reports import DIMENSIONS as ISSUANCE_DIMENSIONS
from loyalty_rules.ledger.reports import By, Conversion, Issuance, Liability, conversion_of
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.reports.cohorts import CohortRates, rates_of
from loyalty_rules.reports.issuance import PERIODS
from loyalty_rules.values.dates import instant_text

__all__ = ["DIMENSIONS", "TABLES", "ProgramReport", "program_report", "report_csv", "report_document", "report_text"]

TABLES = ("issuance", "conversion", "rates", "liability")
"""The reports that are written as comma-separated values."""

DIMENSIONS = ("program", *ISSUANCE_DIMENSIONS)


_OF_ISSUE = ("promotion", "store", "member", "tier", "channel")
_PERIODS: Mapping[str, str] = {
    "issued_in": "month",
    **{f"issued_{period}": period for period in PERIODS},
    **{period: period for period in PERIODS},
}
"""The period of each dimension of time."""


@attrs.frozen
class ProgramReport:
    """The reports of one program as of an instant; `by`, `conversion_by` and `rates_by` list their groups."""

    program: str
    money: str | None
    at: datetime
    issuance: Sequence[Issuance]
    conversion: Sequence[Conversion]
    rates: Sequence[CohortRates]
    liability: Liability
    by: tuple[By, ...]
    conversion_by: tuple[str, ...]
    rates_by: tuple[str, ...]


def program_report(ledger: "Ledger", program: Program, at: datetime, by: Sequence[str]) -> ProgramReport:
    """Build the reports of one program as of an instant, split by dimensions.

    Rates and conversion are by dimensions of the issue. Their periods are those of the issue, and of the redemption for
    the flow.
    """
    split = tuple(cast(By, each) for each in by if each != "program")  # each program has a report of its own
    of_issue = tuple(each for each in split if each in _OF_ISSUE)
    period = next((_PERIODS[each] for each in split if each in _PERIODS), None)
    cohorts = ledger.issuance(program, at, cast(Sequence[By], (*_in_period("issued_", period), *of_issue)))
    flow = ledger.issuance(program, at, cast(Sequence[By], (*_in_period("", period), *of_issue))) if period else cohorts
    return ProgramReport(
        program.id,
        program.money,
        at,
        ledger.issuance(program, at, split),
        conversion_of(cohorts, flow, period),
        rates_of(cohorts),
        ledger.liability(program, at),
        split,
        (*_in_period("", period), *of_issue),
        (*_in_period("issued_", period), *of_issue),
    )


def _in_period(prefix: str, period: str | None) -> tuple[str, ...]:
    return (f"{prefix}{period}",) if period is not None else ()


# -- output ------------------------------------------------------------------------------------------------------------


def report_document(reports: Sequence[ProgramReport]) -> str:
    """Format reports as a JSON document."""
    document: dict[str, Any] = {
        "as_of": instant_text(max(each.at for each in reports)) if reports else None,
        "programs": [
            {
                "program": each.program,
                "money": each.money,
                "as_of": instant_text(each.at),
                "issuance": [dump(row) for row in each.issuance],
                "conversion": [dump(row) for row in each.conversion],
                "rates": [dump(row) for row in each.rates],
                "liability": dump(each.liability),
            }
            for each in reports
        ],
    }
    return json.dumps(document, indent=2)


def report_text(reports: Sequence[ProgramReport]) -> str:
    """Format reports as tables in plain text."""
    if not reports:
        return "the ledger has recorded no sale"
    return "\n\n".join(_program_text(each) for each in reports)


def report_csv(reports: Sequence[ProgramReport], name: str) -> str:
    """Format one report of each program as comma-separated values, with the program in the first column."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    for number, each in enumerate(reports):
        table = _tables(each)[name]
        if number == 0:
            writer.writerow(["program", *table.headings])
        writer.writerows([each.program, *("" if cell == "-" else cell for cell in row)] for row in table.rows)
    return output.getvalue().rstrip("\n")


def _tables(each: ProgramReport) -> dict[str, Table]:
    return {
        "issuance": issuance_table(each.issuance, each.by),
        "conversion": conversion_table(each.conversion, each.conversion_by),
        "rates": rates_table(each.rates, each.rates_by),
        "liability": liability_table(each.liability, each.money),
        "total": total_table(each.liability, each.money),
    }


def _program_text(each: ProgramReport) -> str:
    tables = [table for table in _tables(each).values() if table.rows]
    return f"{each.program} as of {instant_text(each.at)}\n\n" + plain_text(tables)
