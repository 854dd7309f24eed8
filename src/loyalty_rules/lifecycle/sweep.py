"""Expiry: the sweep of lots and coupons that have expired, and the extension of lots. Source: semantics 5.

A lot expires by time alone. A sweep records that; results of queries as of any instant stay the same.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from loyalty_rules.intents import ExpireCoupon, ExpireCurrency, ExtendExpiry
from loyalty_rules.keys import coupon_expiry_key, currency_expiry_key
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot

__all__ = ["expire", "expire_coupons", "extended_lots"]


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


def extended_lots(lots: Iterable[Lot], extension: ExtendExpiry, at: datetime) -> list[str]:
    """Return the keys of the lots that an extension extends: those of its account, currency and scope.

    Their last day has not passed. That is so also for a lot of which everything is spent: units that an undo gives back
    then have the later day. So are units that a sweep after the instant has expired. A lot is never shortened, and a
    lot without expiry is not extended. Source: semantics 5, ledger 2 (time out of order).
    """
    account = Account.of(extension)
    return [
        lot.key
        for lot in lots
        if lot.issue.currency == extension.currency
        and lot.account == account
        and (lot.outstanding > 0 or lot.held > 0 or ((lot.spent > 0 or lot.expired > 0) and lot.promised == 0))
        and lot.expires_at is not None
        and at < lot.expires_at < extension.expires_at
        and (extension.scope == "balance" or lot.rolling)
    ]
