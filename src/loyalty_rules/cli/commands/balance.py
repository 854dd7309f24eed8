"""The command `balance`: the points of an account and their worth, the days on which they end, and its progress."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loyalty_rules.cli.arguments import Subparsers
from loyalty_rules.cli.help_desk import account_of, add_account, add_desk_options, answer
from loyalty_rules.cli.tables import Table, plain_text
from loyalty_rules.ledger import Balance
from loyalty_rules.lifecycle.progress import Expiring, Progress
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.lifecycle.spending import worth
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.rules.promotions import Currency
from loyalty_rules.values.amounts import text_of
from loyalty_rules.values.dates import in_zone, instant_text

if TYPE_CHECKING:
    from loyalty_rules.ledger import SQLLedger

__all__ = ["add_parser", "balance"]

_EVER = date.max


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser(
        "balance",
        help="show the points of an account and its progress",
        description="Show the balance of a member or a group in each currency: available units and their worth in "
        "money, pending and held units, and debts. Then follow the last days of the units, and for a member the "
        "trackers and levels with the amounts missing to the next ones.",
        epilog="example: loyalty-rules balance sqlite:///shop.db M1",
    )
    parser.set_defaults(command=balance)
    add_desk_options(parser, "balance")
    add_account(parser)


def balance(arguments: argparse.Namespace) -> int:
    """Print the balances of an account, and return the exit status."""
    account = account_of(arguments)

    def ask(ledger: "SQLLedger", program: Program, at: datetime) -> tuple[dict[str, Any], str] | None:
        held = {each.id: ledger.balance(program, account, each.id, at) for each in program.currencies}
        expiring = {each.id: ledger.expiring(program, account, each.id, at, _EVER) for each in program.currencies}
        progress = ledger.progress(program, account.id, at) if account.kind == "member" else None
        document = {
            "program": program.id,
            "account": dump(account),
            "as_of": instant_text(at),
            "balances": {name: dump(each) for name, each in held.items()},
            "expiring": {name: [dump(row) for row in rows] for name, rows in expiring.items()},
            "progress": dump(progress) if progress is not None else None,
        }
        tables = [_balances(program, held), _expiring(expiring), *(_progress(progress) if progress is not None else ())]
        return document, _heading(program, account, at) + plain_text(each for each in tables if each.rows)

    return answer(arguments, ask, "the ledger has recorded no sale")


def _heading(program: Program, account: Account, at: datetime) -> str:
    return f"{program.id}: {account.kind} {account.id} as of {instant_text(in_zone(at, program.plan.zone))}\n\n"


def _balances(program: Program, held: dict[str, Balance]) -> Table:
    rows = [
        (each.id, *(text_of(amount) for amount in _amounts(held[each.id])), *_worth(program, each, held[each.id]))
        for each in program.currencies
    ]
    return Table(("currency", "available", "pending", "held", "owed", "worth", "money"), rows)


def _amounts(balance: Balance) -> tuple[Decimal, ...]:
    return balance.available, balance.promised, balance.held, balance.debt


def _worth(program: Program, currency: Currency, balance: Balance) -> tuple[str, str]:
    """Return the worth of the available units and the money, dashes if the currency has no rate."""
    if currency.redeem is None:
        return "-", "-"
    return text_of(worth(currency.redeem, balance.available)), program.money or "-"


def _expiring(expiring: dict[str, Sequence[Expiring]]) -> Table:
    rows = [
        (str(each.expires_on), name, text_of(each.available), text_of(each.held))
        for name, rows in expiring.items()
        for each in rows
    ]
    return Table(("last day", "currency", "available", "held"), rows, texts=2)


def _progress(progress: Progress) -> Iterator[Table]:
    trackers = [
        (each.tracker, text_of(each.value), text_of(each.target), text_of(each.missing), *_days(each.first, each.last))
        for each in progress.trackers
    ]
    yield Table(("tracker", "value", "next", "missing", "from", "to"), trackers)
    levels = [
        (
            name,
            each.level,
            str(each.until or "-"),
            each.next_level or "-",
            text_of(each.to_next) if each.to_next else "-",
        )
        for name, each in progress.tiers.items()
    ]
    yield Table(("tier", "level", "until", "next level", "missing"), levels, texts=4)


def _amount(amount: Decimal | None) -> str:
    return text_of(amount) if amount is not None else "-"


def _days(*days: date | None) -> Iterable[str]:
    return (str(each) if each is not None else "-" for each in days)
