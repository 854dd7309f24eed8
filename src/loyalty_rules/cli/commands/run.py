"""The commands, each from its arguments to its exit status."""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from loyalty_rules.cli.booked import BookedRun, book_tables
from loyalty_rules.cli.databases import UnusableLedgerError, opened_ledger, telling_errors
from loyalty_rules.cli.loading import Loading
from loyalty_rules.cli.progress import bar, terminal
from loyalty_rules.cli.receipts import read_receipts, total_bytes
from loyalty_rules.cli.running import Run
from loyalty_rules.cli.streams import STDIN, STDOUT, complain, say
from loyalty_rules.cli.tables import show, tables_of
from loyalty_rules.errors import InvalidValueError, MissingSerialsError, WrongEventError
from loyalty_rules.events import Event
from loyalty_rules.intents import Intent
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.ledger.errors import AmountOutOfRangeError
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["FINE", "REFUSED", "evaluate", "run", "schema"]

FINE, MALFORMED, REFUSED = 0, 1, 2

_compact = json.JSONEncoder(separators=(",", ":")).encode


# -- evaluate --------------------------------------------------------------------------------------------------------


def evaluate(arguments: argparse.Namespace) -> int:
    """Print what follows from one event, or why."""
    if arguments.event == arguments.snapshot == STDIN:
        complain(["standard input can't be both the event and the snapshot"])
        return REFUSED
    loading = Loading()
    program = loading.program(arguments.program)
    event = loading.event(arguments.event)
    snapshot = loading.snapshot(arguments.snapshot)
    serials = loading.serials(arguments.key_file)
    if program is None or event is None or loading.complaints:
        complain(loading.complaints)
        return REFUSED
    try:
        evaluation = program.evaluate(event, snapshot, serials=serials)
        text = str(evaluation.explain()) if arguments.explain else json.dumps(dump(evaluation), indent=2)
    except WrongEventError as error:
        complain([f"{arguments.event}: {error}"])
        return REFUSED
    except MissingSerialsError as error:
        complain([_key_needed(error)])
        return REFUSED
    say(text)
    return FINE


def _key_needed(error: MissingSerialsError) -> str:
    return (
        f"each coupon of type {error.coupon_type!r} has a serial of its own, derived from a secret key: "
        "give --key-file FILE, a file of at least 32 random bytes"
    )


# -- schema ----------------------------------------------------------------------------------------------------------


def schema(arguments: argparse.Namespace) -> int:
    """Print the JSON Schema of a kind of document."""
    from loyalty_rules.schema import KINDS
    from loyalty_rules.schema import schema as schema_of

    if arguments.kind not in KINDS:
        complain([f"there is no schema of {arguments.kind!r}; there is one of {', '.join(KINDS)}"])
        return REFUSED
    say(json.dumps(schema_of(arguments.kind), indent=2))
    return FINE


# -- run -------------------------------------------------------------------------------------------------------------


def run(arguments: argparse.Namespace) -> int:
    """Evaluate the events of all files in order of time, and write the intents that follow as JSON lines."""
    started = time.perf_counter()
    loading = Loading()
    program, serials = loading.program(arguments.program), loading.serials(arguments.key_file)
    if program is None or loading.complaints:
        complain(loading.complaints)
        return REFUSED

    console = terminal() if not arguments.quiet else None
    with bar(console, "reading", total_bytes(arguments.receipts)) as advance:
        receipts = read_receipts(arguments.receipts, advance)
    if receipts.unreadable:
        return REFUSED

    try:
        with _running(arguments.ledger, program, serials) as running:
            _write_intents(running, receipts.events, arguments.output, console)
            seconds = time.perf_counter() - started
            tables = tables_of(running.totals, receipts.malformed, program, seconds)
            if isinstance(running, BookedRun) and receipts.events and not arguments.quiet:
                tables += book_tables(running, receipts.events[-1].occurred_at)
    except MissingSerialsError as error:
        complain([_key_needed(error)])
        return REFUSED
    except UnusableLedgerError as error:
        complain([f"loyalty-rules: {error}"])
        return REFUSED
    if not arguments.quiet:
        show(tables, console)
    flawed = receipts.malformed or running.totals.undecided or running.totals.conflicts or running.totals.refused
    return MALFORMED if flawed else FINE


@contextlib.contextmanager
def _running(ledger: str, program: Program, serials: DerivedSerials | None) -> Iterator[Run | BookedRun]:
    """Begin a run that records into nothing, into a ledger in memory, or into the database at a URL."""
    if ledger == "none":
        yield Run(program, serials)
    elif ledger == "memory":
        yield BookedRun(program, MemoryLedger(), serials)
    else:
        with opened_ledger(ledger, serials) as books, telling_errors(ledger):
            yield BookedRun(program, books, serials)


def _write_intents(running: Run | BookedRun, events: Sequence[Event], name: str, console: "Console | None") -> None:
    with _output(name) as output:
        shown_on = None if output.isatty() else console  # a bar and the intents on one screen would be neither
        with bar(shown_on, "evaluating", len(events)) as advance:
            for event in events:
                _write(output, _decided(running, event))
                advance(1)
        if isinstance(running, BookedRun) and events:
            _write(output, running.finish(events[-1].occurred_at))


def _write(output: TextIO, intents: Iterable[Intent]) -> None:
    output.writelines(f"{_compact(dump(intent))}\n" for intent in intents)


@contextlib.contextmanager
def _output(name: str) -> Iterator[TextIO]:
    if name == STDOUT:
        yield sys.stdout
        return
    with open(name, "w", encoding="ascii", newline="\n") as file:
        yield file


def _decided(running: Run | BookedRun, event: Event) -> Sequence[Intent]:
    try:
        return running.decide(event)
    except (InvalidValueError, AmountOutOfRangeError) as error:
        # What has been added up no longer fits a snapshot, or a database: a receipt's fault, not the program's.
        complain([f"event {event.id!a} can't be evaluated: {error}"])
        running.totals.undecided += 1
        return ()
