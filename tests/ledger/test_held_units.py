"""Posting of holds: the buckets of a lot and the record of the hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.ledger.held_units import end_holds, hold_currency, move_holds, release_hold
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import HOLDS, SHORTFALLS, balance_name
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.posting import Posting
from loyalty_rules.lifecycle.records import Account, Shortfall
from shop import earn, fixed, program, sale

SHOP = lr.load_program(program(earn(fixed(10))))
LOT, ANNA, BERT = "acme/T-1/p/earn", Account("member", "M1"), Account("member", "M2")
AT = datetime(2025, 1, 20, tzinfo=UTC)
UNTIL = AT + timedelta(hours=2)
HOLD = lr.HoldCurrency(
    "acme/H-1/hold/points", "H-1", "M1", None, "points", Decimal(4), UNTIL, (lr.LotDraw(LOT, Decimal(4)),)
)
POINTS = balance_name(ANNA, "points")


def posting(storage: MemoryStorage, at: datetime = AT) -> Posting:
    return Posting(storage, SHOP, IdempotencyRecord("acme", "E-1", "event", {}, at, at, "T-1"))


@pytest.fixture
def storage() -> MemoryStorage:
    """A storage with a lot of ten points, four of which are held."""
    storage = MemoryStorage()
    issuing = posting(storage)
    issuing.post(SHOP.evaluate(lr.load_event(sale())).intents)
    hold_currency(issuing, HOLD)
    return storage


def units(storage: MemoryStorage) -> tuple[Decimal, Decimal, Decimal]:
    lot = storage.lot(LOT)
    assert lot is not None
    return lot.outstanding, lot.held, lot.reversed


def test_a_hold_moves_its_units_and_is_found_by_its_balance(storage: MemoryStorage) -> None:
    (held,) = storage.records(HOLDS, "acme", open_for=POINTS)
    assert (held.intent, held.account, held.at, held.ended_at) == (HOLD, ANNA, AT, None)
    assert units(storage) == (6, 4, 0)


def test_a_release_ends_the_hold_at_its_instant(storage: MemoryStorage) -> None:
    release = lr.ReleaseHold("r", HOLD.key, AT, HOLD.draws, (), ())
    release_hold(posting(storage), release)
    (held,) = storage.records(HOLDS, "acme", balance=POINTS)
    assert held.ended_at == AT
    assert storage.records(HOLDS, "acme", open_for=POINTS) == []
    assert units(storage) == (10, 0, 0)


def test_a_hold_that_is_over_ends_at_its_own_instant_and_settles_first(storage: MemoryStorage) -> None:
    owed = Shortfall("acme/R-1/p/earn/reverse", LOT, ANNA, "points", AT, Decimal(3), Decimal(3), carried=False)
    storage.save_record(SHORTFALLS, "acme", owed, AT)
    assert not end_holds(posting(storage, UNTIL - timedelta(seconds=1)), ANNA, "points")
    assert end_holds(posting(storage, UNTIL + timedelta(days=1)), ANNA, "points")
    assert units(storage) == (7, 0, 3)
    assert {entry.at for entry in storage.entries() if entry.source == "held"} == {UNTIL}


def test_open_holds_move_to_another_account_under_their_keys(storage: MemoryStorage) -> None:
    move_holds(posting(storage), ANNA, BERT)
    (held,) = storage.records(HOLDS, "acme", open_for=balance_name(BERT, "points"))
    assert (held.key, held.account) == (HOLD.key, BERT)
    assert storage.records(HOLDS, "acme", open_for=POINTS) == []
