"""The lots of the storage in memory: the history of each, its current state, and the extensions of accounts.

The units of a lot change only by entries, and its last day also by the extensions of its account. Source: ledger 2 and
3.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import attrs

from loyalty_rules.ledger.extended_histories import AccountExtensions, accounts_of_history, with_extensions
from loyalty_rules.ledger.idempotency import Batch
from loyalty_rules.ledger.memory.journal import Journal
from loyalty_rules.ledger.records import Entry, ExpiryVersion, LotHistory
from loyalty_rules.lifecycle.records import Account, Lot
from loyalty_rules.lifecycle.rolling_expiry import Extension, Extensions
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["MemoryLots", "WrittenLot"]


@attrs.frozen
class WrittenLot:
    """A lot as its last batch wrote it: the place of that batch in the order of record, and its latest change."""

    lot: Lot
    place: int
    latest: datetime


class MemoryLots(Journal):
    """The part of `MemoryStorage` with lots, their entries and extensions."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: dict[str, Batch] = {}
        self.histories: dict[str, LotHistory] = {}  # without the extensions of accounts
        self.written: dict[str, WrittenLot] = {}
        self.lots_of_account: dict[tuple[str, Account], tuple[str, ...]] = {}
        self.lots_of_event: dict[tuple[str, str], tuple[str, ...]] = {}
        self.with_units: dict[tuple[str, Account], dict[str, None]] = {}  # keys of an account's lots with units
        self.swept: dict[tuple[str, Account], dict[str, None]] = {}  # those without units that a sweep has expired
        self.latest_of: dict[tuple[str, Account], datetime] = {}  # the latest change of an account's lots
        self.open_promises: dict[str, None] = {}  # keys of promises that are not resolved
        self.entries_of: dict[tuple[str, Account], tuple[Entry, ...]] = {}  # of an account
        self.extensions: dict[tuple[str, Account, str], tuple[Extension, ...]] = {}  # by program, account and currency
        self._chains: dict[tuple[str, Account, str], Extensions] = {}
        self._extending: list[tuple[tuple[str, Account, str], Extension]] = []  # by the claimed batch

    # -- current lots ------------------------------------------------------------------------------------------------

    def lot(self, key: str) -> Lot | None:
        """Return the current state of a lot."""
        return self._current(key).lot if key in self.written else None

    def _current(self, key: str, at: datetime | None = None) -> WrittenLot:
        """Return a lot as its last batch wrote it, moved by the extensions since then, those up to an instant."""
        written = self.written[key]
        extensions = self._extensions_of(self.histories[key].program, written.lot.account, written.lot.issue.currency)
        moved = extensions.last_move(written.lot, written.place, at)
        if moved is None:
            return written
        lot = attrs.evolve(written.lot, expires_on=moved.expires_on, expires_at=moved.expires_at)
        return attrs.evolve(written, lot=lot, latest=max(written.latest, moved.since))

    def _lots(self, keys: Iterable[str]) -> list[Lot]:
        return [self._current(key).lot for key in keys]

    def _in_order(self, keys: Iterable[str]) -> list[Lot]:
        return sorted(self._lots(keys), key=lambda lot: lot.order)

    def lots_of(self, program: str, account: Account, at: datetime | None = None) -> Sequence[Lot]:
        """Return the account's lots with units promised, outstanding or held; with `at` also those swept since."""
        lots = self._in_order(self.with_units.get((program, account), ()))
        if at is None:
            return lots
        return sorted([*lots, *self.swept_lots_of(program, account, at)], key=lambda lot: lot.order)

    def swept_lots_of(self, program: str, account: Account, at: datetime) -> Sequence[Lot]:
        """Return the account's lots that were still live at an instant, and of which a sweep recorded the expiry."""
        swept = self._in_order(self.swept.get((program, account), ()))
        return [lot for lot in swept if lot.expires_at is not None and lot.expires_at > at]

    def changed_since(self, lots: Iterable[Lot], at: datetime) -> Sequence[LotHistory]:
        """Return the histories of those lots that have changed after an instant."""
        return [self.history(lot.key) for lot in lots if self._current(lot.key).latest > at]

    def every_lot_of(self, program: str, account: Account) -> Sequence[Lot]:
        """Return all lots of an account, in the order of issue."""
        lots = self._in_order(self.lots_of_account.get((program, account), ()))
        return [lot for lot in lots if lot.account == account]

    def lots_of_sale(self, program: str, event: str) -> Sequence[Lot]:
        """Return the lots of a sale, in the order of issue."""
        return self._lots(self.lots_of_event.get((program, event), ()))

    def due_promises(self, program: str, at: datetime) -> Sequence[Lot]:  # noqa: ARG002  (a hint)
        """Return open promises with a due time, among them all that are due by an instant."""
        return self._lots(key for key in self.open_promises if self.histories[key].program == program)

    def expiring_lots(self, program: str, at: datetime) -> Sequence[Lot]:  # noqa: ARG002  (a hint)
        """Return lots in the order of issue, among them all that have expired by an instant and are not swept."""
        return self._in_order(key for (of, _), keys in self.with_units.items() if of == program for key in keys)

    # -- writes ------------------------------------------------------------------------------------------------------

    @property
    def _place(self) -> int:
        """The place of the claimed batch in the order of record."""
        return len(self.batches)

    def add_lot(self, lot: Lot, entry: Entry) -> None:
        """Add a lot without units, and its first entry, which brings them."""
        program, issue = entry.program, lot.issue
        history = LotHistory(
            issue,
            program,
            len(self.histories),
            lot.rolling,
            origin=lot.origin,
            store=lot.store,
            tier=lot.tier,
            channel=lot.channel,
        )
        available_at = entry.at if entry.target != "promised" else None
        new = attrs.evolve(lot, order=history.order, available_at=available_at, last_on=None, last_at=None)
        self.put(self.histories, issue.key, history)
        self.put(self.written, issue.key, WrittenLot(new, self._place, entry.at))
        self.append(self.lots_of_account, (program, entry.account), issue.key)
        self.append(self.lots_of_event, (program, issue.event), issue.key)
        self.add_entry(entry)

    def add_entry(self, entry: Entry) -> None:
        """Add an entry to a lot: it moves units between two buckets."""
        history, lot = self.histories[entry.lot], self._current(entry.lot).lot
        moved = lot.moved(entry.source, entry.target, entry.amount)
        places = (*history.entry_places, self._place)
        self._write(moved, entry.at, entries=(*history.entries, entry), entry_places=places)
        self.append(self.entries_of, (entry.program, entry.account), entry)
        self._note(self.open_promises, entry.lot, is_in=moved.promised > 0)

    def set_expiry(self, lot: str, expiry: ExpiryVersion) -> None:
        """Add a version of a lot's expiry."""
        history, current = self.histories[lot], self._current(lot).lot
        places = (*history.expiry_places, self._place)
        changed = attrs.evolve(current, expires_on=expiry.expires_on, expires_at=expiry.expires_at)
        versions = (*history.expiry_versions, expiry)
        self._write(changed, expiry.since, expiry_versions=versions, expiry_places=places)

    def set_last_day(self, lot: str, at: datetime, last_on: date, last_at: datetime) -> None:
        """Set the last day of a lot, and its end, beyond which no extension moves the lot."""
        changed = attrs.evolve(self._current(lot).lot, last_on=last_on, last_at=last_at)
        self._write(changed, at, last_days=(*self.histories[lot].last_days, (at, last_on, last_at)))

    def set_released(self, lot: str, at: datetime, issue_on: date) -> None:
        """Record the release of a promise and its issue date."""
        changed = attrs.evolve(self._current(lot).lot, issue_on=issue_on, available_at=at)
        self._write(changed, at, released=(at, issue_on))

    def add_taken_back(self, lot: str, at: datetime, amount: int) -> None:
        """Add millionths that a return claims of a lot, from whichever lots they are taken."""
        current = self._current(lot).lot
        changed = attrs.evolve(current, taken_back=decimal_of(micros(current.taken_back) + amount))
        self._write(changed, at, claimed=(*self.histories[lot].claimed, (at, decimal_of(amount))))

    def set_member(self, lot: str, at: datetime, member: str) -> None:
        """Move a lot to another member."""
        history, current = self.histories[lot], self._current(lot).lot
        changed = attrs.evolve(current, issue=attrs.evolve(current.issue, member=member))
        for table in (self.with_units, self.swept):
            self._note(table.setdefault((history.program, current.account), {}), lot, is_in=False)
        self.append(self.lots_of_account, (history.program, changed.account), lot)
        places = (*history.member_places, self._place)
        self._write(changed, at, members=(*history.members, (at, member)), member_places=places)
        of_old = history.program, current.account
        self.put(self.latest_of, of_old, max(self.latest_of.get(of_old, at), at))

    def _write(self, lot: Lot, at: datetime, **changes: Any) -> None:
        """Write a lot after a change at an instant, and the changes of its history."""
        history, latest = attrs.evolve(self.histories[lot.key], **changes), max(self._current(lot.key).latest, at)
        of = history.program, lot.account
        self.put(self.histories, lot.key, history)
        self.put(self.written, lot.key, WrittenLot(lot, self._place, latest))
        self.put(self.latest_of, of, max(self.latest_of.get(of, latest), latest))
        self._note(self.with_units.setdefault(of, {}), lot.key, is_in=lot.has_units())
        self._note(self.swept.setdefault(of, {}), lot.key, is_in=not lot.has_units() and lot.expired > 0)

    def _note(self, keys: dict[str, None], key: str, *, is_in: bool) -> None:
        if is_in:
            self.put(keys, key, None)
        else:
            self.drop(keys, key)

    # -- extensions --------------------------------------------------------------------------------------------------

    def extend(self, program: str, account: Account, currency: str, scope: str, expiry: ExpiryVersion) -> None:
        """Extend the lots of an account in a currency, by one record."""
        assert expiry.expires_on is not None
        assert expiry.expires_at is not None
        extension = Extension(self._place, scope, expiry.since, expiry.expires_on, expiry.expires_at)
        self._extending.append(((program, account, currency), extension))

    def commit_extensions(self) -> None:
        """Record the extensions of the claimed batch, after all its other writes."""
        for of, extension in self._extending:
            self.append(self.extensions, of, extension)
        self._extending = []

    def _extensions_of(self, program: str, account: Account, currency: str) -> Extensions:
        """Return the recorded extensions of an account in a currency, in chains that are kept for the next time."""
        of = program, account, currency
        recorded = self.extensions.get(of, ())
        chains = self._chains.get(of)
        if chains is None or not chains.is_start_of(recorded):
            chains = self._chains[of] = Extensions()
        for each in recorded[len(chains) :]:
            chains.add(each)
        return chains

    # -- as of an instant --------------------------------------------------------------------------------------------

    def history(self, key: str) -> LotHistory:
        """Return the history of a lot, with the expiries that follow from the extensions of its accounts."""
        history = self.histories[key]
        currency = history.issue.currency
        extensions: AccountExtensions = {
            (account, currency): self._extensions_of(history.program, account, currency)
            for account in accounts_of_history(history)
        }
        return with_extensions(history, extensions)

    def _as_of(self, key: str, at: datetime) -> Lot | None:
        """Return a lot as of an instant; its history is read only if it has changed since."""
        written = self.written[key]
        return self._current(key, at).lot if written.latest <= at else self.history(key).lot(at)

    def lots_at(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return an account's lots as of an instant, in the order of issue."""
        return self._of_account_at(self.lots_of_account.get((program, account), ()), account, currency, at)

    def balance_lots_at(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return an account's lots as of an instant; only those with units, if none has changed since."""
        if self.latest_of.get((program, account), at) > at:
            return self.lots_at(program, account, currency, at)
        return self._of_account_at(self.with_units.get((program, account), ()), account, currency, at)

    def _of_account_at(self, keys: Iterable[str], account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        lots = (self._as_of(key, at) for key in keys if self.histories[key].issue.currency == currency)
        return sorted((lot for lot in lots if lot is not None and lot.account == account), key=lambda lot: lot.order)

    def promised_at(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return the promises that were open at an instant, in the order of issue."""
        lots = [self._as_of(key, at) for key, history in self.histories.items() if history.program == program]
        return [lot for lot in lots if lot is not None and micros(lot.promised) > 0]

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Return the entries of an account up to an instant, in the order of record."""
        return [each for each in self.entries_of.get((program, account), ()) if each.at <= at]

    def lot_histories(self, program: str) -> Iterable[LotHistory]:
        """Yield the history of each lot, in the order of issue."""
        return (self.history(key) for key, each in self.histories.items() if each.program == program)

    def entries(self) -> Iterator[Entry]:
        """Yield every entry of every lot."""
        for history in self.histories.values():
            yield from history.entries
