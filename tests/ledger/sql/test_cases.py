"""The cases of `tests/conformance/cases` hold on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.testing.cases import differences, load_cases

from .empty_ledgers import TABLES, emptied
from .servers import Server

CASES = load_cases(Path(__file__).parents[2] / "conformance" / "cases")


@pytest.fixture
def database_of_cases(postgres: Server) -> Iterator[Engine]:
    engine = create_engine(postgres.new_database())
    SQLLedger(engine, tables=TABLES).create_all()
    yield engine
    engine.dispose()


def test_the_cases_hold_on_postgresql(database_of_cases: Engine) -> None:
    wrong = {}
    for case in CASES:
        serials = case.serials()
        wrong[case.name] = differences(case, emptied(database_of_cases, serials), serials)
    assert {name: found for name, found in wrong.items() if found} == {}
