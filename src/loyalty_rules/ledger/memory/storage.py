"""The storage of a ledger in memory: tables of plain records, and a journal that takes a transaction back whole.

Every change of a lot is a entry between two of its buckets; what a lot is, now or as of an instant, is the sum
of its entries. Source: ledger 2.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, TypeVar

import attrs

from loyalty_rules.intents import IssueCurrency, RedeemCoupon
from loyalty_rules.keys import is_of_program
from loyalty_rules.ledger.coupon_serials import canonical_code
from loyalty_rules.ledger.errors import ConcurrentChangeError
from loyalty_rules.ledger.idempotency import Batch, IdempotencyRecord
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.protocol import Entry, Receipt
from loyalty_rules.ledger.records import ExpiryVersion, LotHistory, Undoable
from loyalty_rules.ledger.storage import Window
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Sale
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["MemoryStorage"]

K = TypeVar("K")
V = TypeVar("V")


class MemoryStorage:
    """The tables of a ledger in memory, one transaction at a time: see `Books`."""

    def __init__(self) -> None:
        self.batches: dict[str, Batch] = {}
        self.sales: dict[tuple[str, str], Sale] = {}
        self.lot_files: dict[str, LotHistory] = {}
        self.of_account: dict[tuple[str, Account], tuple[str, ...]] = {}
        self.of_sale: dict[tuple[str, str], tuple[str, ...]] = {}
        self.open: dict[str, None] = {}  # promises that are not resolved, in the order of issue
        self.coupons: dict[str, CouponRecord] = {}
        self.states: dict[str, tuple[tuple[datetime, CouponRecord], ...]] = {}  # of a coupon, each since when
        self.given_by: dict[tuple[str, str], tuple[str, ...]] = {}  # the coupons of a sale
        self.codes: dict[tuple[str, str], tuple[str, ...]] = {}
        self.serials: dict[str, str] = {}  # the coupon that has each
        self.counters: dict[tuple[str, str], int] = {}  # by program and name, in millionths
        self.dated: dict[tuple[str, str], dict[date, int]] = {}  # rolling ones, by the day they were drawn on
        self.contributed: dict[tuple[str, str], dict[str, int]] = {}  # what a sale contributes to each tracker
        self.citable: dict[str, Undoable] = {}
        self.redeemed_in: dict[tuple[str, str], tuple[str, ...]] = {}  # redemptions, by their transaction
        self.undone: dict[str, None] = {}  # spends and redemptions that have been undone
        self.debts: dict[tuple[str, Account, str], tuple[tuple[datetime, int], ...]] = {}  # owed and paid, each when
        self.entries_of: dict[tuple[str, Account], tuple[Entry, ...]] = {}  # of an account, in the order of record
        self._opened: list[IdempotencyRecord] = []
        self._journal: list[tuple[MutableMapping[Any, Any], Any, bool, Any]] = []
        self._began: list[int] = []  # how long the journal was at each `begin`

    # -- transactions ------------------------------------------------------------------------------------------------

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Keep everything that is written inside or, where an error leaves it, nothing."""
        self.begin()
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self.commit()

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

    def lock(self, scopes: Iterable[LockKey]) -> None:
        """Nothing to do: one transaction at a time has the storage."""

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

    # -- batches and sales -------------------------------------------------------------------------------------------

    def claim_batch(self, given: IdempotencyRecord, about: Iterable[LockKey] = ()) -> Batch | None:  # noqa: ARG002
        """Give what was recorded under the key before, or note what is being recorded."""
        recorded = self.batches.get(given.key)
        if recorded is None:
            self._opened.append(given)
        return recorded

    def commit_batch(self, receipt: Receipt) -> None:
        """Write down what came of the batch."""
        given = self._opened.pop()
        self.put(self.batches, given.key, Batch(given, receipt))

    def sale(self, program: str, event: str) -> Sale | None:
        """Give the frozen terms of a sale."""
        return self.sales.get((program, event))

    def save_sale(self, sale: Sale) -> None:
        """Keep a sale's terms, its updates and its returns."""
        self.put(self.sales, (sale.program.id, sale.event.id), sale)

    # -- lots --------------------------------------------------------------------------------------------------------

    def lot(self, key: str) -> Lot | None:
        """Give a lot as it stands now."""
        file = self.lot_files.get(key)
        return file.lot() if file is not None else None

    def _lots(self, keys: Iterable[str]) -> list[Lot]:
        return [lot for key in keys if (lot := self.lot(key)) is not None]

    def lots_of(self, program: str, account: Account) -> Sequence[Lot]:
        """Give those of an account's lots of which anything is left."""
        lots = self._lots(self.of_account.get((program, account), ()))
        return [lot for lot in lots if lot.promised > 0 or lot.outstanding > 0]

    def lots_of_sale(self, program: str, event: str) -> Sequence[Lot]:
        """Give the lots that a sale issued."""
        return self._lots(self.of_sale.get((program, event), ()))

    def due_promises(self, program: str, at: datetime) -> Sequence[Lot]:  # noqa: ARG002  (a hint)
        """Give the open promises."""
        return self._lots(key for key in self.open if self.lot_files[key].program == program)

    def expiring_lots(self, program: str, at: datetime) -> Sequence[Lot]:  # noqa: ARG002  (a hint)
        """Give the lots."""
        return self._lots(key for key, file in self.lot_files.items() if file.program == program)

    def add_lot(self, issue: IssueCurrency, entry: Entry, *, rolling: bool) -> None:
        """Begin a lot with the entry that brings its amount."""
        program = entry.program
        self.put(self.lot_files, issue.key, LotHistory(issue, program, len(self.lot_files), rolling=rolling))
        self.append(self.of_account, (program, entry.account), issue.key)
        self.append(self.of_sale, (program, issue.event), issue.key)
        self.add_entry(entry)

    def add_entry(self, entry: Entry) -> None:
        """Move an amount between two buckets of a lot."""
        self._file(entry.lot, entries=(*self.lot_files[entry.lot].entries, entry))
        self.append(self.entries_of, (entry.program, entry.account), entry)
        lot = self.lot(entry.lot)
        if lot is not None and lot.promised > 0:
            self.put(self.open, entry.lot, None)
        else:
            self.drop(self.open, entry.lot)

    def set_expiry(self, lot: str, term: ExpiryVersion) -> None:
        """Say from when on a lot expires when."""
        self._file(lot, expiry_versions=(*self.lot_files[lot].expiry_versions, term))

    def set_released(self, lot: str, at: datetime, issue_on: date) -> None:
        """Say that a promise became issued."""
        self._file(lot, released=(at, issue_on))

    def add_taken_back(self, lot: str, at: datetime, amount: int) -> None:
        """Say what a return of its sale claims of a lot."""
        self._file(lot, claimed=(*self.lot_files[lot].claimed, (at, decimal_of(amount))))

    def _file(self, lot: str, **changes: Any) -> None:
        self.put(self.lot_files, lot, attrs.evolve(self.lot_files[lot], **changes))

    # -- debts -------------------------------------------------------------------------------------------------------

    def debt(self, program: str, account: Account, currency: str) -> int:
        """Give what an account owes of a currency."""
        return sum(amount for _, amount in self.debts.get((program, account, currency), ()))

    def add_debt(self, program: str, account: Account, currency: str, at: datetime, amount: int) -> None:
        """Add to what an account owes."""
        self.append(self.debts, (program, account, currency), (at, amount))

    # -- coupons -----------------------------------------------------------------------------------------------------

    def coupon(self, key: str) -> CouponRecord | None:
        """Give a coupon as it stands now."""
        return self.coupons.get(key)

    def coupons_of_sale(self, program: str, event: str) -> Sequence[CouponRecord]:
        """Give the coupons that a sale issued."""
        return [self.coupons[key] for key in self.given_by.get((program, event), ())]

    def coupons_by_code(self, program: str, code: str) -> Sequence[CouponRecord]:
        """Give the coupon of a serial, however it is written, or those of a shared code."""
        return [self.coupons[key] for key in self.codes.get((program, canonical_code(code)), ())]

    def expiring_coupons(self, program: str, at: datetime) -> Sequence[CouponRecord]:  # noqa: ARG002  (a hint)
        """Give the coupons."""
        return [each for key, each in self.coupons.items() if is_of_program(key, program)]

    def is_serial_taken(self, serial: str) -> bool:
        """Say whether a coupon has this serial."""
        return canonical_code(serial) in self.serials

    def add_coupon(self, program: str, coupon: CouponRecord, at: datetime) -> None:
        """Keep a new coupon."""
        issue = coupon.issue
        self.update_coupon(coupon, at)
        self.append(self.given_by, (program, issue.event), issue.key)
        for code in filter(None, (issue.serial, issue.code)):
            self.append(self.codes, (program, canonical_code(code)), issue.key)
        if issue.serial is not None:
            self.put(self.serials, canonical_code(issue.serial), issue.key)

    def update_coupon(self, coupon: CouponRecord, at: datetime) -> None:
        """Say what a coupon is from an instant on."""
        self.put(self.coupons, coupon.key, coupon)
        self.append(self.states, coupon.key, (at, coupon))

    # -- counters ----------------------------------------------------------------------------------------------------

    def read_counters(self, program: str, windows: Iterable[Window]) -> None:
        """Nothing to do: they are here."""

    def counter_value(self, program: str, window: Window) -> int:
        """Give what a counter holds: a rolling one over its days, both included."""
        name, first, last = window
        if first is None or last is None:
            return self.counters.get((program, name), 0)
        days = self.dated.get((program, name), {})
        return sum(value for day, value in days.items() if first <= day <= last)

    def add_to_counter(self, program: str, name: str, day: date | None, amount: int, most: int | None = None) -> None:
        """Add to a counter, which may not hold more than `most` then; of a rolling one, to a day."""
        key = (program, name)
        if most is not None and amount > 0 and self.counters.get(key, 0) + amount > most:
            raise ConcurrentChangeError(f"the counter {name}")
        if day is None:
            self.put(self.counters, key, self.counters.get(key, 0) + amount)
        else:
            days = self.dated.get(key, {})
            self.put(self.dated, key, {**days, day: days.get(day, 0) + amount})

    def contributions(self, program: str, event: str) -> Mapping[str, int]:
        """Give what a sale contributes to each tracker."""
        return self.contributed.get((program, event), {})

    def add_contribution(self, program: str, event: str, tracker: str, window: Window, amount: int) -> None:
        """Add to a tracker's counter what a sale contributes, or takes back."""
        name, _, day = window
        self.add_to_counter(program, name, day, amount)
        so_far = self.contributions(program, event)
        self.put(self.contributed, (program, event), {**so_far, tracker: so_far.get(tracker, 0) + amount})

    # -- what can be undone ------------------------------------------------------------------------------------------

    def undoable(self, program: str, key: str) -> Undoable | None:
        """Give a spend or a redemption by its key."""
        return self.citable.get(key) if is_of_program(key, program) else None

    def add_undoable(self, program: str, citable: Undoable) -> None:
        """Keep a spend or a redemption, so that it can be undone by its key."""
        self.put(self.citable, citable.key, citable)
        if isinstance(citable, RedeemCoupon):
            self.append(self.redeemed_in, (program, citable.event), citable.key)

    def redemptions_in(self, program: str, event: str) -> Sequence[RedeemCoupon]:
        """Give the redemptions that a transaction made and that nothing has undone."""
        made = [self.citable[key] for key in self.redeemed_in.get((program, event), ()) if key not in self.undone]
        return [each for each in made if isinstance(each, RedeemCoupon)]

    def is_undone(self, key: str) -> bool:
        """Say whether a spend or a redemption has been undone."""
        return key in self.undone

    def mark_undone(self, key: str) -> None:
        """Say that a spend or a redemption has been undone."""
        self.put(self.undone, key, None)

    # -- as of an instant --------------------------------------------------------------------------------------------

    def lots_at(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Give an account's lots as they stood at an instant."""
        files = [self.lot_files[key] for key in self.of_account.get((program, account), ())]
        return [lot for file in files if file.issue.currency == currency and (lot := file.lot(at)) is not None]

    def promised_at(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the promises that were open at an instant."""
        lots = [file.lot(at) for file in self.lot_files.values() if file.program == program]
        return [lot for lot in lots if lot is not None and micros(lot.promised) > 0]

    def debt_at(self, program: str, account: Account, currency: str, at: datetime) -> int:
        """Give what an account owed at an instant."""
        return sum(amount for since, amount in self.debts.get((program, account, currency), ()) if since <= at)

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Give every entry of an account up to an instant."""
        return [each for each in self.entries_of.get((program, account), ()) if each.at <= at]

    def coupons_of(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Give the coupons of a member."""
        mine = [each for each in self.coupons.values() if each.issue.member == member]
        return [each for each in mine if is_of_program(each.key, program)]

    def lot_histories(self, program: str) -> Iterable[tuple[LotHistory, str | None]]:
        """Give everything that happened to each lot, and the store of its sale."""
        for file in self.lot_files.values():
            if file.program == program:
                yield file, self.sales[program, file.issue.event].event.store

    def coupons_at(self, program: str, at: datetime) -> Iterable[CouponRecord]:
        """Give every coupon as it stood at an instant; none that had not been issued yet."""
        for key in self.coupons:
            states = [coupon for since, coupon in self.states[key] if since <= at]
            if states and is_of_program(key, program):
                yield states[-1]

    def entries(self) -> Iterator[Entry]:
        """Give every entry of every lot."""
        for file in self.lot_files.values():
            yield from file.entries
