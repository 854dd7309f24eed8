"""Released claims: units that are taken back no longer count against a cap. Source: semantics 8."""

from decimal import Decimal

from loyalty_rules.intents import Claim, IssueCoupon
from loyalty_rules.keys import counts_times
from loyalty_rules.lifecycle.records import CouponRecord, Lot
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["released_claims", "released_claims_of_coupon"]


def released_claims(lot: Lot, amount: Decimal) -> tuple[Claim, ...]:
    """Return the claims, with negative amounts, that release counters when `amount` units of an issue are taken back.

    A counter of times is released when the last unit of the issue is taken back.
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


def released_claims_of_coupon(coupon: CouponRecord) -> tuple[Claim, ...]:
    """Return the claims, with negative amounts, that release the counters of a coupon."""
    issue: IssueCoupon = coupon.issue
    return tuple(_negative(claim, claim.amount) for claim in issue.claims)


def _negative(claim: Claim, amount: Decimal) -> Claim:
    return Claim(claim.counter, claim.limit, decimal_of(-micros(amount)), claim.from_date, claim.to_date)
