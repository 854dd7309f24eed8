"""The command `vector`: a receipt and what it earns now, as a case that pins it."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loyalty_rules.cli.commands.run import FINE, REFUSED
from loyalty_rules.cli.loading import Loading, source_of
from loyalty_rules.cli.streams import STDIN, complain, say
from loyalty_rules.documents.sources import Source, read_source
from loyalty_rules.errors import WrongEventError
from loyalty_rules.loading import load_event, load_program, load_snapshot
from loyalty_rules.testing.vectors import make_vector

__all__ = ["add", "vector"]


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.set_defaults(command=vector)
    parser.add_argument("program", metavar="PROGRAM", help="the program, a .toml or .json file")
    parser.add_argument("event", metavar="EVENT", help="the event, a .json file; - for standard input")
    parser.add_argument("--snapshot", metavar="FILE", help="what is known beyond the event; - for standard input")
    parser.add_argument("--name", metavar="TEXT", help="what the case shows; the program and the event if absent")


def vector(arguments: argparse.Namespace) -> int:
    """Print a file of one vector: the documents as they are, and all that follows from them."""
    if arguments.event == arguments.snapshot == STDIN:
        complain(["standard input can't be both the event and the snapshot"])
        return REFUSED
    loading = Loading()
    program = _written(loading, arguments.program, Path(arguments.program), load_program)
    event = _written(loading, arguments.event, source_of(arguments.event), load_event)
    known = arguments.snapshot
    snapshot = _written(loading, known, source_of(known), load_snapshot) if known is not None else None
    if program is None or event is None or loading.complaints:
        complain(loading.complaints)
        return REFUSED
    name = arguments.name if arguments.name is not None else f"{program['id']}: {event['id']}"
    try:
        case = make_vector(name, program, event, snapshot)
    except WrongEventError as error:
        complain([f"{arguments.event}: {error}"])
        return REFUSED
    say(json.dumps([case], indent=2))
    return FINE


def _written(loading: Loading, name: str, source: Source, load: Callable[[Source], object]) -> Mapping[str, Any] | None:
    """Give a document as it is written; what is wrong with it is told by its file."""
    document = loading.document(name, source, lambda each: read_source(each, "document"))
    if document is not None:
        loading.document(name, document, load)
    return document
