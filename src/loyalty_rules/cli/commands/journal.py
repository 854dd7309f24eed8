"""The command `journal`: the accounting journal of points, as CSV or as text for beancount."""

import argparse
from decimal import Decimal

from loyalty_rules.cli.arguments import Subparsers
from loyalty_rules.cli.as_of import AsOf, add_as_of, instant_of
from loyalty_rules.cli.databases import UnusableLedgerError, add_url, existing_ledger, translated_errors
from loyalty_rules.cli.exit_status import INVALID, SUCCESS
from loyalty_rules.cli.help_desk import chosen_programs
from loyalty_rules.cli.streams import complain, print_text
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.reports.journal import beancount_text, csv_text
from loyalty_rules.values.amounts import read_non_negative

__all__ = ["add_parser", "journal"]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser(
        "journal",
        help="export the accounting journal of points",
        description="Print the journal of a program's points by period: liability, redemption, breakage, returns and "
        "adjustments, in double entry. Each entry adds up to zero; debits are positive. A unit has the value that "
        "--value gives, or that of the currency's redeem rate; a currency without a value is left out.",
        epilog="example: loyalty-rules journal sqlite:///shop.db --value points=0.009375 --format beancount",
    )
    parser.set_defaults(command=journal)
    add_url(parser)
    parser.add_argument("--program", metavar="ID", help="the program; needed if the ledger has several")
    add_as_of(parser, "journal")
    parser.add_argument(
        "--period",
        choices=("day", "week", "month", "quarter", "year"),
        default="month",
        help="the period of one entry; default: month",
    )
    parser.add_argument(
        "--value",
        metavar="CURRENCY=MONEY",
        action="append",
        type=_value,
        default=[],
        help="the value of one unit of a currency; may be given for each currency",
    )
    parser.add_argument("--format", choices=("csv", "beancount"), default="csv", help="the form; default: csv")


def _value(text: str) -> tuple[str, Decimal]:
    """Read the value of a unit, for argparse."""
    currency, separator, value = text.partition("=")
    try:
        if separator and currency:
            return currency, read_non_negative(value)
    except InvalidValueError:
        pass
    raise argparse.ArgumentTypeError(f"expected a currency and the value of a unit, points=0.01; found {text[:60]!a}")


def journal(arguments: argparse.Namespace) -> int:
    """Print the journal of a program, and return the exit status."""
    try:
        with existing_ledger(arguments.url) as ledger, translated_errors(arguments.url):
            programs = chosen_programs(ledger.programs(), arguments.program)
            as_of: AsOf | None = arguments.as_of or ledger.latest()
            if as_of is None or not programs:
                raise UnusableLedgerError("the ledger has recorded no sale")
            if len(programs) > 1:
                names = ", ".join(each.id for each in programs)
                raise UnusableLedgerError(f"the ledger has several programs, {names}: choose one with --program")
            (program,) = programs
            if arguments.format == "beancount" and program.money is None:
                raise UnusableLedgerError(f"the program {program.id} names no money, which beancount needs: use csv")
            entries = ledger.journal(
                program, instant_of(program, as_of), period=arguments.period, values=dict(arguments.value)
            )
    except UnusableLedgerError as error:
        complain([f"loyalty-rules: {error}"])
        return INVALID
    except InvalidValueError as error:
        complain([f"loyalty-rules: {error}"])
        return INVALID
    text = (
        beancount_text(entries, program.money or "")
        if arguments.format == "beancount"
        else csv_text(entries, program.money)
    )
    print_text(text.rstrip("\n"))
    return SUCCESS
