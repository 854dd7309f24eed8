"""The rebuild of the state from the log: every lot, coupon, counter and record of a kind. Source: ledger P6."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, cast, delete, func, insert, select

from loyalty_rules.documents.structuring import restore, unstructure
from loyalty_rules.intents import ExtendExpiry, IssueCoupon, IssueCurrency
from loyalty_rules.keys import extended_issue
from loyalty_rules.ledger.kinds import FURTHER_LOTS, KINDS, Kind
from loyalty_rules.ledger.records import LotHistory
from loyalty_rules.ledger.sql.mapping import instant_of, json_of, new_coupon_row, new_lot_row, record_of, record_row
from loyalty_rules.ledger.sql.statements import COUPON_COLUMNS
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.ledger.sql.tables import Tables

__all__ = ["rebuild"]

_CHUNK_SIZE = 200


def rebuild(connection: Connection, tables: Tables, storage: SQLStorage) -> None:
    """Compute the state again from the log alone; the transaction of the connection has locked the state tables."""
    for table in tables.state:
        connection.execute(delete(table))
    for row, documents in _receipts(connection, tables):
        if row.version is not None:
            _issue_lots(connection, tables, storage, row, documents)
        _add_further_lots(connection, tables, storage, row)
        _issue_coupons(connection, tables, row, documents)
    draws = tables.draws
    of = (draws.c.program, draws.c.name, draws.c.day)
    sums = select(*of, cast(func.sum(draws.c.amount), BigInteger)).group_by(*of)
    connection.execute(insert(tables.counters).from_select(["program", "name", "day", "value"], sums))
    for kind in KINDS:
        _save_records(connection, tables, kind)


def _save_records(connection: Connection, tables: Tables, kind: Kind[Any]) -> None:
    """Write the last version of each record of a kind, in the order of the first versions."""
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
        for row in rows:
            record = record_of(kind, row.document)
            columns = record_row(kind, record, instant_of(row.latest_at))
            connection.execute(
                insert(tables.kinds[kind.name]), {"key": row.key, "program": row.program, **columns, "version": 0}
            )
        after = rows[-1].first


def _receipts(connection: Connection, tables: Tables) -> Iterator[tuple[Any, Sequence[dict[str, Any]]]]:
    """Yield the batches with the documents of their intents, in the order of record."""
    b, r = tables.batches, tables.receipts
    batches = select(r.c.number, r.c.batch, r.c.version, b.c.program, b.c.inputs, r.c.intents).join(b)
    after = 0
    while rows := connection.execute(batches.where(r.c.number > after).order_by(r.c.number).limit(_CHUNK_SIZE)).all():
        for row in rows:
            yield row, json_of(row.intents)
        after = rows[-1].number


def _place_of(row: Any) -> dict[str, Any]:
    """Return the store, the member's tier and the channel of the sale of a batch."""
    event = json_of(row.inputs)["event"]
    member = event["member"]
    return {
        "store": event["store"],
        "tier": member["tier"] if member is not None else None,
        "channel": event["channel"],
    }


def _issue_lots(
    connection: Connection, tables: Tables, storage: SQLStorage, row: Any, documents: Sequence[dict[str, Any]]
) -> None:
    rolling = {extended_issue(each["key"]) for each in documents if each["type"] == ExtendExpiry.type}
    issues = {each["key"]: each for each in documents if each["type"] == IssueCurrency.type}
    place = _place_of(row)
    histories = [
        LotHistory(restore(each, IssueCurrency), row.program, 0, key in rolling, **place)
        for key, each in issues.items()
    ]
    _add_lots(connection, tables, storage, histories)


def _add_further_lots(connection: Connection, tables: Tables, storage: SQLStorage, row: Any) -> None:
    """Add the lots of a batch that its receipt does not issue, from their records."""
    v = tables.versions
    of_batch = select(v.c.document).where(v.c.batch == row.batch, v.c.kind == FURTHER_LOTS.name).order_by(v.c.number)
    further = [record_of(FURTHER_LOTS, document) for document in connection.execute(of_batch).scalars()]
    histories = [
        LotHistory(
            each.issue,
            row.program,
            0,
            each.rolling,
            origin=each.origin,
            store=each.store,
            tier=each.tier,
            channel=each.channel,
        )
        for each in further
    ]
    _add_lots(connection, tables, storage, histories)


def _add_lots(connection: Connection, tables: Tables, storage: SQLStorage, histories: Sequence[LotHistory]) -> None:
    rows = []
    for history in storage.with_histories({each.issue.key: each for each in histories}).values():
        lot = history.lot()
        assert lot is not None
        rows.append(new_lot_row(lot, unstructure(history.issue), history.latest, history.program))
    if rows:
        connection.execute(insert(tables.lots), rows)


def _issue_coupons(connection: Connection, tables: Tables, row: Any, documents: Sequence[dict[str, Any]]) -> None:
    states = tables.coupon_states
    for document in documents:
        if document["type"] != IssueCoupon.type:
            continue
        hidden = document["serial"]
        coupon_states = connection.execute(
            select(states).where(states.c.coupon == document["key"]).order_by(states.c.number)
        ).all()
        last = coupon_states[-1]
        issue = restore({**document, "serial": None, "till_message": ""}, IssueCoupon)
        fingerprint = bytes.fromhex(hidden["fingerprint"]) if hidden is not None else None
        state = {name: getattr(last, name) for name in COUPON_COLUMNS if name in states.c}
        latest_at = max(each.at for each in coupon_states)
        place = _place_of(row)
        new = new_coupon_row(
            row.program, issue, document, fingerprint, state, latest_at, place["tier"], place["channel"]
        )
        connection.execute(insert(tables.coupons), new)
