"""The books of a ledger in memory: tables of plain records, and a journal that takes a transaction back whole.

Every change of a lot is a movement between two of its buckets; what a lot is, now or as of an instant, is the sum
of its movements. Source: ledger 2.
"""

import functools
from collections.abc import Iterator, MutableMapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import attrs

from loyalty_rules.amounts import decimal_of, micros
from loyalty_rules.intents import Claim, Intent, IssueCurrency
from loyalty_rules.ledger.protocol import Movement, Receipt
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Sale
from loyalty_rules.serials import MalformedSerialError, parse_serial

__all__ = ["Batch", "Books", "LotFile"]

K = TypeVar("K")
V = TypeVar("V")

BUCKETS = ("promised", "available", "spent", "expired", "reversed", "voided")


@attrs.frozen
class Batch:
    """One recorded operation: the inputs that it is recognised by, and what came of it."""

    key: str
    inputs: dict[str, Any]
    receipt: Receipt
    at: datetime
    recorded_at: datetime


@attrs.frozen
class Term:
    """When a lot's expiry became what: known on issue or release, moved by an extension."""

    since: datetime
    expires_on: date | None
    expires_at: datetime | None


@attrs.frozen
class LotFile:
    """Everything that happened to one lot, in the order of record."""

    issue: IssueCurrency
    program: str
    order: int
    rolling: bool
    movements: tuple[Movement, ...] = ()
    terms: tuple[Term, ...] = ()
    released: tuple[datetime, date] | None = None  # when, and the issue date that followed from it
    claimed: tuple[tuple[datetime, Decimal], ...] = ()  # by returns of its sale

    def lot(self, at: datetime | None = None) -> Lot | None:
        """Give the lot as it stood at an instant (None: now); None where it had not been issued yet."""
        if not self.movements:
            return None
        return self._current if at is None or at >= self._latest else self._lot(at)

    @functools.cached_property
    def _current(self) -> Lot | None:
        return self._lot(None)

    @functools.cached_property
    def _latest(self) -> datetime:
        """The last instant at which anything happened to the lot."""
        instants = [*(each.at for each in self.movements), *(each.since for each in self.terms)]
        return max([*instants, *(since for since, _ in self.claimed), *([self.released[0]] if self.released else [])])

    def _lot(self, at: datetime | None) -> Lot | None:
        movements = [each for each in self.movements if at is None or each.at <= at]
        if not movements:
            return None
        sums = dict.fromkeys(BUCKETS, 0)
        issued = 0
        for each in movements:
            if each.source == "issued":
                issued += micros(each.amount)
            else:
                sums[each.source] -= micros(each.amount)
            sums[each.target] += micros(each.amount)
        terms = [term for term in self.terms if at is None or term.since <= at]
        term = terms[-1] if terms else Term(movements[0].at, None, None)
        released = self.released is not None and (at is None or self.released[0] <= at)
        claimed = sum(micros(amount) for since, amount in self.claimed if at is None or since <= at)
        return Lot(
            self.issue,
            self.order,
            decimal_of(issued),
            rolling=self.rolling,
            promised=decimal_of(sums["promised"]),
            outstanding=decimal_of(sums["available"]),
            spent=decimal_of(sums["spent"]),
            expired=decimal_of(sums["expired"]),
            reversed=decimal_of(sums["reversed"]),
            voided=decimal_of(sums["voided"]),
            taken_back=decimal_of(claimed),
            issue_on=self.released[1] if self.released is not None and released else self.issue.issue_on,
            expires_on=term.expires_on,
            expires_at=term.expires_at,
        )


class Books:
    """The tables of a ledger. What is written between `begin` and `rollback` is as if it had never been."""

    def __init__(self) -> None:
        self.batches: dict[str, Batch] = {}
        self.sales: dict[tuple[str, str], Sale] = {}
        self.files: dict[str, LotFile] = {}
        self.of_account: dict[tuple[str, Account], tuple[str, ...]] = {}
        self.of_sale: dict[tuple[str, str], tuple[str, ...]] = {}
        self.open: dict[str, None] = {}  # promises that are not resolved, in the order of issue
        self.coupons: dict[str, CouponRecord] = {}
        self.states: dict[str, tuple[tuple[datetime, CouponRecord], ...]] = {}  # of a coupon, each since when
        self.coupons_of_sale: dict[tuple[str, str], tuple[str, ...]] = {}
        self.codes: dict[tuple[str, str], tuple[str, ...]] = {}
        self.counters: dict[tuple[str, str], int] = {}  # by program and name, in millionths
        self.dated: dict[tuple[str, str], dict[date, int]] = {}  # rolling ones, by the day they were drawn on
        self.tracked: dict[tuple[str, str], dict[str, int]] = {}  # what a sale contributes to each tracker
        self.intents: dict[str, Intent] = {}
        self.redeemed_in: dict[tuple[str, str], tuple[str, ...]] = {}  # redemptions, by their transaction
        self.undone: dict[str, None] = {}  # spends and redemptions that have been undone
        self.debts: dict[tuple[str, Account, str], tuple[tuple[datetime, int], ...]] = {}  # owed and paid, each when
        self.entries: dict[tuple[str, Account], tuple[Movement, ...]] = {}  # of an account, in the order of record
        self._journal: list[tuple[MutableMapping[Any, Any], Any, bool, Any]] = []
        self._began: list[int] = []  # how long the journal was at each `begin`

    # -- transactions ------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        self._began.append(len(self._journal))

    def commit(self) -> None:
        self._began.pop()
        if not self._began:
            self._journal.clear()

    def rollback(self) -> None:
        """Take back everything since the last `begin`, and nothing from before it."""
        began = self._began.pop()
        while len(self._journal) > began:
            table, key, was_there, before = self._journal.pop()
            if was_there:
                table[key] = before
            else:
                table.pop(key, None)

    def put(self, table: MutableMapping[K, V], key: K, value: V) -> None:
        """Write one row, so that it can be taken back."""
        self._journal.append((table, key, key in table, table.get(key)))
        table[key] = value

    def drop(self, table: MutableMapping[K, V], key: K) -> None:
        """Remove one row, so that it can be taken back."""
        if key in table:
            self._journal.append((table, key, True, table[key]))
            del table[key]

    def append(self, table: MutableMapping[K, tuple[V, ...]], key: K, value: V) -> None:
        """Add a value to a row of several."""
        self.put(table, key, (*table.get(key, ()), value))

    @staticmethod
    def canonical(code: str) -> str:
        """Give the form in which a coupon's code is looked up: a serial is read however it is written."""
        try:
            return parse_serial(code)
        except MalformedSerialError:
            return code

    # -- lots --------------------------------------------------------------------------------------------------------

    def lot(self, key: str) -> Lot:
        """Give a lot as it stands now."""
        lot = self.files[key].lot()
        assert lot is not None
        return lot

    def lots_of(self, program: str, account: Account) -> list[Lot]:
        """Give an account's lots as they stand now, in the order of issue."""
        return [self.lot(key) for key in self.of_account.get((program, account), ())]

    def move(self, movement: Movement) -> None:
        """Move an amount between two buckets of a lot."""
        file = self.files[movement.lot]
        self.put(self.files, movement.lot, attrs.evolve(file, movements=(*file.movements, movement)))
        self.append(self.entries, (movement.program, movement.account), movement)

    def set_term(self, key: str, term: Term) -> None:
        """Say from when on a lot expires when."""
        file = self.files[key]
        self.put(self.files, key, attrs.evolve(file, terms=(*file.terms, term)))

    # -- debts -------------------------------------------------------------------------------------------------------

    def debt(self, owed: tuple[str, Account, str], at: datetime | None = None) -> int:
        """Give what an account owes of a currency, in millionths, as of an instant (None: now)."""
        return sum(amount for since, amount in self.debts.get(owed, ()) if at is None or since <= at)

    # -- coupons -----------------------------------------------------------------------------------------------------

    def set_coupon(self, coupon: CouponRecord, at: datetime) -> None:
        """Say what a coupon is from an instant on."""
        self.put(self.coupons, coupon.key, coupon)
        self.append(self.states, coupon.key, (at, coupon))

    def coupon_at(self, key: str, at: datetime) -> CouponRecord | None:
        """Give a coupon as it stood at an instant; None where it had not been issued yet."""
        states = [coupon for since, coupon in self.states[key] if since <= at]
        return states[-1] if states else None

    # -- counters ----------------------------------------------------------------------------------------------------

    def counted(self, program: str, name: str, first: date | None, last: date | None) -> int:
        """Give what a counter holds, in millionths: a rolling one over its days, both included."""
        if first is None or last is None:
            return self.counters.get((program, name), 0)
        days = self.dated.get((program, name), {})
        return sum(value for day, value in days.items() if first <= day <= last)

    def count(self, program: str, claim: Claim) -> None:
        """Add a claim's amount to its counter: of a rolling one, to the day that its window ends with, the event's."""
        self.add_to_counter(program, claim.counter, claim.to_date, micros(claim.amount))

    def add_to_counter(self, program: str, name: str, day: date | None, amount: int) -> None:
        key = (program, name)
        if day is None:
            self.put(self.counters, key, self.counters.get(key, 0) + amount)
        else:
            days = self.dated.get(key, {})
            self.put(self.dated, key, {**days, day: days.get(day, 0) + amount})

    def movements(self) -> Iterator[Movement]:
        """Give every movement of every lot."""
        for file in self.files.values():
            yield from file.movements
