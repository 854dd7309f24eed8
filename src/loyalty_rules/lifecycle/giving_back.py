"""The points, coupons and stored values that paid for a sale go back when the whole sale has come back.

They go back before anything is taken, so that a return can take units that it has just given back. Source: semantics
11 (`give_back`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from loyalty_rules.intents import RedeemCoupon, SpendCurrency, UndoRedemption, UndoSpend
from loyalty_rules.lifecycle.records import CouponRecord, Lot
from loyalty_rules.lifecycle.redemption import is_revived, undo_redemption
from loyalty_rules.lifecycle.spending import undo_spend
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["Redeemed", "after_undoing_redemptions", "after_undoing_spends", "undone_redemptions", "undone_spends"]


@attrs.frozen
class Redeemed:
    """A redemption that the returned transaction made, and its coupon; `is_earned` as `is_coupon_earned` returns it."""

    redemption: RedeemCoupon
    coupon: CouponRecord
    is_earned: bool


def undone_spends(spends: Iterable[SpendCurrency], lots: Iterable[Lot], at: datetime) -> tuple[UndoSpend, ...]:
    """Return the undoing of each spend: its units return to their lots, which keep their expiry."""
    known = {lot.key: lot for lot in lots}
    return tuple(undo_spend(each, known, at) for each in spends)


def after_undoing_spends(lots: Iterable[Lot], undone: Iterable[UndoSpend]) -> list[Lot]:
    """Return the lots after their units have come back."""
    current = {lot.key: lot for lot in lots}
    for each in undone:
        for target, draws in (("available", each.draws), ("expired", each.expired)):
            for draw in draws:
                current[draw.lot] = current[draw.lot].moved("spent", target, draw.amount)
    return [*current.values()]


def undone_redemptions(redeemed: Iterable[Redeemed]) -> tuple[UndoRedemption, ...]:
    """Return the undoing of each redemption that can be undone."""
    undone = (undo_redemption(each.redemption, each.coupon) for each in redeemed)
    return tuple(each for each in undone if isinstance(each, UndoRedemption))


def after_undoing_redemptions(
    coupons: Iterable[CouponRecord], undone: Sequence[UndoRedemption], at: datetime
) -> list[CouponRecord]:
    """Return the coupons after their redemptions have been undone."""
    back: Mapping[str, UndoRedemption] = {each.coupon: each for each in undone}
    return [_reinstated(each, back[each.key], at) if each.key in back else each for each in coupons]


def _reinstated(coupon: CouponRecord, undone: UndoRedemption, at: datetime) -> CouponRecord:
    remaining = coupon.remaining
    if remaining is not None:
        remaining = decimal_of(micros(remaining) + micros(undone.discount))
    reinstated = attrs.evolve(coupon, remaining=remaining, redeemed_by=None, redeemed_at=None)
    return attrs.evolve(reinstated, state="issued") if is_revived(coupon, at) else reinstated
