"""The command `check`: whether a program is valid, and what in it is hardly meant."""

import argparse
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from loyalty_rules.cli.commands.run import FINE, REFUSED
from loyalty_rules.cli.streams import complain, say
from loyalty_rules.errors import DocumentError, InvalidValueError
from loyalty_rules.linting import lint
from loyalty_rules.loading import load_program
from loyalty_rules.program import Program
from loyalty_rules.values.dates import date_in, read_event_date, read_event_instant, start_of_day

__all__ = ["add", "check"]

FINDINGS = 1


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.set_defaults(command=check)
    parser.add_argument("program", metavar="PROGRAM", help="the program, a .toml or .json file")
    parser.add_argument(
        "--as-of", metavar="WHEN", help="tell what is over by then: a date of the program's zone, or an instant"
    )
    parser.add_argument("--strict", action="store_true", help="end with status 1 where there are findings")


def check(arguments: argparse.Namespace) -> int:
    """Say that a program is valid and what is found in it, or everything that is wrong with it."""
    try:
        program = load_program(Path(arguments.program))
        as_of = _instant(arguments.as_of, program) if arguments.as_of is not None else None
    except DocumentError as error:
        complain(str(problem) for problem in error.problems)
        return REFUSED
    except InvalidValueError as error:
        complain([f"--as-of: {error}"])
        return REFUSED
    findings = lint(program, as_of=as_of)
    say(f"{arguments.program}: {_parts(program)}: {_verdict(len(findings))}")
    for finding in findings:
        say(str(finding))
    return FINDINGS if findings and arguments.strict else FINE


def _instant(text: str, program: Program) -> datetime:
    """Read an instant, or a date as the instant at which it begins in the program's zone."""
    day = date_in(text)
    if day is None:
        return read_event_instant(text)
    return start_of_day(read_event_date(day), ZoneInfo(program.time_zone))


def _verdict(count: int) -> str:
    if count == 0:
        return "fine"
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
