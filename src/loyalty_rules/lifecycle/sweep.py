"""What time has done: lots and coupons that have expired, and expiries that move. Source: semantics 5.

Time itself expires a lot; a sweep only writes it down, and changes no answer as of any instant.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from loyalty_rules.intents import ExpireCoupon, ExpireCurrency, ExtendExpiry
from loyalty_rules.keys import coupon_expiry_key, currency_expiry_key
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot

__all__ = ["expire", "expire_coupons", "extended_lots"]


def expire(lots: Iterable[Lot], at: datetime) -> Iterator[ExpireCurrency]:
    """Expire what is left of each lot whose end has come by `at`; what was spent from it stays spent."""
    for lot in lots:
        if lot.outstanding > 0 and lot.expires_at is not None and lot.expires_at <= at:
            yield ExpireCurrency(currency_expiry_key(lot.key, lot.expires_on), lot.key, lot.outstanding, lot.expires_at)


def expire_coupons(coupons: Iterable[CouponRecord], at: datetime) -> Iterator[ExpireCoupon]:
    """Expire each coupon that was never redeemed and whose end has come by `at`."""
    for coupon in coupons:
        expires_at = coupon.issue.expires_at
        if coupon.state == "issued" and expires_at is not None and expires_at <= at:
            yield ExpireCoupon(coupon_expiry_key(coupon.key), coupon.key, expires_at)


def extended_lots(lots: Iterable[Lot], extension: ExtendExpiry, at: datetime) -> list[str]:
    """Name the lots that an extension moves: live ones of its account and currency, to a later date, in its scope."""
    account = Account.of(extension)
    return [
        lot.key
        for lot in lots
        if lot.issue.currency == extension.currency
        and lot.account == account
        and lot.is_live(at)
        and lot.expires_at is not None
        and lot.expires_at < extension.expires_at
        and (extension.scope == "balance" or lot.rolling)
    ]
