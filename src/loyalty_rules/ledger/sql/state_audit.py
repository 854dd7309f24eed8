"""The comparison of the state with the log: each row of each table of the state, and those that are gone or added.

The `version` of a row, which counts its changes, is not compared. Nor is its `number`, which only orders the rows.
Source: ledger 2 (invariants).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, select, tuple_

from loyalty_rules.ledger.kinds import KINDS
from loyalty_rules.ledger.sql.rebuild import parts_of_state
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.ledger.sql.tables import Tables

__all__ = ["differences_of_state", "rows_out_of_order"]

_NOT_COMPARED = frozenset({"number", "version"})


def differences_of_state(connection: Connection, tables: Tables, storage: SQLStorage) -> Iterator[str]:
    """Yield a sentence for each row of the state that differs from its computation from the log."""
    for part in parts_of_state(connection, tables, storage):
        try:
            computed = part()
        except Exception as error:  # noqa: BLE001  (a forged row may cause any error)
            yield f"a part of the state cannot be computed from the log: {type(error).__name__}"
            continue
        for table, rows in computed:
            yield from _differences(connection, table, rows)
    yield from _added_rows(connection, tables)


def _differences(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    current = _current_rows(connection, table, [_key_of(table, row) for row in rows])
    for row in rows:
        key = _key_of(table, row)
        found = current.get(key)
        if found is None:
            yield f"{table.name}: {_shown(key)} is missing"
            continue
        different = [name for name in row if name not in _NOT_COMPARED and found[name] != row[name]]
        if different:
            yield f"{table.name}: {', '.join(different)} of {_shown(key)} are not as the log has them"


def _key_columns(table: Table) -> list[str]:
    return ["key"] if "key" in table.c else [each.name for each in table.primary_key]


def _key_of(table: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _key_columns(table))


def _shown(key: tuple[Any, ...]) -> str:
    return " ".join(str(each) for each in key if each != "")


_CHUNK_SIZE = 300


def _current_rows(
    connection: Connection, table: Table, keys: Sequence[tuple[Any, ...]]
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    columns = tuple_(*(table.c[name] for name in _key_columns(table)))
    found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for start in range(0, len(keys), _CHUNK_SIZE):
        for row in connection.execute(select(table).where(columns.in_(keys[start : start + _CHUNK_SIZE]))).mappings():
            columns_of_row: dict[str, Any] = {**row}
            found[_key_of(table, columns_of_row)] = columns_of_row
    return found


def _added_rows(connection: Connection, t: Tables) -> Iterator[str]:
    """Yield a sentence for each row of the state that the log knows nothing of."""
    drawn = select(t.draws.c.name).where(
        t.draws.c.program == t.counters.c.program,
        t.draws.c.name == t.counters.c.name,
        t.draws.c.day == t.counters.c.day,
    )
    added = [
        (t.lots, select(t.lots.c.key).where(t.lots.c.key.not_in(select(t.entries.c.lot)))),
        (t.coupons, select(t.coupons.c.key).where(t.coupons.c.key.not_in(select(t.coupon_states.c.coupon)))),
        (t.counters, select(t.counters.c.name).where(~drawn.exists())),
    ]
    for kind in KINDS:
        table, recorded = t.kinds[kind.name], select(t.versions.c.key).where(t.versions.c.kind == kind.name)
        added.append((table, select(table.c.key).where(table.c.key.not_in(recorded))))
    for table, keys in added:
        for key in connection.execute(keys).scalars():
            yield f"{table.name}: {key} is not in the log"


def rows_out_of_order(connection: Connection, tables: Tables) -> Iterator[str]:
    """Yield a sentence for each table of the log whose numbers are not in the order of its batches.

    So it is on a database with one writer at a time alone.
    """
    for table in tables.written:
        before = func.lag(table.c.batch).over(order_by=table.c.number).label("before")
        pairs = select(table.c.batch, before).subquery()
        if connection.execute(select(pairs.c.batch).where(pairs.c.batch < pairs.c.before).limit(1)).first() is not None:
            yield f"{table.name}: its rows are not in the order of their batches"
