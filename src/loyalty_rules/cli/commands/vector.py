"""The command `vector`: print a receipt and its present intents as a test case."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loyalty_rules.cli.arguments import (
    STDIN_TWICE,
    Subparsers,
    add_event,
    add_program,
    add_snapshot,
    reads_stdin_twice,
)
from loyalty_rules.cli.exit_status import INVALID, SUCCESS
from loyalty_rules.cli.loading import Loading, source_of
from loyalty_rules.cli.streams import complain, print_text
from loyalty_rules.documents.sources import Source, read_source
from loyalty_rules.errors import WrongEventError
from loyalty_rules.loading import load_event, load_program, load_snapshot
from loyalty_rules.testing.vectors import make_vector

__all__ = ["add_parser", "vector"]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser("vector", help="print a receipt and its present intents as a test case")
    parser.set_defaults(command=vector)
    add_program(parser)
    add_event(parser)
    add_snapshot(parser)
    parser.add_argument("--name", metavar="TEXT", help="the name of the case; default: the ids of program and event")


def vector(arguments: argparse.Namespace) -> int:
    """Print a list of one vector, documents and intents, and return the exit status."""
    if reads_stdin_twice(arguments):
        complain([STDIN_TWICE])
        return INVALID
    loading = Loading()
    program = _raw_document(loading, arguments.program, Path(arguments.program), load_program)
    event = _raw_document(loading, arguments.event, source_of(arguments.event), load_event)
    known = arguments.snapshot
    snapshot = _raw_document(loading, known, source_of(known), load_snapshot) if known is not None else None
    if program is None or event is None or loading.complaints:
        complain(loading.complaints)
        return INVALID
    name = arguments.name if arguments.name is not None else f"{program['id']}: {event['id']}"
    try:
        case = make_vector(name, program, event, snapshot)
    except WrongEventError as error:
        complain([f"{arguments.event}: {error}"])
        return INVALID
    print_text(json.dumps([case], indent=2))
    return SUCCESS


def _raw_document(
    loading: Loading, name: str, source: Source, load: Callable[[Source], object]
) -> Mapping[str, Any] | None:
    """Return a document as written, or None with its problems among the complaints."""
    document = loading.document(name, source, lambda each: read_source(each, "document"))
    if document is not None:
        loading.document(name, document, load)
    return document
