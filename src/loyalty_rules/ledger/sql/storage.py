"""The storage of a ledger in a database, on one connection, inside one transaction. Source: ledger 2 and 3.

A batch is claimed by its first statement. What it looks up and changes is kept on a page in memory until the batch is
closed; then the page is written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import attrs
from sqlalchemy import Connection, Row

from loyalty_rules.documents.structuring import restore
from loyalty_rules.events import Activity, Return, Transaction, Update
from loyalty_rules.intents import IssueCurrency, RedeemCoupon
from loyalty_rules.keys import tracker_in
from loyalty_rules.ledger.idempotency import Batch, IdempotencyRecord
from loyalty_rules.ledger.locks import LockKey, counter_lock
from loyalty_rules.ledger.protocol import Entry, Receipt, Trim
from loyalty_rules.ledger.records import ExpiryVersion, Undoable
from loyalty_rules.ledger.sql.dialects import Dialect
from loyalty_rules.ledger.sql.flush import ClaimedBatch, Flush
from loyalty_rules.ledger.sql.hash_chain import chain_lock, chain_of
from loyalty_rules.ledger.sql.history import HistoryReader
from loyalty_rules.ledger.sql.mapping import (
    account_row,
    batch_row,
    coupon_of,
    day_of,
    instant_of,
    intents_of,
    json_of,
    lot_of,
    microseconds,
    text_of_json,
    undoable_of,
)
from loyalty_rules.ledger.sql.program_versions import ProgramVersions
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.ledger.sql.tables import NO_DAY
from loyalty_rules.ledger.sql.unit_of_work import CounterDraw, UnitOfWork
from loyalty_rules.ledger.storage import Window
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Sale
from loyalty_rules.loading import dump, load_event, load_snapshot

__all__ = ["SQLStorage"]


class SQLStorage(HistoryReader):
    """The tables of a ledger in a database: see `Books`.

    `savepoints` says that several operations share the transaction, so that one can be taken back by itself; without
    them, one that is taken back dooms the transaction. `reading` says that nothing is decided by what is read.
    """

    def __init__(
        self,
        connection: Connection,
        statements: Statements,
        dialect: Dialect,
        serials: SerialsAtRest,
        programs: ProgramVersions,
        *,
        savepoints: bool = False,
        reading: bool = False,
    ) -> None:
        super().__init__(connection, statements, serials)
        self._dialect = dialect
        self._programs = programs
        self._savepoints = savepoints
        self._reading = reading
        self._held: frozenset[LockKey] = frozenset()
        self._opened: ClaimedBatch | None = None
        self._unit = UnitOfWork()
        self.doomed = False
        self.stored: list[str] = []  # versions of programs that are new in this transaction

    # -- transactions ------------------------------------------------------------------------------------------------

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Keep everything that is written inside or, where an error leaves it, nothing."""
        held, stored = self._held, len(self.stored)
        try:
            if self._savepoints:
                with self._connection.begin_nested():
                    yield
            else:
                yield
        except BaseException:
            # What was held since the savepoint is held no more.
            self._held, self._opened, self._unit = held, None, UnitOfWork()
            del self.stored[stored:]
            self.doomed = not self._savepoints
            raise

    def lock(self, scopes: Iterable[LockKey]) -> None:
        """Let nobody else decide about these until the transaction ends."""
        more = frozenset(scopes) - self._held
        if more and not self._reading:
            self._dialect.lock(self._connection, more)
            self._held |= more

    # -- batches and sales -------------------------------------------------------------------------------------------

    def claim_batch(self, given: IdempotencyRecord, about: Iterable[LockKey] = ()) -> Batch | None:
        """Claim a batch by a row that can be there once; or give what was recorded under its key."""
        row, more = batch_row(given), {*about}
        if more:  # nothing more will be held after these, so that the end of the chain may be, too
            more = {*more, chain_lock(chain_of(given.key))} - self._held
        claimed = self._dialect.claim(self._connection, self._run, row, more)
        if claimed is None:
            return self._recorded(given)
        self._held |= more
        self._opened, self._unit = ClaimedBatch(claimed, given, row), UnitOfWork()
        return None

    def _recorded(self, given: IdempotencyRecord) -> Batch:
        row = self._row(self._run.batch, program=given.program, event=given.event, phase=given.phase)
        assert row is not None
        recorded = attrs.evolve(given, inputs=json_of(row.inputs), at=instant_of(row.at), of=row.of)
        intents = intents_of(given.program, json_of(row.intents), self._serials)
        trims = tuple(restore(each, Trim) for each in json_of(row.trims))
        return Batch(recorded, Receipt("recorded", given.key, intents, trims))

    def commit_batch(self, receipt: Receipt) -> None:
        """Write what the batch has changed and what came of it, at the end of its chain."""
        assert self._opened is not None
        chain = chain_of(self._opened.given.key)
        terms = self._terms_of(self._unit.new_sale)
        writing = Flush(self._connection, self._run, self._serials, self._opened, self._unit)
        writing.write_state()
        writing.write_log()
        self.lock([chain_lock(chain)])  # last of all, for everybody waits for it
        writing.write_receipt(receipt, terms, chain)
        self._opened, self._unit = None, UnitOfWork()

    def _terms_of(self, sale: Sale | None) -> dict[str, str | None]:
        """Give the terms of a new sale as they are kept with its receipt: the program's version, and the snapshot."""
        if sale is None:
            return {"version": None, "snapshot": None}
        new = self._programs.store(self._connection, self._run, sale.program)
        if new is not None:
            self.stored.append(new)
        return {"version": sale.program.version, "snapshot": text_of_json(dump(sale.snapshot))}

    def sale(self, program: str, event: str) -> Sale | None:
        """Give the frozen terms of a sale, with the updates and returns that were recorded since."""
        kept = self._unit.sale
        if kept is not None and (kept.program.id, kept.event.id) == (program, event):
            return kept
        row = self._row(self._run.sale, program=program, event=event)
        if row is None:
            return None
        decided = load_event(json_of(row.inputs)["event"])
        assert isinstance(decided, (Transaction, Activity))
        terms = self._programs.load(self._connection, self._run, row.version)
        later = [
            load_event(json_of(each.inputs)["event"])
            for each in self._rows(self._run.after_sale, program=program, event=event)
        ]
        updates = tuple(each for each in later if isinstance(each, Update))
        returns = tuple(each for each in later if isinstance(each, Return))
        return Sale(terms, decided, load_snapshot(json_of(row.snapshot)), updates, returns)

    def save_sale(self, sale: Sale) -> None:
        """Keep a sale's terms with its batch; updates and returns are batches of their own."""
        assert self._opened is not None
        self._unit.sale = sale
        if sale.event.id == self._opened.given.event:
            self._unit.new_sale = sale

    # -- lots --------------------------------------------------------------------------------------------------------

    def lot(self, key: str) -> Lot | None:
        """Give a lot as it stands now."""
        found = self._unit.lot(key)
        if found is None:
            row = self._row(self._run.lot, key=key)
            found = self._read(row) if row is not None else None
        return found

    def _read(self, row: Row[Any]) -> Lot:
        """Read a lot onto the page, unless it is there."""
        if self._opened is None:
            return lot_of(row)
        return self._unit.read_lot(row.key, lambda: lot_of(row), row.version, instant_of(row.latest_at))

    def lots_of(self, program: str, account: Account) -> Sequence[Lot]:
        """Give those of an account's lots of which anything is left."""
        rows = self._rows(self._run.lots_of, program=program, kind=account.kind, account=account.id)
        lots = [*(self._read(row) for row in rows), *self._unit.new_lots(lambda lot: lot.account == account)]
        return [lot for lot in lots if lot.promised > 0 or lot.outstanding > 0]

    def lots_of_sale(self, program: str, event: str) -> Sequence[Lot]:
        """Give the lots that a sale issued."""
        return [self._read(row) for row in self._rows(self._run.lots_of_sale, program=program, event=event)]

    def due_promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the promises that are due by an instant."""
        return [lot_of(row) for row in self._rows(self._run.due, program=program, at=microseconds(at))]

    def expiring_lots(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the lots that have expired by an instant and are not swept."""
        return [lot_of(row) for row in self._rows(self._run.expiring, program=program, at=microseconds(at))]

    def add_lot(self, issue: IssueCurrency, entry: Entry, *, rolling: bool) -> None:
        """Begin a lot with the entry that brings its amount."""
        self._unit.add_lot(Lot(issue, 0, rolling=rolling, issue_on=issue.issue_on), entry)

    def add_entry(self, entry: Entry) -> None:
        """Move an amount between two buckets of a lot."""
        self.lot(entry.lot)
        self._unit.add_entry(entry)

    def set_expiry(self, lot: str, term: ExpiryVersion) -> None:
        """Say from when on a lot expires when."""
        self.lot(lot)
        self._unit.set_expiry(lot, term)

    def set_released(self, lot: str, at: datetime, issue_on: date) -> None:
        """Say that a promise became issued."""
        self.lot(lot)
        self._unit.set_released(lot, at, issue_on)

    def add_taken_back(self, lot: str, at: datetime, amount: int) -> None:
        """Say what a return of its sale claims of a lot."""
        self.lot(lot)
        self._unit.add_taken_back(lot, at, amount)

    # -- debts -------------------------------------------------------------------------------------------------------

    def debt(self, program: str, account: Account, currency: str) -> int:
        """Give what an account owes of a currency."""
        rows = self._rows(self._run.debt, **account_row(program, account, currency))
        recorded: int = sum(row.amount for row in rows)
        return recorded + self._unit.owed(program, account, currency)

    def add_debt(self, program: str, account: Account, currency: str, at: datetime, amount: int) -> None:
        """Add to what an account owes."""
        self._unit.debts.append((program, account, currency, at, amount))

    # -- coupons -----------------------------------------------------------------------------------------------------

    def coupon(self, key: str) -> CouponRecord | None:
        """Give a coupon as it stands now."""
        tracked = self._unit.coupons.get(key)
        if tracked is not None:
            coupon: CouponRecord = tracked.now
            return coupon
        row = self._row(self._run.coupon, key=key)
        return self._read_coupon(row) if row is not None else None

    def _read_coupon(self, row: Row[Any]) -> CouponRecord:
        if self._opened is None:
            return coupon_of(row, self._serials)
        return self._unit.read_coupon(
            row.key, lambda: coupon_of(row, self._serials), row.version, instant_of(row.latest_at)
        )

    def coupons_of_sale(self, program: str, event: str) -> Sequence[CouponRecord]:
        """Give the coupons that a sale issued."""
        return [self._read_coupon(row) for row in self._rows(self._run.coupons_of_sale, program=program, event=event)]

    def coupons_by_code(self, program: str, code: str) -> Sequence[CouponRecord]:
        """Give the coupon of a serial, by its keyed hash, or those of a shared code."""
        fingerprint = self._serials.fingerprint(code)
        if fingerprint is not None:
            rows = self._rows(self._run.coupon_by_fingerprint, program=program, fingerprint=fingerprint)
            if rows:
                return [self._read_coupon(row) for row in rows]
        if not code.isprintable():
            return []  # no code has such a character, and not every database takes it
        return [self._read_coupon(row) for row in self._rows(self._run.coupons_by_code, program=program, code=code)]

    def expiring_coupons(self, program: str, at: datetime) -> Sequence[CouponRecord]:
        """Give the coupons that have expired by an instant and are not swept."""
        rows = self._rows(self._run.expiring_coupons, program=program, at=microseconds(at))
        return [coupon_of(row, self._serials) for row in rows]

    def is_serial_taken(self, serial: str) -> bool:
        """Say whether a coupon has this serial, on the page too."""
        if any(each.now.issue.serial == serial for each in self._unit.coupons.values()):
            return True
        fingerprint = self._serials.fingerprint(serial)
        return fingerprint is not None and self._row(self._run.is_taken, fingerprint=fingerprint) is not None

    def add_coupon(self, program: str, coupon: CouponRecord, at: datetime) -> None:  # noqa: ARG002
        """Keep a new coupon."""
        self._unit.update_coupon(coupon, at)

    def update_coupon(self, coupon: CouponRecord, at: datetime) -> None:
        """Say what a coupon is from an instant on."""
        self.coupon(coupon.key)
        self._unit.update_coupon(coupon, at)

    # -- counters ----------------------------------------------------------------------------------------------------

    def read_counters(self, program: str, windows: Iterable[Window]) -> None:
        """Read counters in one batch, except those that have been read."""
        read = self._unit.counters
        wanted = [each for each in dict.fromkeys(windows) if (program, each) not in read]
        if not wanted:
            return
        days = [day for _, first, last in wanted for day in (first, last) if day is not None]
        rows = self._rows(
            self._run.counters,
            program=program,
            names=[*dict.fromkeys(name for name, _, _ in wanted)],
            first=min(days).isoformat() if days else NO_DAY,
            last=max(days).isoformat() if days else NO_DAY,
        )
        values: dict[str, list[tuple[date | None, int]]] = {}
        for row in rows:
            values.setdefault(row.name, []).append((day_of(row.day or None), row.value))
        for window in wanted:
            read[program, window] = _in_window(values.get(window[0], ()), window)

    def counter_value(self, program: str, window: Window) -> int:
        """Give what a counter holds, with what the batch has added."""
        self.lock([counter_lock(program, window[0])])
        self.read_counters(program, [window])
        return self._unit.counters[program, window] + self._unit.drawn(program, window)

    def add_to_counter(self, program: str, name: str, day: date | None, amount: int, most: int | None = None) -> None:
        """Add to a counter, which may not hold more than `most` when it is written."""
        self._unit.draws.append(CounterDraw(program, name, day, amount, most))

    def contributions(self, program: str, event: str) -> Mapping[str, int]:
        """Give what a sale contributes to each tracker: the sum of what it drew and what its returns gave back."""
        contributed: dict[str, int] = {}
        for row in self._rows(self._run.draws_of_sale, program=program, event=event):
            tracker = tracker_in(row.name)
            contributed[tracker] = contributed.get(tracker, 0) + row.amount
        return contributed

    def add_contribution(self, program: str, event: str, tracker: str, window: Window, amount: int) -> None:  # noqa: ARG002
        """Add to a tracker's counter; the batch says of which sale it is."""
        name, _, day = window
        self.add_to_counter(program, name, day, amount)

    # -- what can be undone ------------------------------------------------------------------------------------------

    def undoable(self, program: str, key: str) -> Undoable | None:
        """Give a spend or a redemption by its key."""
        row = self._row(self._run.cited, program=program, key=key)
        return undoable_of(row) if row is not None else None

    def add_undoable(self, program: str, citable: Undoable) -> None:
        """Keep a spend or a redemption, so that it can be undone by its key."""
        self._unit.undoables.append((program, citable))

    def redemptions_in(self, program: str, event: str) -> Sequence[RedeemCoupon]:
        """Give the redemptions that a transaction made and that nothing has undone."""
        made = [undoable_of(row) for row in self._rows(self._run.cited_in, program=program, event=event)]
        return [each for each in made if isinstance(each, RedeemCoupon)]

    def is_undone(self, key: str) -> bool:
        """Say whether a spend or a redemption has been undone."""
        return self._row(self._run.is_undone, key=key) is not None

    def mark_undone(self, key: str) -> None:
        """Say, once, that a spend or a redemption has been undone: its key is unique."""
        self._unit.undone.append(key)


def _in_window(values: Iterable[tuple[date | None, int]], window: Window) -> int:
    _, first, last = window
    if first is None or last is None:
        return sum(value for day, value in values if day is None)
    return sum(value for day, value in values if day is not None and first <= day <= last)
