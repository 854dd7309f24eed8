"""A database of edition 1, the tables of version 0.1, with the rows of a few weeks of a shop.

`editions/edition_1.json` has them, and the answers that the ledger of that time gave.
"""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, insert

import loyalty_rules as lr

FIRST = json.loads((Path(__file__).parent / "editions" / "edition_1.json").read_text())
EXPECTED = FIRST["expected"]
PROGRAM = lr.load_program(FIRST["program"])
WITH_BYTES = {"digest", "link", "fingerprint"}


def fill(connection: Connection) -> None:
    """Create the tables of edition 1 in an empty database, with their rows."""
    for statement in FIRST[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    for name, rows in FIRST["rows"].items():
        columns = FIRST["columns"][name]
        table = Table(name, MetaData(), autoload_with=connection, resolve_fks=False)
        values = [dict(zip(columns, row, strict=True)) for row in rows]
        for row in values:
            row |= {each: bytes.fromhex(row[each]) for each in WITH_BYTES & row.keys() if row[each] is not None}
        connection.execute(insert(table), values)
