"""The statements: every change of the state has a condition, and a change that does not meet it finds no row."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, CursorResult, Engine, insert, select
from sqlalchemy.dialects import postgresql

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql.dialects import PostgreSQL, dialect_of
from loyalty_rules.ledger.sql.statements import COUPON_COLUMNS, LOT_COLUMNS, Statements
from loyalty_rules.ledger.sql.tables import Tables
from loyalty_rules.testing.ledgers.facts.till import SERIALS, Till, coupon_type, earn, fixed, hand_out, shop

COUNTER = {"program": "acme", "name": "cap", "day": ""}


@pytest.fixture
def statements(ledger: SQLLedger, engine: Engine) -> Statements:
    return Statements(ledger.tables, dialect_of(engine))


def changed_rows(connection: Connection, statement: Any, **parameters: Any) -> int:
    result: CursorResult[Any] = connection.execute(statement, parameters)
    return result.rowcount


def test_a_lot_changes_only_from_the_version_that_was_read(
    engine: Engine, ledger: SQLLedger, statements: Statements
) -> None:
    till = Till(ledger)
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    with engine.connect() as connection:
        row = connection.execute(select(ledger.tables.lots)).one()
        values = {f"new_{name}": getattr(row, name) for name in LOT_COLUMNS}
        change = {"lot": row.key, **values}
        assert changed_rows(connection, statements.change_lots, expected_version=row.version + 1, **change) == 0
        assert changed_rows(connection, statements.change_lots, expected_version=row.version, **change) == 1
        assert changed_rows(connection, statements.change_lots, expected_version=row.version, **change) == 0


def test_a_coupon_changes_only_from_the_version_that_was_read(
    engine: Engine, ledger: SQLLedger, statements: Statements
) -> None:
    till = Till(SQLLedger(engine, serials=SERIALS))
    till.runs(shop(hand_out(), coupon_types=coupon_type()))
    till.sell("T1")
    with engine.connect() as connection:
        row = connection.execute(select(ledger.tables.coupons)).one()
        values = {f"new_{name}": getattr(row, name) for name in COUPON_COLUMNS}
        change = {"coupon": row.key, **values}
        assert changed_rows(connection, statements.change_coupons, expected_version=row.version + 1, **change) == 0
        assert changed_rows(connection, statements.change_coupons, expected_version=row.version, **change) == 1
        assert changed_rows(connection, statements.change_coupons, expected_version=row.version, **change) == 0


def test_a_counter_is_drawn_on_up_to_its_maximum(engine: Engine, statements: Statements) -> None:
    with engine.connect() as connection:
        assert changed_rows(connection, statements.draw, **COUNTER, value=7, maximum=10) == 1
        assert changed_rows(connection, statements.draw, **COUNTER, value=4, maximum=10) == 0
        assert changed_rows(connection, statements.draw, **COUNTER, value=3, maximum=10) == 1
        assert connection.execute(select(statements.tables.counters.c.value)).scalar_one() == 10


def test_an_amount_is_given_back_to_an_existing_counter_only(engine: Engine, statements: Statements) -> None:
    counter = {"counter_program": "acme", "counter_name": "cap", "counter_day": ""}
    with engine.connect() as connection:
        assert changed_rows(connection, statements.give_back, **counter, amount=-3) == 0
        connection.execute(insert(statements.tables.counters), {**COUNTER, "value": 7})
        assert changed_rows(connection, statements.give_back, **counter, amount=-3) == 1
        assert connection.execute(select(statements.tables.counters.c.value)).scalar_one() == 4


def test_a_batch_is_claimed_once(engine: Engine, statements: Statements) -> None:
    row = {"program": "acme", "event": "T1", "phase": "event", "of": None, "inputs": "{}", "at": 1, "recorded_at": 1}
    dialect = dialect_of(engine)
    with engine.connect() as connection:
        first = dialect.claim(connection, statements.claim, row, ())
        assert first is not None
        assert dialect.claim(connection, statements.claim, row, ()) is None
        second = dialect.claim(connection, statements.claim, {**row, "phase": "spend/points"}, ())
        assert second is not None
        assert second > first


def test_postgresql_claims_and_locks_in_one_statement() -> None:
    claim = str(Statements(Tables(), PostgreSQL()).claim.compile(dialect=postgresql.dialect()))
    assert "ON CONFLICT DO NOTHING RETURNING loyalty_batches.id" in claim
    assert "count(pg_advisory_xact_lock(number))" in claim
