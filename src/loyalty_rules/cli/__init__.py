"""The command `loyalty-rules`: check a program, evaluate an event, run over receipts, report, print a schema.

The only place of the library that prints. Exit status: 0 where all went well; 1 where a run met malformed lines,
a strict check has findings, or a law is broken; 2 where what was given can't be used, with every problem on standard
error. Source: documents (Python names).
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

from loyalty_rules.cli.commands import check, prove, report, run, vector
from loyalty_rules.cli.databases import database_url
from loyalty_rules.cli.streams import complain

__all__ = ["main"]

# What a shell shows for a command that SIGPIPE, or SIGINT, has ended.
BROKEN_PIPE, INTERRUPTED = 141, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status; `argv` is the command line without the name of the program.

    Arguments that make no sense end with `SystemExit`, as everywhere in argparse.
    """
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return BROKEN_PIPE
    except OSError as error:
        complain([f"loyalty-rules: {error}"])
        _forget_stdout()
        return run.REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _forget_stdout() -> None:
    """Send what is still in the buffer of standard output nowhere, or the interpreter complains when it ends."""
    with contextlib.suppress(OSError, ValueError):  # a stream of a test has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loyalty-rules", description="Decides what loyalty points and coupons a transaction earns."
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    check.add(subparsers.add_parser("check", help="say whether a program is valid, and what in it is hardly meant"))
    _add_evaluate(subparsers.add_parser("evaluate", help="evaluate one event"))
    vector.add(subparsers.add_parser("vector", help="print a receipt and what it earns as a case to test against"))
    _add_run(subparsers.add_parser("run", help="evaluate many receipts, one after the other"))
    prove.add(subparsers.add_parser("prove", help="look for receipts that break a law"))
    _add_report(subparsers.add_parser("report", help="tell from a ledger what was issued, redeemed, and is owed"))
    _add_schema(subparsers.add_parser("schema", help="print the JSON Schema of a kind of document"))
    return parser


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=run.evaluate)
    _add_program(parser)
    parser.add_argument("event", metavar="EVENT", help="the event, a .json file; - for standard input")
    parser.add_argument("--snapshot", metavar="FILE", help="what is known beyond the event; - for standard input")
    parser.add_argument("--explain", action="store_true", help="print why, in words, instead of the document")
    _add_key_file(parser)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=run.run)
    _add_program(parser)
    parser.add_argument(
        "receipts", metavar="RECEIPTS", nargs="+", help="events, one JSON document a line, plain or gzip; - for stdin"
    )
    parser.add_argument("--output", metavar="FILE", default="-", help="where the intents go; standard output if absent")
    parser.add_argument(
        "--ledger",
        metavar="LEDGER",
        type=_ledger,
        default="memory",
        help="what the run records into: memory, a ledger so that returns, updates and confirmations count, promises "
        "are settled as time passes, and the run ends with what is outstanding and owed; the URL of a database, "
        "sqlite:///shop.db or postgresql+psycopg://…, to keep it, where what is recorded already is not recorded "
        "again; or none, which only evaluates sales and activities, and is several times faster",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table at the end")
    _add_key_file(parser)


def _ledger(text: str) -> str:
    if text in ("memory", "none"):
        return text
    try:
        return database_url(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"neither memory nor none, and {error}") from None


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=report.report)
    parser.add_argument(
        "url", metavar="URL", type=database_url, help="the ledger's database: sqlite:///shop.db, postgresql+psycopg://…"
    )
    parser.add_argument(
        "--program", metavar="PROGRAM", help="report on this program alone, a .toml or .json file, as it is there"
    )
    parser.add_argument(
        "--as-of", metavar="INSTANT", type=report.instant, help="as it stood then; the latest recorded if absent"
    )
    parser.add_argument(
        "--by",
        metavar="NAMES",
        type=report.dimensions,
        default=(),
        help=f"what issuance and conversion are split by, with commas: {', '.join(report.DIMENSIONS)}; programs are "
        "always apart",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of tables")


def _add_schema(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=run.schema)
    parser.add_argument("kind", metavar="KIND", help="program, event, snapshot or evaluation")


def _add_program(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("program", metavar="PROGRAM", help="the program, a .toml or .json file")


def _add_key_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--key-file", metavar="FILE", help="at least 32 secret random bytes, from which serials of coupons are derived"
    )
