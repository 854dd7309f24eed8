"""Sums of movements in SQL: entries and coupons, grouped by the dimensions of a report. Source: ledger 4.

A database need not know time zones: the local day of an instant is computed from the offsets of the zone. Rows are
fetched in parts, so that a report needs memory for its groups alone.
"""

from collections.abc import Container, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    union_all,
)

from loyalty_rules.keys import undone_keys
from loyalty_rules.ledger.sql.mapping import instant_of, microseconds
from loyalty_rules.ledger.sql.sums import sum_of_halves, whole
from loyalty_rules.ledger.sql.tables import Tables
from loyalty_rules.reports.issuance import Movement
from loyalty_rules.reports.local_days import Offset, day_of_number, offsets_of
from loyalty_rules.values.amounts import MICRO

__all__ = ["movements"]

_PART = 1_000  # rows in one fetch
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1) // _MICROSECOND
_OF_ISSUE = ("promotion", "store", "member", "tier", "channel")


def movements(
    connection: Connection, tables: Tables, program: str, at: datetime, zone: tzinfo, fields: Container[str]
) -> Iterator[Movement]:
    """Yield the sums of a program's movements up to an instant."""
    sums = _Sums(connection, tables, program, at, zone, fields)
    yield from sums.entries()
    yield from sums.coupons()


class _Sums:
    """The queries of one report."""

    def __init__(
        self,
        connection: Connection,
        tables: Tables,
        program: str,
        at: datetime,
        zone: tzinfo,
        fields: Container[str],
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._program = program
        self._at = microseconds(at)
        self._fields = fields
        self._offsets: list[Offset] | None = None
        self._zone = zone

    # -- entries -----------------------------------------------------------------------------------------------------

    def entries(self) -> Iterator[Movement]:
        """Yield the sums of entries; those that undo a spend are read one by one if a report asks for its store."""
        entry = self._tables.entries
        by_store = "redeemed_store" in self._fields
        summed = entry.c.source != "spent" if by_store else literal(True)
        columns, source = self._entry_columns()
        upper, lower = sum_of_halves(entry.c.amount)
        halves = upper.label("upper"), lower.label("lower")
        names = [*columns]
        query = select(*(each.label(name) for name, each in columns.items()), *halves).select_from(source)
        for row in self._rows(query.where(summed, self._of_program()).group_by(*columns.values())):
            yield self._movement("currency", row, whole(row.upper, row.lower), names)
        if by_store:
            yield from self._undone(columns, source)

    def _of_program(self) -> ColumnElement[bool]:
        entry = self._tables.entries
        return and_(entry.c.program == self._program, entry.c.at <= self._at)

    def _entry_columns(self) -> tuple[dict[str, ColumnElement[Any]], FromClause]:
        """Return the columns that entries are grouped by, and the tables that have them."""
        t = self._tables
        entry, lot, issue, payment = t.entries, t.lots.alias("lot"), t.lots.alias("issue"), t.kinds["payments"]
        columns: dict[str, ColumnElement[Any]] = {
            "of": entry.c.currency,
            "source": entry.c.source,
            "target": entry.c.target,
        }
        source: FromClause = entry
        if "on" in self._fields:
            columns["on"] = self._day(entry.c.at)
        asked: dict[str, ColumnElement[Any]] = {
            name: issue.c["issued_to" if name == "member" else name] for name in _OF_ISSUE if name in self._fields
        }
        if "issued_on" in self._fields:
            asked["issued_on"] = self._day(issue.c.issued_at)
        if asked:
            source = source.join(lot, lot.c.key == entry.c.lot)
            source = source.join(issue, issue.c.key == func.coalesce(lot.c.origin, lot.c.key))
            columns |= asked
        if "redeemed_store" in self._fields:
            source = source.outerjoin(payment, and_(payment.c.key == entry.c.reason, entry.c.target == "spent"))
            columns["redeemed_store"] = payment.c.store
        if "redeemed_member" in self._fields:
            redeems = and_(or_(entry.c.source == "spent", entry.c.target == "spent"), entry.c.kind == "member")
            columns["redeemed_member"] = case((redeems, entry.c.account))
        return columns, source

    def _undone(self, columns: Mapping[str, ColumnElement[Any]], source: FromClause) -> Iterator[Movement]:
        """Yield the entries that undo spends, each with the store of its spend."""
        entry = self._tables.entries
        others = {name: column for name, column in columns.items() if name != "redeemed_store"}
        query = select(*(each.label(name) for name, each in others.items()), entry.c.reason, entry.c.amount)
        rows = self._rows(query.select_from(source).where(entry.c.source == "spent", self._of_program()))
        for part in _parts(rows):
            stores = self._stores(key for row in part for key in undone_keys(row.reason))
            for row in part:
                store = next((stores[key] for key in undone_keys(row.reason) if key in stores), None)
                yield self._movement("currency", row, row.amount, [*others], redeemed_store=store)

    def _stores(self, payments: Iterator[str]) -> dict[str, str | None]:
        payment = self._tables.kinds["payments"]
        query = select(payment.c.key, payment.c.store).where(payment.c.key.in_([*dict.fromkeys(payments)]))
        return {row.key: row.store for row in self._connection.execute(query)}

    # -- coupons -----------------------------------------------------------------------------------------------------

    def coupons(self) -> Iterator[Movement]:
        """Yield the numbers of coupons that were issued, and of those that have ended."""
        coupon = self._states().subquery()
        columns: dict[str, ColumnElement[Any]] = {"of": coupon.c.coupon_type}
        columns |= {name: coupon.c[name] for name in (*_OF_ISSUE, *_OF_REDEMPTION) if name in self._fields}
        if "issued_on" in self._fields:
            columns["issued_on"] = self._day(coupon.c.issued_at)
        yield from self._counted(columns, coupon, coupon.c.issued_at, literal("available"), literal(True))
        ended_at = case(
            (coupon.c.ended == "spent", coupon.c.redeemed_at),
            (coupon.c.ended == "voided", coupon.c.voided_at),
            (coupon.c.ended == "expired", coupon.c.expires_at),
        )
        yield from self._counted(columns, coupon, ended_at, coupon.c.ended, coupon.c.ended.is_not(None))

    def _counted(
        self,
        columns: Mapping[str, ColumnElement[Any]],
        coupon: FromClause,
        at: ColumnElement[Any],
        target: ColumnElement[Any],
        which: ColumnElement[bool],
    ) -> Iterator[Movement]:
        of_movement = {**columns, "target": target}
        if "on" in self._fields:
            of_movement["on"] = self._day(at)
        labelled = [column.label(name) for name, column in of_movement.items()]
        inner = select(*labelled).select_from(coupon).where(which).subquery()  # a literal can't be grouped by
        names = [*of_movement]
        grouped = [inner.c[name] for name in names]
        for row in self._rows(select(*grouped, func.count().label("number")).group_by(*grouped)):
            source = "issued" if row.target == "available" else "available"
            yield self._movement("coupon", row, row.number * MICRO, names, source=source)

    def _states(self) -> Select[Any]:
        """Return a select of the coupons that were issued by the instant, each in its state as of it."""
        coupon, state = self._tables.coupons, self._tables.coupon_states
        of_program = and_(coupon.c.program == self._program, coupon.c.issued_at <= self._at)
        present = select(*self._state_columns(coupon)).where(of_program, coupon.c.latest_at <= self._at)
        known = state.alias("known")
        until = select(func.max(known.c.number)).where(known.c.coupon == coupon.c.key, known.c.at <= self._at)
        last = until.correlate(coupon).scalar_subquery()
        earlier = select(*self._state_columns(state)).select_from(coupon.join(state, state.c.number == last))
        both = union_all(present, earlier.where(of_program, coupon.c.latest_at > self._at)).subquery()
        return select(both)

    def _state_columns(self, state: FromClause) -> list[ColumnElement[Any]]:
        coupon = self._tables.coupons
        has_expired = and_(state.c.state.in_(["issued", "expired"]), state.c.expires_at <= self._at)
        return [
            coupon.c.coupon_type,
            coupon.c.issued_at,
            *(coupon.c[name] for name in _OF_ISSUE if name != "member"),
            coupon.c.issued_to.label("member"),
            state.c.redeemed_at_store.label("redeemed_store"),
            state.c.redeemed_by_member.label("redeemed_member"),
            state.c.redeemed_at,
            state.c.voided_at,
            state.c.expires_at,
            case(
                (state.c.state == "redeemed", "spent"), (state.c.state == "voided", "voided"), (has_expired, "expired")
            ).label("ended"),
        ]

    # -- rows and days -----------------------------------------------------------------------------------------------

    def _rows(self, query: Select[Any]) -> Iterator[Row[Any]]:
        options = {"stream_results": True, "yield_per": _PART}
        yield from self._connection.execute(query, execution_options=options)

    def _movement(self, kind: Any, row: Row[Any], amount: int, names: list[str], **given: Any) -> Movement:
        values: dict[str, Any] = {name: getattr(row, name) for name in names}
        for name in ("on", "issued_on"):
            if values.get(name) is not None:
                values[name] = day_of_number(int(values[name]))
        return Movement(kind, amount=amount, **{**values, **given})

    def _day(self, at: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the number of the local day of an instant since 1970."""
        if self._offsets is None:
            self._offsets = offsets_of(self._zone, self._first(), instant_of(self._at))
        *before, (_, last) = self._offsets
        offset: ColumnElement[Any] = literal(last // _MICROSECOND)
        if before:
            ends = [(at < microseconds(end), literal(each // _MICROSECOND)) for end, each in before if end is not None]
            offset = case(*ends, else_=last // _MICROSECOND)
        return (at + offset) // _DAY

    def _first(self) -> datetime:
        """Return the first instant of an entry or a coupon, or that of the report if there is none earlier."""
        entry, coupon = self._tables.entries, self._tables.coupons
        queries = [
            select(func.min(entry.c.at)).where(entry.c.program == self._program),
            select(func.min(coupon.c.issued_at)).where(coupon.c.program == self._program),
        ]
        found = [self._connection.execute(each).scalar() for each in queries]
        return instant_of(min([*(each for each in found if each is not None), self._at]))


_OF_REDEMPTION = ("redeemed_store", "redeemed_member")


def _parts(rows: Iterator[Row[Any]]) -> Iterator[list[Row[Any]]]:
    part: list[Row[Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == _PART:
            yield part
            part = []
    if part:
        yield part
