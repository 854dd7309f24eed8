"""Claims on caps: released by units that are taken back, reduced with an issue. Source: semantics 8."""

from decimal import Decimal

import attrs

from loyalty_rules.intents import Claim, IssueCoupon, IssueCurrency, Share
from loyalty_rules.keys import counts_times
from loyalty_rules.lifecycle.records import CouponRecord, Lot
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import decimal_of, micros
from loyalty_rules.values.apportionment import split, unit_of

__all__ = ["reduced", "released_claims", "released_claims_of_coupon", "unit_of_issue"]


def reduced(issue: IssueCurrency, units: int, decimals: int, *, with_times: bool = True) -> IssueCurrency:
    """Return an issue reduced to some millionths; its shares keep their proportions, to the currency's `decimals`.

    Without `with_times` it claims no further time of a cap that counts times.
    """
    unit = unit_of(units, decimals)
    parts = split(units // unit, [micros(share.amount) for share in issue.shares]) if issue.shares else []
    shares = [Share(each.line, decimal_of(part * unit)) for each, part in zip(issue.shares, parts, strict=True)]
    amount = decimal_of(units)
    claims = [
        claim if counts_times(claim.counter) else attrs.evolve(claim, amount=amount)
        for claim in issue.claims
        if with_times or not counts_times(claim.counter)
    ]
    return attrs.evolve(issue, amount=amount, shares=tuple(shares), claims=tuple(claims))


def unit_of_issue(program: Program, issue: IssueCurrency) -> int:
    """Return the unit of an issue's currency in millionths, finer if the issue itself is."""
    return unit_of(micros(issue.amount), program.decimals_of(issue.currency))


def released_claims(lot: Lot, amount: Decimal, before: int) -> tuple[Claim, ...]:
    """Return the claims, with negative amounts, that release counters when `amount` units of an issue are taken back.

    `before` are the millionths that have released theirs already. A counter of times is released with the last unit.
    """
    whole = before < micros(lot.issued) <= before + micros(amount)
    claims = []
    for claim in lot.issue.claims:
        if not counts_times(claim.counter):
            claims.append(_negative(claim, amount))
        elif whole:
            claims.append(_negative(claim, claim.amount))
    return tuple(claims)


def released_claims_of_coupon(coupon: CouponRecord) -> tuple[Claim, ...]:
    """Return the claims, with negative amounts, that release the counters of a coupon, once."""
    if coupon.is_lost:
        return ()  # a card that keeps an addition has released its counters with its loss
    issue: IssueCoupon = coupon.issue
    return tuple(_negative(claim, claim.amount) for claim in issue.claims)


def _negative(claim: Claim, amount: Decimal) -> Claim:
    return Claim(claim.counter, claim.limit, decimal_of(-micros(amount)), claim.from_date, claim.to_date)
