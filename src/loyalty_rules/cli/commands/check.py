"""The command `check`: validate a program and warn about likely mistakes."""

import argparse
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs

from loyalty_rules.cli.arguments import Subparsers, add_program
from loyalty_rules.cli.exit_status import FINDINGS, INVALID, SUCCESS
from loyalty_rules.cli.loading import Loading
from loyalty_rules.cli.places import Places
from loyalty_rules.cli.streams import complain, print_text
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.linting import lint
from loyalty_rules.program import Program
from loyalty_rules.values.dates import date_in, read_event_date, read_event_instant, start_of_day

__all__ = ["add_parser", "check"]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser("check", help="validate a program and warn about likely mistakes")
    parser.set_defaults(command=check)
    add_program(parser)
    parser.add_argument(
        "--as-of",
        metavar="WHEN",
        help="also report the parts that have ended by this local date or instant",
    )
    parser.add_argument("--strict", action="store_true", help="exit with status 1 if there are findings")


def check(arguments: argparse.Namespace) -> int:
    """Print a program's findings, or every problem of an invalid one, and return the exit status."""
    loading = Loading()
    program = loading.program(arguments.program)
    if program is None:
        complain(loading.complaints)
        return INVALID
    try:
        as_of = _instant(arguments.as_of, program) if arguments.as_of is not None else None
    except InvalidValueError as error:
        complain([f"--as-of: {error}"])
        return INVALID
    findings = lint(program, as_of=as_of)
    print_text(f"{arguments.program}: {_parts(program)}: {_verdict(len(findings))}")
    if findings:
        places = Places(arguments.program, Path(arguments.program))
        for finding in findings:
            print_text(str(attrs.evolve(finding, path=places.of(finding.path))))
    return FINDINGS if findings and arguments.strict else SUCCESS


def _instant(text: str, program: Program) -> datetime:
    """Read an instant; a date stands for its first instant in the program's zone."""
    day = date_in(text)
    if day is None:
        return read_event_instant(text)
    return start_of_day(read_event_date(day), ZoneInfo(program.time_zone))


def _verdict(count: int) -> str:
    if count == 0:
        return "valid, no findings"
    return f"valid, with {count} finding{'' if count == 1 else 's'}"


def _parts(program: Program) -> str:
    counts = [
        (len(program.promotions), "promotion", "promotions"),
        (len(program.currencies), "currency", "currencies"),
        (len(program.limits), "limit", "limits"),
        (len(program.trackers), "tracker", "trackers"),
        (len(program.coupon_types), "coupon type", "coupon types"),
    ]
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts)
