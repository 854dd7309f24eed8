"""Arguments that several commands take, with one wording each."""

import argparse
from typing import Final, TypeAlias

from loyalty_rules.cli.streams import STDIN

__all__ = ["STDIN_TWICE", "Subparsers", "add_event", "add_key_file", "add_program", "add_snapshot", "reads_stdin_twice"]

STDIN_TWICE: Final = "standard input can't be both the event and the snapshot"
"""The complaint if `reads_stdin_twice`."""

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""The object that `add_subparsers` returns; argparse has no public name for its class."""


def add_program(parser: argparse.ArgumentParser) -> None:
    """Add the positional argument PROGRAM."""
    parser.add_argument("program", metavar="PROGRAM", help="the program, a .toml or .json file")


def add_event(parser: argparse.ArgumentParser) -> None:
    """Add the positional argument EVENT."""
    parser.add_argument("event", metavar="EVENT", help="the event, a .json file; - reads standard input")


def add_snapshot(parser: argparse.ArgumentParser) -> None:
    """Add the option --snapshot."""
    parser.add_argument(
        "--snapshot",
        metavar="FILE",
        help="tracker values and counters before the event, a .json file; - reads standard input",
    )


def add_key_file(parser: argparse.ArgumentParser) -> None:
    """Add the option --key-file."""
    parser.add_argument(
        "--key-file",
        metavar="FILE",
        help="the master key for coupon serials: a file of at least 32 secret random bytes",
    )


def reads_stdin_twice(arguments: argparse.Namespace) -> bool:
    """Return whether the event and the snapshot are both to be read from standard input."""
    return bool(arguments.event == arguments.snapshot == STDIN)
