"""The accounting journal of points: double entry, by period. Source: ledger 4.

Units that move from one bucket to another are money that moves from one account to another. So every entry adds up to
zero. Debits are positive, credits negative, as in beancount.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Literal, TypeAlias

import attrs

from loyalty_rules.reports.issuance import Movement
from loyalty_rules.rules.rounding import MODES
from loyalty_rules.rules.windows import Calendar, window_days
from loyalty_rules.values.amounts import Ratio, decimal_of, micros, text_of
from loyalty_rules.values.money import cent_of

__all__ = ["FIELDS", "Accounts", "JournalEntry", "JournalLine", "Period", "beancount_text", "csv_text", "journal_of"]

Period: TypeAlias = Literal["day", "week", "month", "quarter", "year"]
"""The calendar unit of an entry."""

FIELDS = frozenset({"on", "promotion"})
"""The fields of movements that a journal reads."""


@attrs.frozen
class Accounts:
    """The names of the accounts; the name of the currency follows that of the liability.

    `deferred` is the part of the sales that points defer, and that returns give back; `redeemed` the revenue of
    redemptions; `breakage` that of units that expired unused; `adjusted` the units given and taken by hand.
    """

    liability: str = "Liabilities:Loyalty"
    deferred: str = "Income:Loyalty:Deferred"
    redeemed: str = "Income:Loyalty:Redeemed"
    breakage: str = "Income:Loyalty:Breakage"
    adjusted: str = "Expenses:Loyalty:Adjustments"


@attrs.frozen
class JournalLine:
    """One line of an entry: an account, and an amount of money; a debit is positive."""

    account: str
    amount: Decimal


@attrs.frozen
class JournalEntry:
    """The movements of a currency between two accounts in a period, at its last day. The lines add up to zero.

    `units` are those that went from the second account to the first one.
    """

    on: date
    program: str
    currency: str
    narration: str
    units: Decimal
    lines: tuple[JournalLine, JournalLine]


_ROLES: Mapping[str, str] = {
    "issued": "deferred",
    "promised": "liability",
    "available": "liability",
    "held": "liability",
    "moved": "liability",
    "spent": "redeemed",
    "expired": "breakage",
    "reversed": "deferred",
    "voided": "adjusted",
}
"""The account of each bucket."""

_NARRATIONS: Mapping[tuple[str, str], str] = {
    ("deferred", "liability"): "issued, less returns",
    ("liability", "redeemed"): "redeemed",
    ("breakage", "liability"): "expired unused",
    ("adjusted", "liability"): "adjusted by hand",
    ("deferred", "redeemed"): "returns of redeemed units",
}


def journal_of(
    program: str,
    movements: Iterable[Movement],
    values: Mapping[str, Ratio],
    money: str | None,
    period: Period = "month",
    accounts: Accounts | None = None,
) -> tuple[JournalEntry, ...]:
    """Return the journal of the movements of points, in the order of periods, currencies and accounts.

    `values` are the values of one unit by currency; a currency without one is left out, as are coupons. An amount is
    rounded once for each entry to the cent of the money, half up. Movements between states of the liability, such as
    the release of a promise, and pairs that cancel out, give no entry.
    """
    names, cent = accounts or Accounts(), cent_of(money)
    sums: dict[tuple[date, str, tuple[str, str]], int] = {}
    for movement in movements:
        if movement.kind != "currency" or movement.of not in values:
            continue
        source, target = _roles(movement)
        if source == target:
            continue
        assert movement.on is not None
        pair = (source, target) if source < target else (target, source)
        key = _end_of(period, movement.on), movement.of, pair
        sums[key] = sums.get(key, 0) + (movement.amount if pair == (source, target) else -movement.amount)
    return tuple(_entries(program, sums, values, names, cent))


def _entries(
    program: str,
    sums: Mapping[tuple[date, str, tuple[str, str]], int],
    values: Mapping[str, Ratio],
    names: Accounts,
    cent: int,
) -> Iterator[JournalEntry]:
    for (on, currency, (first, second)), units in sorted(sums.items()):
        amount = _amount(units, values[currency], cent)
        if amount:
            lines = (
                JournalLine(_account(names, first, currency), decimal_of(amount)),
                JournalLine(_account(names, second, currency), decimal_of(-amount)),
            )
            narration = f"{currency} {_NARRATIONS.get((first, second), f'{first} and {second}')}"
            yield JournalEntry(on, program, currency, narration, decimal_of(units), lines)


def _roles(movement: Movement) -> tuple[str, str]:
    """Return the accounts that a movement leaves and enters: of an issue by hand, and of a cancelled promise."""
    source, target = _ROLES[movement.source], _ROLES[movement.target]
    if movement.source == "issued" and movement.promotion is None:
        source = "adjusted"
    if movement.target == "voided" and movement.source == "promised":
        target = "deferred" if movement.promotion is not None else "adjusted"
    return source, target


def _amount(units: int, value: Ratio, cent: int) -> int:
    """Return the value of units in millionths of money, rounded to the cent, half up by its size."""
    money, per = value
    size: int = MODES["nearest"](abs(units) * money, per * cent) * cent
    return size if units >= 0 else -size


def _account(names: Accounts, role: str, currency: str) -> str:
    name: str = getattr(names, role)
    return f"{name}:{_component(currency)}" if role == "liability" else name


def _component(name: str) -> str:
    """Return a name as a part of an account: capital first, then letters, digits and dashes."""
    plain = re.sub(r"[^A-Za-z0-9-]", "-", name).lstrip("-") or "X"
    return plain[0].upper() + plain[1:]


def _end_of(period: Period, day: date) -> date:
    days = window_days(Calendar(period), day)
    assert days is not None
    return days[1]


# -- texts -----------------------------------------------------------------------------------------------------------


def csv_text(entries: Iterable[JournalEntry], money: str | None) -> str:
    """Write entries as comma-separated values, a row for each line."""
    rows: list[str] = []
    writer = csv.writer(SimpleNamespace(write=rows.append), lineterminator="\n")
    writer.writerow(["date", "entry", "program", "narration", "account", "amount", "money", "units", "currency"])
    for number, entry in enumerate(entries, 1):
        for line, sign in zip(entry.lines, (1, -1), strict=True):
            units = text_of(decimal_of(sign * micros(entry.units)))
            of_entry = [entry.on.isoformat(), str(number), entry.program, entry.narration]
            writer.writerow([*of_entry, line.account, text_of(line.amount), money or "", units, entry.currency])
    return "".join(rows)


def beancount_text(entries: Iterable[JournalEntry], money: str) -> str:
    """Write entries as a file of beancount, with the accounts opened on the day before the first one."""
    entries = tuple(entries)
    if not entries:
        return ""
    opened = entries[0].on.replace(day=1) - timedelta(days=1)
    accounts = sorted({line.account for entry in entries for line in entry.lines})
    blocks = ["\n".join(f"{opened} open {account} {money}" for account in accounts)]
    for entry in entries:
        width = max(len(line.account) for line in entry.lines)
        lines = [f"  {line.account.ljust(width)}  {text_of(line.amount)} {money}" for line in entry.lines]
        blocks.append("\n".join([f'{entry.on} * "{entry.program}" "{entry.narration}"', *lines]))
    return "\n\n".join(blocks) + "\n"
