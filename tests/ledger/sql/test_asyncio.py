"""The ledger for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from loyalty_rules.ledger import MemoryLedger, SQLLedger
from loyalty_rules.ledger.sql.asyncio import AsyncSQLLedger
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    SERIALS,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    serial_of,
    shop,
)

from .sqlite_files import busy_week

DAYS_30 = {"type": "fixed_period", "after": {"days": 30}}


def test_the_operations_work_with_asyncio(tmp_path: Path) -> None:
    till = Till(MemoryLedger())
    program = till.runs(
        shop(
            earn(fixed("10"), expiry=DAYS_30),
            earn(fixed("3"), "due", timing={"type": "delayed", "days": 1}),
            hand_out(),
            coupon_types=coupon_type(),
        )
    )
    bill, at = till.bill("T1"), till.now

    async def history() -> list[Any]:
        ledger = await AsyncSQLLedger.open(f"sqlite+aiosqlite:///{tmp_path}/shop.db", serials=SERIALS)
        sold = await ledger.process(program, bill)
        again = await ledger.process(program, bill)
        spent = await ledger.spend(program, ANNA, "anna", "points", Decimal(4), event="S1", at=at)
        redeemed = await ledger.redeem(program, serial_of(sold), till.bill("T2"))
        till.on(40)
        settled = await ledger.settle(program, till.now)
        expired = await ledger.expire(program, till.now)
        balance = await ledger.balance("acme", ANNA, "points", at)
        violations = await ledger.check_invariants()
        await ledger.close()
        return [
            sold.status,
            again.status,
            spent.status,
            redeemed.status,
            len(settled),
            len(expired),
            balance,
            violations,
        ]

    *statuses, settled, expired, balance, violations = asyncio.run(history())
    assert statuses == ["recorded", "already_recorded", "recorded", "recorded"]
    assert (settled, expired, str(balance.available), violations) == (1, 1, "6", [])


def test_every_query_has_the_result_of_the_synchronous_ledger(till: Till, ledger: SQLLedger, path: Path) -> None:
    busy_week(till)
    at, program = till.now, till.program
    bill = till.bill("T9")
    serial = serial_of(till.sell("T4"))
    queries: list[Callable[[Any], Any]] = [
        lambda of: of.snapshot(program, bill),
        lambda of: of.balance("acme", ANNA, "points", at),
        lambda of: of.lots("acme", ANNA, "points", at),
        lambda of: of.promises("acme", at),
        lambda of: of.statement("acme", ANNA, at),
        lambda of: of.coupon("acme", serial),
        lambda of: of.coupons("acme", "anna"),
        lambda of: of.report_rows("acme", at),
        lambda of: of.check_invariants(),
    ]

    async def results() -> list[Any]:
        asynchronous = await AsyncSQLLedger.open(f"sqlite+aiosqlite:///{path}", serials=SERIALS)
        found = [await query(asynchronous) for query in queries]
        await asynchronous.close()
        return found

    assert asyncio.run(results()) == [query(ledger) for query in queries]


def test_an_operation_can_be_undone(path: Path, ledger: SQLLedger) -> None:
    till = Till(ledger)
    program = till.runs(shop(earn(fixed("10")), hand_out(quantity=2), coupon_types=coupon_type()))
    at = till.now

    async def history() -> list[str]:
        asynchronous = await AsyncSQLLedger.open(f"sqlite+aiosqlite:///{path}", serials=SERIALS)
        bill = till.bill("T1")
        evaluation = program.evaluate(bill, await asynchronous.snapshot(program, bill), serials=SERIALS)
        sold = await asynchronous.record(evaluation)
        redeemed = await asynchronous.redeem(program, serial_of(sold), till.bill("T2"))
        await asynchronous.spend(program, ANNA, "anna", "points", Decimal(4), event="S1", at=at)
        receipts = [
            await asynchronous.undo_redemption(program, redeemed.intents[0].key, event="U1", at=at),
            await asynchronous.undo_spend(program, "acme/S1/spend/points", event="U2", at=at),
            await asynchronous.void(program, "acme/T1/p/thanks/2", event="V1", at=at),
        ]
        await asynchronous.close()
        return [each.status for each in receipts]

    assert asyncio.run(history()) == ["recorded", "recorded", "recorded"]
    assert till.points() == 10
    assert [each.state for each in ledger.coupons("acme", "anna")] == ["issued", "voided"]


@pytest.mark.parametrize("commits", [True, False])
def test_operations_join_the_transaction_of_the_host(path: Path, ledger: SQLLedger, commits: bool) -> None:
    till = Till(ledger)
    program = till.runs(shop(earn(fixed("10"))))
    bills = [till.bill("T1"), till.bill("T2")]

    async def history() -> list[str]:
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        asynchronous = AsyncSQLLedger(engine, serials=SERIALS)
        async with engine.connect() as connection:
            statuses = await asynchronous.join(
                connection, lambda service: [service.process(program, each).status for each in bills]
            )
            await (connection.commit() if commits else connection.rollback())
        await asynchronous.close()
        return statuses

    assert asyncio.run(history()) == ["recorded", "recorded"]
    assert till.points() == (20 if commits else 0)
