"""The command `report`: what programs have given out, what came of it and what they owe, from a ledger alone."""

import argparse
import json
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import attrs

from loyalty_rules.cli.commands.run import FINE, REFUSED
from loyalty_rules.cli.databases import UnusableLedgerError, existing_ledger, telling_errors
from loyalty_rules.cli.loading import Loading
from loyalty_rules.cli.report_tables import conversion_table, issuance_table, liability_table, total_table
from loyalty_rules.cli.streams import complain, say
from loyalty_rules.cli.tables import plain_text
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.ledger import ReportRows
from loyalty_rules.ledger.reports import Conversion, Issuance, Liability, conversion, issuance, liability
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.values.dates import instant_text, read_event_instant

if TYPE_CHECKING:
    from loyalty_rules.ledger import SQLLedger

__all__ = ["DIMENSIONS", "dimensions", "instant", "report"]

By: TypeAlias = Literal["promotion", "store", "issued_in", "month"]
DIMENSIONS = ("program", "promotion", "store", "issued_in", "month")

_NEVER_BEFORE, _NEVER_AFTER = date.min, date.max


@attrs.frozen
class _Report:
    """The reports of one program; `by` are the groups of its issuance, `conversion_by` those of its conversion."""

    program: str
    issuance: tuple[Issuance, ...]
    conversion: tuple[Conversion, ...]
    liability: Liability
    by: tuple[By, ...]
    conversion_by: tuple[str, ...]


# -- what is asked ---------------------------------------------------------------------------------------------------


def dimensions(text: str) -> tuple[str, ...]:
    """Read what the reports are split by, for argparse: names with commas between them."""
    names = [each.strip() for each in text.split(",")]
    for name in names:
        if name not in DIMENSIONS:
            raise argparse.ArgumentTypeError(f"expected some of {','.join(DIMENSIONS)}; found {name[:60]!a}")
    return tuple(dict.fromkeys(names))


def instant(text: str) -> datetime:
    """Read an instant, for argparse."""
    try:
        return read_event_instant(text)
    except InvalidValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


# -- the command -----------------------------------------------------------------------------------------------------


def report(arguments: argparse.Namespace) -> int:
    """Print what was issued, what came of it and what is owed, of each program that a ledger has recorded."""
    loading = Loading()
    program = loading.program(arguments.program) if arguments.program is not None else None
    if loading.complaints:
        complain(loading.complaints)
        return REFUSED
    try:
        with existing_ledger(arguments.url) as ledger, telling_errors(arguments.url):
            at = arguments.as_of if arguments.as_of is not None else ledger.latest()
            programs = _chosen(ledger.programs(), program)
            reports = [_report(ledger, each, at, arguments.by) for each in programs] if at is not None else []
    except UnusableLedgerError as error:
        complain([f"loyalty-rules: {error}"])
        return REFUSED
    say(_document(reports, at) if arguments.json else _text(reports, at))
    return FINE


def _chosen(recorded: Sequence[Program], program: Program | None) -> Sequence[Program]:
    """Give the programs to report on: all that are recorded, or the given one, as its file has it today."""
    if program is None:
        return recorded
    names = [each.id for each in recorded]
    if program.id not in names:
        there_are = f"it has sales of {', '.join(names)}" if names else "it has none of any"
        raise UnusableLedgerError(f"the ledger has recorded no sale under the program {program.id}; {there_are}")
    return [program]


def _report(ledger: "SQLLedger", program: Program, at: datetime, by: Sequence[str]) -> _Report:
    rows = ledger.report_rows(program.id, at)
    split = tuple(cast(By, each) for each in by if each != "program")  # programs are always apart
    return _Report(
        program.id,
        issuance(program, rows, split),
        tuple(_conversion(program, rows, split)),
        liability(program, rows),
        split,
        (*(["month"] if _is_by_month(split) else []), *_of_coupons(split)),
    )


# -- conversion by month ---------------------------------------------------------------------------------------------


def _conversion(program: Program, rows: ReportRows, by: Sequence[By]) -> Iterator[Conversion]:
    """Report conversion over all time or, where months are asked for, over each in which a coupon came or went."""
    if not _is_by_month(by):
        yield from conversion(program, rows, _NEVER_BEFORE, _NEVER_AFTER, _of_coupons(by))
        return
    for month in _months(program, rows):
        for row in conversion(program, rows, *_days_of(month), _of_coupons(by)):
            yield attrs.evolve(row, group={"month": month, **row.group})


def _is_by_month(by: Sequence[By]) -> bool:
    return "month" in by or "issued_in" in by


def _of_coupons(by: Sequence[By]) -> tuple[Literal["promotion", "store"], ...]:
    return tuple(each for each in by if each == "promotion" or each == "store")


def _months(program: Program, rows: ReportRows) -> list[str]:
    happened = issuance(program, rows, ("month",))
    return sorted({month for row in happened if row.kind == "coupon" and (month := row.group["month"]) is not None})


def _days_of(month: str) -> tuple[date, date]:
    first = date.fromisoformat(f"{month}-01")
    return first, first.replace(day=monthrange(first.year, first.month)[1])


# -- what is printed -------------------------------------------------------------------------------------------------


def _document(reports: Sequence[_Report], at: datetime | None) -> str:
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


def _text(reports: Sequence[_Report], at: datetime | None) -> str:
    if at is None or not reports:
        return "the ledger has recorded no sale"
    return "\n\n".join(_told(each, at) for each in reports)


def _told(each: _Report, at: datetime) -> str:
    tables = [
        issuance_table(each.issuance, each.by),
        conversion_table(each.conversion, each.conversion_by),
        liability_table(each.liability),
        total_table(each.liability),
    ]
    return f"{each.program} as of {instant_text(at)}\n\n" + plain_text(table for table in tables if table.rows)
