"""Bulk loads: the same record as one by one, in fewer transactions. Source: ledger 2 (P2, P5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from loyalty_rules.ledger import IdempotencyConflict, MemoryLedger, SQLLedger
from loyalty_rules.ledger.bulk import chunks
from loyalty_rules.ledger.sql.asyncio import AsyncSQLLedger
from loyalty_rules.loading import load_event
from loyalty_rules.testing.ledgers.facts.till import ANNA, SERIALS, Till, earn, fixed, moment, shop

PROGRAM = shop(earn(fixed("10"), caps={"per_member": {"amount": "1000"}}))


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[list[SQLLedger]]:
    """Yield two new ledgers in files of SQLite."""
    ledgers = [SQLLedger.open(f"sqlite:///{tmp_path}/{name}.db", serials=SERIALS) for name in ("many", "one")]
    yield ledgers
    for each in ledgers:
        each.close()


def sales(count: int) -> list[Any]:
    till = Till(MemoryLedger())
    return [till.bill(f"T{number}", member=f"m{number % 7}") for number in range(count)]


def back(of: str, name: str = "R") -> Any:
    return load_event(
        {"type": "return", "id": name, "of": of, "occurred_at": moment(1).isoformat(), "amount": "100", "lines": []}
    )


def test_operations_are_grouped_by_fifty() -> None:
    assert [len(each) for each in chunks(range(120))] == [50, 50, 20]  # type: ignore[arg-type]


def test_many_are_recorded_as_one_by_one_in_fewer_transactions(ledgers: list[SQLLedger]) -> None:
    many, one = ledgers
    events = [*sales(60), back("T3")]
    commits = []
    event.listen(many._bind, "commit", commits.append)
    together = many.record_many(PROGRAM, events)
    assert [*together] == [one.process(PROGRAM, each) for each in events]
    assert len(commits) == 2
    assert many.ends() == one.ends()
    assert (many.check_invariants(), many.verify()) == ([], [])
    assert {each.status for each in many.record_many(PROGRAM, events)} == {"already_recorded"}


def test_a_refusal_among_many_leaves_the_others(ledgers: list[SQLLedger]) -> None:
    events = [*sales(3), back("unknown"), *sales(5)[3:]]
    for ledger in (*ledgers, MemoryLedger()):
        statuses = [each.status for each in ledger.record_many(PROGRAM, events)]
        assert statuses == ["recorded", "recorded", "recorded", "refused", "recorded", "recorded"]


def test_those_before_a_conflict_are_recorded(ledgers: list[SQLLedger]) -> None:
    first, second, third = sales(3)
    other = Till(MemoryLedger()).bill("T1", "999", member="m1")
    for ledger in (ledgers[0], MemoryLedger()):
        ledger.process(PROGRAM, second)
        with pytest.raises(IdempotencyConflict):
            ledger.record_many(PROGRAM, [first, other, third])
        statuses = [each.status for each in ledger.record_many(PROGRAM, [first, second, third])]
        assert statuses == ["already_recorded", "already_recorded", "recorded"]


def test_many_are_recorded_in_asyncio(tmp_path: Path) -> None:
    async def load() -> Any:
        ledger = await AsyncSQLLedger.open(f"sqlite+aiosqlite:///{tmp_path}/shop.db")
        try:
            receipts = await ledger.record_many(PROGRAM, [*sales(8), back("unknown")])
            balance = await ledger.balance(PROGRAM, ANNA, "points", moment(1))
        finally:
            await ledger.close()
        return [each.status for each in receipts], balance.available

    assert asyncio.run(load()) == (["recorded"] * 8 + ["refused"], 0)


def test_many_join_the_transaction_of_a_service(ledgers: list[SQLLedger]) -> None:
    with ledgers[0].transaction() as service:
        service.record_many(PROGRAM, [*sales(2), back("unknown")])
    assert ledgers[0].reconcile("acme", ["T0", "T1"]) == []
