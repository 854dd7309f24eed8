"""The command `nightly`: everything that time has brought about since the last night, recorded in a ledger."""

import argparse
from collections.abc import Iterator
from datetime import datetime

from loyalty_rules.cli.arguments import Subparsers, add_key_file, add_program
from loyalty_rules.cli.databases import UnusableLedgerError, add_url, existing_ledger, translated_errors
from loyalty_rules.cli.exit_status import FINDINGS, INVALID, SUCCESS
from loyalty_rules.cli.intent_lines import intent_output, write_intents
from loyalty_rules.cli.loading import Loading, missing_key
from loyalty_rules.cli.progress import terminal
from loyalty_rules.cli.streams import complain
from loyalty_rules.cli.tables import Table, show
from loyalty_rules.errors import InvalidValueError, MissingSerialsError
from loyalty_rules.ledger.nightly import NightlyStep
from loyalty_rules.ledger.nightly import nightly as steps_of_night
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials
from loyalty_rules.values.dates import read_event_instant

__all__ = ["add_parser", "nightly"]

_DESCRIPTION = """\
Do what a shop's nightly job does, for all that is due before --until: settle pending points, record expiries,
review levels, process the activities of the program's schedules, list reminders, and verify the ledger. It is
safe to run twice, and to run again after it was killed: nothing is recorded twice, and the intents that a killed
run has recorded are printed again. The next run begins where the last one ended.
"""
_EXAMPLE = (
    "example: loyalty-rules nightly sqlite:///shop.db shop.toml --until 2025-02-01T04:00:00+01:00 --output night.jsonl"
)


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser(
        "nightly",
        help="record what time has brought about: settle, expire, review levels, due activities, reminders, verify",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
    )
    parser.set_defaults(command=nightly)
    add_url(parser)
    add_program(parser)
    parser.add_argument(
        "--until",
        metavar="INSTANT",
        type=_instant,
        required=True,
        help="the end of the night, not part of it; usually the present instant",
    )
    parser.add_argument(
        "--since",
        metavar="INSTANT",
        type=_instant,
        help="the beginning, for the first run: schedules and reminders are due from it on; default: the end of the "
        "last run, or a day before --until",
    )
    parser.add_argument(
        "--output", metavar="FILE", default="-", help="the file for the intents, messages among them; default: stdout"
    )
    parser.add_argument(
        "--no-verify", action="store_true", help="leave out the verification, which reads the whole log"
    )
    parser.add_argument("--quiet", action="store_true", help="print no table of the steps")
    add_key_file(parser)


def _instant(text: str) -> datetime:
    """Read an instant, for argparse."""
    try:
        return read_event_instant(text)
    except InvalidValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def nightly(arguments: argparse.Namespace) -> int:
    """Run the steps of the night, write their intents as JSON lines, and return the exit status."""
    loading = Loading()
    program, serials = loading.program(arguments.program), loading.serials(arguments.key_file)
    if program is None or loading.complaints:
        complain(loading.complaints)
        return INVALID
    done: list[NightlyStep] = []
    try:
        with intent_output(arguments.output) as output:
            for step in _steps(arguments, program, serials):
                # Before the night ends: a run that dies here is made good by the next one.
                write_intents(output, step.intents)
                output.flush()
                done.append(step)
    except MissingSerialsError as error:
        complain([missing_key(error)])
        return INVALID
    except UnusableLedgerError as error:
        complain([f"loyalty-rules: {error}"])
        return INVALID
    refused = [f"activity {each} is refused" for step in done for each in step.refused]
    violations = [each for step in done for each in step.violations]
    complain([*refused, *violations])
    if not arguments.quiet:
        rows = [(step.step, str(step.count), str(len(step.intents))) for step in done]
        show([Table(("step", "count", "intents"), rows)], terminal())
    return FINDINGS if refused or violations else SUCCESS


def _steps(arguments: argparse.Namespace, program: Program, serials: DerivedSerials | None) -> Iterator[NightlyStep]:
    with existing_ledger(arguments.url, serials) as ledger, translated_errors(arguments.url):
        yield from steps_of_night(
            ledger,
            program,
            arguments.until,
            since=arguments.since,
            serials=serials,
            verify=not arguments.no_verify,
        )
