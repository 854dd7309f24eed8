"""Two tills at one database, step by step: which transaction waits for which, and which errors are retried.

The races of `test_races` may find any fault. Here each step is fixed, so that each test fails for one reason.
Source: ledger 3.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.locks import account_lock
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.ledger.sql.asyncio import AsyncSQLLedger
from loyalty_rules.ledger.sql.dialects import PostgreSQL
from loyalty_rules.ledger.sql.hash_chain import CHAINS, chain_lock
from loyalty_rules.testing.ledgers.facts.till import ANNA, SERIALS, Till, earn, fixed, shop

A_MOMENT = 0.3  # seconds; work that has not ended by then is waiting
PATIENCE = 60.0
TEN = shop(earn(fixed("10")))
TEN_FOR_ONE = shop(earn(fixed("10"), caps={"total": {"times": 1}}))


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    yield from _engine(database)


@pytest.fixture
def server(postgres_url: str) -> Iterator[Engine]:
    """Yield an engine on a new database of PostgreSQL."""
    yield from _engine(postgres_url)


def _engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url, poolclass=NullPool)
    SQLLedger(engine).create_all()
    yield engine
    engine.dispose()


def till_at(bind: Engine, program: Any = TEN) -> Till:
    till = Till(SQLLedger(bind, serials=SERIALS))
    till.runs(program)
    return till


class Other:
    """Concurrent work, in a thread of its own."""

    def __init__(self, work: Callable[[], Receipt]) -> None:
        self._thread = threading.Thread(target=lambda: self._receipts.append(work()))
        self._receipts: list[Receipt] = []
        self._thread.start()

    def waits(self) -> bool:
        """Return whether the work has not ended after a moment."""
        self._thread.join(A_MOMENT)
        return self._thread.is_alive()

    def receipt(self) -> Receipt:
        """Wait for the work, and return its receipt."""
        self._thread.join(PATIENCE)
        (receipt,) = self._receipts
        return receipt


# -- waiting ---------------------------------------------------------------------------------------------------------


def test_a_transaction_that_begins_by_reading_may_write_later(engine: Engine) -> None:
    """SQLite would refuse the first write of a deferred transaction if another one had written since."""
    till, other_till = till_at(engine, TEN_FOR_ONE), till_at(engine, TEN_FOR_ONE)
    ledger: Any = till.ledger
    with ledger.transaction() as tx:
        bill = till.bill("T1")
        snapshot = tx.snapshot(TEN_FOR_ONE, bill)
        other = Other(lambda: other_till.sell("T2", member="ben"))
        assert other.waits()
        receipt = tx.record(TEN_FOR_ONE.evaluate(bill, snapshot))
        assert (receipt.trims, len(receipt.intents)) == ((), 1)
    assert other.receipt().intents == ()


def test_a_second_spend_waits_for_the_first_and_is_refused(engine: Engine) -> None:
    till, other_till = till_at(engine), till_at(engine)
    till.sell("T1")
    ledger: Any = till.ledger
    with ledger.transaction() as tx:
        till.ledger = tx
        assert till.spend("7", "S1").status == "recorded"
        other = Other(lambda: other_till.spend("7", "S2"))
        assert other.waits()
    assert other.receipt().status == "refused"


def test_the_same_sale_at_a_second_till_waits_and_is_already_recorded(engine: Engine) -> None:
    till, other_till = till_at(engine), till_at(engine)
    ledger: Any = till.ledger
    with ledger.transaction() as tx:
        till.ledger = tx
        first = till.sell("T1")
        other = Other(lambda: other_till.sell("T1"))
        assert other.waits()
    assert (other.receipt().status, other.receipt().intents) == ("already_recorded", first.intents)


def test_a_sale_that_is_rolled_back_is_recorded_by_the_second_till(engine: Engine) -> None:
    till, other_till = till_at(engine), till_at(engine)
    with engine.connect() as connection:
        with SQLLedger(engine, serials=SERIALS).transaction(connection) as tx:
            till.ledger = tx
            till.sell("T1")
            other = Other(lambda: other_till.sell("T1"))
            assert other.waits()
        connection.rollback()
    assert other.receipt().status == "recorded"


# -- retries ---------------------------------------------------------------------------------------------------------


def refuse_twice(engine: Engine, code: str) -> None:
    """Create a trigger that refuses the first two batches with a code; a rollback does not reset its sequence."""
    with engine.begin() as connection:
        connection.execute(text("CREATE SEQUENCE attempts"))
        connection.exec_driver_sql(
            "CREATE FUNCTION refuse_twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF nextval('attempts') <= 2 THEN RAISE EXCEPTION 'not now' USING ERRCODE = '{code}'; END IF; "
            "RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse_twice BEFORE INSERT ON loyalty_receipts FOR EACH ROW EXECUTE FUNCTION refuse_twice()"
        )


def attempts_at(engine: Engine) -> int:
    with engine.connect() as connection:
        attempts: int = connection.execute(text("SELECT last_value FROM attempts")).scalar_one()
    return attempts


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_a_serialization_failure_and_a_deadlock_are_retried(server: Engine, code: str) -> None:
    refuse_twice(server, code)
    till = till_at(server)
    assert till.sell("T1").status == "recorded"
    assert (attempts_at(server), till.points()) == (3, 10)


def test_they_are_retried_with_asyncio(server: Engine) -> None:
    refuse_twice(server, "40001")
    bill = till_at(server).bill("T1")

    async def sell() -> Receipt:
        ledger = AsyncSQLLedger(create_async_engine(server.url), serials=SERIALS)
        receipt = await ledger.process(TEN, bill)
        await ledger.close()
        return receipt

    assert asyncio.run(sell()).status == "recorded"
    assert attempts_at(server) == 3


@pytest.mark.parametrize("code", ["23505", "23514", "55P03", "57014", "40002", "XX000"])
def test_no_other_error_of_the_server_is_retried(server: Engine, code: str) -> None:
    refuse_twice(server, code)
    till = till_at(server)
    with pytest.raises(DBAPIError) as refused:
        till.sell("T1")
    assert getattr(refused.value.orig, "sqlstate", None) == code
    assert (attempts_at(server), till.points()) == (1, 0)


def test_a_deadlock_with_the_hosts_own_locks_ends_and_is_recorded_once(server: Engine) -> None:
    """The host has locked the ends of the chains, and waits for Anna's account, which the ledger has locked."""
    till = till_at(server)
    till.sell("T1")
    begun: list[Connection] = []
    event.listen(server, "begin", begun.append)
    with server.connect() as host:
        host.exec_driver_sql("SET LOCAL deadlock_timeout = '60s'")  # so that the deadlock is reported to the ledger
        PostgreSQL().lock(host, [chain_lock(each) for each in range(CHAINS)])
        other = Other(lambda: till.spend("7", "S1"))
        wait_until_a_lock_is_awaited(host)
        PostgreSQL().lock(host, [account_lock("acme", ANNA)])
        assert other.waits()
        host.rollback()
    assert other.receipt().status == "recorded"
    assert len(begun) == 3  # the host's, the one that was rolled back, and the retry
    assert till.points() == 3


def wait_until_a_lock_is_awaited(host: Connection) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    until = time.monotonic() + PATIENCE
    while not host.execute(waiting).scalar_one():
        assert time.monotonic() < until, "no transaction waits"
        time.sleep(0.01)


# -- lost connections ------------------------------------------------------------------------------------------------


@contextmanager
def cut_off(engine: Engine, *, committed: bool) -> Iterator[None]:
    """Terminate the next connection that commits, on the server: either before the commit or before its answer."""
    dialect, commit = engine.dialect, engine.dialect.do_commit

    def cut(connection: Any) -> None:
        driver = connection.dbapi_connection
        dialect.do_commit = commit  # type: ignore[method-assign]
        if committed:
            commit(connection)
        with create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": driver.info.backend_pid})
        driver.execute("SELECT 1")  # fails as the commit or its answer would

    dialect.do_commit = cut  # type: ignore[method-assign]
    yield
    assert dialect.do_commit is commit


@pytest.mark.parametrize("committed", [False, True])
def test_a_sale_is_recorded_once_if_the_connection_is_lost_at_the_commit(server: Engine, committed: bool) -> None:
    """The client cannot know whether the commit succeeded; the retry finds the batch, or claims it."""
    till = till_at(server)
    with cut_off(server, committed=committed):
        receipt = till.sell("T1")
    assert receipt.status == ("already_recorded" if committed else "recorded")
    assert [str(each.amount) for each in receipt.intents] == ["10"]  # type: ignore[union-attr]
    assert till.points() == 10
    assert till.ledger.check_invariants() == []


def test_a_lost_connection_in_the_hosts_transaction_raises_to_the_host(server: Engine) -> None:
    till, ledger = till_at(server), SQLLedger(server, serials=SERIALS)
    with server.connect() as connection, ledger.transaction(connection) as tx:
        assert tx.process(TEN, till.bill("T1")).status == "recorded"
        with cut_off(server, committed=False), pytest.raises(DBAPIError):
            connection.commit()
    assert till.points(ANNA) == 0
    assert till.sell("T1").status == "recorded"
