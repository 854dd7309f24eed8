"""The storage of a ledger in a database, on one connection, inside one transaction. Source: ledger 2 and 3.

The first statement of an operation claims its batch. The rows that the batch reads and changes stay in a unit of work
in memory until the batch is committed; then the unit of work is flushed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import attrs
from sqlalchemy import Connection, Row

from loyalty_rules.documents.structuring import restore
from loyalty_rules.events import Activity, Amendment, Return, Transaction, Update
from loyalty_rules.keys import event_key, tracker_in
from loyalty_rules.ledger.idempotency import Batch, IdempotencyRecord
from loyalty_rules.ledger.kinds import AMENDED_TERMS, Kind, RecordT
from loyalty_rules.ledger.locks import LockKey, counter_lock
from loyalty_rules.ledger.notes import restored_notes
from loyalty_rules.ledger.personal import split
from loyalty_rules.ledger.receipts import Receipt, Trim, receipt_class
from loyalty_rules.ledger.records import Entry, ExpiryVersion, LotHistory
from loyalty_rules.ledger.sql.dialects import Dialect
from loyalty_rules.ledger.sql.flush import ClaimedBatch, Flush
from loyalty_rules.ledger.sql.hash_chain import chain_lock, chain_of
from loyalty_rules.ledger.sql.history import HistoryReader
from loyalty_rules.ledger.sql.mapping import (
    MAX_AMOUNT,
    amount_of,
    batch_row,
    coupon_of,
    day_of,
    inputs_of,
    instant_of,
    intents_of,
    json_of,
    microseconds,
    record_of,
    reversals_of,
    text_of_json,
)
from loyalty_rules.ledger.sql.program_versions import ProgramVersions
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.ledger.sql.tables import NO_DAY
from loyalty_rules.ledger.sql.unit_of_work import CounterDraw, NewExtension, RecordVersion, UnitOfWork
from loyalty_rules.ledger.storage import Window
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Sale
from loyalty_rules.lifecycle.redemption import Left, in_order_of_redeeming, least_since
from loyalty_rules.loading import dump, load_event, load_snapshot
from loyalty_rules.values.folding import folded

__all__ = ["SQLStorage"]


class SQLStorage(HistoryReader):
    """The storage over the tables of a ledger: see `Storage`.

    With `savepoints` several operations share the transaction, and each can be rolled back by itself. Without them, an
    operation that is rolled back dooms the transaction. In a transaction that is `joined`, the host may roll back to
    a savepoint of its own, which releases locks. So no lock is remembered between two operations. A storage that is
    `read_only` takes no locks.
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
        joined: bool = False,
        read_only: bool = False,
    ) -> None:
        super().__init__(connection, statements, serials)
        self._dialect = dialect
        self._programs = programs
        self._savepoints = savepoints
        self._joined = joined
        self._depth = 0  # of nested blocks of `atomic`
        self._read_only = read_only
        self._locked: frozenset[LockKey] = frozenset()
        self._batch: ClaimedBatch | None = None
        self._unit = UnitOfWork()
        self.doomed = False
        self.stored: list[str] = []  # program versions that are new in this transaction

    # -- transactions ------------------------------------------------------------------------------------------------

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Run the block as a whole: roll back all of its writes if an error leaves it."""
        locked, stored = self._locked, len(self.stored)
        self._depth += 1
        try:
            if self._savepoints:
                with self._connection.begin_nested():
                    yield
            else:
                yield
        except BaseException:
            # The rollback to the savepoint has released the locks that were taken since.
            self._locked, self._batch, self._unit = locked, None, UnitOfWork()
            del self.stored[stored:]
            self.doomed = not self._savepoints
            raise
        finally:
            self._depth -= 1
            self._forget_locks()

    def _forget_locks(self) -> None:
        """Forget the locks that a host may release between two operations, by a rollback to its savepoint."""
        if self._joined and self._depth == 0:
            self._locked = frozenset()
            self._unit.outdate()

    def lock(self, keys: Iterable[LockKey]) -> None:
        """Lock these keys until the transaction ends, so that rows read afterwards stay current."""
        new = frozenset(keys) - self._locked
        if new and not self._read_only:
            self._dialect.lock(self._connection, new)
            self._locked |= new
            self._unit.outdate()  # they may have changed while this transaction waited
            self._forget_locks()

    def batch_locks(self, batches: Iterable[str]) -> Iterable[LockKey]:
        """Return the locks of the ends of the chains to which batches belong."""
        return {chain_lock(chain_of(key)) for key in batches}

    # -- batches and sales -------------------------------------------------------------------------------------------

    def claim_batch(self, identity: IdempotencyRecord, locks: Iterable[LockKey] = ()) -> Batch | None:
        """Insert the row of a batch and lock the keys; return the recorded batch instead if there is one."""
        public, personal = split(identity.inputs)
        row, new = batch_row(identity, public), {*locks}
        if new:  # these are all locks that the operation needs, so that the end of the chain may be locked with them
            new = {*new, chain_lock(chain_of(identity.key))} - self._locked
        number = self._dialect.claim(self._connection, self._statements.claim, row, new)
        if number is None:
            return self._recorded(identity)
        self._locked |= new
        self._batch, self._unit = ClaimedBatch(number, identity, row, personal), UnitOfWork()
        return None

    def _recorded(self, identity: IdempotencyRecord) -> Batch:
        row = self._batch_row(identity.program, identity.event, identity.phase)
        assert row is not None
        recorded = attrs.evolve(identity, inputs=inputs_of(row), at=instant_of(row.at), of=row.of)
        is_erased = row.personal is not None and row.personal_parts is None
        return Batch(recorded, self._receipt_of(row), is_erased)

    def receipt(self, program: str, event: str, phase: str) -> Receipt | None:
        """Return the receipt of a recorded batch; None if there is no such batch."""
        row = self._batch_row(program, event, phase)
        return self._receipt_of(row) if row is not None else None

    def _batch_row(self, program: str, event: str, phase: str) -> Row[Any] | None:
        return self._row(self._statements.batch, program=program, event=event, phase=phase)

    def _receipt_of(self, row: Row[Any]) -> Receipt:
        intents = intents_of(row.program, json_of(row.intents), self._serials)
        trims = tuple(restore(each, Trim) for each in json_of(row.trims))
        receipt = receipt_class(row.phase, json_of(row.inputs))
        notes = restored_notes(json_of(row.notes)) if row.notes is not None else {}
        key = IdempotencyRecord.key_of(row.program, row.event, row.phase)
        return receipt("recorded", key, intents, trims, **notes)

    def commit_batch(self, receipt: Receipt) -> None:
        """Flush the unit of work of the batch, and write its receipt at the end of its chain."""
        assert self._batch is not None
        chain = chain_of(self._batch.record.key)
        terms = self._terms_of(self._unit.new_sale)
        flush = Flush(self._connection, self._statements, self._serials, self._batch, self._unit)
        flush.write_state()
        flush.write_log()
        self.lock([chain_lock(chain)])  # last, because every other batch of the chain waits for it
        flush.write_receipt(receipt, terms, chain)
        self._batch, self._unit = None, UnitOfWork()

    def _terms_of(self, sale: Sale | None) -> dict[str, str | None]:
        """Return the columns of a receipt with the frozen terms of a new sale: program version and snapshot."""
        if sale is None:
            return {"version": None, "snapshot": None}
        version = self._programs.store(self._connection, self._statements, sale.program)
        if version is not None:
            self.stored.append(version)
        return {"version": sale.program.version, "snapshot": text_of_json(dump(sale.snapshot))}

    def sale(self, program: str, event: str) -> Sale | None:
        """Return the frozen terms of a sale, with its updates and returns so far; None if there is no such sale."""
        saved = self._unit.sale
        if saved is not None and (saved.program.id, saved.event.id) == (program, event):
            return saved
        row = self._row(self._statements.sale, program=program, event=event)
        if row is None:
            return None
        sale_event = load_event(inputs_of(row)["event"])
        assert isinstance(sale_event, (Transaction, Activity))
        terms = self._programs.load(self._connection, self._statements, row.version)
        rows = self._rows(self._statements.events_after_sale, program=program, event=event)
        later = [load_event(inputs_of(each)["event"]) for each in rows]
        amended = None
        if any(isinstance(each, Amendment) and each.member is not None for each in later):
            amended = self.record(AMENDED_TERMS, event_key(program, event))
        return Sale(
            terms,
            sale_event,
            load_snapshot(amended.snapshot if amended is not None else json_of(row.snapshot)),
            updates=tuple(each for each in later if isinstance(each, (Update, Amendment))),
            returns=tuple(each for each in later if isinstance(each, Return)),
            reversals=tuple(each for row in rows for each in reversals_of(json_of(row.intents))),
        )

    def sale_events(self, program: str) -> Iterable[Transaction | Activity]:
        """Yield the events of the sales, in the order of record."""
        for rows in self._row_chunks(self._statements.next_sales, program):
            for row in rows:
                event = load_event(inputs_of(row)["event"])
                assert isinstance(event, (Transaction, Activity))
                yield event

    def save_sale(self, sale: Sale) -> None:
        """Add the terms of a sale to the unit of work; updates and returns are recorded by their own batches."""
        assert self._batch is not None
        self._unit.sale = sale
        if sale.event.id == self._batch.record.event:
            self._unit.new_sale = sale

    def erase(self, program: str, members: Sequence[str]) -> None:
        """Delete the personal parts of the inputs of some members; the log keeps their digests."""
        self._connection.execute(self._statements.erase, {"program": program, "members": members})

    # -- lots --------------------------------------------------------------------------------------------------------

    def lot(self, key: str) -> Lot | None:
        """Return the current lot."""
        lot = self._unit.lot(key)
        if lot is None:
            row = self._row(self._statements.lot, key=key)
            lot = self._track_lots([row])[0] if row is not None else None
        return lot

    def _track_lots(self, rows: Sequence[Row[Any]]) -> list[Lot]:
        """Return the lots of rows; if a batch is open, as its unit of work has them."""
        current = self._current_lots(rows)
        if self._batch is None:
            return [each.lot for each in current]
        return [self._unit.read_lot(each.lot, each.version, each.latest_at) for each in current]

    def lots_of(self, program: str, account: Account, at: datetime | None = None) -> Sequence[Lot]:
        """Return the lots of an account with promised, outstanding or held units; with `at` also those swept since."""
        of = {"program": program, "kind": account.kind, "account": account.id}
        rows = self._rows(self._statements.lots_of, **of)
        lots = [*self._track_lots(rows), *self._unit.new_lots(lambda lot: lot.account == account)]
        lots = [lot for lot in lots if lot.has_units()]
        if at is not None:
            lots = sorted([*lots, *self.swept_lots_of(program, account, at)], key=lambda lot: lot.order)
        return lots

    def swept_lots_of(self, program: str, account: Account, at: datetime) -> Sequence[Lot]:
        """Return the account's lots that were still live at an instant, and of which a sweep recorded the expiry."""
        of = {"program": program, "kind": account.kind, "account": account.id, "at": microseconds(at)}
        lots = self._track_lots(self._rows(self._statements.swept_lots_of, **of))
        return [lot for lot in lots if not lot.has_units()]

    def every_lot_of(self, program: str, account: Account) -> Sequence[Lot]:
        """Return all lots of an account, in the order of issue."""
        of = {"program": program, "kind": account.kind, "account": account.id}
        lots = self._track_lots(self._rows(self._statements.every_lot_of, **of))
        return [lot for lot in lots if lot.account == account]

    def set_member(self, lot: str, at: datetime, member: str) -> None:
        """Move a lot to another member."""
        self.lot(lot)
        self._unit.set_member(lot, at, member)

    def changed_since(self, lots: Iterable[Lot], at: datetime) -> Sequence[LotHistory]:
        """Return the histories of those lots that have changed after an instant."""
        lots = [*lots]
        tracked = self._unit.lots
        for lot in lots:
            if lot.key in tracked and tracked[lot.key].stale:
                self.lot(lot.key)
        late = [lot.key for lot in lots if lot.key in tracked and tracked[lot.key].latest_at > at]
        return [*self._histories(self._rows(self._statements.lots, keys=late)).values()] if late else []

    def lots_of_sale(self, program: str, event: str) -> Sequence[Lot]:
        """Return the lots that a sale issued, in the order of issue."""
        return self._track_lots(self._rows(self._statements.lots_of_sale, program=program, event=event))

    def due_promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return the promises that are due by an instant, inclusive."""
        rows = self._rows(self._statements.due_promises, program=program, at=microseconds(at))
        return [each.lot for each in self._current_lots(rows)]

    def expiring_lots(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return the lots that have expired by an instant, inclusive, and are not recorded as expired."""
        rows = self._rows(self._statements.expiring_lots, program=program, at=microseconds(at))
        return [each.lot for each in self._current_lots(rows)]

    def add_lot(self, lot: Lot, entry: Entry) -> None:
        """Add a new lot with the entry that brings its units."""
        self._unit.add_lot(lot, entry)

    def add_entry(self, entry: Entry) -> None:
        """Move the amount of an entry between two buckets of its lot."""
        self.lot(entry.lot)
        self._unit.add_entry(entry)

    def set_expiry(self, lot: str, expiry: ExpiryVersion) -> None:
        """Set the expiry of a lot, from an instant on."""
        self.lot(lot)
        self._unit.set_expiry(lot, expiry)

    def extend(self, program: str, account: Account, currency: str, scope: str, expiry: ExpiryVersion) -> None:
        """Extend the lots of an account in a currency, by one record."""
        self._unit.extensions.append(NewExtension(program, account, currency, scope, expiry))

    def set_last_day(self, lot: str, at: datetime, last_on: date, last_at: datetime) -> None:
        """Set the last day of a lot, and its end, beyond which no extension moves the lot."""
        self.lot(lot)
        self._unit.set_last_day(lot, at, last_on, last_at)

    def set_released(self, lot: str, at: datetime, issue_on: date) -> None:
        """Set the issue date of a promise that was released."""
        self.lot(lot)
        self._unit.set_released(lot, at, issue_on)

    def add_taken_back(self, lot: str, at: datetime, amount: int) -> None:
        """Add to the amount of a lot that returns of its sale have claimed, in millionths."""
        self.lot(lot)
        self._unit.add_taken_back(lot, at, amount)

    # -- coupons -----------------------------------------------------------------------------------------------------

    def coupon(self, key: str) -> CouponRecord | None:
        """Return the current coupon."""
        coupon = self._unit.coupon(key)
        if coupon is not None:
            return coupon
        row = self._row(self._statements.coupon, key=key)
        return self._track_coupon(row) if row is not None else None

    def _track_coupon(self, row: Row[Any]) -> CouponRecord:
        """Return the coupon of a row; if a batch is open, as its unit of work has it."""
        if self._batch is None:
            return coupon_of(row, self._serials)
        return self._unit.read_coupon(
            row.key, lambda: coupon_of(row, self._serials), row.version, instant_of(row.latest_at)
        )

    def coupons_of_sale(self, program: str, event: str) -> Sequence[CouponRecord]:
        """Return the coupons that a sale issued, in the order of issue."""
        rows = self._rows(self._statements.coupons_of_sale, program=program, event=event)
        return [coupon for row in rows if not (coupon := self._track_coupon(row)).is_public]

    def coupons_by_code(self, program: str, code: str) -> Sequence[CouponRecord]:
        """Return the coupon with a serial, found by its keyed hash, or the first with a shared code."""
        fingerprints = self._serials.fingerprints(code)
        if fingerprints:
            rows = self._rows(self._statements.coupon_by_fingerprints, program=program, fingerprints=fingerprints)
            if rows:
                return [self._track_coupon(row) for row in rows]
        if not folded(code).isprintable():
            return []  # no code has such a character, and some databases refuse it
        rows = self._rows(self._statements.first_by_code, program=program, code=folded(code))
        return [self._track_coupon(row) for row in rows]

    def coupons_to_redeem(
        self, program: str, code: str, member: str | None, at: datetime, most: int
    ) -> Sequence[CouponRecord]:
        """Return the coupons of a member with a shared code, then those of nobody; those that can be redeemed first."""
        found: dict[str, CouponRecord] = {}
        instant = microseconds(at)
        for statement in self._statements.held_by_code:
            parameters = {"program": program, "code": folded(code), "member": member, "at": instant, "maximum": most}
            for row in self._rows(statement, **parameters):
                found.setdefault(row.key, self._track_coupon(row))
        return in_order_of_redeeming(found.values(), member, at)

    def least_left(self, coupon: str, at: datetime) -> Left:
        """Return the least that was left of a coupon at an instant and at every later one, as far as it is known."""
        tracked = self._unit.coupons.get(coupon)
        if tracked is not None and tracked.latest_at <= at:
            return Left()  # nothing happened to it since
        rows = self._rows(self._statements.states_of_coupons, coupons=[coupon], at=MAX_AMOUNT)
        states = [
            (instant_of(row.at), Left(amount_of(row.remaining), row.uses_left, amount_of(row.left_in_all)))
            for row in rows
        ]
        return least_since(states, at)

    def expiring_coupons(self, program: str, at: datetime) -> Sequence[CouponRecord]:
        """Return the coupons that have expired by an instant, inclusive, and are not recorded as expired."""
        rows = self._rows(self._statements.expiring_coupons, program=program, at=microseconds(at))
        return [coupon_of(row, self._serials) for row in rows]

    def is_serial_taken(self, serial: str) -> bool:
        """Return whether a coupon has this serial, in the database or in the unit of work."""
        if any(each.current.issue.serial == serial for each in self._unit.coupons.values()):
            return True
        fingerprints = self._serials.fingerprints(serial)
        return bool(fingerprints) and bool(self._rows(self._statements.is_serial_taken, fingerprints=fingerprints))

    def add_coupon(self, program: str, coupon: CouponRecord, at: datetime) -> None:  # noqa: ARG002
        """Add a new coupon."""
        self._unit.update_coupon(coupon, at)

    def update_coupon(self, coupon: CouponRecord, at: datetime) -> None:
        """Replace the state of a coupon, from an instant on."""
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
            self._statements.counters,
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
        """Return the value of a counter or of the days of its window, with the draws of the batch, in millionths."""
        self.lock([counter_lock(program, window[0])])
        self.read_counters(program, [window])
        return self._unit.counters[program, window] + self._unit.drawn(program, window)

    def add_to_counter(self, program: str, name: str, day: date | None, amount: int, most: int | None = None) -> None:
        """Add to a counter; the flush fails if its value is then greater than `most`."""
        self._unit.draws.append(CounterDraw(program, name, day, amount, most))

    def counters_named(self, program: str, part: str) -> Sequence[tuple[str, date | None, int]]:
        """Return counters with a part in their name: the name, the day of a rolling counter, and the value."""
        rows = self._rows(self._statements.counters_named, program=program, part=part)
        found = [(row.name, day_of(row.day or None), row.value) for row in rows if part in row.name.split("/")]
        return sorted(found, key=lambda each: (each[0], str(each[1])))

    def contributions(self, program: str, event: str) -> Mapping[str, int]:
        """Return the contribution of a sale to each tracker: its draws, less those that its returns gave back."""
        contributed: dict[str, int] = {}
        for row in self._rows(self._statements.draws_of_sale, program=program, event=event):
            tracker = tracker_in(row.name)
            contributed[tracker] = contributed.get(tracker, 0) + row.amount
        return contributed

    def add_contribution(self, program: str, event: str, tracker: str, window: Window, amount: int) -> None:  # noqa: ARG002
        """Add to the counter of a tracker; the batch names the sale that contributes."""
        name, _, day = window
        self.add_to_counter(program, name, day, amount)

    # -- records of a kind -------------------------------------------------------------------------------------------

    def record(self, kind: Kind[RecordT], key: str) -> RecordT | None:
        """Return the current record of a kind; it is read again unless this batch has changed it."""
        changed = self._unit.changed_record(kind, key)
        if changed is not None:
            return changed
        row = self._row(self._statements.kinds[kind.name].by_key, key=key)
        return self._track_record(kind, row) if row is not None else None

    def _track_record(self, kind: Kind[RecordT], row: Row[Any]) -> RecordT:
        """Return the record of a row; if a batch is open, as its unit of work has it."""
        if self._batch is None:
            return record_of(kind, row.document)
        return self._unit.read_record(
            kind, row.key, lambda: record_of(kind, row.document), row.version, instant_of(row.latest_at)
        )

    def records(self, kind: Kind[RecordT], program: str, **found_by: str) -> Sequence[RecordT]:
        """Return the current records that one look-up of their kind finds, in the order of their first record."""
        ((name, value),) = found_by.items()
        rows = self._rows(self._statements.kinds[kind.name].found_by[name], program=program, value=value)
        found = {row.key: self._track_record(kind, row) for row in rows}
        found |= {each.key: each for each in self._unit.changed_records(kind)}
        value_of = kind.found_by[name]
        return [each for each in found.values() if value_of(each) == value]

    def save_record(self, kind: Kind[RecordT], program: str, record: RecordT, at: datetime) -> None:
        """Add a record to the unit of work, or the version of a record that begins at an instant."""
        self._unit.save_record(RecordVersion(kind, program, record, at))


def _in_window(values: Iterable[tuple[date | None, int]], window: Window) -> int:
    _, first, last = window
    if first is None or last is None:
        return sum(value for day, value in values if day is None)
    return sum(value for day, value in values if day is not None and first <= day <= last)
