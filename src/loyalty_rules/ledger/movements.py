"""Movements for reports: entries of lots and states of coupons, and the expiries that time has brought about.

A storage adds up its entries and coupons, in a database by SQL. Holds that are over and lots that have expired without
a record are few if the ledger is swept, and are read one by one. Source: ledger 4.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, tzinfo
from typing import Any, Literal

from loyalty_rules.keys import undone_keys
from loyalty_rules.ledger.operations.lookups import read_lots
from loyalty_rules.ledger.records import Entry, LotHistory, ReportLot
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot
from loyalty_rules.program import Program
from loyalty_rules.reports.issuance import Movement
from loyalty_rules.values.amounts import MICRO, micros
from loyalty_rules.values.dates import in_zone

__all__ = ["movement_of", "movements_of_coupon", "movements_of_lot", "movements_until", "origin_of", "payments_of"]

SPENT = "spent"
_COUPON_BUCKETS: Mapping[str, Literal["spent", "expired", "voided"]] = {
    "redeemed": "spent",
    "expired": "expired",
    "voided": "voided",
}


def movements_until(storage: Storage, program: Program, at: datetime, fields: frozenset[str]) -> Iterator[Movement]:
    """Yield the movements of a program up to an instant, summed by the fields that a report reads."""
    zone = program.plan.zone
    yield from storage.movements(program.id, at, zone, fields)
    held: dict[tuple[Account, str], list[tuple[Lot, dict[str, Any]]]] = {}
    for history, root in storage.unrecorded_ends(program.id, at):
        lot = history.lot(at)
        if lot is None:
            continue
        origin = origin_of(root, zone)
        if micros(lot.held):
            held.setdefault((lot.account, lot.issue.currency), []).append((lot, origin))
        else:
            yield from _expiry_of(lot, origin, at, zone)
    for (account, currency), lots in held.items():
        yield from _ended_holds(storage, program, account, currency, lots, at)


def _ended_holds(
    storage: Storage,
    program: Program,
    account: Account,
    currency: str,
    lots: Iterable[tuple[Lot, dict[str, Any]]],
    at: datetime,
) -> Iterator[Movement]:
    """Yield the ends of the holds of a balance that are over, and the expiries of units that came back."""
    zone = program.plan.zone
    after, _, releases = read_lots(storage, program.id, account, currency, at)
    current, origins = {lot.key: lot for lot in after}, {lot.key: origin for lot, origin in lots}
    for release in releases:
        day = in_zone(release.released_at, zone).date()
        for key, target, units in release.moves():
            yield Movement("currency", currency, "held", target, micros(units), on=day, **origins[key])
    for lot, origin in lots:
        yield from _expiry_of(current.get(lot.key, lot), origin, at, zone)


def _expiry_of(lot: Lot, origin: Mapping[str, Any], at: datetime, zone: tzinfo) -> Iterator[Movement]:
    """Yield the expiry of a lot that has expired by an instant without a record of it."""
    if lot.outstanding > 0 and lot.expires_at is not None and lot.expires_at <= at:
        day = in_zone(lot.expires_at, zone).date()
        yield Movement(
            "currency", lot.issue.currency, "available", "expired", micros(lot.outstanding), on=day, **origin
        )


# -- lots ------------------------------------------------------------------------------------------------------------


def origin_of(history: LotHistory | ReportLot, zone: tzinfo) -> dict[str, Any]:
    """Return the dimensions of an issue; an adjustment has no promotion, a member stays the one of the issue."""
    first = history.entries[0]
    lot = history.lot if isinstance(history, ReportLot) else history
    member = first.account.id if first.account.kind == "member" else lot.issue.member
    return {
        "promotion": lot.issue.promotion or None,
        "store": lot.store,
        "member": member or None,
        "tier": lot.tier,
        "channel": lot.channel,
        "issued_on": in_zone(first.at, zone).date(),
    }


def movements_of_lot(
    row: ReportLot, origin: Mapping[str, Any], stores: Mapping[str, str], at: datetime, zone: tzinfo
) -> Iterator[Movement]:
    """Yield the movements of one lot, with its expiry by time; `stores` are those of payments, by key."""
    for entry in row.entries:
        yield movement_of(entry, origin, stores, zone)
    yield from _expiry_of(row.lot, origin, at, zone)


def movement_of(entry: Entry, origin: Mapping[str, Any], stores: Mapping[str, str], zone: tzinfo) -> Movement:
    """Convert an entry to a movement."""
    redeems = SPENT in (entry.source, entry.target)
    return Movement(
        "currency",
        entry.currency,
        entry.source,
        entry.target,
        micros(entry.amount),
        on=in_zone(entry.at, zone).date(),
        redeemed_store=_store_of(entry.reason, stores) if redeems else None,
        redeemed_member=entry.account.id if redeems and entry.account.kind == "member" else None,
        **origin,
    )


def payments_of(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the keys of which some are those of the payments that entries made or undid."""
    for entry in entries:
        if SPENT in (entry.source, entry.target):
            yield from (entry.reason, *undone_keys(entry.reason))


def _store_of(reason: str, stores: Mapping[str, str]) -> str | None:
    """Return the store of the payment that an entry made or undid."""
    return next((stores[key] for key in (reason, *undone_keys(reason)) if key in stores), None)


# -- coupons ---------------------------------------------------------------------------------------------------------


def movements_of_coupon(coupon: CouponRecord, at: datetime, zone: tzinfo) -> Iterator[Movement]:
    """Yield the issue of a coupon and, if it has ended by an instant, its end."""
    issue, state = coupon.issue, coupon.state_at(at)
    issued_on = in_zone(issue.issued_at, zone).date()

    def movement(source: str, target: str, on: date) -> Movement:
        return Movement(
            "coupon",
            issue.coupon_type,
            source,
            target,
            MICRO,
            on=on,
            issued_on=issued_on,
            promotion=issue.promotion,
            store=issue.store,
            member=issue.member,
            tier=coupon.tier,
            channel=coupon.channel,
            redeemed_store=coupon.redeemed_at_store,
            redeemed_member=coupon.redeemed_by_member,
        )

    yield movement("issued", "available", issued_on)
    ended_at = _ended_at(coupon, state)
    if ended_at is not None:
        yield movement("available", _COUPON_BUCKETS[state], in_zone(ended_at, zone).date())


def _ended_at(coupon: CouponRecord, state: str) -> datetime | None:
    """Return the instant at which a coupon was redeemed, voided or expired; None if it is outstanding."""
    ends = {"redeemed": coupon.redeemed_at, "voided": coupon.voided_at, "expired": coupon.expires_at}
    return ends.get(state)
