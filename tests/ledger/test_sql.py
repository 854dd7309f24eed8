"""The ledger in a database keeps the contract, and does what the model does: on SQLite and on PostgreSQL.

`LOYALTY_DEEP` asks for many more runs of the machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine, create_engine

from loyalty_rules.ledger.sql import SQLLedger
from loyalty_rules.testing.ledgers.contract import LedgerContract
from loyalty_rules.testing.ledgers.state_machine import SERIALS, ledger_state_machine

from .emptied import TABLES, emptied
from .servers import Server

DEEP = bool(os.environ.get("LOYALTY_DEEP"))
RUNS = {"sqlite": 300 if DEEP else 20, "postgresql": 100 if DEEP else 5}


@pytest.fixture(scope="module")
def postgres_engine(postgres: Server) -> Iterator[Engine]:
    """One database of PostgreSQL for all of these tests: to empty it is faster than to make another."""
    engine = create_engine(postgres.new_database())
    SQLLedger(engine, tables=TABLES).create_all()
    yield engine
    engine.dispose()


class TestOnSQLite(LedgerContract):
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[SQLLedger]:
        with closing(SQLLedger.open(f"sqlite:///{tmp_path / 'shop.db'}", serials=SERIALS)) as ledger:
            yield ledger


class TestOnPostgreSQL(LedgerContract):
    @pytest.fixture
    def ledger(self, postgres_engine: Engine) -> SQLLedger:
        return emptied(postgres_engine)


def do_what_the_model_does(database: str, new_ledger: Callable[[], SQLLedger]) -> None:
    """Try all operations in any order, on a new ledger each time; `LOYALTY_EXAMPLES` asks for so many runs."""
    runs = int(os.environ.get("LOYALTY_EXAMPLES", RUNS[database]))
    machine = ledger_state_machine(new_ledger, max_examples=runs)
    run_state_machine_as_test(machine, settings=machine.TestCase.settings)


def test_on_sqlite_it_does_what_the_model_does(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    try:
        do_what_the_model_does("sqlite", lambda: emptied(engine))
    finally:
        engine.dispose()


def test_on_postgresql_it_does_what_the_model_does(postgres_engine: Engine) -> None:
    do_what_the_model_does("postgresql", lambda: emptied(postgres_engine))
