"""Reads as of an instant: lots, promises, debts, coupons, statements. Source: ledger 4.

A row that has not changed since the instant is used as it is. Only for the other rows the history is read.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import attrs
from sqlalchemy import Connection, Executable, Row

from loyalty_rules.intents import IssueCurrency
from loyalty_rules.ledger.extended_histories import AccountExtensions, accounts_of_history, with_extensions
from loyalty_rules.ledger.kinds import Kind, RecordT
from loyalty_rules.ledger.records import Entry, LotHistory
from loyalty_rules.ledger.sql.grouped_movements import movements
from loyalty_rules.ledger.sql.mapping import (
    MAX_AMOUNT,
    account_row,
    coupon_of,
    entry_of,
    extension_of_row,
    instant_of,
    issue_of,
    lot_history_of,
    lot_of,
    microseconds,
    record_of,
    with_history,
)
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot
from loyalty_rules.lifecycle.rolling_expiry import Extensions
from loyalty_rules.reports.issuance import Movement

__all__ = ["CurrentLot", "HistoryReader"]

_CHUNK_SIZE = 1_000  # lots or coupons in one query
_FIRST_EXTENSIONS = 10  # in the first of several queries, each for ten times as many


@attrs.frozen
class CurrentLot:
    """The current lot of a row, with the version of the row and the instant of the latest change."""

    lot: Lot
    version: int
    latest_at: datetime


def _extensions_of_rows(rows: Iterable[Row[Any]]) -> dict[tuple[Account, str], Extensions]:
    """Return the extensions of rows by account and currency, in the order of record."""
    extensions: dict[tuple[Account, str], Extensions] = {}
    for row in rows:
        extensions.setdefault((Account(row.kind, row.account), row.currency), Extensions()).add(extension_of_row(row))
    return extensions


class HistoryReader:
    """The part of `SQLStorage` that reads as of an instant, on one connection."""

    def __init__(self, connection: Connection, statements: Statements, serials: SerialsAtRest) -> None:
        self._connection = connection
        self._statements = statements
        self._serials = serials
        self._issues: dict[str, IssueCurrency] = {}

    def _rows(self, statement: Executable, **parameters: Any) -> Sequence[Row[Any]]:
        return self._statements.prepared.execute(self._connection, statement, parameters).all()

    def _row(self, statement: Executable, **parameters: Any) -> Row[Any] | None:
        return self._statements.prepared.execute(self._connection, statement, parameters).first()

    def lots_at(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return the lots of an account as of an instant."""
        of = account_row(program, account, currency)
        return self._of_account_at([self._statements.lots_of_account], of, account, at)

    def balance_lots_at(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return the lots of an account as of an instant: those with units, and those that have changed since."""
        of = {**account_row(program, account, currency), "at": microseconds(at)}
        changed = self._statements.changed_lots_of_account
        return self._of_account_at([self._statements.balance_lots, changed], of, account, at)

    def _of_account_at(
        self, statements: Iterable[Executable], of: Mapping[str, Any], account: Account, at: datetime
    ) -> Sequence[Lot]:
        """Return the lots of an account as of an instant, of those that some statements find or that a merge moved."""
        rows = {row.key: row for each in statements for row in self._rows(each, **of)}
        rows |= {row.key: row for row in self._rows(self._statements.lots_that_left, **of)}  # by a merge
        lots = self._as_of(sorted(rows.values(), key=lambda row: row.number), at)
        return [lot for lot in lots if lot.account == account]

    def promised_at(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return the promises that were open at an instant."""
        lots = self._as_of(self._rows(self._statements.open_or_changed_since, program=program, at=microseconds(at)), at)
        return [lot for lot in lots if lot.promised > 0]

    def _as_of(self, rows: Sequence[Row[Any]], at: datetime) -> list[Lot]:
        """Convert rows to lots as of an instant, with the history of those that have changed since."""
        instant = microseconds(at)
        histories = self._histories([row for row in rows if row.latest_at > instant])
        unchanged = self._current_lots([row for row in rows if row.latest_at <= instant], at)
        current = {each.lot.key: each.lot for each in unchanged}
        lots = (current[row.key] if row.key in current else histories[row.key].lot(at) for row in rows)
        return [lot for lot in lots if lot is not None]

    def _histories(self, rows: Sequence[Row[Any]]) -> dict[str, LotHistory]:
        histories = self.with_histories({row.key: lot_history_of(row) for row in rows})
        extensions = self.extensions_of(histories.values())
        return {key: with_extensions(each, extensions[each.program]) for key, each in histories.items()}

    def extensions_of(self, histories: Iterable[LotHistory]) -> dict[str, AccountExtensions]:
        """Return the extensions of all accounts that have had one of the lots, by program."""
        accounts: dict[str, set[str]] = {}
        for history in histories:
            accounts.setdefault(history.program, set()).update(each.id for each in accounts_of_history(history))
        return {program: self._extensions_of_accounts(program, ids) for program, ids in accounts.items()}

    def _extensions_of_accounts(self, program: str, accounts: Iterable[str]) -> AccountExtensions:
        extensions: dict[tuple[Account, str], Extensions] = {}
        for ids in _chunks([*accounts]):
            rows = self._rows(self._statements.extensions_of_accounts, program=program, accounts=ids)
            extensions |= _extensions_of_rows(rows)
        return extensions

    def with_histories(self, histories: Mapping[str, LotHistory]) -> dict[str, LotHistory]:
        """Return the histories with all of their own entries and changes, without the extensions of their accounts."""
        complete: dict[str, LotHistory] = {}
        for keys in _chunks([*histories]):
            entries: dict[str, list[Row[Any]]] = {}
            for row in self._rows(self._statements.entries_of_lots, lots=keys):
                entries.setdefault(row.lot, []).append(row)
            changes: dict[str, list[Row[Any]]] = {}
            for row in self._rows(self._statements.changes_of_lots, lots=keys):
                changes.setdefault(row.lot, []).append(row)
            complete |= {key: with_history(histories[key], entries.get(key, ()), changes.get(key, ())) for key in keys}
        return complete

    def _current_lots(self, rows: Sequence[Row[Any]], at: datetime | None = None) -> list[CurrentLot]:
        """Return the lots of rows, moved by the extensions since they were written, those up to an instant."""
        lots = [lot_of(row, self._issue_of(row)) for row in rows]
        extensions = self._extensions_since(rows)
        current = []
        for row, lot in zip(rows, lots, strict=True):
            latest_at, mine = instant_of(row.latest_at), extensions.get((lot.account, row.currency))
            moved = mine.last_move(lot, row.place, at) if mine is not None else None
            if moved is not None:
                lot = attrs.evolve(lot, expires_on=moved.expires_on, expires_at=moved.expires_at)
                latest_at = max(latest_at, moved.since)
            current.append(CurrentLot(lot, row.version, latest_at))
        return current

    def _last_extensions(self, place: int, **of_account: str) -> list[Row[Any]]:
        """Return the extensions of an account from a place on, in the order of record: read in parts from the last."""
        found: list[Row[Any]] = []
        before, maximum = MAX_AMOUNT, _FIRST_EXTENSIONS
        while True:
            part = self._rows(self._statements.last_extensions_of, **of_account, before=before, maximum=maximum)
            found += (row for row in part if row.place >= place)
            if len(part) < maximum or part[-1].place < place:
                return found[::-1]
            before, maximum = part[-1].number, min(maximum * 10, _CHUNK_SIZE)

    def _issue_of(self, row: Row[Any]) -> IssueCurrency:
        """Return the issue of a lot, read once in a transaction."""
        issue = self._issues.get(row.key)
        if issue is None:
            issue = self._issues[row.key] = issue_of(row)
        return issue

    def _extensions_since(self, rows: Sequence[Row[Any]]) -> AccountExtensions:
        """Return the extensions of the accounts of rows that may have moved one of the lots since it was written."""
        movable = [row for row in rows if row.expires_at is not None and row.available_at is not None]
        places: dict[tuple[str, str, str], int] = {}
        for row in movable:
            of = row.program, row.kind, row.account
            places[of] = min(places.get(of, row.place), row.place)
        if len(places) == 1:
            (((program, kind, account), place),) = places.items()
            return _extensions_of_rows(self._last_extensions(place, program=program, kind=kind, account=account))
        if not places:
            return {}
        (program,) = {program for program, _, _ in places}
        return self._extensions_of_accounts(program, {account for _, _, account in places})

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

    def movements(self, program: str, at: datetime, zone: tzinfo, fields: Container[str]) -> Iterable[Movement]:
        """Yield the sums of the recorded movements, and of the issues and ends of coupons, up to an instant."""
        return movements(self._connection, self._statements.tables, program, at, zone, fields)

    def lots_with_units(self, program: str, at: datetime) -> Iterable[Lot]:
        """Yield the lots as of an instant that have units left, and all that have changed since."""
        for rows in self._row_chunks(self._statements.next_lots_with_units, program, at=microseconds(at)):
            yield from self._as_of(rows, at)

    def unrecorded_ends(self, program: str, at: datetime) -> Iterable[tuple[LotHistory, LotHistory]]:
        """Yield the lots with held units or a last day that is past, and all that have changed since an instant."""
        for rows in self._row_chunks(self._statements.next_unrecorded_ends, program, at=microseconds(at)):
            histories = self._histories(rows)
            origins = [row.origin for row in rows if row.origin is not None and row.origin not in histories]
            for keys in _chunks(origins):
                histories |= self._histories(self._rows(self._statements.lots, keys=keys))
            yield from ((histories[row.key], histories[row.origin or row.key]) for row in rows)

    def paying_stores(self, program: str, payments: Iterable[str]) -> Mapping[str, str]:  # noqa: ARG002
        """Return the stores in which some payments were made, by the keys of those that have one."""
        stores: dict[str, str] = {}
        for keys in _chunks([*payments]):
            rows = self._rows(self._statements.paying_stores, keys=keys)
            stores |= {row.key: row.store for row in rows}
        return stores

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

    def _row_chunks(self, statement: Executable, program: str, **more: Any) -> Iterator[Sequence[Row[Any]]]:
        after = 0
        while rows := self._rows(statement, program=program, after=after, maximum=_CHUNK_SIZE, **more):
            yield rows
            after = rows[-1].number


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _CHUNK_SIZE):
        yield keys[start : start + _CHUNK_SIZE]
