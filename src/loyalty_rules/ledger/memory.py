"""The reference ledger: plain, obvious, in memory, thread-safe. Source: ledger.

It keeps everything for ever and looks things up in dictionaries; for tests, for replays of a file, and as the
answer to what a ledger must do. It is as durable as its process.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from loyalty_rules.amounts import decimal_of, micros, read_decimal, text_of
from loyalty_rules.counters import Counter
from loyalty_rules.documents import dump
from loyalty_rules.events import Activity, Confirmation, Event, Return, Snapshot, Transaction, Update
from loyalty_rules.identifiers import key_part
from loyalty_rules.intents import ExpireCoupon, ExpireCurrency, Intent, RedeemCoupon, SpendCurrency
from loyalty_rules.ledger.books import Batch, Books, LotFile
from loyalty_rules.ledger.invariants import broken_invariants
from loyalty_rules.ledger.posting import Posting
from loyalty_rules.ledger.protocol import (
    Balance,
    IdempotencyConflict,
    LotHistory,
    Movement,
    Receipt,
    ReportRows,
)
from loyalty_rules.lifecycle import promises, redemption, returns, spending, sweep
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Refusal, Sale
from loyalty_rules.lifecycle.redemption import undo_redemption, void
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["MemoryLedger"]


class MemoryLedger:
    """A ledger in memory: see `Ledger` for what each operation does."""

    def __init__(self) -> None:
        self._books = Books()
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator["MemoryLedger"]:
        """Make several operations one: all are recorded or, where an error leaves the block, none."""
        with self._lock:
            self._books.begin()
            try:
                yield self
            except BaseException:
                self._books.rollback()
                raise
            self._books.commit()

    # -- sales -------------------------------------------------------------------------------------------------------

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Read the counters and trackers of an event."""
        with self._lock:
            return program.snapshot(event, self._value_of(program))

    def _value_of(self, program: Program) -> Callable[[Counter], Decimal]:
        books = self._books
        return lambda counter: decimal_of(books.counted(program.id, counter.name, counter.from_date, counter.to_date))

    def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> Receipt:
        """Record an evaluation once, under the program version and the snapshot that it was decided under."""
        program, event, snapshot = evaluation.decided
        inputs = {"event": dump(event), "program_version": evaluation.program_version}

        def decide() -> tuple[Intent, ...]:
            self._books.put(self._books.sales, (program.id, event.id), Sale(program, event, snapshot))
            return evaluation.intents

        return self._once(program, event.id, "event", inputs, decide, event.occurred_at, recorded_at, of=event.id)

    def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> Receipt:
        """Decide and record any event. What is recorded already is given back, whatever the program says today."""
        with self.transaction():
            if isinstance(event, (Transaction, Activity)):
                recorded = self._books.batches.get(_batch_key(program, event.id, "event"))
                if recorded is not None:
                    # Not decided again: a retry after the program has changed gives what was decided then.
                    return _replayed(recorded, {**recorded.inputs, "event": dump(event)})
                evaluation = program.evaluate(event, self.snapshot(program, event), serials=serials)
                return self.record(evaluation, recorded_at=recorded_at)
            inputs = {"event": dump(event)}
            of = event.of if isinstance(event, (Return, Update)) else None
            at = event.occurred_at
            return self._once(
                program, event.id, "event", inputs, lambda: self._later(program, event), at, recorded_at, of=of
            )

    def _later(self, program: Program, event: Return | Update | Confirmation) -> tuple[Intent, ...] | Refusal:
        match event:
            case Return():
                return self._take_back(program, event)
            case Update():
                return self._update(program, event)
            case Confirmation():
                return self._confirm(program, event)

    # -- after the sale ----------------------------------------------------------------------------------------------

    def _take_back(self, program: Program, back: Return) -> tuple[Intent, ...] | Refusal:
        books, sale = self._books, self._books.sales.get((program.id, back.of))
        if sale is None:
            return _unknown_sale(back.of)
        own = [books.lot(key) for key in books.of_sale.get((program.id, back.of), ())]
        accounts = dict.fromkeys(lot.account for lot in own)
        lots = [lot for account in accounts for lot in books.lots_of(program.id, account)]
        coupons = [books.coupons[key] for key in books.coupons_of_sale.get((program.id, back.of), ())]
        tracked = {name: decimal_of(each) for name, each in books.tracked.get((program.id, back.of), {}).items()}
        redeemed = self._redeemed_in(program, back.of)
        decided = returns.take_back(sale, back, lots, coupons, tracked, redeemed)
        if not isinstance(decided, Refusal):
            changed = attrs.evolve(sale, returns=(*sale.returns, back))
            books.put(books.sales, (program.id, back.of), changed)
        return decided

    def _redeemed_in(self, program: Program, event: str) -> list[tuple[RedeemCoupon, CouponRecord]]:
        """The redemptions that a transaction made and that nothing has undone, each with its coupon."""
        books = self._books
        made = [books.intents[key] for key in books.redeemed_in.get((program.id, event), ()) if key not in books.undone]
        return [(each, books.coupons[each.coupon]) for each in made if isinstance(each, RedeemCoupon)]

    def _update(self, program: Program, change: Update) -> tuple[Intent, ...] | Refusal:
        books, sale = self._books, self._books.sales.get((program.id, change.of))
        if sale is None:
            return _unknown_sale(change.of)
        lots = [books.lot(key) for key in books.of_sale.get((program.id, change.of), ())]
        decided = promises.update(sale, lots, change)
        changed = attrs.evolve(sale, updates=(*sale.updates, change))
        books.put(books.sales, (program.id, change.of), changed)
        return decided

    def _confirm(self, program: Program, confirmation: Confirmation) -> tuple[Intent, ...] | Refusal:
        file = self._books.files.get(confirmation.promise)
        if file is None or file.program != program.id:
            return Refusal(("unknown_promise",), f"no promise {confirmation.promise}")
        sale = self._books.sales[program.id, file.issue.event]
        return promises.confirm(sale, self._books.lot(confirmation.promise), confirmation)

    def settle(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Release the delayed promises that are due by `at`, in the order in which they are due."""
        with self.transaction():
            due = [lot for lot in self._open(program.id) if promises.is_due(lot, at)]
            due.sort(key=lambda lot: (lot.issue.due_at or at, lot.order))
            return [self._settle(program, lot, at) for lot in due]

    def _settle(self, program: Program, lot: Lot, at: datetime) -> Receipt:
        sale = self._books.sales[program.id, lot.issue.event]
        due_at = lot.issue.due_at or at
        return self._once(
            program, lot.key, "settle", {"promise": lot.key}, lambda: promises.settle(sale, lot, at), due_at, at
        )

    def _open(self, program: str) -> list[Lot]:
        return [self._books.lot(key) for key in self._books.open if self._books.files[key].program == program]

    # -- spending ----------------------------------------------------------------------------------------------------

    def spend(
        self,
        program: Program,
        account: Account,
        member: str,
        currency: str,
        amount: Decimal,
        *,
        event: str,
        at: datetime,
    ) -> Receipt:
        """Spend from an account, soonest expiry first."""
        amount = read_decimal(amount)
        inputs = {"account": f"{account.kind} {account.id}", "amount": text_of(amount)}

        def decide() -> tuple[Intent, ...] | Refusal:
            lots = self._books.lots_of(program.id, account)
            decided = spending.spend(program, account, member, currency, event, lots, amount, at)
            return decided if isinstance(decided, Refusal) else (decided,)

        return self._once(program, event, f"spend/{currency}", inputs, decide, at)

    def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> Receipt:
        """Undo a spend, once: the lots get their units back with their own expiry."""

        def decide() -> tuple[Intent, ...] | Refusal:
            spent = self._recorded(program, spend)
            if not isinstance(spent, SpendCurrency):
                return Refusal(("unknown_spend",), f"no spend {spend}")
            if spend in self._books.undone:
                return Refusal(("already_undone",), f"{spend} has been undone")
            return (spending.undo_spend(spent, {each.lot: self._books.lot(each.lot) for each in spent.draws}, at),)

        return self._once(program, event, f"undo_spend/{spend}", {"spend": spend}, decide, at)

    # -- coupons -----------------------------------------------------------------------------------------------------

    def redeem(self, program: Program, code: str, transaction: Transaction) -> Receipt:
        """Redeem a coupon by its serial or shared code; of several with one code, the redeeming member's own."""

        def decide() -> tuple[Intent, ...] | Refusal:
            coupon = self._find(program, code, transaction)
            snapshot = self.snapshot(program, transaction)
            decided = redemption.redeem(program, coupon, transaction, snapshot)
            return decided if isinstance(decided, Refusal) else (decided,)

        inputs = {"event": dump(transaction)}  # never the serial: it may be written in many ways, and is a secret
        phase = f"redeem/{Books.canonical(code)}"
        return self._once(program, transaction.id, phase, inputs, decide, transaction.occurred_at)

    def _find(self, program: Program, code: str, transaction: Transaction) -> CouponRecord | None:
        keys = self._books.codes.get((program.id, Books.canonical(code)), ())
        coupons = [self._books.coupons[key] for key in keys]
        if not coupons or coupons[0].issue.serial is not None:
            return coupons[0] if coupons else None
        # Coupons of one shared code are alike: the member's own first, then those of nobody; never another's.
        at, member = transaction.occurred_at, transaction.member.id if transaction.member is not None else None
        mine = [each for each in coupons if each.issue.member == member and member is not None]
        candidates = [*mine, *(each for each in coupons if each.issue.member is None)]
        usable = [each for each in candidates if each.state_at(at) == "issued" and each.issue.valid_from <= at]
        return next(iter(usable or candidates), None)

    def undo_redemption(self, program: Program, redemption: str, *, event: str, at: datetime) -> Receipt:
        """Undo a redemption, once: the coupon is reinstated if it is still valid."""

        def decide() -> tuple[Intent, ...] | Refusal:
            redeemed = self._recorded(program, redemption)
            if not isinstance(redeemed, RedeemCoupon):
                return Refusal(("unknown_redemption",), f"no redemption {redemption}")
            if redemption in self._books.undone:
                return Refusal(("already_undone",), f"{redemption} has been undone")
            decided = undo_redemption(redeemed, self._books.coupons[redeemed.coupon])
            return decided if isinstance(decided, Refusal) else (decided,)

        return self._once(program, event, f"undo_redemption/{redemption}", {"redemption": redemption}, decide, at)

    def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> Receipt:
        """Void a coupon that was not redeemed."""

        def decide() -> tuple[Intent, ...] | Refusal:
            decided = void(program, self._books.coupons.get(coupon), event, at)
            return decided if isinstance(decided, Refusal) else (decided,)

        return self._once(program, event, f"void/{coupon}", {"coupon": coupon}, decide, at)

    # -- time --------------------------------------------------------------------------------------------------------

    def expire(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Write down the lots and coupons that have expired by `at`."""
        with self.transaction():
            files = self._books.files
            lots = [self._books.lot(key) for key, file in files.items() if file.program == program.id]
            coupons = [each for each in self._books.coupons.values() if each.key.startswith(f"{program.id}/")]
            expired: list[ExpireCurrency | ExpireCoupon] = [*sweep.expire(lots, at), *sweep.expire_coupons(coupons, at)]
            return [self._expire(program, each, at) for each in expired]

    def _expire(self, program: Program, intent: ExpireCurrency | ExpireCoupon, at: datetime) -> Receipt:
        inputs = {"key": intent.key}
        return self._once(program, intent.key, "expire", inputs, lambda: (intent,), intent.expired_at, at)

    # -- recording ---------------------------------------------------------------------------------------------------

    def _once(
        self,
        program: Program,
        event: str,
        phase: str,
        inputs: dict[str, Any],
        decide: Callable[[], tuple[Intent, ...] | Refusal],
        at: datetime,
        recorded_at: datetime | None = None,
        of: str | None = None,
    ) -> Receipt:
        """Record a decision once: a replay gives what was recorded, other inputs conflict, a refusal is no record."""
        key = _batch_key(program, event, phase)
        with self.transaction():
            recorded = self._books.batches.get(key)
            if recorded is not None:
                return _replayed(recorded, inputs)
            decided = decide()
            if isinstance(decided, Refusal):
                return Receipt("refused", key, refusal=decided)
            posting = Posting(self._books, program, key, of, at, recorded_at if recorded_at is not None else at)
            posting.post(decided)
            receipt = Receipt("recorded", key, tuple(posting.recorded), tuple(posting.trims))
            self._books.put(self._books.batches, key, Batch(key, inputs, receipt, at, posting.recorded_at))
            for intent in posting.recorded:
                self._books.put(self._books.intents, intent.key, intent)
            return receipt

    def _recorded(self, program: Program, key: str) -> Intent | None:
        return self._books.intents.get(key) if key.startswith(f"{program.id}/") else None

    # -- queries -----------------------------------------------------------------------------------------------------

    def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance:
        """Give what an account has at an instant."""
        lots = self.lots(program, account, currency, at)
        with self._lock:
            debt = self._books.debt((program, account, currency), at)
        promised = sum(micros(lot.promised) for lot in lots)
        return Balance(spending.available(lots, at), decimal_of(promised), decimal_of(debt))

    def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Give the account's lots of a currency as they stood at an instant."""
        with self._lock:
            files = [self._books.files[key] for key in self._books.of_account.get((program, account), ())]
        lots = [file.lot(at) for file in files if file.issue.currency == currency]
        return [lot for lot in lots if lot is not None]

    def promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the promises that were open at an instant."""
        with self._lock:
            files = [file for file in self._books.files.values() if file.program == program]
        lots = [file.lot(at) for file in files]
        return [lot for lot in lots if lot is not None and micros(lot.promised) > 0]

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Movement]:
        """Give every movement of an account up to an instant."""
        with self._lock:
            return [each for each in self._books.entries.get((program, account), ()) if each.at <= at]

    def coupon(self, program: str, code: str) -> CouponRecord | None:
        """Find a coupon by its serial, however it is written, or the first with a shared code."""
        with self._lock:
            keys = self._books.codes.get((program, Books.canonical(code)), ())
            return self._books.coupons[keys[0]] if keys else None

    def coupons(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Give the coupons of a member, in the order of issue."""
        with self._lock:
            return [
                each
                for each in self._books.coupons.values()
                if each.issue.member == member and each.key.startswith(f"{program}/")
            ]

    def report_rows(self, program: str, at: datetime) -> ReportRows:
        """Give what the reports are made of, as it stood at an instant."""
        books = self._books
        with self._lock:
            histories = [_history(books, file, at) for file in books.files.values() if file.program == program]
            coupons = [books.coupon_at(key, at) for key in books.coupons if key.startswith(f"{program}/")]
        return ReportRows(at, tuple(filter(None, histories)), tuple(filter(None, coupons)))

    def check_invariants(self) -> Sequence[str]:
        """Say what does not hold of all that must always hold; nothing is fine."""
        with self._lock:
            return [*broken_invariants(self._books)]


def _batch_key(program: Program, event: str, phase: str) -> str:
    return f"{program.id}/{key_part(event)}#{phase}"


def _history(books: Books, file: LotFile, at: datetime) -> LotHistory | None:
    lot = file.lot(at)
    if lot is None:
        return None
    store = books.sales[file.program, file.issue.event].event.store
    return LotHistory(lot, store, tuple(each for each in file.movements if each.at <= at))


def _unknown_sale(event: str) -> Refusal:
    return Refusal(("unknown_sale",), f"no sale {event} has been recorded")


def _replayed(batch: Batch, inputs: Mapping[str, Any]) -> Receipt:
    """Give what was recorded; other inputs under the same key are a conflict that names the first that differs."""
    difference = _first_difference(batch.inputs, inputs, "")
    if difference is not None:
        raise IdempotencyConflict(batch.key, *difference, batch.receipt)
    return attrs.evolve(batch.receipt, status="already_recorded")


def _first_difference(recorded: Any, offered: Any, path: str) -> tuple[str, object, object] | None:
    if isinstance(recorded, Mapping) and isinstance(offered, Mapping):
        for key in [*recorded, *(each for each in offered if each not in recorded)]:
            step = f"{path}.{key}" if path else str(key)
            found = _first_difference(recorded.get(key), offered.get(key), step)
            if found is not None:
                return found
        return None
    if isinstance(recorded, list) and isinstance(offered, list) and len(recorded) == len(offered):
        for index, (one, other) in enumerate(zip(recorded, offered, strict=True)):
            found = _first_difference(one, other, f"{path}[{index}]")
            if found is not None:
                return found
        return None
    return None if recorded == offered else (path, recorded, offered)
