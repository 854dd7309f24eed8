"""Redemption of coupons: validity, discount and the rest of a stored value; voids and undoing. Source: semantics 9.

A coupon is checked at the redemption, not only when it is added to a basket. Discounts are in the program's money: a
transaction in foreign money needs an exchange rate.
"""

from collections.abc import Iterator
from datetime import datetime

from loyalty_rules.events import Snapshot, Transaction
from loyalty_rules.intents import RedeemCoupon, UndoRedemption, VoidCoupon
from loyalty_rules.keys import redemption_key, undo_key, void_key
from loyalty_rules.lifecycle.claims import released_claims_of_coupon
from loyalty_rules.lifecycle.records import CouponRecord, Refusal
from loyalty_rules.program import Program
from loyalty_rules.rules.coupons import AmountOff, Benefit, CouponType, PercentOff, StoredValue
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.predicates import bind, bind_line
from loyalty_rules.rules.rounding import MODES
from loyalty_rules.values.amounts import MICRO, RATE_UNIT, Ratio, decimal_of, micros

__all__ = ["is_revived", "redeem", "undo_redemption", "void"]


def redeem(
    program: Program, coupon: CouponRecord | None, transaction: Transaction, snapshot: Snapshot | None = None
) -> RedeemCoupon | Refusal:
    """Decide the redemption of a coupon by a transaction, with the discount in the program's money.

    The refusal lists every reason: `unknown`, `voided`, `already_redeemed`, `expired`, `not_yet_valid`,
    `wrong_member`, `wrong_store`, `wrong_brand`, `condition_not_met`. A discount is rounded to 2 decimals, half up, and
    never exceeds the bill or the selected lines. Conditions apply to the transaction before any discount.
    """
    coupon_type = _type_of(program, coupon)
    if coupon is None or coupon_type is None:
        return Refusal(("unknown",), "there is no such coupon")
    facts = program.plan.facts(transaction, snapshot if snapshot is not None else Snapshot())
    reasons = tuple(_reasons(coupon, coupon_type, facts))
    if reasons:
        return Refusal(reasons, f"coupon {coupon.issue.coupon_type} cannot be redeemed: {', '.join(reasons)}")
    discount = _discount(coupon_type.benefit, coupon, facts)
    remaining = None
    if isinstance(coupon_type.benefit, StoredValue):
        remaining = decimal_of(_rest(coupon, coupon_type.benefit) - discount)
    return RedeemCoupon(
        redemption_key(program.id, transaction.id, coupon.key),
        coupon.key,
        transaction.id,
        transaction.store,
        decimal_of(discount),
        remaining,
    )


def _type_of(program: Program, coupon: CouponRecord | None) -> CouponType | None:
    if coupon is None:
        return None
    return next((each for each in program.coupon_types if each.id == coupon.issue.coupon_type), None)


def _reasons(coupon: CouponRecord, coupon_type: CouponType, facts: Facts) -> Iterator[str]:
    """Yield every reason to refuse a redemption."""
    at, redemption = facts.event.occurred_at, coupon_type.redemption
    if coupon.state == "voided":
        yield "voided"
    if coupon.state == "redeemed":
        yield "already_redeemed"
    if coupon.state == "expired" or (coupon.expires_at is not None and at >= coupon.expires_at):
        yield "expired"
    if at < coupon.issue.valid_from:
        yield "not_yet_valid"
    if redemption.holder_only and (facts.member is None or facts.member.id != coupon.member):
        yield "wrong_member"
    if redemption.stores is not None and facts.event.store not in redemption.stores:
        yield "wrong_store"
    if redemption.brands is not None and facts.event.brand not in redemption.brands:
        yield "wrong_brand"
    if redemption.when is not None and not bind(redemption.when)(facts):
        yield "condition_not_met"
    elif facts.rate is None:
        yield "condition_not_met"  # a discount in foreign money needs an exchange rate


def _discount(benefit: Benefit | None, coupon: CouponRecord, facts: Facts) -> int:
    """Return the discount in millionths, rounded to the cent."""
    if benefit is None:
        return 0
    numerator, denominator = _goods(benefit, facts)
    goods = numerator * MICRO // denominator
    match benefit:
        case PercentOff():
            share = numerator * micros(benefit.percent), denominator * MICRO * 100
            discount = _to_cents(share)
            most = micros(benefit.most) if benefit.most is not None else discount
            return min(discount, most, goods)
        case AmountOff():
            return min(micros(benefit.amount), goods)
        case StoredValue():
            return min(_rest(coupon, benefit), goods)


def _goods(benefit: Benefit, facts: Facts) -> Ratio:
    """Return the amount that a benefit discounts: the bill, or the value of the selected lines; never below zero."""
    assert facts.amount is not None
    assert facts.rate is not None
    lines = None if isinstance(benefit, StoredValue) else bind_line(benefit.lines)
    bill = max(facts.amount, 0) * facts.rate * MICRO
    if lines is not None:
        # Lines may add up to more than the bill, if it has a discount as a whole: the bill is the maximum.
        selected = sum(line.value for line in facts.lines if lines(line)) * facts.rate
        bill = min(max(selected, 0), bill)
    return bill, MICRO * MICRO * RATE_UNIT


def _to_cents(amount: Ratio) -> int:
    numerator, denominator = amount
    return MODES["nearest"](numerator * 100, denominator) * (MICRO // 100)


def _rest(coupon: CouponRecord, benefit: StoredValue) -> int:
    return micros(coupon.remaining if coupon.remaining is not None else benefit.amount)


def undo_redemption(redeemed: RedeemCoupon, coupon: CouponRecord) -> UndoRedemption | Refusal:
    """Undo a redemption: reinstate its coupon. Refusal: `not_redeemed`, if another redemption redeemed it."""
    if coupon.remaining is None and coupon.redeemed_by != redeemed.key:
        return Refusal(("not_redeemed",), f"{coupon.key} is not redeemed by {redeemed.key}")
    return UndoRedemption(undo_key(redeemed.key), redeemed.key, coupon.key, redeemed.discount)


def is_revived(coupon: CouponRecord, at: datetime) -> bool:
    """Return whether undoing a redemption of the coupon at an instant makes it valid again."""
    expires_at = coupon.expires_at
    return coupon.state_at(at) in ("issued", "redeemed") and (expires_at is None or at < expires_at)


def void(
    program: Program,
    coupon: CouponRecord | None,
    event: str,
    at: datetime,
    *,
    reason: str | None = None,
    by: str | None = None,
) -> VoidCoupon | Refusal:
    """Void a coupon that is not redeemed and has not expired by `at`; `event` is the id of the voiding event.

    Refusals: `unknown`, `already_redeemed`, `voided`, `expired`.
    """
    if coupon is None:
        return Refusal(("unknown",), "there is no such coupon")
    state = coupon.state_at(at)
    if state != "issued":
        return Refusal((_NOT_VOIDABLE[state],), f"{coupon.key} is {state}")
    key = void_key(program.id, event, coupon.key)
    return VoidCoupon(key, coupon.key, event, released_claims_of_coupon(coupon), reason, by)


_NOT_VOIDABLE = {"redeemed": "already_redeemed", "voided": "voided", "expired": "expired"}
