"""Records of a ledger beside those of `lifecycle.records`: balances, entries, histories of lots, rows of reports."""

import functools
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import attrs

from loyalty_rules.events import Member
from loyalty_rules.intents import IssueCurrency
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["Balance", "Entry", "ExpiryVersion", "KnownMember", "LotHistory", "ReportLot", "ReportRows"]


@attrs.frozen
class Balance:
    """The balance of an account in a currency at an instant: units to spend, pending units, its debt, held units."""

    available: Decimal
    promised: Decimal
    debt: Decimal
    held: Decimal = Decimal(0)


@attrs.frozen
class Entry:
    """An entry: one two-sided movement of a lot's units from a source bucket to a target bucket.

    The buckets are `promised`, `available`, `held`, `spent`, `expired`, `reversed`, `voided` and `moved`; new units
    come from `issued`. Units that go on to another lot have two entries: into `moved` of the one, from `moved` into the
    other.
    `at` is the instant of the event, `recorded_at` that of the record, `reason` the key of the intent.
    For an operation on an account, `reason` and `by` are those of the host.
    """

    batch: str
    program: str
    account: Account
    currency: str
    lot: str
    source: str
    target: str
    amount: Decimal
    at: datetime
    recorded_at: datetime
    reason: str
    by: str | None = None


@attrs.frozen
class KnownMember:
    """A member as the last recorded event of the member shows it, and the instant of that event."""

    member: Member
    last_event: datetime


@attrs.frozen
class ReportLot:
    """One lot as of an instant, with its entries up to then."""

    lot: Lot
    entries: tuple[Entry, ...]


@attrs.frozen
class ReportRows:
    """The rows of a program's reports: every lot and every coupon as of the instant `at`.

    `stores` are the stores in which spends paid, by the keys of the spends.
    """

    at: datetime
    lots: tuple[ReportLot, ...]
    coupons: tuple[CouponRecord, ...]
    stores: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class ExpiryVersion:
    """The expiry of a lot from the instant `since` on: set on issue or release, moved by an extension."""

    since: datetime
    expires_on: date | None
    expires_at: datetime | None


@attrs.frozen
class LotHistory:
    """The history of one lot: its entries and other changes, in the order of record.

    `released` is the instant of the release of a promise and the issue date that followed from it. `claimed` are the
    amounts that returns of the sale claimed, each with its instant. `members` are the members to whom merges moved it.
    `last_days` are its last days, with their ends, beyond which no extension moves it, each with its instant. The
    places are those of the batches in the order of record, one for each entry, expiry and member.
    """

    issue: IssueCurrency
    program: str
    order: int
    rolling: bool
    entries: tuple[Entry, ...] = ()
    expiry_versions: tuple[ExpiryVersion, ...] = ()
    released: tuple[datetime, date] | None = None
    claimed: tuple[tuple[datetime, Decimal], ...] = ()
    members: tuple[tuple[datetime, str], ...] = ()
    origin: str | None = None
    store: str | None = None
    tier: str | None = None
    channel: str | None = None
    last_days: tuple[tuple[datetime, date, datetime], ...] = ()
    entry_places: tuple[int, ...] = ()
    expiry_places: tuple[int, ...] = ()
    member_places: tuple[int, ...] = ()

    def lot(self, at: datetime | None = None) -> Lot | None:
        """Return the lot as of an instant, or the current lot if `at` is None; None if it had not been issued yet."""
        if not self.entries:
            return None
        return self._current if at is None or at >= self.latest else self._lot(at)

    @functools.cached_property
    def _current(self) -> Lot | None:
        return self._lot(None)

    @property
    def ended_units(self) -> int:
        """The units of a promise that was cancelled or has lapsed, in millionths."""
        return sum(micros(each.amount) for each in self.entries if (each.source, each.target) == ("promised", "voided"))

    @functools.cached_property
    def latest(self) -> datetime:
        """The instant of the last change."""
        instants = [*(each.at for each in self.entries), *(each.since for each in self.expiry_versions)]
        instants += [*(since for since, _ in self.claimed), *(since for since, _ in self.members)]
        instants += (since for since, _, _ in self.last_days)
        return max([*instants, *([self.released[0]] if self.released else [])])

    def _lot(self, at: datetime | None) -> Lot | None:
        entries = [each for each in self.entries if at is None or each.at <= at]
        if not entries:
            return None
        versions = [each for each in self.expiry_versions if at is None or each.since <= at]
        expiry = versions[-1] if versions else ExpiryVersion(entries[0].at, None, None)
        released = self.released is not None and (at is None or self.released[0] <= at)
        members = [member for since, member in self.members if at is None or since <= at]
        last_days = [each for each in self.last_days if at is None or each[0] <= at]
        _, last_on, last_at = last_days[-1] if last_days else (None, None, None)
        lot = Lot(
            attrs.evolve(self.issue, member=members[-1]) if members else self.issue,
            self.order,
            rolling=self.rolling,
            taken_back=decimal_of(sum(micros(units) for since, units in self.claimed if at is None or since <= at)),
            issue_on=self.released[1] if self.released is not None and released else self.issue.issue_on,
            expires_on=expiry.expires_on,
            expires_at=expiry.expires_at,
            origin=self.origin,
            store=self.store,
            tier=self.tier,
            channel=self.channel,
            available_at=self._available_at(released=released),
            last_on=last_on,
            last_at=last_at,
        )
        for each in entries:
            lot = lot.moved(each.source, each.target, each.amount)
        return lot

    def _available_at(self, *, released: bool) -> datetime | None:
        """Return the instant of the issue, or of the release of a promise; None of a promise that is open."""
        if self.released is not None and released:
            return self.released[0]
        return self.entries[0].at if self.entries[0].target != "promised" else None
