"""Empty ledgers in databases that are used again and again: to empty one is faster than to make another."""

from __future__ import annotations

from sqlalchemy import Engine, delete

from loyalty_rules.ledger.sql import SQLLedger, Tables
from loyalty_rules.testing.ledgers.facts.till import SERIALS

__all__ = ["TABLES", "emptied"]

TABLES = Tables()


def emptied(engine: Engine) -> SQLLedger:
    """Give a ledger of which nothing is left."""
    ledger = SQLLedger(engine, serials=SERIALS, tables=TABLES)
    if engine.dialect.name == "sqlite":
        TABLES.metadata.drop_all(engine)
        ledger.create_all()
    else:
        _delete_all(engine)
    return ledger


def _delete_all(engine: Engine) -> None:
    """Delete all rows; whoever owns the tables of the log can silence their triggers."""
    with engine.begin() as connection:
        for table in reversed([*TABLES.log, *TABLES.state]):
            connection.exec_driver_sql(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
            connection.execute(delete(table))
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")
