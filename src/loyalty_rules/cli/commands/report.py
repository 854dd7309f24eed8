"""The command `report`: issuance, conversion and liability of a ledger's programs."""

import argparse
from collections.abc import Sequence
from datetime import datetime

from loyalty_rules.cli.arguments import Subparsers
from loyalty_rules.cli.databases import UnusableLedgerError, add_url, existing_ledger, translated_errors
from loyalty_rules.cli.exit_status import INVALID, SUCCESS
from loyalty_rules.cli.loading import Loading
from loyalty_rules.cli.program_report import DIMENSIONS, program_report, report_document, report_text
from loyalty_rules.cli.streams import complain, print_text
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.program import Program
from loyalty_rules.values.dates import read_event_instant

__all__ = ["add_parser", "report"]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser("report", help="report issuance, conversion and liability from a ledger")
    parser.set_defaults(command=report)
    add_url(parser)
    parser.add_argument(
        "--program", metavar="PROGRAM", help="report on this program only, in the version of this .toml or .json file"
    )
    parser.add_argument(
        "--as-of", metavar="INSTANT", type=_instant, help="the instant of the report; default: the latest recorded"
    )
    parser.add_argument(
        "--by",
        metavar="NAMES",
        type=_dimensions,
        default=(),
        help="the dimensions of issuance and conversion, separated by commas: "
        f"{', '.join(DIMENSIONS)}; each program has its own report",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of tables")


def _dimensions(text: str) -> tuple[str, ...]:
    """Read the dimensions of the split, for argparse: names separated by commas."""
    names = [each.strip() for each in text.split(",")]
    for name in names:
        if name not in DIMENSIONS:
            raise argparse.ArgumentTypeError(f"expected some of {','.join(DIMENSIONS)}; found {name[:60]!a}")
    return tuple(dict.fromkeys(names))


def _instant(text: str) -> datetime:
    """Read an instant, for argparse."""
    try:
        return read_event_instant(text)
    except InvalidValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def report(arguments: argparse.Namespace) -> int:
    """Print issuance, conversion and liability of each program of a ledger, and return the exit status."""
    loading = Loading()
    program = loading.program(arguments.program) if arguments.program is not None else None
    if loading.complaints:
        complain(loading.complaints)
        return INVALID
    try:
        with existing_ledger(arguments.url) as ledger, translated_errors(arguments.url):
            at = arguments.as_of if arguments.as_of is not None else ledger.latest()
            programs = _chosen(ledger.programs(), program)
            reports = [program_report(ledger, each, at, arguments.by) for each in programs] if at is not None else []
    except UnusableLedgerError as error:
        complain([f"loyalty-rules: {error}"])
        return INVALID
    print_text(report_document(reports, at) if arguments.json else report_text(reports, at))
    return SUCCESS


def _chosen(recorded: Sequence[Program], program: Program | None) -> Sequence[Program]:
    """Return the programs to report on: all recorded ones, or the given one in its present version."""
    if program is None:
        return recorded
    names = [each.id for each in recorded]
    if program.id not in names:
        recorded_names = f"sales of {', '.join(names)}" if names else "no sales"
        raise UnusableLedgerError(f"the ledger has no sale of the program {program.id}; it has {recorded_names}")
    return [program]
