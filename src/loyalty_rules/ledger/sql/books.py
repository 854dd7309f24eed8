"""The books of a ledger in a database, on one connection, inside one transaction. Source: ledger 2 and 3.

A batch is claimed by its first statement. What it looks up and changes is kept on a page in memory until the batch is
closed; then everything is written, table by table, each change on the condition that the row is still what was read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import attrs
from sqlalchemy import Connection, CursorResult, Executable, Row, Table

from loyalty_rules.documents import dump, load_event, load_snapshot
from loyalty_rules.events import Activity, Return, Transaction, Update
from loyalty_rules.forms import restore, unstructure
from loyalty_rules.intents import IssueCurrency, RedeemCoupon, SpendCurrency
from loyalty_rules.ledger.books import (
    Batch,
    ChangedMeanwhileError,
    Citable,
    Inputs,
    Scope,
    Term,
    Window,
    counter_scope,
)
from loyalty_rules.ledger.protocol import Movement, Receipt, Trim
from loyalty_rules.ledger.sql.as_of import AsOf
from loyalty_rules.ledger.sql.chain import FIRST_LINK, chain_of, chain_scope, content_digest, link_of
from loyalty_rules.ledger.sql.dialects import Dialect
from loyalty_rules.ledger.sql.page import Draw, OnPage, Page
from loyalty_rules.ledger.sql.programs import Programs
from loyalty_rules.ledger.sql.rows import (
    batch_row,
    bounded,
    citation_row,
    coupon_of,
    coupon_state_row,
    day_of,
    debt_row,
    draw_row,
    entry_row,
    instant_of,
    intent_documents,
    intents_of,
    json_of,
    lot_change_row,
    lot_of,
    lot_parts,
    microseconds,
    new_lot_row,
    text_of_json,
)
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.ledger.sql.tables import NO_DAY
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Sale

__all__ = ["SQLBooks"]

_MOST = 2**63 - 1
_CITABLE: Mapping[str, type[Any]] = {SpendCurrency.type: SpendCurrency, RedeemCoupon.type: RedeemCoupon}


@attrs.frozen
class Opened:
    """A batch that has been claimed: its number, what it is recognised by, and the row that says so."""

    batch: int
    given: Inputs
    row: Mapping[str, Any]


class SQLBooks(AsOf):
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
        programs: Programs,
        *,
        savepoints: bool = False,
        reading: bool = False,
    ) -> None:
        super().__init__(connection, statements, serials)
        self._dialect = dialect
        self._programs = programs
        self._savepoints = savepoints
        self._reading = reading
        self._held: frozenset[Scope] = frozenset()
        self._opened: Opened | None = None
        self._page = Page()
        self.doomed = False
        self.stored: list[str] = []  # versions of programs that are new in this transaction

    # -- statements --------------------------------------------------------------------------------------------------

    def _write(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._connection.execute(statement, rows)

    def _change(self, statement: Executable, rows: Sequence[Mapping[str, Any]], what: str) -> None:
        """Write changes, each on a condition; if one of them finds no row, nothing of the batch is recorded."""
        if rows:
            changed: CursorResult[Any] = self._connection.execute(statement, rows)
            if changed.rowcount != len(rows):
                raise ChangedMeanwhileError(what)

    # -- transactions ------------------------------------------------------------------------------------------------

    @contextmanager
    def whole(self) -> Iterator[None]:
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
            self._held, self._opened, self._page = held, None, Page()
            del self.stored[stored:]
            self.doomed = not self._savepoints
            raise

    def hold(self, scopes: Iterable[Scope]) -> None:
        """Let nobody else decide about these until the transaction ends."""
        more = frozenset(scopes) - self._held
        if more and not self._reading:
            self._dialect.hold(self._connection, more)
            self._held |= more

    # -- batches and sales -------------------------------------------------------------------------------------------

    def open_batch(self, given: Inputs) -> Batch | None:
        """Claim a batch by a row that can be there once; or give what was recorded under its key."""
        row = batch_row(given)
        claimed = self._connection.execute(self._run.claim, row).scalar_one_or_none()
        if claimed is None:
            return self._recorded(given)
        self._opened, self._page = Opened(claimed, given, row), Page()
        return None

    def _recorded(self, given: Inputs) -> Batch:
        row = self._row(self._run.batch, program=given.program, event=given.event, phase=given.phase)
        assert row is not None
        recorded = attrs.evolve(given, inputs=json_of(row.inputs), at=instant_of(row.at), of=row.of)
        intents = intents_of(given.program, json_of(row.intents), self._serials)
        trims = tuple(restore(each, Trim) for each in json_of(row.trims))
        return Batch(recorded, Receipt("recorded", given.key, intents, trims))

    def close_batch(self, receipt: Receipt) -> None:
        """Write what the batch has changed and what came of it, at the end of its chain."""
        assert self._opened is not None
        opened, page = self._opened, self._page
        version = self._write_sale(page.new_sale)
        rows = self._log_rows(opened.batch, page)
        self._write_lots(page)
        self._write_coupons(page)
        self._write_counters(page.draws)
        for table, found in rows.items():
            self._write(self._run.add_to[table], found)
        self._write_receipt(opened, receipt, version, rows)
        self._opened, self._page = None, Page()

    def _write_sale(self, sale: Sale | None) -> tuple[str, str] | None:
        """Store the program of a sale; give its version and its snapshot."""
        if sale is None:
            return None
        new = self._programs.store(self._connection, self._run, sale.program)
        if new is not None:
            self.stored.append(new)
        return sale.program.version, text_of_json(dump(sale.snapshot))

    def _log_rows(self, batch: int, page: Page) -> dict[Table, list[dict[str, Any]]]:
        """Give what the batch adds to the log, by table."""
        t = self._run.tables
        return {
            t.entries: [entry_row(each, batch) for each in page.entries],
            t.lot_changes: [lot_change_row(each, batch) for each in page.lot_changes],
            t.coupon_states: [
                {"batch": batch, "coupon": each.key, "at": microseconds(at), **coupon_state_row(each)}
                for at, each in page.coupon_states
            ],
            t.draws: [draw_row(each, batch) for each in page.draws],
            t.debts: [debt_row(each, batch) for each in page.debts],
            t.citations: [citation_row(program, each, batch) for program, each in page.citations],
            t.undone: [{"key": key, "batch": batch} for key in page.undone],
        }

    def _write_receipt(
        self,
        opened: Opened,
        receipt: Receipt,
        version: tuple[str, str] | None,
        rows: Mapping[Table, Sequence[Mapping[str, Any]]],
    ) -> None:
        row: dict[str, Any] = {
            "batch": opened.batch,
            "version": version[0] if version is not None else None,
            "snapshot": version[1] if version is not None else None,
            "intents": text_of_json(intent_documents(opened.given.program, receipt.intents, self._serials)),
            "trims": text_of_json(unstructure(receipt.trims)),
        }
        digest = content_digest(opened.row, row, rows)
        chain = chain_of(opened.given.key)
        self.hold([chain_scope(chain)])
        end = self._row(self._run.chain_end, chain=chain)
        position, previous = (end.position, end.link) if end is not None else (0, FIRST_LINK)
        link = link_of(previous, digest)
        self._write(
            self._run.add_receipt, [{**row, "chain": chain, "position": position + 1, "digest": digest, "link": link}]
        )

    def sale(self, program: str, event: str) -> Sale | None:
        """Give the frozen terms of a sale, with the updates and returns that were recorded since."""
        kept = self._page.sale
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

    def keep_sale(self, sale: Sale) -> None:
        """Keep a sale's terms with its batch; updates and returns are batches of their own."""
        assert self._opened is not None
        self._page.sale = sale
        if sale.event.id == self._opened.given.event:
            self._page.new_sale = sale

    # -- lots --------------------------------------------------------------------------------------------------------

    def lot(self, key: str) -> Lot | None:
        """Give a lot as it stands now."""
        found = self._page.lot(key)
        if found is None:
            row = self._row(self._run.lot, key=key)
            found = self._read(row) if row is not None else None
        return found

    def _read(self, row: Row[Any]) -> Lot:
        """Read a lot onto the page, unless it is there."""
        if self._opened is None:
            return lot_of(row)
        return self._page.read_lot(row.key, lambda: lot_of(row), row.version, instant_of(row.latest_at))

    def lots_of(self, program: str, account: Account) -> Sequence[Lot]:
        """Give those of an account's lots of which anything is left."""
        rows = self._rows(self._run.lots_of, program=program, kind=account.kind, account=account.id)
        lots = [*(self._read(row) for row in rows), *self._page.new_lots(lambda lot: lot.account == account)]
        return [lot for lot in lots if lot.promised > 0 or lot.outstanding > 0]

    def lots_of_sale(self, program: str, event: str) -> Sequence[Lot]:
        """Give the lots that a sale issued."""
        return [self._read(row) for row in self._rows(self._run.lots_of_sale, program=program, event=event)]

    def due(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the promises that are due by an instant."""
        return [lot_of(row) for row in self._rows(self._run.due, program=program, at=microseconds(at))]

    def expiring(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the lots that have expired by an instant and are not swept."""
        return [lot_of(row) for row in self._rows(self._run.expiring, program=program, at=microseconds(at))]

    def add_lot(self, issue: IssueCurrency, movement: Movement, *, rolling: bool) -> None:
        """Begin a lot with the movement that brings its amount."""
        self._page.add_lot(Lot(issue, 0, issue.amount, rolling=rolling, issue_on=issue.issue_on), movement)

    def move(self, movement: Movement) -> None:
        """Move an amount between two buckets of a lot."""
        self.lot(movement.lot)
        self._page.move(movement)

    def set_term(self, lot: str, term: Term) -> None:
        """Say from when on a lot expires when."""
        self.lot(lot)
        self._page.set_term(lot, term)

    def set_released(self, lot: str, at: datetime, issue_on: date) -> None:
        """Say that a promise became issued."""
        self.lot(lot)
        self._page.set_released(lot, at, issue_on)

    def take_back(self, lot: str, at: datetime, amount: int) -> None:
        """Say what a return of its sale claims of a lot."""
        self.lot(lot)
        self._page.take_back(lot, at, amount)

    def _write_lots(self, page: Page) -> None:
        changed = [each for each in page.lots.values() if each.changed]
        new = [each for each in changed if each.version is None]
        self._write(self._run.add_lots, [self._new_lot_row(each) for each in new])
        self._change(
            self._run.change_lots,
            [
                {
                    "lot": each.now.key,
                    "was": each.version,
                    **{f"new_{name}": value for name, value in lot_parts(each.now, each.latest_at).items()},
                }
                for each in changed
                if each.version is not None
            ],
            "a lot",
        )

    def _new_lot_row(self, lot: OnPage[Lot]) -> dict[str, Any]:
        sale = self._page.new_sale
        assert sale is not None
        return new_lot_row(lot.now, lot.latest_at, sale.program.id, sale.event.store)

    # -- debts -------------------------------------------------------------------------------------------------------

    def debt(self, program: str, account: Account, currency: str) -> int:
        """Give what an account owes of a currency."""
        of = {"program": program, "kind": account.kind, "account": account.id, "currency": currency}
        recorded: int = sum(row.amount for row in self._rows(self._run.debt, **of))
        return recorded + self._page.owed(program, account, currency)

    def owe(self, program: str, account: Account, currency: str, at: datetime, amount: int) -> None:
        """Add to what an account owes."""
        self._page.debts.append((program, account, currency, at, amount))

    # -- coupons -----------------------------------------------------------------------------------------------------

    def coupon(self, key: str) -> CouponRecord | None:
        """Give a coupon as it stands now."""
        on_page = self._page.coupons.get(key)
        if on_page is not None:
            coupon: CouponRecord = on_page.now
            return coupon
        row = self._row(self._run.coupon, key=key)
        return self._read_coupon(row) if row is not None else None

    def _read_coupon(self, row: Row[Any]) -> CouponRecord:
        if self._opened is None:
            return coupon_of(row, self._serials)
        return self._page.read_coupon(
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

    def is_taken(self, serial: str) -> bool:
        """Say whether a coupon has this serial, on the page too."""
        if any(each.now.issue.serial == serial for each in self._page.coupons.values()):
            return True
        fingerprint = self._serials.fingerprint(serial)
        return fingerprint is not None and self._row(self._run.is_taken, fingerprint=fingerprint) is not None

    def add_coupon(self, program: str, coupon: CouponRecord, at: datetime) -> None:  # noqa: ARG002
        """Keep a new coupon."""
        self._page.change_coupon(coupon, at)

    def change_coupon(self, coupon: CouponRecord, at: datetime) -> None:
        """Say what a coupon is from an instant on."""
        self.coupon(coupon.key)
        self._page.change_coupon(coupon, at)

    def _write_coupons(self, page: Page) -> None:
        changed = [each for each in page.coupons.values() if each.changed]
        self._write(self._run.add_coupons, [self._new_coupon_row(each) for each in changed if each.version is None])
        self._change(
            self._run.change_coupons,
            [
                {
                    "coupon": each.now.key,
                    "was": each.version,
                    "new_latest_at": microseconds(each.latest_at),
                    **{f"new_{name}": value for name, value in coupon_state_row(each.now).items()},
                }
                for each in changed
                if each.version is not None
            ],
            "a coupon",
        )

    def _new_coupon_row(self, coupon: OnPage[CouponRecord]) -> dict[str, Any]:
        assert self._opened is not None
        issue, program = coupon.now.issue, self._opened.given.program
        document, fingerprint = self._serials.hidden(program, issue)
        return {
            "key": issue.key,
            "program": program,
            "event": issue.event,
            "member": issue.member,
            "code": issue.code,
            "fingerprint": fingerprint,
            "issue": text_of_json(document),
            "expires_at": microseconds(issue.expires_at) if issue.expires_at is not None else None,
            **coupon_state_row(coupon.now),
            "latest_at": microseconds(coupon.latest_at),
            "version": 0,
        }

    # -- counters ----------------------------------------------------------------------------------------------------

    def read_counters(self, program: str, windows: Iterable[Window]) -> None:
        """Read counters in one batch, except those that have been read."""
        read = self._page.counters
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

    def counted(self, program: str, window: Window) -> int:
        """Give what a counter holds, with what the batch has added."""
        self.hold([counter_scope(program, window[0])])
        self.read_counters(program, [window])
        return self._page.counters[program, window] + self._page.drawn(program, window)

    def count(self, program: str, name: str, day: date | None, amount: int, most: int | None = None) -> None:
        """Add to a counter, which may not hold more than `most` when it is written."""
        self._page.draws.append(Draw(program, name, day, amount, most))

    def _write_counters(self, draws: Iterable[Draw]) -> None:
        """Write the draws on each counter as one change; no two of them would find the same row twice."""
        sums: dict[tuple[str, str, str], tuple[int, int]] = {}
        for each in draws:
            key = each.program, each.name, each.day.isoformat() if each.day is not None else NO_DAY
            amount, most = sums.get(key, (0, _MOST))
            sums[key] = amount + each.amount, min(most, each.most) if each.most is not None else most
        rows = [(*key, bounded(amount, f"the counter {key[1]}"), most) for key, (amount, most) in sorted(sums.items())]
        self._change(
            self._run.draw,
            [
                {"program": program, "name": name, "day": day, "value": amount, "most": most}
                for program, name, day, amount, most in rows
                if amount > 0
            ],
            "a counter",
        )
        self._change(
            self._run.give_back,
            [
                {"of_program": program, "counter": name, "on": day, "amount": amount}
                for program, name, day, amount, _ in rows
                if amount < 0
            ],
            "a counter",
        )

    def tracked(self, program: str, event: str) -> Mapping[str, int]:
        """Give what a sale contributes to each tracker: the sum of what it drew and what its returns gave back."""
        contributed: dict[str, int] = {}
        for row in self._rows(self._run.draws_of_sale, program=program, event=event):
            tracker = row.name.split("/")[1]
            contributed[tracker] = contributed.get(tracker, 0) + row.amount
        return contributed

    def track(self, program: str, event: str, tracker: str, window: Window, amount: int) -> None:  # noqa: ARG002
        """Add to a tracker's counter; the batch says of which sale it is."""
        name, _, day = window
        self.count(program, name, day, amount)

    # -- what can be undone ------------------------------------------------------------------------------------------

    def cited(self, program: str, key: str) -> Citable | None:
        """Give a spend or a redemption by its key."""
        row = self._row(self._run.cited, program=program, key=key)
        return _citable_of(row) if row is not None else None

    def cite(self, program: str, citable: Citable) -> None:
        """Keep a spend or a redemption, so that it can be undone by its key."""
        self._page.citations.append((program, citable))

    def redemptions_in(self, program: str, event: str) -> Sequence[RedeemCoupon]:
        """Give the redemptions that a transaction made and that nothing has undone."""
        made = [_citable_of(row) for row in self._rows(self._run.cited_in, program=program, event=event)]
        return [each for each in made if isinstance(each, RedeemCoupon)]

    def is_undone(self, key: str) -> bool:
        """Say whether a spend or a redemption has been undone."""
        return self._row(self._run.is_undone, key=key) is not None

    def undo(self, key: str) -> None:
        """Say, once, that a spend or a redemption has been undone: its key is unique."""
        self._page.undone.append(key)


def _in_window(values: Iterable[tuple[date | None, int]], window: Window) -> int:
    _, first, last = window
    if first is None or last is None:
        return sum(value for day, value in values if day is None)
    return sum(value for day, value in values if day is not None and first <= day <= last)


def _citable_of(row: Row[Any]) -> Citable:
    document = json_of(row.document)
    citable: Citable = restore(document, _CITABLE[document["type"]])
    return citable
