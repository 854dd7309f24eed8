"""Reports of a program: issuance, conversion of coupons, liability.

Each report is a pure function of the rows of a ledger as of an instant (`Ledger.report_rows`), exact to the last digit.
Lots and coupons expire by time, whether or not a sweep has recorded that. So a report as of an instant is the same
before and after a sweep. Days and months are local, in the program's zone. Source: ledger 4.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.ledger.records import ReportLot, ReportRows
from loyalty_rules.lifecycle.records import CouponRecord
from loyalty_rules.program import Program
from loyalty_rules.rules.rounding import MODES, quantize_to_micros
from loyalty_rules.values.amounts import MICRO, Ratio, decimal_of, micros, read_non_negative, read_whole
from loyalty_rules.values.dates import in_zone

__all__ = [
    "DIMENSIONS",
    "By",
    "Conversion",
    "CouponLiability",
    "Issuance",
    "Liability",
    "PointsLiability",
    "conversion",
    "issuance",
    "liability",
]


# -- liability -------------------------------------------------------------------------------------------------------


@attrs.frozen
class PointsLiability:
    """The units of a currency that are owed and expire in one month.

    `expires_in` is `YYYY-MM`, or None if they never expire or the expiry is not known before the release. Values are in
    the program's money, rounded to 6 decimals, half up; None if the value of a unit is not known.
    """

    currency: str
    expires_in: str | None
    available: Decimal
    promised: Decimal
    available_value: Decimal | None
    promised_value: Decimal | None


@attrs.frozen
class CouponLiability:
    """The number of coupons of a type that can be redeemed, and their maximum cost, or None if it is unbounded."""

    coupon_type: str
    outstanding: int
    most: Decimal | None


@attrs.frozen
class Liability:
    """The liability of a program at an instant, in its money.

    `total` is the sum of all known values. `unvalued` are the currencies without a value, `unbounded` the coupon types
    with outstanding coupons and without a maximum cost.
    """

    at: datetime
    points: tuple[PointsLiability, ...]
    coupons: tuple[CouponLiability, ...]
    total: Decimal
    unvalued: tuple[str, ...]
    unbounded: tuple[str, ...]


def liability(program: Program, rows: ReportRows, values: Mapping[str, Decimal] | None = None) -> Liability:
    """Report the liability: points at the value of one unit, coupons at their maximum cost.

    `values` are values of one unit by currency; other currencies are valued at their `redeem` rate. Lots and coupons
    that have expired by the instant of the rows are not owed. A stored value costs its remainder. Any other coupon
    costs its maximum discount for each use that is left, under the terms that it was issued with. A percentage without
    a maximum, a fixed price and a type without a benefit are unbounded.
    """
    of_host = {name: (micros(read_non_negative(value)), MICRO) for name, value in (values or {}).items()}
    worth = {**_redeem_rates(program), **of_host}
    points = tuple(_points(rows, worth))
    coupons = tuple(_coupons(rows))
    known = [micros(each) for row in points for each in (row.available_value, row.promised_value) if each is not None]
    known += [micros(row.most) for row in coupons if row.most is not None]
    unvalued = dict.fromkeys(row.currency for row in points if row.currency not in worth)
    unbounded = tuple(row.coupon_type for row in coupons if row.most is None)
    return Liability(rows.at, points, coupons, decimal_of(sum(known)), tuple(unvalued), unbounded)


def _redeem_rates(program: Program) -> dict[str, Ratio]:
    return {
        each.id: (micros(each.redeem.value), micros(each.redeem.points))
        for each in program.currencies
        if each.redeem is not None
    }


def _points(rows: ReportRows, worth: Mapping[str, Ratio]) -> Iterator[PointsLiability]:
    owed: dict[tuple[str, str | None], tuple[int, int]] = {}
    for history in rows.lots:
        lot = history.lot
        available = (micros(lot.outstanding) if lot.is_live(rows.at) else 0) + micros(lot.held)
        promised = micros(lot.promised)
        if available or promised:
            key = lot.issue.currency, lot.expires_on.strftime("%Y-%m") if lot.expires_on is not None else None
            before = owed.get(key, (0, 0))
            owed[key] = before[0] + available, before[1] + promised
    for (currency, month), (available, promised) in sorted(owed.items(), key=lambda pair: _in_order(pair[0])):
        rate = worth.get(currency)
        yield PointsLiability(
            currency,
            month,
            decimal_of(available),
            decimal_of(promised),
            _value(available, rate),
            _value(promised, rate),
        )


def _value(amount: int, rate: Ratio | None) -> Decimal | None:
    if rate is None:
        return None
    money, units = rate
    return decimal_of(quantize_to_micros((amount * money, units * MICRO)))


def _coupons(rows: ReportRows) -> Iterator[CouponLiability]:
    outstanding: dict[str, list[CouponRecord]] = {}
    for coupon in rows.coupons:
        if coupon.state_at(rows.at) == "issued":
            outstanding.setdefault(coupon.issue.coupon_type, []).append(coupon)
    for coupon_type in sorted(outstanding):
        coupons = outstanding[coupon_type]
        bounded = [micros(each.most_left) for each in coupons if each.most_left is not None]
        total = decimal_of(sum(bounded)) if len(bounded) == len(coupons) else None
        yield CouponLiability(coupon_type, len(coupons), total)


# -- issuance --------------------------------------------------------------------------------------------------------

By: TypeAlias = Literal[
    "promotion",
    "store",
    "member",
    "tier",
    "channel",
    "issued_in",
    "day",
    "week",
    "month",
    "redeemed_store",
    "redeemed_member",
]
"""The name of a dimension of the issuance."""
_COLUMNS = ("issued", "redeemed", "expired", "reversed", "voided", "outstanding")
_BUCKETS: Mapping[str, tuple[str, int]] = {
    "issued": ("issued", -1),  # new units come from here: a movement out of it is an issue
    "promised": ("outstanding", 1),
    "available": ("outstanding", 1),
    "held": ("outstanding", 1),
    "spent": ("redeemed", 1),
    "expired": ("expired", 1),
    "reversed": ("reversed", 1),
    "voided": ("voided", 1),
    "moved": ("outstanding", 1),  # what leaves one lot comes into another
}


@attrs.frozen
class Issuance:
    """The issued units of a currency, or coupons of a type (`kind`, `of`), by their current state.

    `group` has the value of the row for each dimension of the report. In every row issued = redeemed + expired +
    reversed + voided + outstanding. Promises count as issued and outstanding. `reversed` are units taken back by
    returns; `voided` are promises that were cancelled or lapsed, and coupons that were voided.
    """

    kind: Literal["currency", "coupon"]
    of: str
    group: Mapping[str, str | None]
    issued: Decimal
    redeemed: Decimal
    expired: Decimal
    reversed: Decimal
    voided: Decimal
    outstanding: Decimal


@attrs.frozen
class _Origin:
    """The issue of units or of a coupon: by which promotion, at which sale, to whom, and when."""

    promotion: str | None
    store: str | None
    member: str | None
    tier: str | None
    channel: str | None
    issued_at: datetime


@attrs.frozen
class _Fact:
    """One change of a column of the report at an instant, in millionths."""

    kind: Literal["currency", "coupon"]
    of: str
    origin: _Origin
    redeemed_store: str | None
    redeemed_member: str | None
    at: datetime
    column: str
    amount: int


def issuance(program: Program, rows: ReportRows, by: Sequence[By] = ()) -> tuple[Issuance, ...]:
    """Report issued, redeemed, expired, reversed, voided and outstanding units of each currency and coupon type.

    `by` are further dimensions. Of the issue: `promotion`; `store` and `channel` of the sale, `tier` of its member;
    `member`, to whom it was issued; `issued_in`, its month. Of the change, in which `outstanding` is the net change:
    `day`, `week`, `month`. Of the redemption: `redeemed_store`, `redeemed_member`. Days are `YYYY-MM-DD`, weeks
    `YYYY-Www` (ISO), months `YYYY-MM`. A value that does not exist is None.
    """
    _check(by, DIMENSIONS)
    zone = program.plan.zone
    sums: dict[tuple[str, str, tuple[str | None, ...]], dict[str, int]] = {}
    for fact in _facts(rows):
        key = fact.kind, fact.of, tuple(_DIMENSIONS[each](fact, zone) for each in by)
        row = sums.setdefault(key, dict.fromkeys(_COLUMNS, 0))
        row[fact.column] += fact.amount
    return tuple(
        Issuance(
            "currency" if kind == "currency" else "coupon",
            of,
            dict(zip(by, group, strict=True)),
            **{column: decimal_of(amount) for column, amount in row.items()},
        )
        for (kind, of, group), row in sorted(sums.items(), key=lambda pair: (*pair[0][:2], _in_order(pair[0][2])))
    )


_DIMENSIONS: Mapping[str, Callable[[_Fact, tzinfo], str | None]] = {
    "promotion": lambda fact, _: fact.origin.promotion,
    "store": lambda fact, _: fact.origin.store,
    "member": lambda fact, _: fact.origin.member,
    "tier": lambda fact, _: fact.origin.tier,
    "channel": lambda fact, _: fact.origin.channel,
    "issued_in": lambda fact, zone: _month(fact.origin.issued_at, zone),
    "day": lambda fact, zone: in_zone(fact.at, zone).date().isoformat(),
    "week": lambda fact, zone: in_zone(fact.at, zone).strftime("%G-W%V"),
    "month": lambda fact, zone: _month(fact.at, zone),
    "redeemed_store": lambda fact, _: fact.redeemed_store,
    "redeemed_member": lambda fact, _: fact.redeemed_member,
}
"""The value of each dimension for a change."""

DIMENSIONS = tuple(_DIMENSIONS)
"""The names by which the issuance can be split."""


def _facts(rows: ReportRows) -> Iterator[_Fact]:
    origins = {history.lot.key: _origin_of(history) for history in rows.lots if history.lot.origin is None}
    for history in rows.lots:
        origin = origins.get(history.lot.origin or history.lot.key)
        yield from _facts_of_lot(history, origin or _origin_of(history), rows.at)
    for coupon in rows.coupons:
        yield from _facts_of_coupon(coupon, rows.at)


def _origin_of(history: ReportLot) -> _Origin:
    """Return the origin of a lot; an adjustment has no promotion, and that of a group no member."""
    lot, issue = history.lot, history.lot.issue
    return _Origin(
        issue.promotion or None, lot.store, issue.member or None, lot.tier, lot.channel, history.entries[0].at
    )


def _facts_of_lot(history: ReportLot, origin: _Origin, at: datetime) -> Iterator[_Fact]:
    lot, issue = history.lot, history.lot.issue

    def fact(when: datetime, bucket: str, amount: int, redeemed_member: str | None = None) -> _Fact:
        column, sign = _BUCKETS[bucket]
        return _Fact("currency", issue.currency, origin, None, redeemed_member, when, column, sign * amount)

    for each in history.entries:
        amount = micros(each.amount)
        spends = "spent" in (each.source, each.target) and each.account.kind == "member"
        member = each.account.id if spends else None
        yield fact(each.at, each.source, -amount, member)
        yield fact(each.at, each.target, amount, member)
    if lot.outstanding > 0 and lot.expires_at is not None and lot.expires_at <= at:
        amount = micros(lot.outstanding)
        yield fact(lot.expires_at, "available", -amount)
        yield fact(lot.expires_at, "expired", amount)


def _facts_of_coupon(coupon: CouponRecord, at: datetime) -> Iterator[_Fact]:
    issue, state = coupon.issue, coupon.state_at(at)
    origin = _Origin(issue.promotion, issue.store, issue.member, coupon.tier, coupon.channel, issue.issued_at)
    store, member = coupon.redeemed_at_store, coupon.redeemed_by_member

    def fact(when: datetime, column: str, amount: int) -> _Fact:
        return _Fact("coupon", issue.coupon_type, origin, store, member, when, column, amount * MICRO)

    yield fact(issue.issued_at, "issued", 1)
    yield fact(issue.issued_at, "outstanding", 1)
    ended_at = _ended_at(coupon, state)
    if ended_at is not None:
        yield fact(ended_at, state, 1)
        yield fact(ended_at, "outstanding", -1)


def _ended_at(coupon: CouponRecord, state: str) -> datetime | None:
    """Return the instant at which a coupon was redeemed, voided or expired; None if it is outstanding."""
    ends = {"redeemed": coupon.redeemed_at, "voided": coupon.voided_at, "expired": coupon.expires_at}
    return ends.get(state)


# -- conversion ------------------------------------------------------------------------------------------------------


@attrs.frozen
class Conversion:
    """The conversion of a coupon type: redemptions of the coupons issued in a period, and redemptions in the period.

    The cohort are the coupons `issued` in the period; `redeemed`, `expired`, `voided` and `outstanding` are their
    current states. `redeemed_in_period` counts redemptions in the period of coupons issued at any time. Both rates are
    per `counted` coupon: the cohort without voided coupons. They are None if no coupon is counted; the flow rate can
    exceed 1. A stored value counts as redeemed when its remainder is 0.
    """

    coupon_type: str
    group: Mapping[str, str | None]
    issued: int
    voided: int
    expired: int
    outstanding: int
    redeemed: int
    redeemed_in_period: int
    cohort_rate: Decimal | None
    flow_rate: Decimal | None

    @property
    def counted(self) -> int:
        """The denominator of both rates: coupons issued and not voided."""
        return self.issued - self.voided


def conversion(
    program: Program,
    rows: ReportRows,
    first: date,
    last: date,
    by: Sequence[Literal["promotion", "store"]] = (),
    *,
    digits: int = 4,
) -> tuple[Conversion, ...]:
    """Report the conversion of coupons over the local days `first` to `last`, both included.

    Rates have `digits` decimals (0 to 6), rounded half up. `by` are further dimensions: the `promotion` or the `store`
    that issued the coupon.
    """
    _check(by, ("promotion", "store"))
    read_whole(digits, 0, 6)
    zone = program.plan.zone
    sums: dict[tuple[str, tuple[str | None, ...]], dict[str, int]] = {}
    for coupon in rows.coupons:
        state = coupon.state_at(rows.at)
        issued_now = first <= in_zone(coupon.issue.issued_at, zone).date() <= last
        redeemed_at = coupon.redeemed_at if state == "redeemed" else None
        redeemed_now = redeemed_at is not None and first <= in_zone(redeemed_at, zone).date() <= last
        if not (issued_now or redeemed_now):
            continue
        group = tuple(coupon.issue.promotion if each == "promotion" else coupon.issue.store for each in by)
        row = sums.setdefault((coupon.issue.coupon_type, group), {})
        for column in [*(("all", state) if issued_now else ()), *(("flow",) if redeemed_now else ())]:
            row[column] = row.get(column, 0) + 1
    return tuple(
        _conversion(coupon_type, dict(zip(by, group, strict=True)), row, digits)
        for (coupon_type, group), row in sorted(sums.items(), key=lambda pair: (pair[0][0], _in_order(pair[0][1])))
    )


def _conversion(coupon_type: str, group: Mapping[str, str | None], row: Mapping[str, int], digits: int) -> Conversion:
    issued, voided, redeemed, flow = (row.get(each, 0) for each in ("all", "voided", "redeemed", "flow"))
    counted = issued - voided
    return Conversion(
        coupon_type,
        group,
        issued,
        voided,
        row.get("expired", 0),
        row.get("issued", 0),
        redeemed,
        flow,
        _rate(redeemed, counted, digits),
        _rate(flow, counted, digits),
    )


def _rate(part: int, whole: int, digits: int) -> Decimal | None:
    if whole == 0:
        return None
    places: int = 10**digits
    return decimal_of(MODES["nearest"](part * places, whole) * (MICRO // places))


# -- groups ----------------------------------------------------------------------------------------------------------


def _check(by: Sequence[str], known: Sequence[str]) -> None:
    for each in by:
        if each not in known:
            raise InvalidValueError(
                "by", "not_a_choice", f"expected some of {', '.join(known)}; found {describe(each)}"
            )


def _month(at: datetime, zone: tzinfo) -> str:
    return in_zone(at, zone).strftime("%Y-%m")


def _in_order(group: Sequence[str | None]) -> list[tuple[bool, str]]:
    """Return a sort key of names: by their text, None last."""
    return [(each is None, each or "") for each in group]
