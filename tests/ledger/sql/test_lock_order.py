"""One lock order everywhere: sales, accounts, counters, the end of a chain. So no two tills deadlock.

Source: ledger 3.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.locks import LockKey, counter_lock
from loyalty_rules.ledger.operations import Amend, TakeBack
from loyalty_rules.ledger.operations.lookups import locked_sale
from loyalty_rules.ledger.sql.dialects import SQLite
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    BEN,
    SERIALS,
    Till,
    coupon_type,
    earn,
    hand_out,
    moment,
    proportional,
    serial_of,
    shop,
)

PERIOD = {"type": "fixed_period", "after": {"days": 10}}
SHOP = shop(
    earn(proportional("100"), expiry=PERIOD),
    hand_out(),
    currencies={"points": {"redeem": {"points": "100", "value": "1.00"}, "transfer": {}}},
    coupon_types=coupon_type({"type": "stored_value", "amount": "10"}, validity={"expiry": PERIOD}),
    limits={"cap": {"currency": "points", "per": "member", "amount": "1000000", "window": {"type": "lifetime"}}},
)
BY = {"reason": "a mistake", "by": "carol"}


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[list[LockKey]]:
    """Yield the locks that each transaction takes, in their order, as if the locks of SQLite were those of a server."""
    transactions: list[list[LockKey]] = []
    begin, claim = SQLite.begin, SQLite.claim

    def begun(dialect: SQLite, connection: Any) -> None:
        transactions.append([])
        begin(dialect, connection)

    def claimed(dialect: SQLite, connection: Any, statement: Any, row: Any, keys: Any) -> int | None:
        transactions[-1] += sorted(keys)
        return claim(dialect, connection, statement, row, keys)

    monkeypatch.setattr(SQLite, "begin", begun)
    monkeypatch.setattr(SQLite, "claim", claimed)
    monkeypatch.setattr(SQLite, "lock", lambda _, __, keys: transactions[-1].extend(sorted(keys)))
    return transactions


def in_order(transactions: list[list[LockKey]]) -> list[list[LockKey]]:
    """Return the transactions that take a lock after a later one."""
    return [each for each in transactions if each != sorted(each)]


def a_busy_week(till: Till) -> None:
    """Run each operation of a ledger, on coupons and accounts of several sales."""
    ledger, program = till.ledger, till.runs(SHOP)
    first = till.sell("T9", "100")
    second = till.sell("T1", "100", member="ben")
    till.on(1)
    till.redeem(serial_of(second), "T5", "50")
    till.spend("20", "T5")
    ledger.spend(program, BEN, "ben", "points", Decimal(20), event="T6", at=till.now)
    till.redeem(serial_of(first), "T6", "50", member="ben")
    till.sell("T5", "50")
    till.sell("T6", "50", member="ben")
    till.take_back("T6", "50")
    till.take_back("T5", "25")
    till.process({"type": "amendment", "id": "A1", "of": "T9", "amount": "120"})
    till.process({"type": "amendment", "id": "A2", "of": "T9", "member": {"id": "ben"}})
    ledger.transfer(program, BEN, ANNA, "points", Decimal(5), **BY, event="X1", at=till.now)
    ledger.transfer(program, ANNA, BEN, "points", Decimal(5), **BY, event="X2", at=till.now)
    held = ledger.hold(program, BEN, "points", Decimal(5), moment(3), event="H", at=till.now)
    ledger.capture(program, held.intents[0].key, event="C", at=till.now)
    ledger.adjust(program, ANNA, "points", Decimal(5), **BY, event="J", at=till.now)
    spent = ledger.redeem_all(program, [], [(BEN, "points", Decimal(3))], till.bill("T7", member="ben"))
    assert spent.status == "recorded"
    till.undo_spend(spent)
    ledger.merge(program, "anna", "ben", **BY, event="M", at=till.now)
    till.on(30)
    till.expire()


def test_every_operation_takes_its_locks_in_one_order(till: Till, taken: list[list[LockKey]]) -> None:
    a_busy_week(till)

    assert len(taken) > 25
    assert in_order(taken) == []


@pytest.mark.parametrize(
    ("where", "name", "old"),
    [
        (TakeBack, "_locked_sale", lambda back, storage: locked_sale(storage, back.program, back.event.of)),
        (Amend, "_locked_sale", lambda amend, storage, _: locked_sale(storage, amend.program, amend.event.of)),
    ],
)
def test_locks_that_are_taken_as_they_are_found_would_be_out_of_order(
    till: Till, taken: list[list[LockKey]], monkeypatch: pytest.MonkeyPatch, where: type, name: str, old: Any
) -> None:
    monkeypatch.setattr(where, name, old)
    a_busy_week(till)

    assert in_order(taken) != []


def test_a_snapshot_takes_the_locks_of_the_record_that_follows(ledger: SQLLedger, taken: list[list[LockKey]]) -> None:
    till = Till(ledger)
    till.runs(SHOP)
    bill = till.bill("T1")
    with ledger.transaction() as operations:
        snapshot = operations.snapshot(SHOP, bill)
        operations.record(SHOP.evaluate(bill, snapshot, serials=SERIALS))

    (locks,) = taken
    assert locks == sorted(locks)
    assert {rank for rank, _ in locks} == {1, 2, 3}


# -- two tills on a server -------------------------------------------------------------------------------------------


def sell_and_return(server: Engine) -> list[str]:
    """Begin a sale with the steps of a host; return another sale of the member meanwhile; return the statuses."""
    till, other_till = Till(SQLLedger(server, serials=SERIALS)), Till(SQLLedger(server, serials=SERIALS))
    for each in (till, other_till):
        each.runs(SHOP)
    till.sell("T0")
    bill = till.bill("T1")
    with ThreadPoolExecutor() as pool, till.ledger.transaction() as operations:
        snapshot = operations.snapshot(SHOP, bill)
        other = pool.submit(lambda: other_till.take_back("T0", "100").status)
        while not waiting(server):
            time.sleep(0.01)
        mine = operations.record(SHOP.evaluate(bill, snapshot, serials=SERIALS)).status
    return [mine, other.result()]


def waiting(server: Engine) -> bool:
    """Return whether a connection waits for an advisory lock."""
    query = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with server.connect() as connection:
        return bool(connection.execute(query).scalar_one())


@pytest.fixture
def server(postgres_url: str) -> Iterator[Engine]:
    """Yield an engine on a new database of PostgreSQL, with a ledger."""
    SQLLedger.open(postgres_url).close()
    engine = create_engine(postgres_url)
    yield engine
    engine.dispose()


def test_a_sale_in_steps_and_a_return_of_its_member_do_not_deadlock(server: Engine) -> None:
    assert sell_and_return(server) == ["recorded", "recorded"]


def test_a_snapshot_that_locks_counters_alone_would_deadlock(server: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "loyalty_rules.ledger.service.sale_locks",
        lambda program, _, counters: [counter_lock(program.id, each.name) for each in counters],
    )
    monkeypatch.setattr(SQLLedger, "backoff_after", lambda *_: None)
    with pytest.raises(OperationalError, match="deadlock detected"):
        sell_and_return(server)
