"""Reads as of an instant: lots, promises, debts, coupons, statements. Source: ledger 4.

A row that has not changed since the instant is used as it is. Only for the other rows the history is read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, Row

from loyalty_rules.ledger.kinds import Kind, RecordT
from loyalty_rules.ledger.records import Entry, LotHistory
from loyalty_rules.ledger.sql.mapping import (
    account_row,
    coupon_of,
    entry_of,
    lot_history_of,
    lot_of,
    microseconds,
    record_of,
    with_history,
)
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot

__all__ = ["HistoryReader"]

_CHUNK_SIZE = 1_000  # lots or coupons in one query


class HistoryReader:
    """The part of `SQLStorage` that reads as of an instant, on one connection."""

    def __init__(self, connection: Connection, statements: Statements, serials: SerialsAtRest) -> None:
        self._connection = connection
        self._statements = statements
        self._serials = serials

    def _rows(self, statement: Executable, **parameters: Any) -> Sequence[Row[Any]]:
        return self._connection.execute(statement, parameters).all()

    def _row(self, statement: Executable, **parameters: Any) -> Row[Any] | None:
        return self._connection.execute(statement, parameters).first()

    def lots_at(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return the lots of an account as of an instant."""
        of = account_row(program, account, currency)
        rows = self._rows(self._statements.lots_of_account, **of)
        left = self._rows(self._statements.lots_that_left, **of)  # by a merge
        lots = self._as_of(sorted([*rows, *left], key=lambda row: row.number) if left else rows, at)
        return [lot for lot in lots if lot.account == account]

    def promised_at(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return the promises that were open at an instant."""
        lots = self._as_of(self._rows(self._statements.open_or_changed_since, program=program, at=microseconds(at)), at)
        return [lot for lot in lots if lot.promised > 0]

    def _as_of(self, rows: Sequence[Row[Any]], at: datetime) -> list[Lot]:
        """Convert rows to lots as of an instant, with the history of those that have changed since."""
        instant = microseconds(at)
        histories = self._histories([row for row in rows if row.latest_at > instant])
        lots = (lot_of(row) if row.latest_at <= instant else histories[row.key].lot(at) for row in rows)
        return [lot for lot in lots if lot is not None]

    def _histories(self, rows: Sequence[Row[Any]]) -> dict[str, LotHistory]:
        return self.with_histories({row.key: lot_history_of(row) for row in rows})

    def with_histories(self, histories: Mapping[str, LotHistory]) -> dict[str, LotHistory]:
        """Return the histories with all of their entries and changes."""
        complete: dict[str, LotHistory] = {}
        for keys in _chunks([*histories]):
            entries: dict[str, list[Entry]] = {}
            for row in self._rows(self._statements.entries_of_lots, lots=keys):
                entries.setdefault(row.lot, []).append(entry_of(row))
            changes: dict[str, list[Row[Any]]] = {}
            for row in self._rows(self._statements.changes_of_lots, lots=keys):
                changes.setdefault(row.lot, []).append(row)
            complete |= {key: with_history(histories[key], entries.get(key, ()), changes.get(key, ())) for key in keys}
        return complete

    def records_at(self, kind: Kind[RecordT], program: str, at: datetime, **found_by: str) -> Sequence[RecordT]:
        """Return the records that one look-up of their kind finds as of an instant, in the order of first record."""
        ((name, value),) = found_by.items()
        instant = microseconds(at)
        rows = self._rows(self._statements.kinds[kind.name].found_by[name], program=program, value=value)
        documents = {row.key: row.document if row.latest_at <= instant else None for row in rows}
        changed = [key for key, document in documents.items() if document is None]
        for keys in _chunks(changed):
            # The rows come in the order of record, so that the last version of each record remains.
            versions = self._rows(self._statements.versions_of_records, kind=kind.name, keys=keys, at=instant)
            documents |= {row.key: row.document for row in versions}
        return [record_of(kind, document) for document in documents.values() if document is not None]

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Return every entry of an account up to an instant, inclusive, in the order of record."""
        of = {"program": program, "kind": account.kind, "account": account.id, "at": microseconds(at)}
        return [entry_of(row) for row in self._rows(self._statements.statement, **of)]

    def coupons_of(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Return the coupons of a member, in the order of issue."""
        rows = self._rows(self._statements.coupons_of, program=program, member=member)
        return [coupon_of(row, self._serials) for row in rows]

    def lot_histories(self, program: str) -> Iterable[LotHistory]:
        """Yield the history of each lot, in the order of issue."""
        for rows in self._row_chunks(self._statements.next_lots, program):
            histories = self._histories(rows)
            yield from (histories[row.key] for row in rows)

    def coupons_at(self, program: str, at: datetime) -> Iterable[CouponRecord]:
        """Yield every coupon as of an instant, in the order of issue."""
        instant = microseconds(at)
        for rows in self._row_chunks(self._statements.next_coupons, program):
            changed = [row.key for row in rows if row.latest_at > instant]
            states = {}
            if changed:
                # The rows come in the order of record, so that the last state of each coupon remains.
                earlier = self._rows(self._statements.states_of_coupons, coupons=changed, at=instant)
                states = {row.coupon: row for row in earlier}
            for row in rows:
                if row.latest_at <= instant or row.key in states:
                    yield coupon_of(row, self._serials, states.get(row.key))

    def _row_chunks(self, statement: Executable, program: str) -> Iterator[Sequence[Row[Any]]]:
        after = 0
        while rows := self._rows(statement, program=program, after=after, maximum=_CHUNK_SIZE):
            yield rows
            after = rows[-1].number


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _CHUNK_SIZE):
        yield keys[start : start + _CHUNK_SIZE]
