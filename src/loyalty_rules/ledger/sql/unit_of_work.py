"""The unit of work of one batch: the rows that it has read and changed. Counters are whole millionths."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import attrs

from loyalty_rules.ledger.kinds import Kind, RecordT
from loyalty_rules.ledger.records import Entry, ExpiryVersion
from loyalty_rules.ledger.storage import Window
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Sale
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["CounterDraw", "LotChange", "NewExtension", "RecordVersion", "Tracked", "UnitOfWork"]

T = TypeVar("T")

_FIRST_NEW_ORDER = 2**62  # a lot without a row yet sorts after all lots with one


@attrs.define
class Tracked(Generic[T]):
    """A lot, a coupon or a record in a unit of work: its current value, the version that was read, and its last change.

    `version` is None if there is no row yet. A value is `stale` if a lock was taken since it was read: another
    transaction may have changed the row meanwhile.
    """

    current: T
    version: int | None
    latest_at: datetime
    changed: bool = False
    stale: bool = False

    def is_outdated(self, version: int) -> bool:
        """Return whether a row was read again, stale or with another version, and this batch has not changed it."""
        return not self.changed and (self.stale or self.version != version)

    def change(self, current: T, at: datetime) -> None:
        """Replace the current value."""
        self.current = current
        self.latest_at = max(self.latest_at, at)
        self.changed = True
        self.stale = False


@attrs.frozen
class LotChange:
    """A change of a lot that moves no amount: an expiry, a last day, a release, the claim of a return, a merge.

    A merge moves the lot from the member `previous` to `member`.
    """

    lot: str
    at: datetime
    change: str
    day: date | None = None
    expires_at: datetime | None = None
    amount: int | None = None
    previous: str | None = None
    member: str | None = None


@attrs.frozen
class NewExtension:
    """An extension of the lots of an account in a currency."""

    program: str
    account: Account
    currency: str
    scope: str
    expiry: ExpiryVersion


@attrs.frozen
class CounterDraw:
    """An amount added to a counter, and the maximum that the counter may have afterwards."""

    program: str
    name: str
    day: date | None
    amount: int
    most: int | None


@attrs.frozen
class RecordVersion:
    """The version of a record of a kind that begins at an instant."""

    kind: Kind[Any]
    program: str
    record: Any
    at: datetime


class UnitOfWork:
    """The lots, coupons, counters and records that a batch has read, and the rows that it will append to the log."""

    def __init__(self) -> None:
        self.lots: dict[str, Tracked[Lot]] = {}
        self.coupons: dict[str, Tracked[CouponRecord]] = {}
        self.counters: dict[tuple[str, Window], int] = {}  # values as they were read
        self.sale: Sale | None = None
        self.new_sale: Sale | None = None
        self.entries: list[Entry] = []
        self.lot_changes: list[LotChange] = []
        self.extensions: list[NewExtension] = []
        self.coupon_states: list[tuple[datetime, CouponRecord]] = []
        self.draws: list[CounterDraw] = []
        self.records: dict[tuple[str, str], Tracked[Any]] = {}  # by kind and key
        self.versions: list[RecordVersion] = []

    def outdate(self) -> None:
        """Mark all that was read as stale, except the rows that this batch has changed."""
        self.counters.clear()
        every: list[Tracked[Any]] = [*self.lots.values(), *self.coupons.values(), *self.records.values()]
        for tracked in every:
            tracked.stale = not tracked.changed

    # -- lots --------------------------------------------------------------------------------------------------------

    def lot(self, key: str) -> Lot | None:
        """Return the current lot, or None if it was neither read nor added, or must be read again."""
        tracked = self.lots.get(key)
        return tracked.current if tracked is not None and not tracked.stale else None

    def read_lot(self, lot: Lot, version: int, latest_at: datetime) -> Lot:
        """Return the current lot; track it if it is new here, or has changed in the database since it was tracked."""
        tracked = self.lots.get(lot.key)
        if tracked is None or tracked.is_outdated(version):
            tracked = self.lots[lot.key] = Tracked(lot, version, latest_at)
        return tracked.current

    def add_lot(self, lot: Lot, entry: Entry) -> None:
        """Add a new lot with its first entry."""
        available_at = entry.at if entry.target != "promised" else None
        order = _FIRST_NEW_ORDER + len(self.lots)
        numbered = attrs.evolve(lot, order=order, available_at=available_at, last_on=None, last_at=None)
        self.lots[lot.key] = Tracked(numbered, None, entry.at, changed=True)
        self.add_entry(entry)

    def new_lots(self, matches: Callable[[Lot], bool]) -> Iterable[Lot]:
        """Return the new lots that match, in the order of issue."""
        return (each.current for each in self.lots.values() if each.version is None and matches(each.current))

    def add_entry(self, entry: Entry) -> None:
        """Move the amount of an entry between two buckets of its lot."""
        tracked = self.lots[entry.lot]
        tracked.change(tracked.current.moved(entry.source, entry.target, entry.amount), entry.at)
        self.entries.append(entry)

    def set_expiry(self, key: str, expiry: ExpiryVersion) -> None:
        """Set the expiry of a lot."""
        tracked = self.lots[key]
        is_first = tracked.version is None and tracked.current.expires_at is None
        lot = attrs.evolve(tracked.current, expires_on=expiry.expires_on, expires_at=expiry.expires_at)
        tracked.change(lot, expiry.since)
        # The first expiry of a lot stands in its issue already, unless the two differ.
        if not (is_first and expiry.expires_at == lot.issue.expires_at):
            self.lot_changes.append(LotChange(key, expiry.since, "expires", expiry.expires_on, expiry.expires_at))

    def set_released(self, key: str, at: datetime, issue_on: date) -> None:
        """Set the issue date of a promise that was released."""
        tracked = self.lots[key]
        tracked.change(attrs.evolve(tracked.current, issue_on=issue_on, available_at=at), at)
        self.lot_changes.append(LotChange(key, at, "released", issue_on))

    def set_last_day(self, key: str, at: datetime, last_on: date, last_at: datetime) -> None:
        """Set the last day of a lot, and its end, beyond which no extension moves the lot."""
        tracked = self.lots[key]
        tracked.change(attrs.evolve(tracked.current, last_on=last_on, last_at=last_at), at)
        self.lot_changes.append(LotChange(key, at, "last_day", last_on, last_at))

    def set_member(self, key: str, at: datetime, member: str) -> None:
        """Move a lot to another member."""
        tracked = self.lots[key]
        previous = tracked.current.issue.member
        tracked.change(attrs.evolve(tracked.current, issue=attrs.evolve(tracked.current.issue, member=member)), at)
        self.lot_changes.append(LotChange(key, at, "member", previous=previous, member=member))

    def add_taken_back(self, key: str, at: datetime, amount: int) -> None:
        """Add to the amount of a lot that returns of its sale have claimed."""
        tracked = self.lots[key]
        taken_back = decimal_of(micros(tracked.current.taken_back) + amount)
        tracked.change(attrs.evolve(tracked.current, taken_back=taken_back), at)
        self.lot_changes.append(LotChange(key, at, "taken_back", amount=amount))

    def known_lots(self) -> Iterable[Lot]:
        """Return the lots that were read or added, and need not be read again."""
        return (each.current for each in self.lots.values() if not each.stale)

    # -- coupons -----------------------------------------------------------------------------------------------------

    def coupon(self, key: str) -> CouponRecord | None:
        """Return the current coupon, or None if it was neither read nor added, or must be read again."""
        tracked = self.coupons.get(key)
        return tracked.current if tracked is not None and not tracked.stale else None

    def read_coupon(
        self, key: str, read: Callable[[], CouponRecord], version: int, latest_at: datetime
    ) -> CouponRecord:
        """Return the current coupon; track it if it is new here, or has changed in the database since."""
        tracked = self.coupons.get(key)
        if tracked is None or tracked.is_outdated(version):
            tracked = self.coupons[key] = Tracked(read(), version, latest_at)
        return tracked.current

    def update_coupon(self, coupon: CouponRecord, at: datetime) -> None:
        """Add a coupon, or replace its state."""
        if coupon.key in self.coupons:
            self.coupons[coupon.key].change(coupon, at)
        else:
            self.coupons[coupon.key] = Tracked(coupon, None, at, changed=True)
        self.coupon_states.append((at, coupon))

    # -- records of a kind -------------------------------------------------------------------------------------------

    def changed_record(self, kind: Kind[RecordT], key: str) -> RecordT | None:
        """Return a record as this batch has changed it, or None if it has not."""
        tracked = self.records.get((kind.name, key))
        return tracked.current if tracked is not None and tracked.changed else None

    def read_record(
        self, kind: Kind[RecordT], key: str, read: Callable[[], RecordT], version: int, latest_at: datetime
    ) -> RecordT:
        """Return the current record; track it if it is new here, or has changed in the database since."""
        tracked = self.records.get((kind.name, key))
        if tracked is None or tracked.is_outdated(version):
            tracked = self.records[kind.name, key] = Tracked(read(), version, latest_at)
        current: RecordT = tracked.current
        return current

    def changed_records(self, kind: Kind[RecordT]) -> Iterable[RecordT]:
        """Return the records of a kind that this batch has added or changed."""
        return (each.current for (name, _), each in self.records.items() if name == kind.name and each.changed)

    def save_record(self, version: RecordVersion) -> None:
        """Add a record, or replace its current version."""
        of = version.kind.name, version.record.key
        if of in self.records:
            self.records[of].change(version.record, version.at)
        else:
            self.records[of] = Tracked(version.record, None, version.at, changed=True)
        self.versions.append(version)

    # -- counters ----------------------------------------------------------------------------------------------------

    def drawn(self, program: str, window: Window) -> int:
        """Return the amount that this batch adds to a counter, or to the days of its window."""
        name, first, last = window
        mine = [each for each in self.draws if each.program == program and each.name == name]
        if first is None or last is None:
            return sum(each.amount for each in mine)
        return sum(each.amount for each in mine if each.day is not None and first <= each.day <= last)
