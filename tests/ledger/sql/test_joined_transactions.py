"""The ledger in a transaction of the host: its savepoints, its isolation level, and the way in which it was begun.

Each attack has a control: without the guard it succeeds. Source: ledger 2 (joined transactions).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from loyalty_rules.ledger import SQLLedger, UnsafeTransactionError
from loyalty_rules.ledger.locks import account_lock
from loyalty_rules.ledger.sql.asyncio import AsyncSQLLedger
from loyalty_rules.ledger.sql.dialects import PostgreSQL, SQLite, postgresql
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.testing.ledgers.facts.till import ANNA, SERIALS, Till, earn, fixed, shop

TEN = shop(earn(fixed("10")))
NOTHING = shop()


@pytest.fixture
def server(postgres_url: str) -> Iterator[Engine]:
    """Yield an engine on a new database of PostgreSQL."""
    yield from _engine(postgres_url)


@pytest.fixture
def file(sqlite_url: str) -> Iterator[Engine]:
    """Yield an engine on a new file of SQLite."""
    yield from _engine(sqlite_url)


def _engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url, poolclass=NullPool)
    SQLLedger(engine).create_all()
    yield engine
    engine.dispose()


# -- savepoints ------------------------------------------------------------------------------------------------------


def advisory_locks(connection: Connection) -> set[int]:
    """Return the numbers of the advisory locks that a connection holds."""
    held = text("SELECT classid::bigint, objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND pid = :pid")
    pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    numbers = [row.classid << 32 | row.objid for row in connection.execute(held, {"pid": pid})]
    return {number - 2**64 if number >= 2**63 else number for number in numbers}


def locks_after_a_rollback(server: Engine) -> set[int]:
    """Sell, roll back to the host's savepoint, and sell to the same member; return the locks of the transaction."""
    till = Till(SQLLedger(server))
    with server.connect() as connection, SQLLedger(server).transaction(connection) as tx:
        savepoint = connection.begin_nested()
        tx.process(TEN, till.bill("T1"))
        savepoint.rollback()
        tx.process(TEN, till.bill("T2"))
        return advisory_locks(connection)


ANNAS_LOCK = postgresql._lock_number(account_lock("acme", ANNA))


def test_locks_that_a_savepoint_of_the_host_has_released_are_taken_again(server: Engine) -> None:
    assert ANNAS_LOCK in locks_after_a_rollback(server)


def test_locks_would_be_lost_if_they_were_remembered(server: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SQLStorage, "_forget_locks", lambda _: None)
    assert ANNAS_LOCK not in locks_after_a_rollback(server)


def test_a_counter_is_read_again_after_a_rollback_to_a_savepoint(server: Engine) -> None:
    program = shop(earn(fixed("10"), caps={"total": {"amount": "15"}}))
    till, ledger = Till(SQLLedger(server)), SQLLedger(server)
    till.runs(program)
    with server.connect() as connection, ledger.transaction(connection) as tx:
        savepoint = connection.begin_nested()
        tx.snapshot(program, till.bill("T1"))
        savepoint.rollback()
        till.sell("T0")  # another till
        (counts,) = tx.snapshot(program, till.bill("T1")).issued.values()
        assert counts.total is not None
        assert counts.total.amount == 10


# -- PostgreSQL: the isolation level ---------------------------------------------------------------------------------


def at(server: Engine, level: str) -> Engine:
    return server.execution_options(isolation_level=level)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "AUTOCOMMIT"])
def test_an_unsafe_isolation_level_is_refused_by_its_name(server: Engine, level: str) -> None:
    with at(server, level).connect() as connection:
        with pytest.raises(UnsafeTransactionError, match=level), SQLLedger(server).transaction(connection):
            raise AssertionError("the block is not entered")
        with pytest.raises(UnsafeTransactionError, match="READ COMMITTED or SERIALIZABLE"):
            SQLLedger(connection).process(TEN, Till(SQLLedger(server)).bill("T1"))


def test_a_level_that_the_host_has_set_by_a_statement_is_found(server: Engine) -> None:
    with server.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(UnsafeTransactionError, match="REPEATABLE READ"):
            SQLLedger(connection).process(TEN, Till(SQLLedger(server)).bill("T1"))


@pytest.mark.parametrize("level", ["READ COMMITTED", "READ UNCOMMITTED", "SERIALIZABLE"])
def test_a_safe_isolation_level_is_joined(server: Engine, level: str) -> None:
    till = Till(SQLLedger(server))
    with at(server, level).connect() as connection:
        with SQLLedger(server).transaction(connection) as tx:
            assert tx.process(TEN, till.bill("T1")).status == "recorded"
        connection.commit()
    assert till.points() == 10


@pytest.mark.parametrize("level", ["REPEATABLE READ", "AUTOCOMMIT"])
def test_the_ledgers_own_transactions_have_their_own_level(server: Engine, level: str) -> None:
    till = Till(SQLLedger(at(server, level)))
    till.runs(TEN)
    assert (till.sell("T1").status, till.points()) == ("recorded", 10)


def test_at_repeatable_read_one_piece_would_come_back_twice(server: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the snapshot of the second transaction is older than the lock for which it waits."""
    monkeypatch.setattr(PostgreSQL, "join", lambda *_: None)
    till = Till(SQLLedger(server))
    till.runs(NOTHING)
    till.sell("T1", lines=[{"id": "1", "quantity": "1", "value": "100"}])
    with at(server, "REPEATABLE READ").connect() as connection:
        connection.exec_driver_sql("SELECT 1 FROM loyalty_batches")  # takes the snapshot
        assert till.take_back("T1", "100", {"1": "1"}, event="R1").status == "recorded"
        with SQLLedger(server).transaction(connection) as tx:
            till.ledger = tx
            assert till.take_back("T1", "100", {"1": "1"}, event="R2").status == "recorded"
        connection.commit()


# -- SQLite: how the transaction was begun ---------------------------------------------------------------------------


def with_recipe(engine: Engine, begin: str) -> Engine:
    """Set an engine up as the documentation of SQLAlchemy says, with a BEGIN of the host."""
    event.listen(engine, "connect", lambda driver, _: setattr(driver, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def test_a_transaction_begun_deferred_is_refused_with_the_way_out(file: Engine) -> None:
    with file.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        with (
            pytest.raises(UnsafeTransactionError, match=r"DEFERRED.*expected BEGIN IMMEDIATE"),
            SQLLedger(file).transaction(connection),
        ):
            raise AssertionError("the block is not entered")


def test_without_the_refusal_a_deferred_transaction_could_not_write(
    file: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: another till has written since the first read of the host."""
    monkeypatch.setattr(SQLite, "join", lambda *_: None)
    till = Till(SQLLedger(file))
    till.runs(TEN)
    with file.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT * FROM loyalty_lots")
        till.sell("T1")
        with pytest.raises(DBAPIError, match="locked"):
            SQLLedger(connection).process(TEN, till.bill("T2"))


def joins(connection: Connection) -> bool:
    """Sell in the transaction of a connection, commit, and return whether the points are there."""
    till = Till(SQLLedger(connection))
    with SQLLedger(connection.engine).transaction(connection) as tx:
        assert tx.process(TEN, till.bill("T1")).status == "recorded"
    connection.commit()
    till.ledger = SQLLedger(connection.engine)
    return till.points() == 10


def begun_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def written_first(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE orders (id TEXT)")
    connection.exec_driver_sql("INSERT INTO orders VALUES ('T1')")


def read_first(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT * FROM loyalty_lots")  # the driver begins no transaction for it


@pytest.mark.parametrize("first", [begun_immediate, written_first, read_first])
def test_a_transaction_with_the_write_lock_is_joined(file: Engine, first: Callable[[Connection], None]) -> None:
    with file.connect() as connection:
        first(connection)
        assert joins(connection)


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN IMMEDIATE"])
def test_an_engine_with_the_recipe_of_sqlalchemy_works(file: Engine, begin: str) -> None:
    till = Till(SQLLedger(with_recipe(file, begin)))
    till.runs(TEN)
    assert (till.sell("T1").status, till.sell("T2").status, till.points()) == ("recorded", "recorded", 20)
    assert till.ledger.check_invariants() == []


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN IMMEDIATE"])
def test_with_the_recipe_the_block_begins_the_transaction_of_an_unused_connection(file: Engine, begin: str) -> None:
    with with_recipe(file, begin).connect() as connection:
        assert joins(connection)


def test_with_the_recipe_a_transaction_begun_by_the_host_needs_begin_immediate(file: Engine) -> None:
    with (
        with_recipe(file, "BEGIN").connect() as connection,
        connection.begin(),
        pytest.raises(UnsafeTransactionError, match="in the listener of `begin`"),
    ):
        joins(connection)


def test_with_begin_immediate_in_the_recipe_a_session_is_joined(file: Engine) -> None:
    till = Till(SQLLedger(file))
    with Session(with_recipe(file, "BEGIN IMMEDIATE")) as session:
        with SQLLedger(file).transaction(session.connection()) as tx:
            assert tx.process(TEN, till.bill("T1")).status == "recorded"
        session.commit()
    assert till.points() == 10


@pytest.mark.parametrize(("begin", "safe"), [("BEGIN", False), ("BEGIN IMMEDIATE", True)])
def test_a_transaction_of_asyncio_is_joined_or_refused_alike(sqlite_url: str, begin: str, safe: bool) -> None:
    async def join() -> Any:
        engine = create_async_engine(sqlite_url.replace("sqlite:", "sqlite+aiosqlite:"))
        ledger = AsyncSQLLedger(engine, serials=SERIALS)
        await ledger.create_all()
        bill = Till(SQLLedger(create_engine(sqlite_url))).bill("T1")
        try:
            async with engine.connect() as connection:
                await connection.exec_driver_sql(begin)
                return (await ledger.join(connection, lambda tx: tx.process(TEN, bill))).status
        except UnsafeTransactionError as error:
            return error.found
        finally:
            await ledger.close()

    found = asyncio.run(join())
    assert found == "recorded" if safe else "DEFERRED" in found
