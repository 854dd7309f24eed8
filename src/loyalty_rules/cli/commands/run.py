"""The command `run`: evaluate or record many receipts in order of time, and print the intents as JSON lines."""

import argparse
import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from loyalty_rules.cli.arguments import Subparsers, add_key_file, add_program
from loyalty_rules.cli.databases import UnusableLedgerError, database_url, opened_ledger, translated_errors
from loyalty_rules.cli.evaluating import EvaluatingRun
from loyalty_rules.cli.exit_status import FINDINGS, INVALID, SUCCESS
from loyalty_rules.cli.intent_lines import intent_output, write_intents
from loyalty_rules.cli.loading import Loading, missing_key
from loyalty_rules.cli.progress import bar, terminal
from loyalty_rules.cli.receipts import read_receipts, total_bytes
from loyalty_rules.cli.recording import RecordingRun, ledger_tables
from loyalty_rules.cli.streams import complain
from loyalty_rules.cli.tables import show
from loyalty_rules.cli.totals import Totals, total_tables
from loyalty_rules.errors import InvalidValueError, MissingSerialsError
from loyalty_rules.events import Event
from loyalty_rules.intents import Intent
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.ledger.errors import AmountOutOfRangeError
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["add_parser", "run"]

Run: TypeAlias = EvaluatingRun | RecordingRun


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser("run", help="evaluate or record many receipts, in order of time")
    parser.set_defaults(command=run)
    add_program(parser)
    parser.add_argument(
        "receipts",
        metavar="RECEIPTS",
        nargs="+",
        help="events, one JSON document a line, plain or gzip; - reads standard input",
    )
    parser.add_argument("--output", metavar="FILE", default="-", help="the file for the intents; default: stdout")
    parser.add_argument(
        "--ledger",
        metavar="LEDGER",
        type=_ledger,
        default="memory",
        help="the ledger of the run: memory (the default), the URL of a database (sqlite:///shop.db, "
        "postgresql+psycopg://…), or none. With a ledger, returns, updates and confirmations count, due promises are "
        "settled, and the run ends with the outstanding balance and the liability. A database keeps the ledger, and "
        "an event in it is not recorded again; its intents are printed again, since the run that recorded it may have "
        "died. none only evaluates sales and activities, and is several times "
        "faster",
    )
    parser.add_argument("--quiet", action="store_true", help="print no progress bar and no tables")
    add_key_file(parser)


def _ledger(text: str) -> str:
    if text in ("memory", "none"):
        return text
    try:
        return database_url(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"neither memory nor none, and {error}") from None


def run(arguments: argparse.Namespace) -> int:
    """Write the intents of all events of the files as JSON lines, and return the exit status."""
    started = time.perf_counter()
    loading = Loading()
    program, serials = loading.program(arguments.program), loading.serials(arguments.key_file)
    if program is None or loading.complaints:
        complain(loading.complaints)
        return INVALID

    console = terminal() if not arguments.quiet else None
    with bar(console, "reading", total_bytes(arguments.receipts)) as advance:
        receipts = read_receipts(arguments.receipts, advance)
    if receipts.unreadable:
        return INVALID

    try:
        with _run(arguments.ledger, program, serials) as running:
            _write_intents(running, receipts.events, arguments.output, console)
            seconds = time.perf_counter() - started
            tables = total_tables(running.totals, receipts.malformed, program, seconds)
            if isinstance(running, RecordingRun) and receipts.events and not arguments.quiet:
                tables += ledger_tables(running, receipts.events[-1].occurred_at)
    except MissingSerialsError as error:
        complain([missing_key(error)])
        return INVALID
    except UnusableLedgerError as error:
        complain([f"loyalty-rules: {error}"])
        return INVALID
    if not arguments.quiet:
        show(tables, console)
    return FINDINGS if receipts.malformed or _has_failures(running.totals) else SUCCESS


def _has_failures(totals: Totals) -> bool:
    return bool(totals.undecided or totals.conflicts or totals.refused)


@contextlib.contextmanager
def _run(ledger: str, program: Program, serials: DerivedSerials | None) -> Iterator[Run]:
    """Begin a run without a ledger, with one in memory, or with the database at a URL."""
    if ledger == "none":
        yield EvaluatingRun(program, serials)
    elif ledger == "memory":
        yield RecordingRun(program, MemoryLedger(), serials)
    else:
        with opened_ledger(ledger, serials) as database, translated_errors(ledger):
            yield RecordingRun(program, database, serials)


def _write_intents(running: Run, events: Sequence[Event], name: str, console: "Console | None") -> None:
    with intent_output(name) as output:
        shown_on = None if output.isatty() else console  # a bar among the intents would garble both
        with bar(shown_on, "evaluating", len(events)) as advance:
            if isinstance(running, RecordingRun):
                write_intents(output, running.recorded_sweeps(events))
            for event in events:
                write_intents(output, _decided(running, event))
                advance(1)
        if isinstance(running, RecordingRun) and events:
            write_intents(output, running.finish(events[-1].occurred_at))


def _decided(running: Run, event: Event) -> Sequence[Intent]:
    try:
        return running.decide(event)
    except (InvalidValueError, AmountOutOfRangeError) as error:
        # A sum is too large for a snapshot or a database: the receipts are at fault, not the program.
        complain([f"event {event.id!a} can't be evaluated: {error}"])
        running.totals.undecided += 1
        return ()
