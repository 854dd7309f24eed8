"""What each operation of a ledger looks up, decides and records, over any storage. Source: ledger.

An operation is the same everywhere: claim its batch, hold what it is about, look up, decide (in `lifecycle`, or by
`Program.evaluate`), post the intents, write the receipt. The storage say where things are kept.
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
from loyalty_rules.ledger.idempotency import IdempotencyRecord, check_key, inputs_of_event, replayed
from loyalty_rules.ledger.locks import LockKey, account_lock, counter_lock, sale_lock
from loyalty_rules.ledger.posting import Posting, windows_of
from loyalty_rules.ledger.protocol import Balance, Entry, Receipt, ReportLot, ReportRows
from loyalty_rules.ledger.records import LotHistory
from loyalty_rules.ledger.storage import Storage, Window
from loyalty_rules.lifecycle import promises, redemption, returns, spending, sweep
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Refusal, Sale
from loyalty_rules.lifecycle.redemption import undo_redemption
from loyalty_rules.loading import dump
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.amounts import decimal_of, micros, read_decimal, text_of
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["LedgerService"]

T = TypeVar("T")
Decision: TypeAlias = tuple[Intent, ...] | Refusal


class _Refused(Exception):
    """A decision to do nothing: it leaves the transaction, so that nothing of it is kept."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class LedgerService:
    """The operations of a ledger over storage: see `Ledger` for what each does.

    `serials` gives the serials of coupons where a call passes none, and another one where a serial is taken.
    """

    def __init__(self, storage: Storage, serials: SerialGenerator | None = None) -> None:
        self._storage = storage
        self._serials = serials

    # -- sales -------------------------------------------------------------------------------------------------------

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Read the counters and trackers of an event, and hold them, since what follows is decided by them."""
        counters = program.counters(event)
        self._storage.lock(counter_lock(program.id, each.name) for each in counters)
        return self._snapshot(program, event, counters)

    def _snapshot(self, program: Program, event: Event, counters: Iterable[Counter]) -> Snapshot:
        storage = self._storage
        storage.read_counters(program.id, [_window(each) for each in counters])
        return program.snapshot(event, lambda each: decimal_of(storage.counter_value(program.id, _window(each))))

    def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> Receipt:
        """Record an evaluation once, under the program version and the snapshot that it was decided under."""
        basis = evaluation.basis
        program, event, snapshot = basis.program, basis.event, basis.snapshot
        given = inputs_of_event(program, event, _recorded_at(event, recorded_at))

        def decide() -> Decision:
            self._storage.save_sale(Sale(program, event, snapshot))
            return evaluation.intents

        return self._once(program, given, decide, self._serials, about=_scopes(program, event))

    def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> Receipt:
        """Decide and record any event. What is recorded already is given back, whatever the program says today."""
        if not isinstance(event, (Transaction, Activity)):
            return self._once(
                program,
                inputs_of_event(program, event, _recorded_at(event, recorded_at)),
                lambda: self._later(program, event),
            )
        given = inputs_of_event(program, event, _recorded_at(event, recorded_at))
        making = serials if serials is not None else self._serials
        counters = program.counters(event)

        def decide() -> Decision:
            return self._sell(program, event, counters, making)

        about = _scopes(program, event, counters)
        return self._once(program, given, decide, making, ignoring=("program_version",), about=about)

    def _sell(
        self,
        program: Program,
        event: Transaction | Activity,
        counters: Sequence[Counter],
        serials: SerialGenerator | None,
    ) -> Decision:
        snapshot = self._snapshot(program, event, counters)
        evaluation = program.evaluate(event, snapshot, serials=serials)
        self._storage.save_sale(Sale(program, event, snapshot))
        return evaluation.intents

    def _later(self, program: Program, event: Return | Update | Confirmation) -> Decision:
        match event:
            case Return():
                return self._take_back(program, event)
            case Update():
                return self._update(program, event)
            case Confirmation():
                return self._confirm(program, event)

    # -- after the sale ----------------------------------------------------------------------------------------------

    def _take_back(self, program: Program, back: Return) -> Decision:
        storage = self._storage
        sale = self._locked_sale(program, back.of)
        if sale is None:
            return _unknown_sale(back.of)
        own = {lot.key: lot for lot in storage.lots_of_sale(program.id, back.of)}
        accounts = dict.fromkeys(lot.account for lot in own.values())
        others = {lot.key: lot for account in accounts for lot in storage.lots_of(program.id, account)}
        coupons = storage.coupons_of_sale(program.id, back.of)
        tracked = {name: decimal_of(each) for name, each in storage.contributions(program.id, back.of).items()}
        redeemed = self._redeemed_in(program, back.of)
        decided = returns.take_back(sale, back, [*({**others, **own}.values())], coupons, tracked, redeemed)
        if not isinstance(decided, Refusal):
            storage.save_sale(attrs.evolve(sale, returns=(*sale.returns, back)))
        return decided

    def _locked_sale(self, program: Program, event: str) -> Sale | None:
        """Give a sale, and hold it with its accounts: nobody else decides about its lots and coupons meanwhile."""
        self._storage.lock([sale_lock(program.id, event)])
        sale = self._storage.sale(program.id, event)
        if sale is not None:
            self._storage.lock(account_lock(program.id, each) for each in _accounts(sale.event))
        return sale

    def _redeemed_in(self, program: Program, event: str) -> list[tuple[RedeemCoupon, CouponRecord]]:
        """The redemptions that a transaction made and that nothing has undone, each with its coupon."""
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
        held = self._locked_lot(program, confirmation.promise)
        if held is None:
            return Refusal(("unknown_promise",), f"no promise {confirmation.promise}")
        return promises.confirm(*held, confirmation)

    def _locked_lot(self, program: Program, key: str) -> tuple[Sale, Lot] | None:
        """Give a lot of the program with its sale, both held."""
        lot = self._storage.lot(key) if is_of_program(key, program.id) else None
        sale = self._locked_sale(program, lot.issue.event) if lot is not None else None
        held = self._storage.lot(key)  # read again: it may have changed before it was held
        return (sale, held) if sale is not None and held is not None else None

    def settle(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Release the delayed promises that are due by `at`, in the order in which they are due."""
        with self._storage.atomic():
            return [self.settle_one(program, lot, at) for lot in self.due(program, at)]

    def due(self, program: Program, at: datetime) -> list[Lot]:
        """Give the promises that are due by an instant, in the order in which they are due."""
        at = _instant(at)
        due = [lot for lot in self._storage.due_promises(program.id, at) if promises.is_due(lot, at)]
        return sorted(due, key=lambda lot: (lot.issue.due_at or at, lot.order))

    def settle_one(self, program: Program, lot: Lot, at: datetime) -> Receipt:
        """Release one delayed promise that is due by `at`."""

        def decide() -> Decision:
            held = self._locked_lot(program, lot.key)
            return promises.settle(*held, at) if held is not None else _unknown_sale(lot.issue.event)

        due_at = lot.issue.due_at or at
        return self._once(
            program, IdempotencyRecord(program.id, lot.key, "settle", {"promise": lot.key}, due_at, at), decide
        )

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
        amount, at = _read(read_decimal, "amount", amount), _instant(at)
        inputs = {
            "account": f"{account.kind} {account.id}",
            "member": _read(read_name, "member", member),
            "amount": text_of(amount),
        }

        def decide() -> Decision:
            self._storage.lock([account_lock(program.id, account)])
            lots = self._storage.lots_of(program.id, account)
            return _of_one(spending.spend(program, account, member, currency, event, lots, amount, at))

        return self._once(program, _inputs(program, event, spend_phase(currency), inputs, at), decide)

    def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> Receipt:
        """Undo a spend, once: the lots get their units back with their own expiry."""
        spend, at = _read(read_text, "spend", spend), _instant(at)

        def decide() -> Decision:
            spent = self._storage.undoable(program.id, spend)
            if not isinstance(spent, SpendCurrency):
                return Refusal(("unknown_spend",), f"no spend {spend}")
            account = Account.of(spent)
            self._storage.lock([account_lock(program.id, account)])
            if self._storage.is_undone(spend):
                return Refusal(("already_undone",), f"{spend} has been undone")
            lots = {each.lot: lot for each in spent.draws if (lot := self._storage.lot(each.lot)) is not None}
            return (spending.undo_spend(spent, lots, at),)

        return self._once(program, _inputs(program, event, undo_spend_phase(spend), {"spend": spend}, at), decide)

    # -- coupons -----------------------------------------------------------------------------------------------------

    def redeem(self, program: Program, code: str, transaction: Transaction) -> Receipt:
        """Redeem a coupon by its serial or shared code; of several with one code, the redeeming member's own."""
        code = _read(read_text, "code", code)
        coupons = self._storage.coupons_by_code(program.id, code)

        def decide() -> Decision:
            self._storage.lock(sale_lock(program.id, each.issue.event) for each in coupons)
            coupon = self._chosen(program, code, transaction)
            snapshot = self._snapshot(program, transaction, program.counters(transaction))
            return _of_one(redemption.redeem(program, coupon, transaction, snapshot))

        # A serial is a secret and stands in no key: what is redeemed is told by the coupon's own.
        if coupons and coupons[0].issue.serial is not None:
            phase = redemption_phase(coupons[0].key)
        else:
            phase = redemption_phase(code=canonical_code(code) if coupons else None)
        inputs = {"event": dump(transaction)}
        at = transaction.occurred_at
        return self._once(program, _inputs(program, transaction.id, phase, inputs, at), decide)

    def _chosen(self, program: Program, code: str, transaction: Transaction) -> CouponRecord | None:
        coupons = self._storage.coupons_by_code(program.id, code)
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
        redemption, at = _read(read_text, "redemption", redemption), _instant(at)

        def decide() -> Decision:
            redeemed = self._storage.undoable(program.id, redemption)
            if not isinstance(redeemed, RedeemCoupon):
                return Refusal(("unknown_redemption",), f"no redemption {redemption}")
            coupon = self._locked_coupon(program, redeemed.coupon)
            if self._storage.is_undone(redemption):
                return Refusal(("already_undone",), f"{redemption} has been undone")
            return _of_one(undo_redemption(redeemed, coupon)) if coupon is not None else _unknown_sale(redeemed.coupon)

        phase = undo_redemption_phase(redemption)
        return self._once(program, _inputs(program, event, phase, {"redemption": redemption}, at), decide)

    def _locked_coupon(self, program: Program, key: str) -> CouponRecord | None:
        coupon = self._storage.coupon(key) if is_of_program(key, program.id) else None
        if coupon is None:
            return None
        self._storage.lock([sale_lock(program.id, coupon.issue.event)])
        return self._storage.coupon(key)  # read again: it may have changed before it was held

    def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> Receipt:
        """Void a coupon that was not redeemed."""
        coupon, at = _read(read_text, "coupon", coupon), _instant(at)

        def decide() -> Decision:
            return _of_one(redemption.void(program, self._locked_coupon(program, coupon), event, at))

        return self._once(program, _inputs(program, event, void_phase(coupon), {"coupon": coupon}, at), decide)

    # -- time --------------------------------------------------------------------------------------------------------

    def expire(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Write down the lots and coupons that have expired by `at`."""
        with self._storage.atomic():
            return [self.expire_one(program, each, at) for each in self.expired(program, at)]

    def expired(self, program: Program, at: datetime) -> Iterator[Lot | CouponRecord]:
        """Give the lots and coupons that have expired by `at` and are not written down as such, in order of issue."""
        at = _instant(at)
        found: list[Lot | CouponRecord] = [*self._storage.expiring_lots(program.id, at)]
        found += self._storage.expiring_coupons(program.id, at)
        return (each for each in found if any(_sweep(each, at)))

    def expire_one(self, program: Program, what: Lot | CouponRecord, at: datetime) -> Receipt:
        """Write down that a lot or a coupon has expired by `at`."""
        intent = next(_sweep(what, at))

        def decide() -> Decision:
            found = self._locked_lot(program, what.key) if isinstance(what, Lot) else None
            held = found[1] if found is not None else self._locked_coupon(program, what.key)
            still = next(_sweep(held, at), None) if held is not None else None
            return (still,) if still is not None else Refusal(("not_expired",), f"{what.key} has changed meanwhile")

        given = IdempotencyRecord(program.id, intent.key, "expire", {"key": intent.key}, intent.expired_at, at)
        return self._once(program, given, decide)

    # -- recording ---------------------------------------------------------------------------------------------------

    def _once(
        self,
        program: Program,
        given: IdempotencyRecord,
        decide: Callable[[], Decision],
        serials: SerialGenerator | None = None,
        ignoring: Sequence[str] = (),
        about: Iterable[LockKey] = (),
    ) -> Receipt:
        """Record a decision once: a replay gives what was recorded, other inputs conflict, a refusal is no record.

        `whatever` are inputs in which a replay may differ, `about` all that must be held, where it is known already.
        """
        check_key(given)
        try:
            with self._storage.atomic():
                recorded = self._storage.claim_batch(given, about)
                if recorded is not None:
                    return replayed(recorded, given, ignoring)
                decided = decide()
                if isinstance(decided, Refusal):
                    raise _Refused(decided)
                receipt = self._posted(program, given, decided, serials)
                self._storage.commit_batch(receipt)
                return receipt
        except _Refused as refused:
            return Receipt("refused", given.key, refusal=refused.refusal)

    def _posted(
        self, program: Program, given: IdempotencyRecord, intents: Sequence[Intent], serials: SerialGenerator | None
    ) -> Receipt:
        claimed = [*windows_of(intents)]
        self._storage.lock(counter_lock(program.id, name) for name, _, _ in claimed)
        self._storage.read_counters(program.id, claimed)
        posting = Posting(self._storage, program, given, serials)
        posting.post(intents)
        return Receipt("recorded", given.key, tuple(posting.recorded), tuple(posting.trims))

    # -- queries -----------------------------------------------------------------------------------------------------

    def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance:
        """Give what an account has at an instant."""
        at = _instant(at)
        lots = self._storage.lots_at(program, account, currency, at)
        promised = sum(micros(lot.promised) for lot in lots)
        debt = self._storage.debt_at(program, account, currency, at)
        return Balance(spending.available(lots, at), decimal_of(promised), decimal_of(debt))

    def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Give the account's lots of a currency as they stood at an instant."""
        return self._storage.lots_at(program, account, currency, _instant(at))

    def promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the promises that were open at an instant."""
        return self._storage.promised_at(program, _instant(at))

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Give every entry of an account up to an instant."""
        return self._storage.statement(program, account, _instant(at))

    def coupon(self, program: str, code: str) -> CouponRecord | None:
        """Find a coupon by its serial, however it is written, or the first with a shared code."""
        return next(iter(self._storage.coupons_by_code(program, _read(read_text, "code", code))), None)

    def coupons(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Give the coupons of a member, in the order of issue."""
        return self._storage.coupons_of(program, member)

    def report_rows(self, program: str, at: datetime) -> ReportRows:
        """Give what the reports are made of, as it stood at an instant."""
        at = _instant(at)
        histories = (_history(file, store, at) for file, store in self._storage.lot_histories(program))
        return ReportRows(at, tuple(filter(None, histories)), tuple(self._storage.coupons_at(program, at)))


def _inputs(program: Program, event: str, phase: str, inputs: Mapping[str, Any], at: datetime) -> IdempotencyRecord:
    """Say what an operation of a host's is recognised by."""
    return IdempotencyRecord(program.id, _read(read_name, "event", event), phase, inputs, at, at)


def _instant(at: datetime, name: str = "at") -> datetime:
    """Read an instant that a host gives, as those of events are read: a naive one is refused."""
    return _read(read_instant, name, at)


def _recorded_at(event: Event, at: datetime | None) -> datetime:
    """Return the instant of the record: the event's own, unless the host passes another."""
    return _instant(at, "recorded_at") if at is not None else event.occurred_at


def _read(read: Callable[[Any], T], name: str, value: Any) -> T:
    """Read an argument; what can't be read is an error that names it."""
    try:
        return read(value)
    except InvalidValueError as error:
        raise error.under(name) from None


def _scopes(
    program: Program, event: Transaction | Activity, counters: Sequence[Counter] | None = None
) -> Iterator[LockKey]:
    """What a sale is decided by, and what it changes."""
    yield from (account_lock(program.id, each) for each in _accounts(event))
    for counter in counters if counters is not None else program.counters(event):
        yield counter_lock(program.id, counter.name)


def _accounts(event: Transaction | Activity) -> Iterator[Account]:
    if event.member is not None:
        yield Account("member", event.member.id)
        if event.member.group is not None:
            yield Account("group", event.member.group)


def _window(counter: Counter) -> Window:
    return counter.name, counter.from_date, counter.to_date


def _of_one(decided: Intent | Refusal) -> Decision:
    return decided if isinstance(decided, Refusal) else (decided,)


def _sweep(what: Lot | CouponRecord, at: datetime) -> Iterator[ExpireCurrency | ExpireCoupon]:
    return sweep.expire([what], at) if isinstance(what, Lot) else sweep.expire_coupons([what], at)


def _history(file: LotHistory, store: str | None, at: datetime) -> ReportLot | None:
    lot = file.lot(at)
    if lot is None:
        return None
    return ReportLot(lot, store, tuple(each for each in file.entries if each.at <= at))


def _unknown_sale(event: str) -> Refusal:
    return Refusal(("unknown_sale",), f"no sale {event} has been recorded")
