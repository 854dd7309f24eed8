"""The choice of a dialect by the name of the database."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import UnsupportedDatabaseError
from loyalty_rules.ledger.sql.dialects import DIALECTS, PostgreSQL, SQLite, dialect_of


def test_the_dialect_is_chosen_by_the_name_of_the_database() -> None:
    assert isinstance(dialect_of(create_engine("sqlite://")), SQLite)
    assert {"sqlite": SQLite, "postgresql": PostgreSQL} == DIALECTS


def test_an_unsupported_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = create_engine("sqlite://")
    monkeypatch.setattr(engine.dialect, "name", "mysql")
    with pytest.raises(UnsupportedDatabaseError, match="supports sqlite and postgresql; this database is mysql"):
        SQLLedger(engine)
