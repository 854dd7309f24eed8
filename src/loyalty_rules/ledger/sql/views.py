"""The views of a ledger's database, for people who have only SQL. Source: ledger 3.

`…currency_facts` has a row for each entry, `…coupon_facts` one for each coupon. Their instants are in UTC. SQLite has
no exact decimals, so that an amount is a text there; `micros` has it as whole millionths, which SQL adds up exactly.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, MetaData, Numeric, Select, Table, case, cast, event, func, select
from sqlalchemy.engine import Dialect

__all__ = ["attach_views", "create_views", "view_names", "view_statements"]

_MILLION = 1_000_000


class ViewedTables(Protocol):
    """The parts of a ledger's `Tables` that the views read."""

    metadata: MetaData
    prefix: str
    schema: str | None
    entries: Table
    lots: Table
    coupons: Table
    kinds: Mapping[str, Table]


def view_names(tables: ViewedTables) -> dict[str, str]:
    """Return the full names of the views, by their names without the prefix."""
    schema = f'"{tables.schema}".' if tables.schema is not None else ""
    return {name: f'{schema}"{tables.prefix}{name}"' for name in _VIEWS}


def attach_views(tables: ViewedTables) -> None:
    """Have the metadata create the views after the tables of a ledger, and drop them before the tables."""

    def created(_target: MetaData, connection: Connection, **given: Any) -> None:
        if tables.lots in given.get("tables", ()):
            create_views(connection, tables)

    def dropped(_target: MetaData, connection: Connection, **given: Any) -> None:
        if tables.lots in given.get("tables", ()):
            _drop_views(connection, tables)

    event.listen(tables.metadata, "after_create", created)
    event.listen(tables.metadata, "before_drop", dropped)


def create_views(connection: Connection, tables: ViewedTables) -> None:
    """Create the views, in place of those that are there; the tables exist."""
    _drop_views(connection, tables)
    for statement in view_statements(tables, connection.dialect):
        connection.exec_driver_sql(statement)


def view_statements(tables: ViewedTables, dialect: Dialect) -> Iterator[str]:
    """Yield the statements that create the views, for a database of a dialect."""
    for name, full_name in view_names(tables).items():
        query = _VIEWS[name](tables, dialect)
        text = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        yield f"CREATE VIEW {full_name} AS {text}"


def _drop_views(connection: Connection, tables: ViewedTables) -> None:
    for full_name in view_names(tables).values():
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {full_name}")


def _currency_facts(t: ViewedTables, dialect: Dialect) -> Select[Any]:
    """Return the select of a row for each entry, with the issue and the redemption that it belongs to."""
    entry, lot, issue, payment = t.entries, t.lots.alias("lot"), t.lots.alias("issue"), t.kinds["payments"]
    return (
        select(
            _time(dialect, entry.c.at).label("at"),
            _time(dialect, entry.c.recorded_at).label("recorded_at"),
            entry.c.program,
            entry.c.currency,
            entry.c.source.label("from_bucket"),
            entry.c.target.label("to_bucket"),
            _amount(dialect, entry.c.amount).label("amount"),
            entry.c.amount.label("micros"),
            entry.c.kind,
            entry.c.account,
            issue.c.issued_to.label("member"),
            issue.c.tier,
            issue.c.store,
            issue.c.channel,
            issue.c.promotion,
            issue.c.event,
            _time(dialect, issue.c.issued_at).label("issued_at"),
            case((entry.c.target == "spent", payment.c.store)).label("redeemed_store"),
            entry.c.lot,
            entry.c.reason,
            entry.c.by,
        )
        .select_from(entry)
        .join(lot, lot.c.key == entry.c.lot)
        .join(issue, issue.c.key == func.coalesce(lot.c.origin, lot.c.key))
        .outerjoin(payment, payment.c.key == entry.c.reason)
    )


def _coupon_facts(t: ViewedTables, dialect: Dialect) -> Select[Any]:
    """Return the select of a row for each coupon: its issue, its redemption and its recorded state."""
    coupon = t.coupons
    return select(
        coupon.c.program,
        coupon.c.coupon_type,
        coupon.c.promotion,
        coupon.c.key.label("coupon"),
        coupon.c.event,
        _time(dialect, coupon.c.issued_at).label("issued_at"),
        coupon.c.store,
        coupon.c.issued_to.label("member"),
        coupon.c.tier,
        coupon.c.channel,
        coupon.c.state,
        _time(dialect, coupon.c.expires_at).label("expires_at"),
        _time(dialect, coupon.c.redeemed_at).label("redeemed_at"),
        coupon.c.redeemed_at_store.label("redeemed_store"),
        coupon.c.redeemed_by_member.label("redeemed_member"),
        coupon.c.redeemed_by.label("redeemed_event"),
        _amount(dialect, coupon.c.taken).label("discount"),
        _amount(dialect, coupon.c.remaining).label("remaining"),
        _time(dialect, coupon.c.voided_at).label("voided_at"),
    )


_VIEWS = {"currency_facts": _currency_facts, "coupon_facts": _coupon_facts}


def _time(dialect: Dialect, column: ColumnElement[int]) -> ColumnElement[Any]:
    """Return an instant as a timestamp; SQLite has none, and gets the text that its own functions read."""
    if dialect.name == "sqlite":
        return func.strftime("%Y-%m-%d %H:%M:%S", column // _MILLION, "unixepoch")
    return func.to_timestamp(cast(column, Numeric) / _MILLION)


def _amount(dialect: Dialect, column: ColumnElement[int]) -> ColumnElement[Any]:
    """Return millionths, none below zero, as a decimal."""
    if dialect.name == "sqlite":
        # printf would write an absent amount as 0.
        return case((column.is_not(None), func.printf("%d.%06d", column // _MILLION, column % _MILLION)))
    return cast(cast(column, Numeric) / _MILLION, Numeric(25, 6))
