"""What is taken back no longer counts against a cap. Source: semantics 8."""

from decimal import Decimal

from loyalty_rules.intents import Claim, IssueCoupon
from loyalty_rules.keys import counts_times
from loyalty_rules.lifecycle.records import CouponRecord, Lot
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["coupon_given_back", "given_back"]


def given_back(lot: Lot, amount: Decimal) -> tuple[Claim, ...]:
    """Give back what an issue drew from its counters, as far as it is taken back: claims with negative amounts.

    A counter of times gives its one time back with the last of the issue.
    """
    gone = micros(lot.taken_back) + micros(lot.voided) + micros(amount)
    whole = gone >= micros(lot.issued)
    claims = []
    for claim in lot.issue.claims:
        if not counts_times(claim.counter):
            claims.append(_negative(claim, amount))
        elif whole:
            claims.append(_negative(claim, claim.amount))
    return tuple(claims)


def coupon_given_back(coupon: CouponRecord) -> tuple[Claim, ...]:
    """Give back what a coupon drew from its counters."""
    issue: IssueCoupon = coupon.issue
    return tuple(_negative(claim, claim.amount) for claim in issue.claims)


def _negative(claim: Claim, amount: Decimal) -> Claim:
    return Claim(claim.counter, claim.limit, decimal_of(-micros(amount)), claim.from_date, claim.to_date)
