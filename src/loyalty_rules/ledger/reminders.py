"""Reminders of units that expire soon: a query that writes nothing. Source: semantics 15.

A reminder is due at the first instant of a local day. It goes by the units that are available or held at that instant,
so that the same question has the same answer later on.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from loyalty_rules.intents import SendMessage
from loyalty_rules.keys import key_part, reminder_key
from loyalty_rules.ledger.operations.lookups import read_lots
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import Account, Lot
from loyalty_rules.program import Program
from loyalty_rules.rules.promotions import Currency
from loyalty_rules.rules.reminders import Reminder
from loyalty_rules.values.amounts import micros
from loyalty_rules.values.dates import in_zone, start_of_day

__all__ = ["reminders"]

_Ending: TypeAlias = tuple[Account, date]
"""An account, and a last day of units of it."""


def reminders(storage: Storage, program: Program, start: datetime, end: datetime) -> Iterator[SendMessage]:
    """Yield the reminders that are due in an interval, in the order of their instants; `end` is not part of it."""
    zone = program.plan.zone
    if not any(currency.reminders for currency in program.currencies):
        return
    day, last = in_zone(start, zone).date(), in_zone(end, zone).date()
    while day <= last:
        at = start_of_day(day, zone)
        if start <= at < end:
            for currency in program.currencies:
                yield from _due(storage, program, currency, day, at)
        day += timedelta(days=1)


def _due(
    storage: Storage, program: Program, currency: Currency, reminded_on: date, at: datetime
) -> Iterator[SendMessage]:
    """Yield the reminders of a currency on one day; of two with one key the first of the program counts."""
    of_days: dict[date, list[Reminder]] = {}
    for reminder in currency.reminders:
        for day in reminder.last_days(reminded_on):
            of_days.setdefault(day, []).append(reminder)
    if not of_days:
        return
    sent: set[str] = set()
    for account, day in _endings(storage, program, currency.id, of_days, at):
        lots, _, _ = read_lots(storage, program.id, account, currency.id, at)
        ending = [lot for lot in lots if lot.expires_on == day and _units(lot) > 0]
        for reminder in of_days[day]:
            message = _message(program, currency.id, account, day, reminder, ending)
            if message is not None and message.key not in sent:
                sent.add(message.key)
                yield message


def _endings(
    storage: Storage, program: Program, currency: str, days: Mapping[date, object], at: datetime
) -> list[_Ending]:
    """Return the accounts with units of a currency that end on one of some days, as of an instant."""
    found: dict[_Ending, None] = {}
    for history in storage.lot_histories(program.id):
        if history.issue.currency != currency:
            continue
        lot = history.lot(at)
        day = lot.expires_on if lot is not None else None
        if lot is not None and day is not None and day in days and _units(lot) > 0:
            found[lot.account, day] = None
    return sorted(found, key=lambda each: (each[1], each[0].kind, each[0].id))


def _units(lot: Lot) -> int:
    return micros(lot.outstanding) + micros(lot.held)


def _message(
    program: Program, currency: str, account: Account, day: date, reminder: Reminder, ending: list[Lot]
) -> SendMessage | None:
    """Return the message about some lots that end on one day; None if they have too few units."""
    units, least = sum(_units(lot) for lot in ending), micros(reminder.least or Decimal(0))
    if units <= 0 or units < least:
        return None
    holder = key_part(account.id) if account.kind == "member" else f"group/{key_part(account.id)}"
    key = reminder_key(program.id, currency, holder, day, reminder.before.iso)
    about = tuple(lot.key for lot in ending)
    return SendMessage(key, about, account.id, reminder.communication.template, (), ())
