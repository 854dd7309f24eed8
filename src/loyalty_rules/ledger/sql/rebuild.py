"""The rebuild of the state from the log: every lot, coupon, counter and record of a kind. Source: ledger P6.

The log is read in parts, so that a part that cannot be read keeps nobody from the others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Connection, delete, func, insert, select

from loyalty_rules.documents.structuring import restore, unstructure
from loyalty_rules.intents import ExtendExpiry, IssueCoupon, IssueCurrency
from loyalty_rules.keys import extended_issue
from loyalty_rules.ledger.extended_histories import with_extensions
from loyalty_rules.ledger.kinds import FURTHER_LOTS, KINDS, Kind
from loyalty_rules.ledger.records import LotHistory
from loyalty_rules.ledger.sql.mapping import instant_of, json_of, new_coupon_row, new_lot_row, record_of, record_row
from loyalty_rules.ledger.sql.statements import COUPON_COLUMNS
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.ledger.sql.sums import sum_of_halves, whole
from loyalty_rules.ledger.sql.tables import Tables

__all__ = ["StateRows", "parts_of_state", "rebuild"]

_CHUNK_SIZE = 200

StateRows: TypeAlias = tuple[Any, Sequence[Mapping[str, Any]]]
"""A table of the state, and rows of it without their numbers, in their order."""


def rebuild(connection: Connection, tables: Tables, storage: SQLStorage) -> None:
    """Compute the state again from the log alone; the transaction of the connection has locked the state tables."""
    for table in tables.state:
        connection.execute(delete(table))
    for part in parts_of_state(connection, tables, storage):
        for table, rows in part():
            if rows:
                connection.execute(insert(table), rows)


def parts_of_state(
    connection: Connection, tables: Tables, storage: SQLStorage
) -> Iterator[Callable[[], list[StateRows]]]:
    """Yield functions that compute the state from the log, each a part of its rows."""
    for receipts in _receipts(connection, tables):
        yield partial(_issues_of, connection, tables, storage, receipts)
    yield partial(_counters, connection, tables)
    for kind in KINDS:
        for rows in _records(connection, tables, kind):
            yield partial(_records_of, tables, kind, rows)


# -- counters and records ----------------------------------------------------------------------------------------------


def _counters(connection: Connection, tables: Tables) -> list[StateRows]:
    draws = tables.draws
    of = (draws.c.program, draws.c.name, draws.c.day)
    upper, lower = sum_of_halves(draws.c.amount)
    sums = connection.execute(select(*of, upper.label("upper"), lower.label("lower")).group_by(*of)).all()
    return [
        (
            tables.counters,
            [{"program": r.program, "name": r.name, "day": r.day, "value": whole(r.upper, r.lower)} for r in sums],
        )
    ]


def _records(connection: Connection, tables: Tables, kind: Kind[Any]) -> Iterator[Sequence[Any]]:
    """Yield the last versions of the records of a kind, in the order of their first versions."""
    v = tables.versions
    of_kind = select(v.c.key, func.min(v.c.number).label("first"), func.max(v.c.number).label("last"))
    of_kind = of_kind.add_columns(func.max(v.c.at).label("latest_at")).where(v.c.kind == kind.name).group_by(v.c.key)
    ends = of_kind.subquery()
    last = (
        select(ends.c.key, ends.c.first, ends.c.latest_at, v.c.document, tables.batches.c.program)
        .join(v, v.c.number == ends.c.last)
        .join(tables.batches, tables.batches.c.id == v.c.batch)
    )
    after = 0
    while rows := connection.execute(last.where(ends.c.first > after).order_by(ends.c.first).limit(_CHUNK_SIZE)).all():
        yield rows
        after = rows[-1].first


def _records_of(tables: Tables, kind: Kind[Any], rows: Sequence[Any]) -> list[StateRows]:
    written = []
    for row in rows:
        columns = record_row(kind, record_of(kind, row.document), instant_of(row.latest_at))
        written.append({"key": row.key, "program": row.program, **columns, "version": 0})
    return [(tables.kinds[kind.name], written)]


# -- lots and coupons --------------------------------------------------------------------------------------------------


def _receipts(connection: Connection, tables: Tables) -> Iterator[Sequence[Any]]:
    """Yield the batches with their intents, in the order of record."""
    b, r = tables.batches, tables.receipts
    batches = select(r.c.number, r.c.batch, r.c.version, b.c.program, b.c.inputs, r.c.intents).join(b)
    after = 0
    while rows := connection.execute(batches.where(r.c.number > after).order_by(r.c.number).limit(_CHUNK_SIZE)).all():
        yield rows
        after = rows[-1].number


def _issues_of(connection: Connection, tables: Tables, storage: SQLStorage, receipts: Sequence[Any]) -> list[StateRows]:
    """Return the lots and the coupons that some batches issued."""
    further = _further_lots(connection, tables, receipts)
    histories: dict[str, LotHistory] = {}
    coupons: list[tuple[Any, Mapping[str, Any]]] = []
    for row in receipts:
        documents = json_of(row.intents)
        issued = _issued_lots(row, documents) if row.version is not None else []
        histories |= {each.issue.key: each for each in (*issued, *further.get(row.batch, ()))}
        coupons += [(row, each) for each in documents if each["type"] == IssueCoupon.type]
    return [
        (tables.lots, _lot_rows(connection, tables, storage, histories)),
        (tables.coupons, _coupon_rows(connection, tables, coupons)),
    ]


def _place_of(row: Any) -> dict[str, Any]:
    """Return the store, the member's tier and the channel of the sale of a batch."""
    event = json_of(row.inputs)["event"]
    member = event["member"]
    return {
        "store": event["store"],
        "tier": member["tier"] if member is not None else None,
        "channel": event["channel"],
    }


def _issued_lots(row: Any, documents: Sequence[dict[str, Any]]) -> list[LotHistory]:
    rolling = {extended_issue(each["key"]) for each in documents if each["type"] == ExtendExpiry.type}
    issues = [each for each in documents if each["type"] == IssueCurrency.type]
    place = _place_of(row)
    return [
        LotHistory(restore(each, IssueCurrency), row.program, 0, each["key"] in rolling, **place) for each in issues
    ]


def _further_lots(connection: Connection, tables: Tables, receipts: Sequence[Any]) -> dict[int, list[LotHistory]]:
    """Return the lots that receipts do not issue, from their records, by the batch of their first version."""
    v = tables.versions
    programs = {row.batch: row.program for row in receipts}
    of_batches = select(v.c.batch, v.c.document).where(v.c.batch.in_([*programs]), v.c.kind == FURTHER_LOTS.name)
    further: dict[int, list[LotHistory]] = {}
    for row in connection.execute(of_batches.order_by(v.c.number)):
        each = record_of(FURTHER_LOTS, row.document)
        place: dict[str, Any] = {"store": each.store, "tier": each.tier, "channel": each.channel}
        history = LotHistory(each.issue, programs[row.batch], 0, each.rolling, origin=each.origin, **place)
        further.setdefault(row.batch, []).append(history)
    return further


def _lot_rows(
    connection: Connection, tables: Tables, storage: SQLStorage, issued: Mapping[str, LotHistory]
) -> list[Mapping[str, Any]]:
    """Return the rows of lots, each as its last batch wrote it: with the extensions before that batch."""
    histories = storage.with_histories(issued)
    writers, extensions = _last_batches(connection, tables, [*histories]), storage.extensions_of(histories.values())
    rows: list[Mapping[str, Any]] = []
    for key, each in histories.items():
        batch, place = writers[key]
        history = with_extensions(each, extensions[each.program], before=place)
        lot = history.lot()
        if lot is None:
            raise ValueError(key)
        rows.append(
            new_lot_row(lot, unstructure(history.issue), history.entries[0].at, history.latest, history.program, batch)
        )
    return rows


def _last_batches(connection: Connection, tables: Tables, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return the batch that wrote each lot last, and its place in the order of record."""
    last: dict[str, tuple[int, int]] = {}
    r = tables.receipts
    for table in (tables.entries, tables.lot_changes):
        for start in range(0, len(keys), _CHUNK_SIZE):
            some = keys[start : start + _CHUNK_SIZE]
            writes = select(table.c.lot, r.c.batch, r.c.number).join(r, r.c.batch == table.c.batch)
            for row in connection.execute(writes.where(table.c.lot.in_(some))):
                if row.lot not in last or row.number > last[row.lot][1]:
                    last[row.lot] = row.batch, row.number
    return last


def _coupon_rows(
    connection: Connection, tables: Tables, coupons: Sequence[tuple[Any, Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    states = tables.coupon_states
    of_coupon: dict[str, list[Any]] = {}
    keys = [document["key"] for _, document in coupons]
    for start in range(0, len(keys), _CHUNK_SIZE):
        some = select(states).where(states.c.coupon.in_(keys[start : start + _CHUNK_SIZE])).order_by(states.c.number)
        for state in connection.execute(some):
            of_coupon.setdefault(state.coupon, []).append(state)
    return [
        _coupon_row(
            row, _inputs_of_sale(connection, tables, row, document), document, of_coupon[document["key"]], states
        )
        for row, document in coupons
    ]


def _inputs_of_sale(connection: Connection, tables: Tables, row: Any, document: Mapping[str, Any]) -> Any:
    """Return the row with the inputs of a coupon's sale: an amendment that issues it has no store and no member."""
    if "store" in json_of(row.inputs)["event"]:
        return row
    b, r = tables.batches, tables.receipts
    sale = select(b.c.inputs).join(r).where(b.c.program == row.program, b.c.event == document["event"])
    return connection.execute(sale.where(r.c.version.is_not(None))).one()


def _coupon_row(
    row: Any, sale: Any, document: Mapping[str, Any], states: Sequence[Any], table: Any
) -> Mapping[str, Any]:
    hidden = document["serial"]
    issue = restore({**document, "serial": None, "till_message": ""}, IssueCoupon)
    fingerprint = bytes.fromhex(hidden["fingerprint"]) if hidden is not None else None
    state = {name: getattr(states[-1], name) for name in COUPON_COLUMNS if name in table.c}
    latest_at = max(each.at for each in states)
    place = _place_of(sale)
    return new_coupon_row(row.program, issue, document, fingerprint, state, latest_at, place["tier"], place["channel"])
