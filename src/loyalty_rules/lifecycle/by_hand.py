"""Operations by hand on one lot or coupon: extend, reassign, top up. Source: semantics 13."""

from datetime import date, datetime
from decimal import Decimal

from loyalty_rules.intents import ExtendCoupon, ExtendLot, ReassignCoupon, TopUpCoupon
from loyalty_rules.keys import extend_key, reassign_key, top_up_key
from loyalty_rules.lifecycle.records import CouponRecord, Lot, Refusal
from loyalty_rules.lifecycle.redemption import valued
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["extend_coupon", "extend_lot", "reassign", "top_up"]

_UNUSABLE = {"redeemed": "already_redeemed", "voided": "voided", "expired": "expired"}


def extend_lot(
    program: Program, lot: Lot, expires_on: date, *, reason: str, by: str, event: str, at: datetime
) -> ExtendLot | Refusal:
    """Move the last day of a lot to a later one. Refusals: `expired`, `not_later`."""
    refusal = _against_extension(lot.key, lot.expires_on, lot.expires_at, expires_on, at)
    if refusal is not None:
        return refusal
    key = extend_key(program.id, event, lot.key)
    return ExtendLot(key, lot.key, event, expires_on, program.plan.end_of(expires_on), reason, by)


def extend_coupon(
    program: Program, coupon: CouponRecord, expires_on: date, *, reason: str, by: str, event: str, at: datetime
) -> ExtendCoupon | Refusal:
    """Move the last day of a coupon to a later one. Refusals: `voided`, `expired`, `not_later`."""
    if coupon.state == "voided":
        return Refusal(("voided",), f"{coupon.key} is voided")
    refusal = _against_extension(coupon.key, coupon.expires_on, coupon.expires_at, expires_on, at)
    if refusal is not None:
        return refusal
    key = extend_key(program.id, event, coupon.key)
    return ExtendCoupon(key, coupon.key, event, expires_on, program.plan.end_of(expires_on), reason, by)


def _against_extension(
    key: str, present: date | None, ends: datetime | None, expires_on: date, at: datetime
) -> Refusal | None:
    if ends is not None and ends <= at:
        return Refusal(("expired",), f"{key} has expired")
    if present is None or expires_on <= present:
        found = f"is valid until {present}" if present is not None else "never expires"
        return Refusal(("not_later",), f"{key} {found}; expected a later last day, found {expires_on}")
    return None


def reassign(
    program: Program, coupon: CouponRecord, member: str, *, reason: str, by: str, event: str, at: datetime
) -> ReassignCoupon | Refusal:
    """Move a coupon to another member. Refusals: `already_redeemed`, `voided`, `expired`."""
    state = coupon.state_at(at)
    if state != "issued":
        return Refusal((_UNUSABLE[state],), f"{coupon.key} is {state}")
    key = reassign_key(program.id, event, coupon.key)
    return ReassignCoupon(key, coupon.key, event, coupon.member, member, reason, by)


def top_up(
    program: Program, coupon: CouponRecord, amount: Decimal, *, reason: str, by: str, event: str, at: datetime
) -> TopUpCoupon | Refusal:
    """Add to a stored value; a card without a rest becomes valid again.

    Refusals: `not_positive`, `not_stored_value`, `voided`, `expired`.
    """
    rest = _rest(program, coupon)
    reasons = ["not_positive"] if micros(amount) <= 0 else []
    if rest is None:
        reasons.append("not_stored_value")
    has_expired = coupon.expires_at is not None and coupon.expires_at <= at  # whether or not a sweep has recorded it
    if coupon.state == "voided":
        reasons.append("voided")
    elif has_expired:
        reasons.append("expired")
    if reasons or rest is None:
        return Refusal(tuple(reasons), f"{coupon.key} cannot be topped up: {', '.join(reasons)}")
    remaining = decimal_of(micros(rest) + micros(amount))
    return TopUpCoupon(top_up_key(program.id, event, coupon.key), coupon.key, event, amount, remaining, reason, by)


def _rest(program: Program, coupon: CouponRecord) -> Decimal | None:
    """Return the rest of a stored value; None for any other coupon."""
    coupon_type = next((each for each in program.coupon_types if each.id == coupon.issue.coupon_type), None)
    return valued(coupon, coupon_type).remaining if coupon_type is not None else coupon.remaining
