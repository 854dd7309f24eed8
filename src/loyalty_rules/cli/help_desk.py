"""The parts that the commands of the help desk share: the ledger, its programs, and one answer for each program."""

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from loyalty_rules.cli.as_of import AsOf, add_as_of, instant_of
from loyalty_rules.cli.databases import UnusableLedgerError, add_url, existing_ledger, translated_errors
from loyalty_rules.cli.exit_status import FINDINGS, INVALID, SUCCESS
from loyalty_rules.cli.streams import complain, print_text
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.program import Program
from loyalty_rules.values.identifiers import read_name

if TYPE_CHECKING:
    from loyalty_rules.ledger import SQLLedger

__all__ = ["Ask", "account_of", "add_account", "add_desk_options", "answer", "chosen_programs", "read_id_of"]

Ask: TypeAlias = "Callable[[SQLLedger, Program, datetime], tuple[dict[str, Any], str] | None]"
"""A question about one program as of an instant: the answer as a document and as text; None if there is none."""


def add_desk_options(parser: argparse.ArgumentParser, what: str, *, as_of: bool = True) -> None:
    """Add the database and the options that every command of the help desk takes."""
    add_url(parser)
    parser.add_argument("--program", metavar="ID", help="only the program with this id; default: all in the ledger")
    if as_of:
        add_as_of(parser, what)
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of tables")


def add_account(parser: argparse.ArgumentParser) -> None:
    """Add the member or group whose account it is."""
    parser.add_argument(
        "account", metavar="MEMBER", type=read_id_of, help="the id of the member or, with --group, of the group"
    )
    parser.add_argument("--group", action="store_true", help="the account is that of a group, such as a household")


def read_id_of(text: str) -> str:
    """Read the id of an event, a member or a group, for argparse."""
    try:
        return read_name(text)
    except InvalidValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def account_of(arguments: argparse.Namespace) -> Account:
    """Return the account that the arguments name."""
    return Account("group" if arguments.group else "member", arguments.account)


def answer(arguments: argparse.Namespace, ask: Ask, nothing: str) -> int:
    """Print the answers of all programs, and return the exit status; `nothing` is the complaint if there is none."""
    try:
        with existing_ledger(arguments.url) as ledger, translated_errors(arguments.url):
            programs = chosen_programs(ledger.programs(), arguments.program)
            as_of: AsOf | None = getattr(arguments, "as_of", None) or ledger.latest()
            given = [] if as_of is None else [ask(ledger, each, instant_of(each, as_of)) for each in programs]
    except UnusableLedgerError as error:
        complain([f"loyalty-rules: {error}"])
        return INVALID
    answers = [each for each in given if each is not None]
    if not answers:
        complain([f"loyalty-rules: {nothing}"])
        return FINDINGS
    documents, texts = [each for each, _ in answers], [each for _, each in answers]
    print_text(json.dumps(documents, indent=2) if arguments.json else "\n\n".join(texts))
    return SUCCESS


def chosen_programs(recorded: Sequence[Program], program: str | None) -> Sequence[Program]:
    """Return the programs of the ledger, or the one with an id."""
    chosen = [each for each in recorded if program in (None, each.id)]
    if not chosen and program is not None:
        known = ", ".join(each.id for each in recorded) or "none"
        raise UnusableLedgerError(f"the ledger has no sale of the program {program[:60]}; it has: {known}")
    return chosen
