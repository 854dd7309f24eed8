"""The command `explain`: the reasons of a recorded event, and the states of its points and coupons since."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loyalty_rules.cli.arguments import Subparsers
from loyalty_rules.cli.help_desk import add_desk_options, answer, read_id_of
from loyalty_rules.loading import dump
from loyalty_rules.program import Program

if TYPE_CHECKING:
    from loyalty_rules.ledger import SQLLedger

__all__ = ["add_parser", "explain"]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser(
        "explain",
        help="explain a recorded sale or return",
        description="Explain a recorded event by its id. A sale is traced under the terms that were frozen with it: "
        "each promotion, each condition and each step of an amount. Below are its record and the states since.",
        epilog="example: loyalty-rules explain sqlite:///shop.db T-1001",
    )
    parser.set_defaults(command=explain)
    add_desk_options(parser, "explanation", as_of=False)
    parser.add_argument("event", metavar="EVENT", type=read_id_of, help="the id of the event, as the till sent it")


def explain(arguments: argparse.Namespace) -> int:
    """Print the explanation of an event, and return the exit status: 1 if no such event was recorded."""

    def ask(ledger: "SQLLedger", program: Program, _at: datetime) -> tuple[dict[str, Any], str] | None:
        explained = ledger.explain(program, arguments.event)
        return (dump(explained), str(explained)) if explained is not None else None

    return answer(arguments, ask, f"no event {arguments.event[:60]!a} has been recorded")
