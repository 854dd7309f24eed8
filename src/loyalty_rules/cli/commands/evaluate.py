"""The command `evaluate`: print the intents of one event, or the reasons for them."""

import argparse
import json

from loyalty_rules.cli.arguments import (
    STDIN_TWICE,
    Subparsers,
    add_event,
    add_key_file,
    add_program,
    add_snapshot,
    reads_stdin_twice,
)
from loyalty_rules.cli.exit_status import INVALID, SUCCESS
from loyalty_rules.cli.loading import Loading, missing_key
from loyalty_rules.cli.streams import complain, print_text
from loyalty_rules.errors import MissingSerialsError, WrongEventError
from loyalty_rules.loading import dump

__all__ = ["add_parser", "evaluate"]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser("evaluate", help="evaluate one event")
    parser.set_defaults(command=evaluate)
    add_program(parser)
    add_event(parser)
    add_snapshot(parser)
    parser.add_argument("--explain", action="store_true", help="print the reasons in words instead of the document")
    add_key_file(parser)


def evaluate(arguments: argparse.Namespace) -> int:
    """Print the evaluation of one event, or its explanation, and return the exit status."""
    if reads_stdin_twice(arguments):
        complain([STDIN_TWICE])
        return INVALID
    loading = Loading()
    program = loading.program(arguments.program)
    event = loading.event(arguments.event)
    snapshot = loading.snapshot(arguments.snapshot)
    serials = loading.serials(arguments.key_file)
    if program is None or event is None or loading.complaints:
        complain(loading.complaints)
        return INVALID
    try:
        evaluation = program.evaluate(event, snapshot, serials=serials)
    except WrongEventError as error:
        complain([f"{arguments.event}: {error}"])
        return INVALID
    except MissingSerialsError as error:
        complain([missing_key(error)])
        return INVALID
    print_text(str(evaluation.explain()) if arguments.explain else json.dumps(dump(evaluation), indent=2))
    return SUCCESS
