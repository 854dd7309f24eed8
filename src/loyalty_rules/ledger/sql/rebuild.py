"""The state made anew from the log: every lot, coupon and counter. Source: ledger P6."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, cast, delete, func, insert, select

from loyalty_rules.documents.structuring import restore
from loyalty_rules.intents import ExtendExpiry, IssueCoupon, IssueCurrency
from loyalty_rules.keys import extended_issue
from loyalty_rules.ledger.records import LotHistory
from loyalty_rules.ledger.sql.mapping import json_of, microseconds, new_lot_row, text_of_json
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.ledger.sql.tables import Tables

__all__ = ["rebuild"]

_AT_ONCE = 200


def rebuild(connection: Connection, tables: Tables, storage: SQLStorage) -> None:
    """Make the state anew from the log alone, in the transaction of the connection, which has the state to itself."""
    for table in tables.state:
        connection.execute(delete(table))
    for row, documents in _receipts(connection, tables):
        _issue_lots(connection, tables, storage, row, documents)
        _issue_coupons(connection, tables, row, documents)
    draws = tables.draws
    of = (draws.c.program, draws.c.name, draws.c.day)
    sums = select(*of, cast(func.sum(draws.c.amount), BigInteger)).group_by(*of)
    connection.execute(insert(tables.counters).from_select(["program", "name", "day", "value"], sums))


def _receipts(connection: Connection, tables: Tables) -> Iterator[tuple[Any, Sequence[dict[str, Any]]]]:
    """Give the batches of sales with their intents, in the order of record."""
    b, r = tables.batches, tables.receipts
    sales = select(r.c.number, b.c.program, b.c.inputs, r.c.intents).join(b).where(r.c.version.is_not(None))
    after = 0
    while some := connection.execute(sales.where(r.c.number > after).order_by(r.c.number).limit(_AT_ONCE)).all():
        for row in some:
            yield row, json_of(row.intents)
        after = some[-1].number


def _issue_lots(
    connection: Connection, tables: Tables, storage: SQLStorage, row: Any, documents: Sequence[dict[str, Any]]
) -> None:
    rolling = {extended_issue(each["key"]) for each in documents if each["type"] == ExtendExpiry.type}
    issues = {each["key"]: each for each in documents if each["type"] == IssueCurrency.type}
    files = {
        key: LotHistory(restore(each, IssueCurrency), row.program, 0, key in rolling) for key, each in issues.items()
    }
    store = json_of(row.inputs)["event"]["store"]
    rows = []
    for file in storage.with_histories(files).values():
        lot = file.lot()
        assert lot is not None
        rows.append(new_lot_row(lot, issues[lot.key], file.latest, row.program, store))
    if rows:
        connection.execute(insert(tables.lots), rows)


def _issue_coupons(connection: Connection, tables: Tables, row: Any, documents: Sequence[dict[str, Any]]) -> None:
    states = tables.coupon_states
    for document in documents:
        if document["type"] != IssueCoupon.type:
            continue
        hidden = document["serial"]
        found = connection.execute(
            select(states).where(states.c.coupon == document["key"]).order_by(states.c.number)
        ).all()
        last = found[-1]
        issue = restore({**document, "serial": None, "till_message": ""}, IssueCoupon)
        new = {
            "key": issue.key,
            "program": row.program,
            "event": issue.event,
            "member": issue.member,
            "code": issue.code,
            "fingerprint": bytes.fromhex(hidden["fingerprint"]) if hidden is not None else None,
            "issue": text_of_json(document),
            "expires_at": microseconds(issue.expires_at) if issue.expires_at is not None else None,
            **{name: getattr(last, name) for name in ("state", "remaining", "redeemed_by", "redeemed_at", "voided_at")},
            "latest_at": max(each.at for each in found),
            "version": 0,
        }
        connection.execute(insert(tables.coupons), new)
