"""The command `loyalty-rules`; only this package prints. Source: documents (Python names).

Each subcommand is a module of `commands`, with its own parser; `exit_status` lists how a command ends.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

from loyalty_rules import __version__
from loyalty_rules.cli.commands import (
    balance,
    check,
    convert,
    diff,
    evaluate,
    explain,
    journal,
    nightly,
    prove,
    report,
    run,
    schema,
    statement,
    vector,
)
from loyalty_rules.cli.exit_status import BROKEN_PIPE, INTERRUPTED, INVALID
from loyalty_rules.cli.streams import complain

__all__ = ["main"]

COMMANDS = (
    *(check, evaluate, vector, convert, run, nightly, prove, diff),
    *(report, journal, balance, statement, explain, schema),
)
"""The subcommands, in the order of `--help`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; `argv` is the command line without the program's name.

    Raises `SystemExit` for arguments that argparse refuses, and after `--help` and `--version`.
    """
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
        return BROKEN_PIPE
    except OSError as error:
        complain([f"loyalty-rules: {error}"])
        _discard_stdout()
        return INVALID
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _discard_stdout() -> None:
    """Redirect standard output to the null device, so that the interpreter can flush its buffer at exit."""
    with contextlib.suppress(OSError, ValueError):  # a test's stream has no file descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    """Build the parser of the command line, with one subparser for each command."""
    parser = argparse.ArgumentParser(
        prog="loyalty-rules", description="Decide which loyalty points and coupons a transaction earns."
    )
    parser.add_argument("--version", action="version", version=f"loyalty-rules {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser
