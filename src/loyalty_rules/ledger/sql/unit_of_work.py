"""What a batch has looked up and changed, until it is written. Amounts of counters and debts are whole millionths."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Generic, TypeVar

import attrs

from loyalty_rules.ledger.protocol import Entry
from loyalty_rules.ledger.records import ExpiryVersion, Undoable
from loyalty_rules.ledger.storage import Window
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Sale
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["CounterDraw", "LotChange", "Tracked", "UnitOfWork"]

T = TypeVar("T")

_UNNUMBERED = 2**62  # a lot that is not written yet comes after all that are


@attrs.define
class Tracked(Generic[T]):
    """A lot or a coupon on the page: what it is now, the version that was read (None: new), when it last changed."""

    now: T
    version: int | None
    latest_at: datetime
    changed: bool = False

    def change(self, now: T, at: datetime) -> None:
        self.now = now
        self.latest_at = max(self.latest_at, at)
        self.changed = True


@attrs.frozen
class LotChange:
    """What an entry can't tell of a lot: since when it expires when, became issued, or was claimed by a return."""

    lot: str
    at: datetime
    change: str
    day: date | None = None
    expires_at: datetime | None = None
    amount: int | None = None


@attrs.frozen
class CounterDraw:
    """What was added to a counter, and what it may hold then."""

    program: str
    name: str
    day: date | None
    amount: int
    most: int | None


class UnitOfWork:
    """The lots, coupons and counters of one batch, and what it adds to the log."""

    def __init__(self) -> None:
        self.lots: dict[str, Tracked[Lot]] = {}
        self.coupons: dict[str, Tracked[CouponRecord]] = {}
        self.counters: dict[tuple[str, Window], int] = {}  # as they were read
        self.sale: Sale | None = None
        self.new_sale: Sale | None = None
        self.entries: list[Entry] = []
        self.lot_changes: list[LotChange] = []
        self.coupon_states: list[tuple[datetime, CouponRecord]] = []
        self.draws: list[CounterDraw] = []
        self.debts: list[tuple[str, Account, str, datetime, int]] = []
        self.undoables: list[tuple[str, Undoable]] = []
        self.undone: list[str] = []

    # -- lots --------------------------------------------------------------------------------------------------------

    def lot(self, key: str) -> Lot | None:
        tracked = self.lots.get(key)
        return tracked.now if tracked is not None else None

    def read_lot(self, key: str, read: Callable[[], Lot], version: int, latest_at: datetime) -> Lot:
        """Give a lot; read it, unless it is here."""
        if key not in self.lots:
            self.lots[key] = Tracked(read(), version, latest_at)
        return self.lots[key].now

    def add_lot(self, lot: Lot, entry: Entry) -> None:
        numbered = attrs.evolve(lot, order=_UNNUMBERED + len(self.lots))
        self.lots[lot.key] = Tracked(numbered, None, entry.at, changed=True)
        self.add_entry(entry)

    def new_lots(self, matches: Callable[[Lot], bool]) -> Iterable[Lot]:
        return (each.now for each in self.lots.values() if each.version is None and matches(each.now))

    def add_entry(self, entry: Entry) -> None:
        tracked = self.lots[entry.lot]
        tracked.change(tracked.now.moved(entry.source, entry.target, entry.amount), entry.at)
        self.entries.append(entry)

    def set_expiry(self, key: str, term: ExpiryVersion) -> None:
        tracked = self.lots[key]
        first = tracked.version is None and tracked.now.expires_at is None
        lot = attrs.evolve(tracked.now, expires_on=term.expires_on, expires_at=term.expires_at)
        tracked.change(lot, term.since)
        # The issue says when a lot expires to begin with.
        if not (first and term.expires_at == lot.issue.expires_at):
            self.lot_changes.append(LotChange(key, term.since, "expires", term.expires_on, term.expires_at))

    def set_released(self, key: str, at: datetime, issue_on: date) -> None:
        tracked = self.lots[key]
        tracked.change(attrs.evolve(tracked.now, issue_on=issue_on), at)
        self.lot_changes.append(LotChange(key, at, "released", issue_on))

    def add_taken_back(self, key: str, at: datetime, amount: int) -> None:
        tracked = self.lots[key]
        taken = decimal_of(micros(tracked.now.taken_back) + amount)
        tracked.change(attrs.evolve(tracked.now, taken_back=taken), at)
        self.lot_changes.append(LotChange(key, at, "taken_back", amount=amount))

    def owed(self, program: str, account: Account, currency: str) -> int:
        """Give what this batch itself adds to a debt."""
        return sum(amount for *of, _, amount in self.debts if of == [program, account, currency])

    # -- coupons -----------------------------------------------------------------------------------------------------

    def read_coupon(
        self, key: str, read: Callable[[], CouponRecord], version: int, latest_at: datetime
    ) -> CouponRecord:
        """Give a coupon; read it, unless it is here."""
        if key not in self.coupons:
            self.coupons[key] = Tracked(read(), version, latest_at)
        return self.coupons[key].now

    def update_coupon(self, coupon: CouponRecord, at: datetime) -> None:
        if coupon.key in self.coupons:
            self.coupons[coupon.key].change(coupon, at)
        else:
            self.coupons[coupon.key] = Tracked(coupon, None, at, changed=True)
        self.coupon_states.append((at, coupon))

    # -- counters ----------------------------------------------------------------------------------------------------

    def drawn(self, program: str, window: Window) -> int:
        """Give what this batch itself has added to a counter."""
        name, first, last = window
        mine = [each for each in self.draws if each.program == program and each.name == name]
        if first is None or last is None:
            return sum(each.amount for each in mine)
        return sum(each.amount for each in mine if each.day is not None and first <= each.day <= last)
