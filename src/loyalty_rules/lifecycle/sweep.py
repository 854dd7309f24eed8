"""Expiry: the sweep of lots and coupons that have expired. Source: semantics 5.

A lot expires by time alone. A sweep records that; results of queries as of any instant stay the same.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from loyalty_rules.intents import ExpireCoupon, ExpireCurrency
from loyalty_rules.keys import coupon_expiry_key, currency_expiry_key
from loyalty_rules.lifecycle.records import CouponRecord, Lot

__all__ = ["expire", "expire_coupons"]


def expire(lots: Iterable[Lot], at: datetime) -> Iterator[ExpireCurrency]:
    """Yield the expiry of each lot with outstanding units that has expired by `at`; spent units stay spent."""
    for lot in lots:
        if lot.outstanding > 0 and lot.expires_at is not None and lot.expires_at <= at:
            yield ExpireCurrency(currency_expiry_key(lot.key, lot.expires_on), lot.key, lot.outstanding, lot.expires_at)


def expire_coupons(coupons: Iterable[CouponRecord], at: datetime) -> Iterator[ExpireCoupon]:
    """Yield the expiry of each issued coupon that has expired by `at`."""
    for coupon in coupons:
        expires_at = coupon.expires_at
        if coupon.state == "issued" and expires_at is not None and expires_at <= at:
            yield ExpireCoupon(coupon_expiry_key(coupon.key), coupon.key, expires_at)
