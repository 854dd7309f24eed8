"""Empty ledgers in databases that are used again and again: emptying a database is faster than creating one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, delete

from loyalty_rules.ledger.sql import SQLLedger, Tables
from loyalty_rules.testing.ledgers.facts.till import SERIALS

__all__ = ["TABLES", "SQLiteTemplate", "emptied"]

TABLES = Tables()


def emptied(engine: Engine, serials: Any = SERIALS) -> SQLLedger:
    """Return the ledger in a database of PostgreSQL after all of its rows but that of the edition are deleted."""
    with engine.begin() as connection:
        for table in (each for each in reversed(TABLES.every) if each is not TABLES.edition):
            # The owner of a table may disable its triggers.
            connection.exec_driver_sql(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
            connection.execute(delete(table))
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")
    return SQLLedger(engine, serials=serials, tables=TABLES)


class SQLiteTemplate:
    """An empty ledger in a file of SQLite, to be copied for each test.

    A copy costs less than the statements that create the tables. All copies share one engine, and with it SQLAlchemy's
    cache of compiled statements.
    """

    def __init__(self, folder: Path) -> None:
        self._template, self._copy = folder / "template.db", folder / "shop.db"
        template = SQLLedger.open(f"sqlite:///{self._template}")
        template.close()
        self._engine = create_engine(f"sqlite:///{self._copy}")
        self._tables = template.tables

    def new_ledger(self, serials: Any = SERIALS) -> SQLLedger:
        """Return an empty ledger in the place of the previous one."""
        self.close()
        for ending in ("-wal", "-shm"):
            self._copy.with_name(self._copy.name + ending).unlink(missing_ok=True)
        shutil.copyfile(self._template, self._copy)
        return SQLLedger(self._engine, serials=serials, tables=self._tables)

    def close(self) -> None:
        """Close the connections of the engine, which keeps its cache of compiled statements."""
        self._engine.dispose()
