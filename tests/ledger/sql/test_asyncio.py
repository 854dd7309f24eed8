"""The ledger for asyncio."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

from loyalty_rules.ledger import MemoryLedger
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
