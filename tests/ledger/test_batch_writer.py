"""The writer of a batch: entries, debts, counters, and the windows of claims. Source: ledger 2."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.events import Transaction
from loyalty_rules.intents import Intent
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.ledger.batch_writer import windows_of
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import SHORTFALLS, balance_name
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.posting import Posting
from loyalty_rules.lifecycle.records import Account, Shortfall
from loyalty_rules.program import Program
from shop import Serials, earn, fixed, program, sale

LOT = "acme/T-1/p/earn"
AT = datetime(2025, 1, 15, 10, tzinfo=UTC)
ANNA = Account("member", "M1")
LIMIT = "limit/most/M1/lifetime"
MOST = {"most": {"currency": "points", "per": "member", "amount": 100, "window": {"type": "lifetime"}}}
GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
GIFTS = {"gift": {"caps": {"total": 1}}}


def posting(shop: Program, storage: MemoryStorage, event: str = "T-1", serials: Any = None) -> Posting:
    identity = IdempotencyRecord(shop.id, event, "event", {}, AT, AT, event)
    return Posting(storage, shop, identity, serials)


def evaluate(shop: Program, **parts: Any) -> tuple[Intent, ...]:
    event = lr.load_event(sale(**parts))
    assert isinstance(event, Transaction)
    return shop.evaluate(event, serials=Serials()).intents


def test_the_windows_of_intents_are_those_of_their_claims() -> None:
    rolling = {"type": "rolling", "days": 7}
    limits = {"most": {"currency": "points", "per": "member", "amount": 100, "window": rolling}}
    shop = lr.load_program(program(earn(fixed(10), caps={"total": {"amount": 50}}), limits=limits))

    windows = [*windows_of(evaluate(shop))]

    assert [name for name, _, _ in windows] == ["p/earn/total/lifetime", "limit/most/M1/rolling"]
    assert [str(day) for day in windows[1][1:]] == ["2025-01-09", "2025-01-15"]


# -- debts and entries -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("debt", "paid", "available"), [(0, 0, 10), (4, 4, 6), (10, 10, 0), (25, 10, 0)])
def test_an_issue_pays_the_debt_of_its_account_first(debt: int, paid: int, available: int) -> None:
    shop = lr.load_program(program(earn(fixed(10))))
    storage = MemoryStorage()
    owed = Shortfall("acme/R-1/p/earn/reverse", LOT, ANNA, "points", AT, Decimal(30), Decimal(debt), carried=True)
    storage.save_record(SHORTFALLS, shop.id, owed, AT)

    posting(shop, storage).post(evaluate(shop))

    lot = storage.lot(LOT)
    assert lot is not None
    assert (lot.outstanding, lot.reversed) == (available, paid)
    assert storage.record(SHORTFALLS, owed.key) == attrs.evolve(owed, open=Decimal(debt - paid))


def test_a_debt_that_is_older_is_paid_first_and_a_written_off_one_never() -> None:
    shop = lr.load_program(program(earn(fixed(10))))
    storage = MemoryStorage()
    shortfalls = [
        Shortfall(f"acme/R-{n}/p/earn/reverse", LOT, ANNA, "points", AT, Decimal(6), Decimal(6), carried=n != 2)
        for n in (1, 2, 3)
    ]
    for each in shortfalls:
        storage.save_record(SHORTFALLS, shop.id, each, AT)

    posting(shop, storage).post(evaluate(shop))

    assert [each.open for each in storage.records(SHORTFALLS, shop.id, balance=balance_name(ANNA, "points"))] == [
        0,
        6,
        2,
    ]


def test_an_entry_names_its_batch_its_reason_and_both_instants() -> None:
    shop = lr.load_program(program(earn(fixed(10))))
    storage = MemoryStorage()

    posting(shop, storage).post(evaluate(shop))

    (entry,) = storage.entries()
    assert (entry.batch, entry.reason, entry.lot) == ("acme/T-1#event", "acme/T-1/p/earn", "acme/T-1/p/earn")
    assert (entry.source, entry.target, entry.amount) == ("issued", "available", 10)
    assert (entry.at, entry.recorded_at) == (AT, AT)


def test_a_movement_of_no_units_has_no_entry() -> None:
    ledger = MemoryLedger()
    shop = lr.load_program(program(earn(fixed(10))))
    ledger.process(shop, lr.load_event(sale()))
    work = posting(shop, ledger._storage)

    work.move("acme/T-1/p/earn", "available", "spent", Decimal(0), "a reason")

    assert [entry.reason for entry in ledger._storage.entries()] == ["acme/T-1/p/earn"]
