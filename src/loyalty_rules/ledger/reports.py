"""Reports of a program: issuance, conversion of coupons, liability.

Each report is a pure function of the rows of a ledger as of an instant (`Ledger.report_rows`), exact to the last digit.
Lots and coupons expire by time, whether or not a sweep has recorded that. So a report as of an instant is the same
before and after a sweep. Days and months are local, in the program's zone. Source: ledger 4.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import attrs

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.ledger.movements import movements_of_coupon, movements_of_lot, origin_of
from loyalty_rules.ledger.records import ReportRows
from loyalty_rules.lifecycle.records import CouponRecord, Lot
from loyalty_rules.program import Program
from loyalty_rules.reports.cohorts import rate
from loyalty_rules.reports.issuance import (
    DIMENSIONS,
    By,
    Issuance,
    Movement,
    check_dimensions,
    in_order,
    issuance_of,
)
from loyalty_rules.rules.rounding import quantize_to_micros
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
    "conversion_of",
    "issuance",
    "liability",
    "liability_of",
    "unit_values",
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
    lots = (row.lot for row in rows.lots)
    return liability_of(program, rows.at, lots, rows.coupons, values)


def liability_of(
    program: Program,
    at: datetime,
    lots: Iterable[Lot],
    coupons: Iterable[CouponRecord],
    values: Mapping[str, Decimal] | None = None,
) -> Liability:
    """Report the liability from lots and coupons as of an instant, each of which is read once: see `liability`."""
    worth = unit_values(program, values)
    points = tuple(_points(at, lots, worth))
    types = tuple(_coupons(at, coupons))
    known = [micros(each) for row in points for each in (row.available_value, row.promised_value) if each is not None]
    known += [micros(row.most) for row in types if row.most is not None]
    unvalued = dict.fromkeys(row.currency for row in points if row.currency not in worth)
    unbounded = tuple(row.coupon_type for row in types if row.most is None)
    return Liability(at, points, types, decimal_of(sum(known)), tuple(unvalued), unbounded)


def unit_values(program: Program, values: Mapping[str, Decimal] | None = None) -> dict[str, Ratio]:
    """Return the values of one unit by currency: those of the host, otherwise the redeem rates.

    Raises `InvalidValueError` for a currency that the program does not have, or a negative value.
    """
    known = [each.id for each in program.currencies]
    for name in values or ():
        if name not in known:
            expected = ", ".join(known) or "none"
            raise InvalidValueError(
                "values", "unknown_reference", f"expected a currency of the program: {expected}; found {describe(name)}"
            )
    of_host = {name: (micros(read_non_negative(value)), MICRO) for name, value in (values or {}).items()}
    return {**_redeem_rates(program), **of_host}


def _redeem_rates(program: Program) -> dict[str, Ratio]:
    return {
        each.id: (micros(each.redeem.value), micros(each.redeem.points))
        for each in program.currencies
        if each.redeem is not None
    }


def _points(at: datetime, lots: Iterable[Lot], worth: Mapping[str, Ratio]) -> Iterator[PointsLiability]:
    owed: dict[tuple[str, str | None], tuple[int, int]] = {}
    for lot in lots:
        available = (micros(lot.outstanding) if lot.is_live(at) else 0) + micros(lot.held)
        promised = micros(lot.promised)
        if available or promised:
            key = lot.issue.currency, lot.expires_on.strftime("%Y-%m") if lot.expires_on is not None else None
            before = owed.get(key, (0, 0))
            owed[key] = before[0] + available, before[1] + promised
    for (currency, month), (available, promised) in sorted(owed.items(), key=lambda pair: in_order(pair[0])):
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


def _coupons(at: datetime, coupons: Iterable[CouponRecord]) -> Iterator[CouponLiability]:
    sums: dict[str, tuple[int, int | None]] = {}
    for coupon in coupons:
        if coupon.state_at(at) == "issued":
            number, most = sums.get(coupon.issue.coupon_type, (0, 0))
            left = micros(coupon.most_left) if coupon.most_left is not None else None
            known = most + left if most is not None and left is not None else None
            sums[coupon.issue.coupon_type] = number + 1, known
    for coupon_type, (number, most) in sorted(sums.items()):
        yield CouponLiability(coupon_type, number, decimal_of(most) if most is not None else None)


# -- issuance --------------------------------------------------------------------------------------------------------


def issuance(program: Program, rows: ReportRows, by: Sequence[By] = ()) -> tuple[Issuance, ...]:
    """Report issued, redeemed, expired, reversed, voided and outstanding units of each currency and coupon type.

    `by` are further dimensions. Of the issue: `promotion`; `store` and `channel` of the sale, `tier` of its member;
    `member`, to whom it was issued; its `issued_day`, `issued_week`, `issued_month` (`issued_in` is the month, too). Of
    the movement: `day`, `week`, `month`. Of the redemption: `redeemed_store`, `redeemed_member`. A value that does not
    exist is None. A ledger makes the same report from sums, without the rows: `ledger.issuance`.
    """
    check_dimensions(by)
    return issuance_of(_movements(program, rows), by)


def _movements(program: Program, rows: ReportRows) -> Iterator[Movement]:
    zone = program.plan.zone
    origins = {row.lot.key: origin_of(row, zone) for row in rows.lots if row.lot.origin is None}
    for row in rows.lots:
        origin = origins.get(row.lot.origin or row.lot.key)
        yield from movements_of_lot(row, origin or origin_of(row, zone), rows.stores, rows.at, zone)
    for coupon in rows.coupons:
        yield from movements_of_coupon(coupon, rows.at, zone)


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
    check_dimensions(by, ("promotion", "store"))
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
        for (coupon_type, group), row in sorted(sums.items(), key=lambda pair: (pair[0][0], in_order(pair[0][1])))
    )


def conversion_of(
    cohorts: Iterable[Issuance], flow: Iterable[Issuance], period: str | None, *, digits: int = 4
) -> tuple[Conversion, ...]:
    """Report the conversion of coupons from two reports: `cohorts` by the issue, `flow` by the movements.

    Both are by the same dimensions, the first of which is the period, if there is one: of the issue, and of the
    movement.
    """
    sums: dict[tuple[str, tuple[tuple[str, str | None], ...]], dict[str, int]] = {}
    for rows, columns in ((cohorts, _COHORT), (flow, _FLOW)):
        for row in rows:
            if row.kind == "coupon":
                names = [name.removeprefix("issued_") if period is not None else name for name in row.group]
                group = tuple(zip(names, row.group.values(), strict=True))
                counts = {name: micros(getattr(row, column)) // MICRO for name, column in columns.items()}
                sums[row.of, group] = {**sums.get((row.of, group), {}), **counts}
    in_their_order = sorted(sums.items(), key=lambda each: (each[0][0], in_order([name for _, name in each[0][1]])))
    return tuple(
        _conversion(of, dict(group), counts, digits) for (of, group), counts in in_their_order if any(counts.values())
    )


_COHORT = {"all": "issued", "voided": "voided", "expired": "expired", "issued": "outstanding", "redeemed": "redeemed"}
_FLOW = {"flow": "redeemed"}


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
        rate(redeemed, counted, digits),
        rate(flow, counted, digits),
    )
