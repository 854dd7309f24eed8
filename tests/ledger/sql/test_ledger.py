"""The ledger in a database fulfils the contract, and agrees with the reference model, on SQLite and on PostgreSQL.

`LOYALTY_DEEP` asks for many more runs of the state machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError

import loyalty_rules as lr
from loyalty_rules.cli import main
from loyalty_rules.ledger import IdempotencyConflict, MemoryLedger, SQLLedger
from loyalty_rules.lifecycle import Account
from loyalty_rules.testing.ledgers.contract import LedgerContract
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    Till,
    earn,
    fixed,
    shop,
)
from loyalty_rules.testing.ledgers.state_machine import ledger_state_machine

from .empty_ledgers import TABLES, SQLiteTemplate, emptied
from .racing import PROCESSES, open_and_sell
from .servers import Server
from .sqlite_files import busy_week, execute

DEEP = bool(os.environ.get("LOYALTY_DEEP"))
RUNS = {"sqlite": 300 if DEEP else 10, "postgresql": 100 if DEEP else 3}


@pytest.fixture(scope="module")
def postgres_engine(postgres: Server) -> Iterator[Engine]:
    """Yield an engine on one database of PostgreSQL for all of these tests, which is emptied between them."""
    engine = create_engine(postgres.new_database())
    SQLLedger(engine, tables=TABLES).create_all()
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteTemplate]:
    with closing(SQLiteTemplate(tmp_path_factory.mktemp("template"))) as template:
        yield template


@pytest.mark.slow  # all of it together; the facts hold in memory in the quick tests
class TestOnSQLite(LedgerContract):
    @pytest.fixture
    def ledger(self, sqlite_template: SQLiteTemplate) -> SQLLedger:
        return sqlite_template.new_ledger()


class TestOnPostgreSQL(LedgerContract):
    @pytest.fixture
    def ledger(self, postgres_engine: Engine) -> SQLLedger:
        return emptied(postgres_engine)


def compare_with_the_model(database: str, new_ledger: Callable[[], SQLLedger]) -> None:
    """Run all operations in any order, each time on an empty ledger; `LOYALTY_EXAMPLES` is the number of runs."""
    runs = int(os.environ.get("LOYALTY_EXAMPLES", RUNS[database]))
    machine = ledger_state_machine(new_ledger, max_examples=runs)
    run_state_machine_as_test(machine, settings=machine.TestCase.settings)


@pytest.mark.slow
def test_the_ledger_agrees_with_the_model_on_sqlite(sqlite_template: SQLiteTemplate) -> None:
    compare_with_the_model("sqlite", sqlite_template.new_ledger)


@pytest.mark.slow
def test_the_ledger_agrees_with_the_model_on_postgresql(postgres_engine: Engine) -> None:
    compare_with_the_model("postgresql", lambda: emptied(postgres_engine))


@pytest.fixture(params=["memory", "sqlite"])
def either(request: pytest.FixtureRequest) -> Any:
    """Return a ledger in memory, or in a file: both behave alike."""
    return MemoryLedger() if request.param == "memory" else request.getfixturevalue("ledger")


@pytest.mark.parametrize("fails", [False, True])
def test_a_sale_is_recorded_with_the_hosts_own_rows_or_not_at_all(engine: Engine, fails: bool) -> None:
    ledger = SQLLedger(engine)
    ledger.create_all()
    program = shop(earn(fixed("10")))
    bill = Till(ledger).bill("T1")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id TEXT PRIMARY KEY)"))
    connection = engine.connect()
    with ledger.transaction(connection) as tx:
        connection.execute(text("INSERT INTO orders VALUES ('T1')"))
        assert tx.process(program, bill).status == "recorded"
    connection.rollback() if fails else connection.commit()
    connection.close()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM orders")).scalar_one() == (0 if fails else 1)
    assert ledger.balance("acme", ANNA, "points", bill.occurred_at).available == (0 if fails else 10)
    assert ledger.check_invariants() == []


def test_a_ledger_on_a_connection_joins_its_transaction(engine: Engine) -> None:
    SQLLedger(engine).create_all()
    program, bill = shop(earn(fixed("10"))), Till(MemoryLedger()).bill("T1")
    with engine.connect() as connection:
        joined = SQLLedger(connection)
        assert joined.process(program, bill).status == "recorded"
        assert joined.process(program, bill).status == "already_recorded"
        connection.rollback()
    assert SQLLedger(engine).process(program, bill).status == "recorded"


def test_an_error_of_the_database_reaches_the_host(ledger: SQLLedger, path: Path, till: Till) -> None:
    till.runs(shop(earn(fixed("10"))))
    execute(path, "DROP TABLE loyalty_entries")
    with pytest.raises(DBAPIError, match="loyalty_entries"):
        till.sell("T1")
    with ledger._read_connection() as connection:
        assert connection.execute(select(ledger.tables.batches)).all() == []


def test_reconcile_returns_the_events_that_were_not_recorded(till: Till, ledger: SQLLedger) -> None:
    busy_week(till)
    assert ledger.reconcile("acme", ["T1", "X1", "T2", "X2"]) == ["X1", "X2"]
    assert ledger.reconcile("other", ["T1"]) == ["T1"]


def test_ids_that_no_database_can_hold_are_refused_by_name(ledger: SQLLedger) -> None:
    for name, call in [
        ("program", lambda: ledger.reconcile("\ud800", ["T1"])),
        ("events", lambda: ledger.reconcile("acme", ["T1", "\ud800"])),
        ("program", lambda: ledger.sweeps("\ud800", Till(ledger).now, Till(ledger).now)),
    ]:
        with pytest.raises(lr.InvalidValueError) as error:
            call()
        assert error.value.name == name


def test_the_programs_and_the_latest_instant_are_returned(till: Till, ledger: SQLLedger) -> None:
    assert (ledger.programs(), ledger.latest()) == ([], None)
    busy_week(till)
    assert [each.version for each in ledger.programs()] == [till.program.version]
    assert ledger.latest() is not None


def test_an_invalid_id_or_instant_is_refused_and_nothing_is_recorded(either: Any) -> None:
    ledger, till = either, Till(either)
    program = till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    naive = till.now.replace(tzinfo=None)
    for member, event, at in [
        ("a\0", "S", till.now),
        ("", "S", till.now),
        ("anna", "S\0", till.now),
        ("anna", "x" * 300, till.now),
        ("anna", "S", naive),
    ]:
        with pytest.raises(lr.InvalidValueError):
            ledger.spend(program, ANNA, member, "points", Decimal(1), event=event, at=at)
    for name in ("a\0", "\ud800", ""):
        with pytest.raises(lr.InvalidValueError):
            ledger.balance("acme", Account("member", name), "points", till.now)
    with pytest.raises(lr.InvalidValueError):
        ledger.undo_spend(program, "acme/S\0/spend/points", event="U", at=till.now)
    assert till.points() == 10


def test_an_invalid_argument_is_named_in_the_error(either: Any) -> None:
    ledger, till = either, Till(either)
    program = till.runs(shop(earn(fixed("10"))))
    naive = till.now.replace(tzinfo=None)
    for name, call in [
        ("at", lambda: ledger.balance("acme", ANNA, "points", naive)),
        ("at", lambda: ledger.lots("acme", ANNA, "points", naive)),
        ("at", lambda: ledger.statement("acme", ANNA, naive)),
        ("at", lambda: ledger.promises("acme", naive)),
        ("at", lambda: ledger.report_rows("acme", naive)),
        ("at", lambda: ledger.settle(program, naive)),
        ("at", lambda: ledger.expire(program, naive)),
        ("at", lambda: ledger.void(program, "acme/T1/p/earn", event="V", at=naive)),
        ("recorded_at", lambda: ledger.process(program, till.bill("T1"), recorded_at=naive)),
        ("amount", lambda: ledger.spend(program, ANNA, "anna", "points", 1.5, event="S", at=till.now)),
        ("member", lambda: ledger.spend(program, ANNA, None, "points", Decimal(1), event="S", at=till.now)),
        ("event", lambda: ledger.spend(program, ANNA, "anna", "points", Decimal(1), event=7, at=till.now)),
        ("code", lambda: ledger.redeem(program, 12345, till.bill("T1"))),
        ("event", lambda: ledger.process(program, {"type": "transaction"})),
        ("evaluation", lambda: ledger.record(None)),
        ("program", lambda: ledger.settle("acme", till.now)),
        ("program", lambda: ledger.snapshot("acme", till.bill("T1"))),
        ("code", lambda: ledger.coupon("acme", None)),
        ("coupon", lambda: ledger.void(program, 1, event="V", at=till.now)),
        ("spend", lambda: ledger.undo_spend(program, 1, event="V", at=till.now)),
        ("redemption", lambda: ledger.undo_redemption(program, 1, event="V", at=till.now)),
        ("kind", lambda: Account("memebr", "anna")),  # type: ignore[arg-type]
    ]:
        with pytest.raises(lr.InvalidValueError) as error:
            call()
        assert error.value.name == name


def test_a_spend_for_another_member_under_the_same_id_is_a_conflict(either: Any) -> None:
    ledger, till = either, Till(either)
    program = till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    ledger.spend(program, ANNA, "anna", "points", Decimal(1), event="S", at=till.now)
    with pytest.raises(IdempotencyConflict) as conflict:
        ledger.spend(program, ANNA, "ben", "points", Decimal(1), event="S", at=till.now)
    assert (conflict.value.field, conflict.value.recorded) == ("member", "anna")


def test_a_missing_ledger_is_not_created_if_create_is_false(database: str) -> None:
    for _ in range(2):
        with closing(SQLLedger.open(database, create=False)) as ledger:
            assert not ledger.exists()
    with closing(SQLLedger.open(database)) as ledger:
        assert ledger.exists()


def test_a_report_on_a_server_without_a_ledger_fails_and_creates_nothing(
    postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", postgres_url]) == 2
    assert "is a database without a ledger" in capsys.readouterr().err
    with closing(SQLLedger.open(postgres_url, create=False)) as ledger:
        assert not ledger.exists()


@pytest.mark.slow
def test_eight_processes_open_a_new_database_at_once(database: str) -> None:
    with PROCESSES.Pool(8) as workers:
        assert workers.starmap(open_and_sell, [(database, number) for number in range(8)], 1) == ["recorded"] * 8
