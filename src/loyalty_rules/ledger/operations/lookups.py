"""Look-ups for the decisions of operations: sales, lots, coupons and snapshots.

Rows are locked before they are read. The key of a lot or a coupon names the sale to lock.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

import attrs

from loyalty_rules.engine.counters import Counter
from loyalty_rules.events import Activity, Event, Snapshot, Transaction
from loyalty_rules.keys import event_in, is_of_program
from loyalty_rules.ledger.kinds import PAYMENTS, SHORTFALLS, balance_name
from loyalty_rules.ledger.locks import LockKey, account_lock, counter_lock, sale_lock
from loyalty_rules.ledger.records import Balance
from loyalty_rules.ledger.storage import Storage, window_of
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Payment, Sale
from loyalty_rules.lifecycle.returned_coupons import is_coupon_earned
from loyalty_rules.lifecycle.spending import available
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = [
    "accounts_of",
    "is_earned",
    "is_undone",
    "locked_coupon",
    "locked_lot",
    "locked_sale",
    "payment_of",
    "payments_of",
    "read_balance",
    "read_snapshot",
    "sale_locks",
]


def locked_sale(storage: Storage, program: Program, event: str) -> Sale | None:
    """Lock a sale with its accounts, and return it; None if no such sale has been recorded."""
    storage.lock([sale_lock(program.id, event)])
    sale = storage.sale(program.id, event)
    if sale is not None:
        storage.lock(account_lock(program.id, each) for each in accounts_of(sale.event))
    return sale


def locked_lot(storage: Storage, program: Program, key: str) -> tuple[Sale, Lot] | None:
    """Lock the sale of a lot with its accounts, and return both; None if the program has no such lot."""
    sale = locked_sale(storage, program, event_in(key)) if is_of_program(key, program.id) else None
    lot = storage.lot(key) if sale is not None else None
    return (sale, lot) if sale is not None and lot is not None else None


def locked_coupon(storage: Storage, program: Program, key: str) -> CouponRecord | None:
    """Lock the sale of a coupon, and return the coupon; None if the program has no such coupon."""
    if not is_of_program(key, program.id):
        return None
    storage.lock([sale_lock(program.id, event_in(key))])
    return storage.coupon(key)


def is_earned(storage: Storage, program: Program, coupon: CouponRecord, lost: Collection[str] = ()) -> bool:
    """Return whether a locked coupon is still earned, after the returns of the sale that issued it.

    `lost` are the keys of coupons that the same batch voids.
    """
    sale = storage.sale(program.id, coupon.issue.event)
    issued = storage.coupons_of_sale(program.id, coupon.issue.event)
    coupons = [attrs.evolve(each, state="voided") if each.key in lost else each for each in issued]
    return sale is None or is_coupon_earned(sale, coupons, coupon)


def payment_of(storage: Storage, program: Program, key: str) -> Payment | None:
    """Return a spend or a redemption by its key; None if the program has no such payment."""
    return storage.record(PAYMENTS, key) if is_of_program(key, program.id) else None


def is_undone(storage: Storage, key: str) -> bool:
    """Return whether a payment has been undone; its rows are locked."""
    payment = storage.record(PAYMENTS, key)
    return payment is not None and payment.is_undone


def payments_of(storage: Storage, program: Program, event: str) -> Sequence[Payment]:
    """Return the spends and redemptions of a transaction that are not wholly undone, in the order of record."""
    return [each for each in storage.records(PAYMENTS, program.id, event=event) if not each.is_undone]


def read_snapshot(storage: Storage, program: Program, event: Event, counters: Iterable[Counter]) -> Snapshot:
    """Read the counters of an event in one batch, and return its snapshot."""
    storage.read_counters(program.id, [window_of(each) for each in counters])
    snapshot = program.snapshot(event, lambda each: decimal_of(storage.counter_value(program.id, window_of(each))))
    if not program.plan.balances or not isinstance(event, (Transaction, Activity)) or event.member is None:
        return snapshot
    account, at = Account("member", event.member.id), event.occurred_at
    balances = {each: read_balance(storage, program.id, account, each, at) for each in program.plan.balances}
    return attrs.evolve(
        snapshot,
        balances={name: decimal_of(micros(each.available) - micros(each.debt)) for name, each in balances.items()},
    )


def read_balance(storage: Storage, program: str, account: Account, currency: str, at: datetime) -> Balance:
    """Return the balance of an account as of an instant."""
    lots = storage.lots_at(program, account, currency, at)
    promised = sum(micros(lot.promised) for lot in lots)
    shortfalls = storage.records_at(SHORTFALLS, program, at, balance=balance_name(account, currency))
    debt = sum(micros(each.open) for each in shortfalls if each.is_owed)
    return Balance(available(lots, at), decimal_of(promised), decimal_of(debt))


def sale_locks(program: Program, event: Transaction | Activity, counters: Iterable[Counter]) -> Iterator[LockKey]:
    """Yield the locks of a sale: its accounts and the counters of its snapshot."""
    yield from (account_lock(program.id, each) for each in accounts_of(event))
    yield from (counter_lock(program.id, each.name) for each in counters)


def accounts_of(event: Transaction | Activity) -> Iterator[Account]:
    """Yield the accounts that an event can issue to: its member's and the member's group's."""
    if event.member is not None:
        yield Account("member", event.member.id)
        if event.member.group is not None:
            yield Account("group", event.member.group)
