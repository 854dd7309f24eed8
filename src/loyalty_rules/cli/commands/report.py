"""The command `report`: issuance, conversion and liability of a ledger's programs."""

import argparse
from collections.abc import Sequence

from loyalty_rules.cli.arguments import Subparsers
from loyalty_rules.cli.as_of import AsOf, add_as_of, instant_of
from loyalty_rules.cli.databases import UnusableLedgerError, add_url, existing_ledger, translated_errors
from loyalty_rules.cli.exit_status import INVALID, SUCCESS
from loyalty_rules.cli.loading import Loading
from loyalty_rules.cli.program_report import (
    DIMENSIONS,
    TABLES,
    ProgramReport,
    program_report,
    report_csv,
    report_document,
    report_text,
)
from loyalty_rules.cli.streams import complain, print_text
from loyalty_rules.program import Program

__all__ = ["add_parser", "report"]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser(
        "report",
        help="report issuance, conversion and liability from a ledger",
        description="Report for each program of a ledger the issued points and coupons by their states, the conversion "
        "of coupons, redemption and breakage rates by cohort, and the liability. day, week and month split by the time "
        "of each movement, so that those rows have no balance; issued_day, issued_week and issued_month split by the "
        "time of the issue.",
        epilog="example: loyalty-rules report sqlite:///shop.db --by issued_month,store --as-of 2025-01-31",
    )
    parser.set_defaults(command=report)
    add_url(parser)
    parser.add_argument(
        "--program", metavar="PROGRAM", help="report on this program only, in the version of this .toml or .json file"
    )
    add_as_of(parser, "report")
    parser.add_argument(
        "--by",
        metavar="NAMES",
        type=_dimensions,
        default=(),
        help="the dimensions of issuance and conversion, separated by commas: "
        f"{', '.join(DIMENSIONS)}; each program has its own report",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print a JSON document instead of tables")
    output.add_argument(
        "--csv",
        metavar="REPORT",
        choices=TABLES,
        help=f"print one report as comma-separated values: {', '.join(TABLES)}",
    )


def _dimensions(text: str) -> tuple[str, ...]:
    """Read the dimensions of the split, for argparse: names separated by commas."""
    names = [each.strip() for each in text.split(",")]
    for name in names:
        if name not in DIMENSIONS:
            raise argparse.ArgumentTypeError(f"expected some of {','.join(DIMENSIONS)}; found {name[:60]!a}")
    return tuple(dict.fromkeys(names))


def report(arguments: argparse.Namespace) -> int:
    """Print issuance, conversion and liability of each program of a ledger, and return the exit status."""
    loading = Loading()
    program = loading.program(arguments.program) if arguments.program is not None else None
    if loading.complaints:
        complain(loading.complaints)
        return INVALID
    try:
        with existing_ledger(arguments.url) as ledger, translated_errors(arguments.url):
            latest = ledger.latest()
            as_of: AsOf | None = arguments.as_of or latest
            programs = _chosen(ledger.programs(), program) if as_of is not None else []
            reports = [
                program_report(ledger, each, instant_of(each, as_of), arguments.by)
                for each in programs
                if as_of is not None
            ]
    except UnusableLedgerError as error:
        complain([f"loyalty-rules: {error}"])
        return INVALID
    print_text(_formatted(arguments, reports))
    return SUCCESS


def _formatted(arguments: argparse.Namespace, reports: Sequence[ProgramReport]) -> str:
    if arguments.csv is not None:
        return report_csv(reports, arguments.csv)
    return report_document(reports) if arguments.json else report_text(reports)


def _chosen(recorded: Sequence[Program], program: Program | None) -> Sequence[Program]:
    """Return the programs to report on: all recorded ones, or the given one in its present version."""
    if program is None:
        return recorded
    names = [each.id for each in recorded]
    if program.id not in names:
        recorded_names = f"sales of {', '.join(names)}" if names else "no sales"
        raise UnusableLedgerError(f"the ledger has no sale of the program {program.id}; it has {recorded_names}")
    return [program]
