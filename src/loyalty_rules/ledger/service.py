"""The operations of a ledger over any storage: the look-ups, the decision and the record of each. Source: ledger.

Every operation takes the same steps: claim the batch, lock, look up, decide (in `lifecycle`, or by
`Program.evaluate`), post the intents, write the receipt. The storage finds and keeps rows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import attrs

from loyalty_rules.engine.counters import Counter
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Activity, Confirmation, Event, Return, Snapshot, Transaction, Update
from loyalty_rules.intents import ExpireCoupon, ExpireCurrency, Intent, RedeemCoupon, SpendCurrency
from loyalty_rules.keys import (
    is_of_program,
    redemption_phase,
    spend_phase,
    undo_redemption_phase,
    undo_spend_phase,
    void_phase,
)
from loyalty_rules.ledger.coupon_serials import canonical_code
from loyalty_rules.ledger.idempotency import IdempotencyRecord, check_key, identity_of_event, replayed
from loyalty_rules.ledger.locks import LockKey, account_lock, counter_lock, sale_lock
from loyalty_rules.ledger.posting import Posting, windows_of
from loyalty_rules.ledger.protocol import Balance, Entry, ReportLot, ReportRows
from loyalty_rules.ledger.receipts import (
    ConfirmationReceipt,
    EventReceipt,
    ExpireReceipt,
    Receipt,
    RedeemReceipt,
    ReturnReceipt,
    SaleReceipt,
    SettleReceipt,
    SpendReceipt,
    UndoRedemptionReceipt,
    UndoSpendReceipt,
    UpdateReceipt,
    VoidReceipt,
)
from loyalty_rules.ledger.records import LotHistory
from loyalty_rules.ledger.storage import Storage, window_of
from loyalty_rules.lifecycle import promises, redemption, returns, spending, sweep
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Refusal, Sale
from loyalty_rules.loading import dump
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.amounts import decimal_of, micros, read_decimal, text_of
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["LedgerService"]

T = TypeVar("T")
R = TypeVar("R", bound=Receipt)
Decision: TypeAlias = tuple[Intent, ...] | Refusal


class _Refused(Exception):
    """A refusal as an exception: it rolls the transaction back on its way out."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class LedgerService:
    """The operations of a ledger over storage: see `Ledger` for each of them.

    `serials` generates the serials of coupons if a call passes no generator, and the next one if a serial is taken.
    """

    def __init__(self, storage: Storage, serials: SerialGenerator | None = None) -> None:
        self._storage = storage
        self._serials = serials

    # -- sales -------------------------------------------------------------------------------------------------------

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Lock the counters and trackers of an event and read them, as the basis of a decision."""
        counters = program.counters(event)
        self._storage.lock(counter_lock(program.id, each.name) for each in counters)
        return self._snapshot(program, event, counters)

    def _snapshot(self, program: Program, event: Event, counters: Iterable[Counter]) -> Snapshot:
        storage = self._storage
        storage.read_counters(program.id, [window_of(each) for each in counters])
        return program.snapshot(event, lambda each: decimal_of(storage.counter_value(program.id, window_of(each))))

    def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> SaleReceipt:
        """Record an evaluation once, with the program version and the snapshot of its decision."""
        basis = evaluation.basis
        program, event, snapshot = basis.program, basis.event, basis.snapshot
        identity = identity_of_event(program, event, _recorded_at(event, recorded_at))

        def decide() -> Decision:
            self._storage.save_sale(Sale(program, event, snapshot))
            return evaluation.intents

        return self._once(SaleReceipt, program, identity, decide, self._serials, locks=_locks(program, event))

    def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> EventReceipt:
        """Decide and record any event. A retry returns the recorded receipt, under any version of the program."""
        identity = identity_of_event(program, event, _recorded_at(event, recorded_at))
        match event:
            case Return():
                return self._once(ReturnReceipt, program, identity, lambda: self._take_back(program, event))
            case Update():
                return self._once(UpdateReceipt, program, identity, lambda: self._update(program, event))
            case Confirmation():
                return self._once(ConfirmationReceipt, program, identity, lambda: self._confirm(program, event))
            case Transaction() | Activity():
                return self._sell(program, event, identity, serials if serials is not None else self._serials)

    def _sell(
        self,
        program: Program,
        event: Transaction | Activity,
        identity: IdempotencyRecord,
        serials: SerialGenerator | None,
    ) -> SaleReceipt:
        counters = program.counters(event)

        def decide() -> Decision:
            snapshot = self._snapshot(program, event, counters)
            evaluation = program.evaluate(event, snapshot, serials=serials)
            self._storage.save_sale(Sale(program, event, snapshot))
            return evaluation.intents

        locks = _locks(program, event, counters)
        return self._once(SaleReceipt, program, identity, decide, serials, ignoring=("program_version",), locks=locks)

    # -- after the sale ----------------------------------------------------------------------------------------------

    def _take_back(self, program: Program, back: Return) -> Decision:
        storage = self._storage
        sale = self._locked_sale(program, back.of)
        if sale is None:
            return _unknown_sale(back.of)
        own = {lot.key: lot for lot in storage.lots_of_sale(program.id, back.of)}
        accounts = dict.fromkeys(lot.account for lot in own.values())
        others = {lot.key: lot for account in accounts for lot in storage.lots_of(program.id, account)}
        decided = returns.take_back(
            sale,
            back,
            lots=[*({**others, **own}.values())],
            coupons=storage.coupons_of_sale(program.id, back.of),
            tracked={name: decimal_of(each) for name, each in storage.contributions(program.id, back.of).items()},
            redeemed=self._redeemed_in(program, back.of),
        )
        if not isinstance(decided, Refusal):
            storage.save_sale(attrs.evolve(sale, returns=(*sale.returns, back)))
        return decided

    def _redeemed_in(self, program: Program, event: str) -> list[tuple[RedeemCoupon, CouponRecord]]:
        """Return the redemptions of a transaction that were not undone, each with its locked coupon."""
        made = self._storage.redemptions_in(program.id, event)
        return [(each, coupon) for each in made if (coupon := self._locked_coupon(program, each.coupon)) is not None]

    def _update(self, program: Program, change: Update) -> Decision:
        sale = self._locked_sale(program, change.of)
        if sale is None:
            return _unknown_sale(change.of)
        decided = promises.update(sale, self._storage.lots_of_sale(program.id, change.of), change)
        self._storage.save_sale(attrs.evolve(sale, updates=(*sale.updates, change)))
        return decided

    def _confirm(self, program: Program, confirmation: Confirmation) -> Decision:
        locked = self._locked_lot(program, confirmation.promise)
        if locked is None:
            return Refusal(("unknown_promise",), f"no promise {confirmation.promise} has been recorded")
        return promises.confirm(*locked, confirmation)

    def settle(self, program: Program, at: datetime) -> Sequence[SettleReceipt]:
        """Settle the delayed promises that are due by `at`, in the order in which they are due."""
        with self._storage.atomic():
            return [self.settle_one(program, lot, at) for lot in self.due(program, at)]

    def due(self, program: Program, at: datetime) -> list[Lot]:
        """Return the promises that are due by an instant, in the order in which they are due."""
        at = _instant(at)
        due = [lot for lot in self._storage.due_promises(program.id, at) if promises.is_due(lot, at)]
        return sorted(due, key=lambda lot: (lot.issue.due_at or at, lot.order))

    def settle_one(self, program: Program, lot: Lot, at: datetime) -> SettleReceipt:
        """Settle one delayed promise that is due by `at`."""
        due_at = lot.issue.due_at or at
        identity = IdempotencyRecord(program.id, lot.key, "settle", {"promise": lot.key}, due_at, at)

        def decide() -> Decision:
            locked = self._locked_lot(program, lot.key)
            return promises.settle(*locked, at) if locked is not None else _unknown_sale(lot.issue.event)

        return self._once(SettleReceipt, program, identity, decide)

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
    ) -> SpendReceipt:
        """Spend from an account's live lots, soonest expiry first."""
        amount, at = _read(read_decimal, "amount", amount), _instant(at)
        inputs = {
            "account": f"{account.kind} {account.id}",
            "member": _read(read_name, "member", member),
            "amount": text_of(amount),
        }
        identity = _identity(program, event, spend_phase(currency), inputs, at)

        def decide() -> Decision:
            self._storage.lock([account_lock(program.id, account)])
            lots = self._storage.lots_of(program.id, account)
            return _of_one(spending.spend(program, account, member, currency, event, lots, amount, at))

        return self._once(SpendReceipt, program, identity, decide)

    def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> UndoSpendReceipt:
        """Undo a spend, once: its units return to their lots, which keep their expiry."""
        spend, at = _read(read_text, "spend", spend), _instant(at)
        identity = _identity(program, event, undo_spend_phase(spend), {"spend": spend}, at)

        def decide() -> Decision:
            spent = self._storage.undoable(program.id, spend)
            if not isinstance(spent, SpendCurrency):
                return Refusal(("unknown_spend",), f"no spend {spend} has been recorded")
            self._storage.lock([account_lock(program.id, Account.of(spent))])
            if self._storage.is_undone(spend):
                return _already_undone(spend)
            lots = {each.lot: lot for each in spent.draws if (lot := self._storage.lot(each.lot)) is not None}
            return (spending.undo_spend(spent, lots, at),)

        return self._once(UndoSpendReceipt, program, identity, decide)

    # -- coupons -----------------------------------------------------------------------------------------------------

    def redeem(self, program: Program, code: str, transaction: Transaction) -> RedeemReceipt:
        """Redeem a coupon by its serial or shared code; of several with one code, the redeeming member's own."""
        code = _read(read_text, "code", code)
        coupons = self._storage.coupons_by_code(program.id, code)
        phase = _phase_of_redemption(code, coupons)
        identity = _identity(program, transaction.id, phase, {"event": dump(transaction)}, transaction.occurred_at)

        def decide() -> Decision:
            self._storage.lock(sale_lock(program.id, each.issue.event) for each in coupons)
            coupon = self._chosen(program, code, transaction)
            snapshot = self._snapshot(program, transaction, program.counters(transaction))
            return _of_one(redemption.redeem(program, coupon, transaction, snapshot))

        return self._once(RedeemReceipt, program, identity, decide)

    def _chosen(self, program: Program, code: str, transaction: Transaction) -> CouponRecord | None:
        """Return the coupon of a code that a transaction redeems: the member's own, else one without a member."""
        coupons = self._storage.coupons_by_code(program.id, code)
        if not coupons or coupons[0].issue.serial is not None:
            return coupons[0] if coupons else None
        at, member = transaction.occurred_at, transaction.member.id if transaction.member is not None else None
        mine = [each for each in coupons if each.issue.member == member and member is not None]
        candidates = [*mine, *(each for each in coupons if each.issue.member is None)]
        usable = [each for each in candidates if each.state_at(at) == "issued" and each.issue.valid_from <= at]
        return next(iter(usable or candidates), None)

    def undo_redemption(self, program: Program, redemption: str, *, event: str, at: datetime) -> UndoRedemptionReceipt:
        """Undo a redemption, once: the coupon is reinstated if it is still valid."""
        key, at = _read(read_text, "redemption", redemption), _instant(at)
        identity = _identity(program, event, undo_redemption_phase(key), {"redemption": key}, at)

        def decide() -> Decision:
            return self._undo_redemption(program, key)

        return self._once(UndoRedemptionReceipt, program, identity, decide)

    def _undo_redemption(self, program: Program, key: str) -> Decision:
        redeemed = self._storage.undoable(program.id, key)
        if not isinstance(redeemed, RedeemCoupon):
            return Refusal(("unknown_redemption",), f"no redemption {key} has been recorded")
        coupon = self._locked_coupon(program, redeemed.coupon)
        if self._storage.is_undone(key):
            return _already_undone(key)
        return _of_one(redemption.undo_redemption(redeemed, coupon)) if coupon else _unknown_sale(redeemed.coupon)

    def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> VoidReceipt:
        """Void a coupon that is neither redeemed nor expired."""
        coupon, at = _read(read_text, "coupon", coupon), _instant(at)
        identity = _identity(program, event, void_phase(coupon), {"coupon": coupon}, at)

        def decide() -> Decision:
            return _of_one(redemption.void(program, self._locked_coupon(program, coupon), event, at))

        return self._once(VoidReceipt, program, identity, decide)

    # -- expiry ------------------------------------------------------------------------------------------------------

    def expire(self, program: Program, at: datetime) -> Sequence[ExpireReceipt]:
        """Record the expiry of the lots and coupons that have expired by `at`."""
        with self._storage.atomic():
            return [self.expire_one(program, each, at) for each in self.expired(program, at)]

    def expired(self, program: Program, at: datetime) -> Iterator[Lot | CouponRecord]:
        """Yield the lots and coupons that have expired by `at` without a record of it, in the order of issue."""
        at = _instant(at)
        candidates: list[Lot | CouponRecord] = [*self._storage.expiring_lots(program.id, at)]
        candidates += self._storage.expiring_coupons(program.id, at)
        return (each for each in candidates if any(_expiry_of(each, at)))

    def expire_one(self, program: Program, what: Lot | CouponRecord, at: datetime) -> ExpireReceipt:
        """Record the expiry of a lot or a coupon that has expired by `at`."""
        intent = next(_expiry_of(what, at))
        identity = IdempotencyRecord(program.id, intent.key, "expire", {"key": intent.key}, intent.expired_at, at)

        def decide() -> Decision:
            current = self._locked_again(program, what)
            still = next(_expiry_of(current, at), None) if current is not None else None
            return (still,) if still is not None else Refusal(("not_expired",), f"{what.key} has changed meanwhile")

        return self._once(ExpireReceipt, program, identity, decide)

    def _locked_again(self, program: Program, what: Lot | CouponRecord) -> Lot | CouponRecord | None:
        if isinstance(what, CouponRecord):
            return self._locked_coupon(program, what.key)
        locked = self._locked_lot(program, what.key)
        return locked[1] if locked is not None else None

    # -- locked look-ups ---------------------------------------------------------------------------------------------

    def _locked_sale(self, program: Program, event: str) -> Sale | None:
        """Lock a sale with its accounts, and return it; None if no such sale has been recorded."""
        self._storage.lock([sale_lock(program.id, event)])
        sale = self._storage.sale(program.id, event)
        if sale is not None:
            self._storage.lock(account_lock(program.id, each) for each in _accounts(sale.event))
        return sale

    def _locked_lot(self, program: Program, key: str) -> tuple[Sale, Lot] | None:
        """Lock the sale of a lot, and return both; None if the program has no such lot."""
        lot = self._storage.lot(key) if is_of_program(key, program.id) else None
        sale = self._locked_sale(program, lot.issue.event) if lot is not None else None
        current = self._storage.lot(key)  # read again: it may have changed before it was locked
        return (sale, current) if sale is not None and current is not None else None

    def _locked_coupon(self, program: Program, key: str) -> CouponRecord | None:
        """Lock the sale of a coupon, and return the coupon; None if the program has no such coupon."""
        coupon = self._storage.coupon(key) if is_of_program(key, program.id) else None
        if coupon is None:
            return None
        self._storage.lock([sale_lock(program.id, coupon.issue.event)])
        return self._storage.coupon(key)  # read again: it may have changed before it was locked

    # -- recording ---------------------------------------------------------------------------------------------------

    def _once(
        self,
        receipt: type[R],
        program: Program,
        identity: IdempotencyRecord,
        decide: Callable[[], Decision],
        serials: SerialGenerator | None = None,
        ignoring: Sequence[str] = (),
        locks: Iterable[LockKey] = (),
    ) -> R:
        """Record a decision once. A retry returns the recorded receipt; a refusal leaves no record.

        Other inputs under the same key raise `IdempotencyConflict`; a retry may differ in those named by `ignoring`.
        `locks` are the locks that are known before the batch is claimed.
        """
        check_key(identity)
        try:
            with self._storage.atomic():
                recorded = self._storage.claim_batch(identity, locks)
                if recorded is not None:
                    return replayed(receipt, recorded, identity, ignoring)
                decided = decide()
                if isinstance(decided, Refusal):
                    raise _Refused(decided)
                posting = self._posted(program, identity, decided, serials)
                result = receipt("recorded", identity.key, tuple(posting.recorded), tuple(posting.trims))
                self._storage.commit_batch(result)
                return result
        except _Refused as refused:
            return receipt("refused", identity.key, refusal=refused.refusal)

    def _posted(
        self,
        program: Program,
        identity: IdempotencyRecord,
        intents: Sequence[Intent],
        serials: SerialGenerator | None,
    ) -> Posting:
        claimed = [*windows_of(intents)]
        self._storage.lock(counter_lock(program.id, name) for name, _, _ in claimed)
        self._storage.read_counters(program.id, claimed)
        posting = Posting(self._storage, program, identity, serials)
        posting.post(intents)
        return posting

    # -- queries -----------------------------------------------------------------------------------------------------

    def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance:
        """Return the balance of an account as of an instant."""
        at = _instant(at)
        lots = self._storage.lots_at(program, account, currency, at)
        promised = sum(micros(lot.promised) for lot in lots)
        debt = self._storage.debt_at(program, account, currency, at)
        return Balance(spending.available(lots, at), decimal_of(promised), decimal_of(debt))

    def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return an account's lots of a currency as of an instant, in the order of issue."""
        return self._storage.lots_at(program, account, currency, _instant(at))

    def promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return the promises that were open at an instant, in the order of issue."""
        return self._storage.promised_at(program, _instant(at))

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Return the entries of an account up to an instant, in the order of record."""
        return self._storage.statement(program, account, _instant(at))

    def coupon(self, program: str, code: str) -> CouponRecord | None:
        """Return the coupon of a serial, in any spelling, or the first coupon with a shared code; None if unknown."""
        return next(iter(self._storage.coupons_by_code(program, _read(read_text, "code", code))), None)

    def coupons(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Return the coupons of a member, in the order of issue."""
        return self._storage.coupons_of(program, member)

    def report_rows(self, program: str, at: datetime) -> ReportRows:
        """Return the rows of the reports as of an instant."""
        at = _instant(at)
        lots = (_report_lot(history, store, at) for history, store in self._storage.lot_histories(program))
        return ReportRows(at, tuple(filter(None, lots)), tuple(self._storage.coupons_at(program, at)))


# -- arguments -------------------------------------------------------------------------------------------------------


def _instant(at: datetime, name: str = "at") -> datetime:
    """Read an instant as those of events are read: one without an offset is an `InvalidValueError`."""
    return _read(read_instant, name, at)


def _recorded_at(event: Event, at: datetime | None) -> datetime:
    """Return the instant of the record: the event's own, unless the host passes another."""
    return _instant(at, "recorded_at") if at is not None else event.occurred_at


def _read(read: Callable[[Any], T], name: str, value: Any) -> T:
    """Read an argument; an `InvalidValueError` names the argument."""
    try:
        return read(value)
    except InvalidValueError as error:
        raise error.under(name) from None


def _identity(program: Program, event: str, phase: str, inputs: Mapping[str, Any], at: datetime) -> IdempotencyRecord:
    """Return the idempotency record of an operation that a host calls with the id of its own event."""
    return IdempotencyRecord(program.id, _read(read_name, "event", event), phase, inputs, at, at)


def _phase_of_redemption(code: str, coupons: Sequence[CouponRecord]) -> str:
    """Return the phase of a redemption: by the key of a coupon with a serial, which is secret, or by a shared code."""
    if not coupons:
        return redemption_phase()
    if coupons[0].issue.serial is not None:
        return redemption_phase(coupons[0].key)
    return redemption_phase(code=canonical_code(code))


# -- helpers ---------------------------------------------------------------------------------------------------------


def _locks(
    program: Program, event: Transaction | Activity, counters: Sequence[Counter] | None = None
) -> Iterator[LockKey]:
    """Yield the locks of a sale: its accounts and the counters of its snapshot."""
    yield from (account_lock(program.id, each) for each in _accounts(event))
    for counter in counters if counters is not None else program.counters(event):
        yield counter_lock(program.id, counter.name)


def _accounts(event: Transaction | Activity) -> Iterator[Account]:
    if event.member is not None:
        yield Account("member", event.member.id)
        if event.member.group is not None:
            yield Account("group", event.member.group)


def _of_one(decided: Intent | Refusal) -> Decision:
    return decided if isinstance(decided, Refusal) else (decided,)


def _unknown_sale(event: str) -> Refusal:
    return Refusal(("unknown_sale",), f"no sale {event} has been recorded")


def _already_undone(key: str) -> Refusal:
    return Refusal(("already_undone",), f"{key} has been undone already")


def _expiry_of(what: Lot | CouponRecord, at: datetime) -> Iterator[ExpireCurrency | ExpireCoupon]:
    return sweep.expire([what], at) if isinstance(what, Lot) else sweep.expire_coupons([what], at)


def _report_lot(history: LotHistory, store: str | None, at: datetime) -> ReportLot | None:
    lot = history.lot(at)
    if lot is None:
        return None
    return ReportLot(lot, store, tuple(each for each in history.entries if each.at <= at))
