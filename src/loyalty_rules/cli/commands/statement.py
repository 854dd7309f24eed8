"""The command `statement`: every movement of an account, with its reason."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loyalty_rules.cli.arguments import Subparsers
from loyalty_rules.cli.help_desk import account_of, add_account, add_desk_options, answer
from loyalty_rules.cli.tables import Table, plain_text
from loyalty_rules.ledger import Entry
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import text_of
from loyalty_rules.values.dates import in_zone, instant_text

if TYPE_CHECKING:
    from loyalty_rules.ledger import SQLLedger

__all__ = ["add_parser", "statement"]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser(
        "statement",
        help="list the movements of an account",
        description="List every movement of points of a member or a group, in the order of record. The columns from "
        "and to are the states of the units, such as available and spent; the reason is the key of the intent or, for "
        "an operation by hand, that of a person.",
        epilog="example: loyalty-rules statement sqlite:///shop.db M1 --as-of 2025-01-31",
    )
    parser.set_defaults(command=statement)
    add_desk_options(parser, "statement")
    add_account(parser)


def statement(arguments: argparse.Namespace) -> int:
    """Print the statement of an account, and return the exit status: 1 if it has no movement."""
    account = account_of(arguments)

    def ask(ledger: "SQLLedger", program: Program, at: datetime) -> tuple[dict[str, Any], str] | None:
        entries = ledger.statement(program.id, account, at)
        if not entries:
            return None
        document = {
            "program": program.id,
            "account": dump(account),
            "as_of": instant_text(at),
            "entries": [dump(each) for each in entries],
        }
        table = Table(
            ("at", "currency", "from", "to", "reason", "by", "amount"), [_row(program, each) for each in entries], 6
        )
        heading = f"{program.id}: {account.kind} {account.id} as of {instant_text(in_zone(at, program.plan.zone))}"
        return document, f"{heading}\n\n{plain_text([table])}"

    return answer(arguments, ask, f"the {account.kind} {account.id[:60]!a} has no movement of points")


def _row(program: Program, entry: Entry) -> tuple[str, ...]:
    at = in_zone(entry.at, program.plan.zone).strftime("%Y-%m-%d %H:%M:%S")
    amount = text_of(entry.amount) if entry.source else "-"
    return at, entry.currency or "-", entry.source or "-", entry.target or "-", entry.reason, entry.by or "-", amount
