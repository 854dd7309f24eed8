"""The command `schema`: print the JSON Schema of a kind of document."""

import argparse
import json

from loyalty_rules.cli.arguments import Subparsers
from loyalty_rules.cli.exit_status import INVALID, SUCCESS
from loyalty_rules.cli.streams import complain, print_text

__all__ = ["add_parser", "schema"]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser("schema", help="print the JSON Schema of a kind of document")
    parser.set_defaults(command=schema)
    parser.add_argument("kind", metavar="KIND", help="program, event, snapshot or evaluation")


def schema(arguments: argparse.Namespace) -> int:
    """Print the JSON Schema of a kind of document, and return the exit status."""
    from loyalty_rules.schema import KINDS  # imported here: the other commands need no schema
    from loyalty_rules.schema import schema as schema_of

    if arguments.kind not in KINDS:
        complain([f"there is no schema of {arguments.kind!r}; there is one of {', '.join(KINDS)}"])
        return INVALID
    print_text(json.dumps(schema_of(arguments.kind), indent=2))
    return SUCCESS
