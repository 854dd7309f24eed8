"""The edition of the tables: a row in the database says which one they have. Source: ledger 3 (schema version)."""

from collections.abc import Iterator

from sqlalchemy import Connection, Table, func, inspect, select

from loyalty_rules.ledger.errors import SchemaVersionError
from loyalty_rules.ledger.sql.tables import EDITION, Tables

__all__ = ["FIRST_EDITION", "check_edition", "edition_in", "wrong_edition"]

FIRST_EDITION = 1
"""The edition whose tables had no row."""


def edition_in(connection: Connection, tables: Tables) -> int | None:
    """Return the edition of the tables of a database; None if there are no tables of a ledger."""
    if _exists(connection, tables.edition):
        edition: int | None = connection.execute(select(func.max(tables.edition.c.edition))).scalar_one()
        return edition
    return FIRST_EDITION if _exists(connection, tables.batches) else None


def _exists(connection: Connection, table: Table) -> bool:
    return inspect(connection).has_table(table.name, table.schema)


def wrong_edition(connection: Connection, tables: Tables) -> Iterator[str]:
    """Yield a sentence if the row of the edition is not that of these tables: somebody has changed it."""
    found = edition_in(connection, tables)
    if found != EDITION:
        yield f"{tables.edition.name} says {found}, and the tables have edition {EDITION}"


def check_edition(connection: Connection, tables: Tables) -> None:
    """Raise `SchemaVersionError` if a database has tables of another edition than these."""
    found = edition_in(connection, tables)
    if found != EDITION and _exists(connection, tables.batches):
        raise SchemaVersionError(found, EDITION)
