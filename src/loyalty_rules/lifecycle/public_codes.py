"""Public codes: a coupon that is issued and redeemed at once, by whoever presents the code. Source: semantics 9, 17.

The caps of the type bind the redemptions; a transaction redeems a public code once unless `per_transaction` says more.
"""

from collections.abc import Callable
from decimal import Decimal

from loyalty_rules.engine.counters import Counter, claim_on, coupon_counters
from loyalty_rules.engine.evaluation import Evaluator
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.keys import PUBLIC_COUPONS, public_coupon_key
from loyalty_rules.lifecycle.redemption import Presented, Terms, new_coupon
from loyalty_rules.program import Program
from loyalty_rules.rules.coupons import CouponType
from loyalty_rules.rules.expiry import bind_expiry
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.skips import Skip
from loyalty_rules.rules.texts import till_message
from loyalty_rules.values.amounts import MICRO
from loyalty_rules.values.folding import folded

__all__ = ["present_public", "public_type"]

ONE = Decimal(1)


def public_type(program: Program, code: str) -> CouponType | None:
    """Return the public coupon type of a code, however it is typed; None if there is none."""
    wanted = folded(code)
    types = (each for each in program.coupon_types if each.public and each.code is not None)
    return next((each for each in types if folded(each.code or "") == wanted), None)


def present_public(
    program: Program,
    coupon_type: CouponType,
    facts: Facts,
    *,
    event: str,
    ordinal: int,
    value_of: Callable[[Counter], int],
    before: int,
    within: int,
) -> Presented:
    """Return a public code as it is presented, with the coupon that its redemption issues.

    `value_of` returns the value of a counter in millionths. `before` is the number of the transaction's
    redemptions of the type, `within` that of earlier ones in the same set, which no counter has yet.
    """
    reasons = [*_cap_reasons(coupon_type, facts, value_of, before, within)]
    evaluator = Evaluator(program.plan, facts, None)
    valid_from, expires_on, expires_at = facts.local, None, None
    try:
        valid_from, expires_on, expires_at = evaluator.validity(
            coupon_type.validity, bind_expiry(coupon_type.validity.expiry)
        )
    except Skip as skip:
        reasons.append("expired" if skip.reason == "already_expired" else "condition_not_met")
    member = facts.member.id if facts.member is not None else None
    issue = IssueCoupon(
        public_coupon_key(program.id, event, coupon_type.id, ordinal),
        PUBLIC_COUPONS,
        coupon_type.id,
        event,
        member,
        facts.event.store,
        coupon_type.id,
        None,
        coupon_type.code,
        facts.local,
        valid_from,
        expires_on,
        expires_at,
        till_message(coupon_type.till_message, coupon_type.code, coupon_type.title, expires_on),
        tuple(claim_on(counter, Decimal(cap), ONE) for cap, counter in coupon_counters(coupon_type, facts)),
        coupon_type.title,
        coupon_type.terms,
    )
    terms = Terms(coupon_type, facts)
    return Presented(coupon_type.code or "", new_coupon(issue, coupon_type), terms, issue, tuple(reasons))


def _cap_reasons(
    coupon_type: CouponType, facts: Facts, value_of: Callable[[Counter], int], before: int, within: int
) -> list[str]:
    caps = coupon_type.caps
    reasons = ["wrong_member"] if caps.per_member is not None and facts.member is None else []
    most = caps.per_transaction if caps.per_transaction is not None else 1
    counted = [value_of(counter) + within * MICRO < cap * MICRO for cap, counter in coupon_counters(coupon_type, facts)]
    if before + within >= most or not all(counted):
        reasons.append("limit_reached")
    return reasons
