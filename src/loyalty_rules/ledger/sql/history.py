"""What stood in the storage at an instant: lots, promises, debts, coupons, statements. Source: ledger 4.

Where nothing has happened to a row since, it is as it was; only of the others is the history read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, Row

from loyalty_rules.ledger.protocol import Entry
from loyalty_rules.ledger.records import LotHistory
from loyalty_rules.ledger.sql.mapping import (
    account_row,
    coupon_of,
    entry_of,
    lot_history_of,
    lot_of,
    microseconds,
    with_history,
)
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot

__all__ = ["HistoryReader"]

_AT_ONCE = 1_000  # lots or coupons read in one go


class HistoryReader:
    """The questions that storage answer as of an instant, on one connection."""

    def __init__(self, connection: Connection, statements: Statements, serials: SerialsAtRest) -> None:
        self._connection = connection
        self._run = statements
        self._serials = serials

    def _rows(self, statement: Executable, **given: Any) -> Sequence[Row[Any]]:
        return self._connection.execute(statement, given).all()

    def _row(self, statement: Executable, **given: Any) -> Row[Any] | None:
        return self._connection.execute(statement, given).first()

    def lots_at(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Give an account's lots as they stood at an instant."""
        return self._as_of(self._rows(self._run.lots_of_account, **account_row(program, account, currency)), at)

    def promised_at(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the promises that were open at an instant."""
        lots = self._as_of(self._rows(self._run.promised_since, program=program, at=microseconds(at)), at)
        return [lot for lot in lots if lot.promised > 0]

    def _as_of(self, rows: Sequence[Row[Any]], at: datetime) -> list[Lot]:
        """Read lots as they stood at an instant; only of those that have changed since is the history read."""
        instant = microseconds(at)
        histories = self._histories([row for row in rows if row.latest_at > instant])
        lots = (lot_of(row) if row.latest_at <= instant else histories[row.key].lot(at) for row in rows)
        return [lot for lot in lots if lot is not None]

    def _histories(self, rows: Sequence[Row[Any]]) -> dict[str, LotHistory]:
        return self.with_histories({row.key: lot_history_of(row) for row in rows})

    def with_histories(self, files: Mapping[str, LotHistory]) -> dict[str, LotHistory]:
        """Read everything that happened to lots."""
        found: dict[str, LotHistory] = {}
        for some in _some_at_a_time([*files]):
            entries: dict[str, list[Entry]] = {}
            for row in self._rows(self._run.entries_of_lots, lots=some):
                entries.setdefault(row.lot, []).append(entry_of(row))
            changes: dict[str, list[Row[Any]]] = {}
            for row in self._rows(self._run.changes_of_lots, lots=some):
                changes.setdefault(row.lot, []).append(row)
            found |= {key: with_history(files[key], entries.get(key, ()), changes.get(key, ())) for key in some}
        return found

    def debt_at(self, program: str, account: Account, currency: str, at: datetime) -> int:
        """Give what an account owed at an instant."""
        of = account_row(program, account, currency)
        return sum(row.amount for row in self._rows(self._run.debt_at, at=microseconds(at), **of))

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Give every entry of an account up to an instant."""
        of = {"program": program, "kind": account.kind, "account": account.id, "at": microseconds(at)}
        return [entry_of(row) for row in self._rows(self._run.statement, **of)]

    def coupons_of(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Give the coupons of a member."""
        rows = self._rows(self._run.coupons_of, program=program, member=member)
        return [coupon_of(row, self._serials) for row in rows]

    def lot_histories(self, program: str) -> Iterable[tuple[LotHistory, str | None]]:
        """Give everything that happened to each lot, and the store of its sale, some at a time."""
        for rows in self._pages(self._run.next_lots, program):
            files = self._histories(rows)
            for row in rows:
                yield files[row.key], row.store

    def coupons_at(self, program: str, at: datetime) -> Iterable[CouponRecord]:
        """Give every coupon as it stood at an instant, some at a time."""
        instant = microseconds(at)
        for rows in self._pages(self._run.next_coupons, program):
            changed = [row.key for row in rows if row.latest_at > instant]
            states = {}
            if changed:
                # In the order of record: of several, the last stays.
                found = self._rows(self._run.states_of_coupons, coupons=changed, at=instant)
                states = {row.coupon: row for row in found}
            for row in rows:
                if row.latest_at <= instant or row.key in states:
                    yield coupon_of(row, self._serials, states.get(row.key))

    def _pages(self, statement: Executable, program: str) -> Iterator[Sequence[Row[Any]]]:
        after = 0
        while rows := self._rows(statement, program=program, after=after, most=_AT_ONCE):
            yield rows
            after = rows[-1].number


def _some_at_a_time(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]
