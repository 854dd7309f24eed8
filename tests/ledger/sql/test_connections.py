"""Databases in memory, and databases that are replaced by another copy while a ledger uses them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool, StaticPool

import loyalty_rules as lr
from loyalty_rules.ledger import InMemoryDatabaseError, MissingProgramError, SQLLedger
from loyalty_rules.ledger.sql.asyncio import AsyncSQLLedger
from loyalty_rules.ledger.sql.connections import Connections, is_in_memory
from loyalty_rules.ledger.sql.program_versions import ProgramVersions
from loyalty_rules.testing.ledgers.facts.till import ANNA, SERIALS, Till, earn, fixed, moment, shop

TEN = shop(earn(fixed("10")))

# -- in memory -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite://", True),
        ("sqlite:///:memory:", True),
        ("sqlite:///file:shop?mode=memory&cache=shared&uri=true", True),
        ("sqlite:///shop.db", False),
        ("postgresql+psycopg://host/memory", False),
    ],
)
def test_a_database_in_memory_is_known_by_its_url(url: str, expected: bool) -> None:
    assert is_in_memory(url) is expected


@pytest.fixture
def memory() -> Iterator[SQLLedger]:
    """Yield a ledger in a database of SQLite in memory."""
    ledger = SQLLedger.open("sqlite://", serials=SERIALS)
    yield ledger
    ledger.close()


def sell(ledger: SQLLedger, numbers: range) -> list[str]:
    till = Till(ledger)
    till.runs(TEN)
    return [till.sell(f"T{number}").status for number in numbers]


def test_threads_share_a_database_in_memory_in_turn(memory: SQLLedger) -> None:
    with ThreadPoolExecutor(4) as pool:
        parts = [pool.submit(sell, memory, range(start, start + 8)) for start in range(0, 32, 8)]
    assert [each for part in parts for each in part.result()] == ["recorded"] * 32
    assert memory.balance(TEN, ANNA, "points", moment(1)).available == 320
    assert memory.check_invariants() == []


def test_another_operation_inside_a_transaction_in_memory_is_refused(memory: SQLLedger) -> None:
    bill = Till(memory).bill("T1")
    with memory.transaction() as operations:
        operations.process(TEN, bill)
        with pytest.raises(InMemoryDatabaseError, match="call the operations of its block"):
            memory.balance(TEN, ANNA, "points", moment(1))
    assert memory.balance(TEN, ANNA, "points", moment(1)).available == 10


def test_without_the_refusal_it_would_roll_the_transaction_back(
    memory: SQLLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connections, "connect", lambda it: it._engine.connect())
    bill = Till(memory).bill("T1")
    with memory.transaction() as operations:
        operations.process(TEN, bill)
        memory.balance(TEN, ANNA, "points", moment(1))
    assert memory.balance(TEN, ANNA, "points", moment(1)).available == 0


def test_a_thread_without_tables_of_its_own_is_told_so() -> None:
    engine = create_engine("sqlite://")
    ledger = SQLLedger(engine, serials=SERIALS)
    ledger.create_all()
    assert sell(ledger, range(1)) == ["recorded"]
    with ThreadPoolExecutor(1) as pool, pytest.raises(InMemoryDatabaseError, match="poolclass=StaticPool"):
        pool.submit(sell, ledger, range(1)).result()
    engine.dispose()


def test_tasks_share_a_database_in_memory_in_turn() -> None:
    async def record() -> tuple[list[str], int]:
        engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
        ledger = AsyncSQLLedger(engine, serials=SERIALS)
        await ledger.create_all()
        till = Till(None)  # type: ignore[arg-type]
        done = await asyncio.gather(*(ledger.process(TEN, till.bill(f"T{number}")) for number in range(8)))
        balance = await ledger.balance(TEN, ANNA, "points", moment(1))
        await ledger.close()
        return [each.status for each in done], int(balance.available)

    assert asyncio.run(record()) == (["recorded"] * 8, 80)


# -- another copy ----------------------------------------------------------------------------------------------------


@pytest.fixture
def restored(tmp_path: Path) -> Iterator[Till]:
    """Yield a till whose ledger has recorded a sale, and whose database was then replaced by an older copy."""
    path, copy = tmp_path / "shop.db", tmp_path / "copy.db"
    SQLLedger.open(f"sqlite:///{path}").close()
    shutil.copy(path, copy)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    till = Till(SQLLedger(engine, serials=SERIALS))
    till.runs(TEN)
    till.sell("T1")
    shutil.copy(copy, path)
    yield till
    engine.dispose()


def test_a_ledger_survives_the_restore_of_its_database(restored: Till) -> None:
    assert restored.sell("T2").status == "recorded"
    assert restored.sell("T1").status == "recorded"
    assert [*restored.ledger.check_invariants()] == []


def test_a_ledger_that_trusts_its_memory_would_refuse_every_sale(
    restored: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProgramVersions, "forget_stored", lambda _: False)
    for event in ("T2", "T3"):
        with pytest.raises(IntegrityError, match="FOREIGN KEY"):
            restored.sell(event)


def test_after_an_error_in_the_hosts_transaction_the_next_one_is_recorded(restored: Till) -> None:
    ledger = restored.ledger
    assert isinstance(ledger, SQLLedger)
    bill = restored.bill("T2")
    statuses: list[str] = []
    for _ in range(2):
        try:
            with ledger.transaction() as operations:
                statuses.append(operations.process(TEN, bill).status)
        except IntegrityError:
            statuses.append("error")
    assert statuses == ["error", "recorded"]


def test_a_program_that_is_lost_is_named(till: Till, ledger: SQLLedger, engine: Engine) -> None:
    till.runs(TEN)
    till.sell("T1")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("DROP TRIGGER loyalty_programs_no_delete")
        connection.execute(delete(ledger.tables.programs))
    other = Till(SQLLedger(engine))
    other.runs(shop(earn(fixed("11"))))
    with pytest.raises(MissingProgramError, match=TEN.version):
        other.take_back("T1", "100")
    assert issubclass(MissingProgramError, lr.LoyaltyError)
