"""Look-ups for the decisions of operations: sales, lots, coupons and snapshots.

Rows are locked before they are read. The key of a lot or a coupon names the sale to lock.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar, cast

import attrs

from loyalty_rules.engine.counters import Counter, make_snapshot
from loyalty_rules.events import Activity, Event, Member, Snapshot, TierStanding, Transaction
from loyalty_rules.intents import (
    Claim,
    Intent,
    IssueCoupon,
    IssueCurrency,
    MergeAccounts,
    RedeemCoupon,
    ReleaseHold,
    SendMessage,
    SpendCurrency,
)
from loyalty_rules.keys import event_key, is_of_program, member_key
from loyalty_rules.ledger.errors import ClosedAccount
from loyalty_rules.ledger.held_units import before_its_end
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import (
    FURTHER_LOTS,
    HOLDS,
    LEVELS,
    MERGERS,
    PAYMENTS,
    SHORTFALLS,
    balance_name,
    holder_name,
)
from loyalty_rules.ledger.locks import LockKey, account_lock, counter_lock, sale_lock
from loyalty_rules.ledger.posting import Posting
from loyalty_rules.ledger.records import Balance
from loyalty_rules.ledger.rolling_caps import capped_value, windows_to_read
from loyalty_rules.ledger.storage import Storage, window_of
from loyalty_rules.lifecycle.holding import after_ended_holds
from loyalty_rules.lifecycle.levels import standing_at
from loyalty_rules.lifecycle.merging import counter_of_other_member, member_of_counter
from loyalty_rules.lifecycle.records import Account, CouponRecord, Hold, Lot, Payment, Refusal, Sale, Shortfall
from loyalty_rules.lifecycle.returned_coupons import is_coupon_earned
from loyalty_rules.lifecycle.spending import available
from loyalty_rules.program import Program
from loyalty_rules.rules.tiers import Tier
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = [
    "LockedHold",
    "accounts_of",
    "check_open",
    "counter_value",
    "coupons_of_sale",
    "current_account",
    "current_event",
    "current_member",
    "current_sale",
    "discounts_of",
    "end_holds",
    "hold_of",
    "holder_of",
    "is_closed",
    "is_current",
    "is_earned",
    "level_at",
    "locked_account",
    "locked_coupon",
    "locked_further_lot",
    "locked_hold",
    "locked_lot",
    "locked_sale",
    "lots_around_sale",
    "lots_of",
    "lots_with_closings",
    "named_account",
    "open_event",
    "open_member",
    "open_sale",
    "payment_of",
    "payments_of",
    "read_balance",
    "read_lots",
    "read_snapshot",
    "sale_locks",
    "with_current_members",
]

EventT = TypeVar("EventT", bound=Event)

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def current_member(storage: Storage, program: Program, member: str) -> str:
    """Return the member that an id stands for: itself, or the member into which merges have brought it."""
    return _current(storage, program, member)[0]


def is_closed(storage: Storage, program: Program, member: str) -> bool:
    """Return whether the account of the member that an id stands for was closed by `forget`."""
    return _current(storage, program, member)[1]


def open_member(storage: Storage, program: Program, member: str) -> str:
    """Return the member that an id stands for; raises `ClosedAccount` if its account is closed."""
    current, has_closed = _current(storage, program, member)
    if has_closed:
        raise ClosedAccount(current)
    return current


def _current(storage: Storage, program: Program, member: str) -> tuple[str, bool]:
    """Return the member that an id stands for, and whether its account is closed."""
    while (merger := storage.record(MERGERS, member_key(program.id, member))) is not None:
        if merger.into is None:
            return member, True
        member = merger.into
    return member, False


def named_account(storage: Storage, program: Program, account: Account) -> Account:
    """Return the account that an account stands for since a merge, without a lock."""
    if account.kind != "member":
        return account
    member = current_member(storage, program, account.id)
    return account if member == account.id else Account("member", member)


def locked_account(storage: Storage, program: Program, account: Account) -> Account:
    """Lock an account, and the one that it stands for since a merge; return the latter."""
    storage.lock([account_lock(program.id, account)])
    current = named_account(storage, program, account)
    if current != account:
        storage.lock([account_lock(program.id, current)])
    return current


def current_account(storage: Storage, program: Program, account: Account) -> Account:
    """Lock an account, and the one that it stands for since a merge; return the latter.

    Raises `ClosedAccount` if it is closed.
    """
    storage.lock([account_lock(program.id, account)])
    if account.kind != "member":
        return account
    member = open_member(storage, program, account.id)
    if member == account.id:
        return account
    storage.lock([account_lock(program.id, Account("member", member))])
    return Account("member", open_member(storage, program, member))  # again: it may have been closed meanwhile


def current_event(storage: Storage, program: Program, event: EventT) -> EventT:
    """Return an event with the member that its member stands for since a merge."""
    return _renamed_event(event, lambda member: current_member(storage, program, member))


def open_event(storage: Storage, program: Program, event: EventT) -> EventT:
    """Return an event with the member that its member stands for; raises `ClosedAccount` if its account is closed."""
    return _renamed_event(event, lambda member: open_member(storage, program, member))


def check_open(storage: Storage, program: Program, account: Account) -> None:
    """Raise `ClosedAccount` if an account is closed; that of a group never is."""
    if account.kind == "member":
        open_member(storage, program, account.id)


def is_current(storage: Storage, program: Program, account: Account) -> bool:
    """Return whether an account stands for itself and is open."""
    if account.kind != "member":
        return True
    return _current(storage, program, account.id) == (account.id, False)


def open_sale(storage: Storage, program: Program, sale: Sale | None) -> Sale | None:
    """Return a sale if the account of its member is open, or if it has none; raises `ClosedAccount`."""
    member = sale.current().member if sale is not None else None
    if member is not None:
        open_member(storage, program, member.id)
    return sale


def lots_with_closings(storage: Storage, program: Program, lots: Iterable[Lot], member: str | None) -> list[Lot]:
    """Return lots, each told whether its account is closed; that of `member` is known to be open."""
    lots = [*lots]
    members = {lot.account.id for lot in lots if lot.account.kind == "member" and lot.account.id != member}
    closed = {Account("member", each) for each in members if is_closed(storage, program, each)}
    return [attrs.evolve(lot, is_closed=True) if lot.account in closed else lot for lot in lots]


def _renamed_event(event: EventT, current_of: Callable[[str], str]) -> EventT:
    member: Member | None = getattr(event, "member", None)
    if member is None:
        return event
    current = current_of(member.id)
    if current == member.id:
        return event
    renamed: EventT = attrs.evolve(cast(Any, event), member=attrs.evolve(member, id=current))
    return renamed


def current_sale(storage: Storage, program: Program, event: str) -> Sale | None:
    """Return a sale with the members that its own and those of its amendments stand for since a merge."""
    sale = storage.sale(program.id, event)
    if sale is None:
        return None
    updates = tuple(current_event(storage, program, each) for each in sale.updates)
    return attrs.evolve(sale, event=current_event(storage, program, sale.event), updates=updates)


def coupons_of_sale(storage: Storage, program: Program, event: str) -> Sequence[CouponRecord]:
    """Return the coupons of a sale, issued to the members that their members stand for since a merge."""
    coupons = storage.coupons_of_sale(program.id, event)
    members = {each.issue.member for each in coupons if each.issue.member is not None}
    current = {each: current_member(storage, program, each) for each in members}
    return [
        attrs.evolve(each, issue=attrs.evolve(each.issue, member=current[each.issue.member]), member=each.member)
        if each.issue.member is not None and current[each.issue.member] != each.issue.member
        else each
        for each in coupons
    ]


def with_current_members(storage: Storage, program: Program, intents: Sequence[Intent]) -> Sequence[Intent]:
    """Return intents whose claims and recipients name the members that stand for others since a merge.

    Only claims that are given back, and recipients whom a field names, can name another member. A recipient whose
    account is closed receives nothing.
    """
    named = bool(program.plan.recipients)
    if named:
        intents = _without_closed_recipients(storage, program, intents)
    return [_renamed(storage, program, each) if named or _gives_back(each) else each for each in intents]


def _without_closed_recipients(storage: Storage, program: Program, intents: Sequence[Intent]) -> Sequence[Intent]:
    received = [each for each in intents if isinstance(each, (IssueCurrency, IssueCoupon, SendMessage))]
    members = {each.member for each in received if each.member is not None}
    closed = {each for each in members if is_closed(storage, program, each)}
    dropped = {each.key for each in received if each.member in closed}
    return [each for each in intents if each.key not in dropped] if dropped else intents


def _gives_back(intent: Intent) -> bool:
    claims: tuple[Claim, ...] = getattr(intent, "claims", ()) if not isinstance(intent, MergeAccounts) else ()
    return any(micros(each.amount) < 0 for each in claims)


def _renamed(storage: Storage, program: Program, intent: Intent) -> Intent:
    changes: dict[str, Any] = {}
    if isinstance(intent, (IssueCurrency, IssueCoupon, SendMessage)) and intent.member is not None:
        changes["member"] = current_member(storage, program, intent.member)
    if getattr(intent, "claims", ()):
        changes["claims"] = tuple(_current_claim(storage, program, each) for each in getattr(intent, "claims", ()))
    renamed: Intent = attrs.evolve(cast(Any, intent), **changes)
    return renamed


def _current_claim(storage: Storage, program: Program, claim: Claim) -> Claim:
    member = member_of_counter(program, claim.counter)
    current = current_member(storage, program, member) if member is not None else None
    if member is None or current is None or member == current:
        return claim
    renamed = counter_of_other_member(program, claim.counter, member, current)
    return attrs.evolve(claim, counter=renamed) if renamed is not None else claim


def locked_sale(
    storage: Storage, program: Program, event: str, locks_of: Callable[[Sale], Iterable[LockKey]] = lambda _: ()
) -> Sale | None:
    """Lock a sale with its accounts, and return it; None if no such sale has been recorded.

    `locks_of` returns further accounts and counters to lock with them, in one order everywhere.
    """
    storage.lock([sale_lock(program.id, event)])
    sale = current_sale(storage, program, event)
    if sale is not None:
        events = (sale.event, sale.current())  # an amendment may have given it to another member
        accounts = dict.fromkeys(each for event in events for each in accounts_of(sale.program, event))
        storage.lock(dict.fromkeys([*(account_lock(program.id, each) for each in accounts), *locks_of(sale)]))
    return sale


def payers_of(storage: Storage, program: Program, payments: Iterable[Payment]) -> Iterator[LockKey]:
    """Yield the locks of the accounts whose spends are among some payments, also those that they stand for."""
    for payment in payments:
        if isinstance(payment.intent, SpendCurrency):
            account = Account.of(payment.intent)
            yield account_lock(program.id, account)
            yield account_lock(program.id, named_account(storage, program, account))


def locked_lot(storage: Storage, program: Program, key: str) -> tuple[Sale, Lot] | None:
    """Lock the sale of a lot with its accounts, and return both; None if the program has no such lot."""
    issued = storage.lot(key) if is_of_program(key, program.id) else None
    if issued is None:
        return None
    sale = locked_sale(storage, program, issued.issue.event)  # not the event of the key, which may be an amendment
    lot = storage.lot(key)  # again: it may have changed before the lock
    return (sale, lot) if sale is not None and lot is not None else None


def locked_further_lot(storage: Storage, program: Program, key: str) -> Lot | None:
    """Lock the account of a lot that no sale issued itself, and return the lot; None for any other key."""
    further = storage.record(FURTHER_LOTS, key) if is_of_program(key, program.id) else None
    lot = storage.lot(key) if further is not None else None
    if lot is None:
        return None
    storage.lock([account_lock(program.id, lot.account)])
    return storage.lot(key)


def locked_coupon(storage: Storage, program: Program, key: str) -> CouponRecord | None:
    """Lock the sale of a coupon, and return the coupon; None if the program has no such coupon."""
    if not is_of_program(key, program.id):
        return None
    issued = storage.coupon(key)
    if issued is None:
        return None
    storage.lock([sale_lock(program.id, issued.issue.event)])  # not the event of the key, which may be an amendment
    return storage.coupon(key)  # again: it may have changed before the lock


def against_coupon_of_later(storage: Storage, program: Program, coupon: CouponRecord, at: datetime) -> Refusal | None:
    """Return the refusal of an operation that is dated before the issue of its coupon, else None. Source: ledger 2."""
    sale = storage.sale(program.id, coupon.issue.event)
    if sale is None:
        return None  # a public code, whose coupon its own redemption issued
    prefixes = {f"{event_key(program.id, each.id)}/": each.occurred_at for each in sale.updates}
    amended = (since for prefix, since in prefixes.items() if coupon.key.startswith(prefix))
    if next(amended, sale.event.occurred_at) <= at:
        return None
    return Refusal(("too_early",), f"the operation is dated before the issue of {coupon.key}")


def discounts_of(storage: Storage, program: Program, coupons: Iterable[CouponRecord]) -> dict[str, Decimal]:
    """Return the discounts of the redemptions of some coupons, by the key of the redemption."""
    discounts: dict[str, Decimal] = {}
    for coupon in coupons:
        payment = payment_of(storage, program, coupon.redemption) if coupon.redemption is not None else None
        if payment is not None and isinstance(payment.intent, RedeemCoupon):
            discounts[payment.key] = payment.intent.discount
    return discounts


def is_earned(
    storage: Storage, program: Program, coupon: CouponRecord, at: datetime, lost: Collection[str] = ()
) -> bool:
    """Return whether a locked coupon is still earned at an instant, after the returns of the sale that issued it.

    `lost` are the keys of coupons that the same batch voids. The coupon of a public code is nobody's to keep, and that
    of a closed account is gone.
    """
    if coupon.is_public or (coupon.member is not None and is_closed(storage, program, coupon.member)):
        return False
    sale = current_sale(storage, program, coupon.issue.event)
    issued = coupons_of_sale(storage, program, coupon.issue.event)
    coupons = [attrs.evolve(each, state="voided") if each.key in lost else each for each in issued]
    return sale is None or is_coupon_earned(sale, coupons, coupon, at)


def lots_of(
    storage: Storage, program: Program, identity: IdempotencyRecord, account: Account, at: datetime | None = None
) -> Sequence[Lot]:
    """Return the lots of a locked account, after the holds that are over by the instant of a batch have ended.

    With `at` also those that were swept since.
    """
    lots = storage.lots_of(program.id, account, at)
    return storage.lots_of(program.id, account, at) if end_holds(storage, program, identity, lots) else lots


def lots_around_sale(
    storage: Storage,
    program: Program,
    identity: IdempotencyRecord,
    own: Sequence[Lot],
    accounts: Iterable[Account],
    at: datetime,
    buyer: str | None,
) -> dict[str, Lot]:
    """Return the lots of a sale, `own`, and those of some locked accounts, after the holds that are over have ended.

    The accounts' lots that were swept since the instant `at` are among them. The lots of the sale are told whether
    their account is closed; that of the `buyer` is open. They are also told the units that a promise lost at its end.
    """
    accounts = [*accounts]

    def of_accounts() -> list[Lot]:
        return [lot for account in accounts for lot in storage.lots_of(program.id, account, at)]

    lots = of_accounts()
    if end_holds(storage, program, identity, lots):
        lots = of_accounts()
        own = storage.lots_of_sale(program.id, own[0].issue.event) if own else own
    own = with_ended_units(storage, lots_with_closings(storage, program, own, buyer))
    return {lot.key: lot for lot in (*lots, *own)}


def with_ended_units(storage: Storage, lots: Iterable[Lot]) -> list[Lot]:
    """Return lots with the units whose promise was cancelled or has lapsed; a person may have voided others."""
    lots = [*lots]
    voided = [lot for lot in lots if micros(lot.voided) and lot.issue.state == "promised"]
    ended = {each.issue.key: each.ended_units for each in storage.changed_since(voided, _EVER)} if voided else {}
    return [attrs.evolve(lot, ended=decimal_of(ended.get(lot.key, 0))) for lot in lots]


def end_holds(storage: Storage, program: Program, identity: IdempotencyRecord, lots: Iterable[Lot]) -> bool:
    """End the holds on some lots that are over by the instant of a batch; return whether there are any.

    The accounts are locked. Rows must be read again if there are any.
    """
    return Posting(storage, program, identity).end_holds_on(lots)


@attrs.frozen
class LockedHold:
    """A hold of a locked account, with the lots that it drew on and the shortfalls of its balance."""

    hold: Hold
    lots: Mapping[str, Lot]
    shortfalls: Sequence[Shortfall]


def hold_of(storage: Storage, program: Program, key: str) -> Hold | None:
    """Return a hold by its key; None if the program has no such hold."""
    return storage.record(HOLDS, key) if is_of_program(key, program.id) else None


def locked_hold(storage: Storage, program: Program, key: str, at: datetime) -> LockedHold | None:
    """Lock the account of a hold, and return it as an event of an instant finds it; None if there is no such hold.

    A hold that a sweep has ended after the instant is still open, unless its units were used since.
    """
    held = hold_of(storage, program, key)
    if held is None:
        return None
    current_account(storage, program, held.account)
    held = hold_of(storage, program, key) or held  # again: it may have ended before its account was locked
    lots: Mapping[str, Lot] = {
        draw.lot: lot for draw in held.intent.draws if (lot := storage.lot(draw.lot)) is not None
    }
    if at < held.intent.until:
        held, lots = before_its_end(storage, held, lots)
    balance = balance_name(held.account, held.intent.currency)
    return LockedHold(held, lots, storage.records(SHORTFALLS, program.id, balance=balance))


def payment_of(storage: Storage, program: Program, key: str) -> Payment | None:
    """Return a spend or a redemption by its key; None if the program has no such payment."""
    return storage.record(PAYMENTS, key) if is_of_program(key, program.id) else None


def payments_of(storage: Storage, program: Program, event: str) -> Sequence[Payment]:
    """Return the spends and redemptions of a transaction that are not wholly undone, in the order of record."""
    return [each for each in storage.records(PAYMENTS, program.id, event=event) if not each.is_undone]


def read_snapshot(storage: Storage, program: Program, event: Event, counters: Iterable[Counter]) -> Snapshot:
    """Read the counters of an event in one batch, and return its snapshot."""
    counters = [*counters]
    caps = [window_of(each) for each in counters if each.kind != "tracker"]
    trackers = [window_of(each) for each in counters if each.kind == "tracker"]
    storage.read_counters(program.id, [*windows_to_read(caps), *trackers])
    snapshot = make_snapshot(counters, lambda each: decimal_of(counter_value(storage, program, each)))
    if not isinstance(event, (Transaction, Activity)) or event.member is None:
        return snapshot
    if program.tiers:
        levels = {tier.id: _standing(storage, program, tier, event) for tier in program.tiers}
        snapshot = attrs.evolve(snapshot, tiers={tier: held for tier, held in levels.items() if held is not None})
    if program.plan.balances:
        account, at = Account("member", event.member.id), event.occurred_at
        held = {each: read_balance(storage, program.id, account, each, at) for each in program.plan.balances}
        available_by_currency = {
            name: decimal_of(micros(each.available) - micros(each.debt)) for name, each in held.items()
        }
        snapshot = attrs.evolve(snapshot, balances=available_by_currency)
    return snapshot


def counter_value(storage: Storage, program: Program, counter: Counter) -> int:
    """Return the value of a tracker in its window, or of a cap in the fullest window of the event, in millionths."""
    value_of = storage.counter_value if counter.kind == "tracker" else partial(capped_value, storage)
    return value_of(program.id, window_of(counter))


def _standing(storage: Storage, program: Program, tier: Tier, event: Transaction | Activity) -> TierStanding | None:
    """Return the level of an event's member as of the event, or of its group; None if the group's is asked for none."""
    account = holder_of(program, tier, event.member)
    return level_at(storage, program, tier, account, event.occurred_at) if account is not None else None


def holder_of(program: Program, tier: Tier, member: Member | None) -> Account | None:
    """Return the account that has the level of a member in a tier: its own, or its group's; None if it has none."""
    if member is None:
        return None
    tracker = next(each for each in program.trackers if each.id == tier.by)
    if tracker.per == "member":
        return Account("member", member.id)
    return Account("group", member.group) if member.group is not None else None


def level_at(storage: Storage, program: Program, tier: Tier, account: Account, at: datetime) -> TierStanding:
    """Return the level of an account in a tier as of an instant."""
    changes = storage.records_at(LEVELS, program.id, at, holder=holder_name(tier.id, account))
    return standing_at(tier, changes, at)


def read_balance(storage: Storage, program: str, account: Account, currency: str, at: datetime) -> Balance:
    """Return the balance of an account as of an instant."""
    lots = storage.balance_lots_at(program, account, currency, at)
    lots, shortfalls, _ = _after_ended_holds(storage, program, account, currency, at, lots)
    promised, held = sum(micros(lot.promised) for lot in lots), sum(micros(lot.held) for lot in lots)
    debt = sum(micros(each.open) for each in shortfalls if each.is_owed)
    return Balance(available(lots, at), decimal_of(promised), decimal_of(debt), decimal_of(held))


def read_lots(
    storage: Storage, program: str, account: Account, currency: str, at: datetime
) -> tuple[list[Lot], list[Shortfall], list[ReleaseHold]]:
    """Return the lots and the shortfalls of a balance as of an instant, after its holds that are over have ended.

    The last value are the ends of holds that are not recorded.
    """
    lots = storage.lots_at(program, account, currency, at)
    return _after_ended_holds(storage, program, account, currency, at, lots)


def _after_ended_holds(
    storage: Storage, program: str, account: Account, currency: str, at: datetime, lots: Sequence[Lot]
) -> tuple[list[Lot], list[Shortfall], list[ReleaseHold]]:
    shortfalls = [*storage.records_at(SHORTFALLS, program, at, balance=balance_name(account, currency))]
    if not any(micros(lot.held) for lot in lots):
        return [*lots], shortfalls, []
    holds = storage.records_at(HOLDS, program, at, balance=balance_name(account, currency))
    return after_ended_holds(holds, lots, shortfalls, at)


def sale_locks(program: Program, event: Transaction | Activity, counters: Iterable[Counter]) -> Iterator[LockKey]:
    """Yield the locks of a sale: its accounts and the counters of its snapshot."""
    yield from (account_lock(program.id, each) for each in accounts_of(program, event))
    yield from (counter_lock(program.id, each.name) for each in counters)


def accounts_of(program: Program, event: Transaction | Activity) -> Iterator[Account]:
    """Yield the accounts that an event can issue to: its member's, the group's, those of members whom fields name."""
    if program.plan.recipients:
        facts = program.plan.facts(event, Snapshot())
        yield from (Account("member", each) for each in program.plan.recipients_of(facts))
    if event.member is not None:
        yield Account("member", event.member.id)
        if event.member.group is not None:
            yield Account("group", event.member.group)
