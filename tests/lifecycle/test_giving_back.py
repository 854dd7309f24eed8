"""Giving back: the points and coupons that paid for a sale, and the records after they have gone back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from loyalty_rules.intents import IssueCoupon, IssueCurrency, LotDraw, RedeemCoupon, SpendCurrency
from loyalty_rules.lifecycle.giving_back import (
    Redeemed,
    after_undoing_redemptions,
    after_undoing_spends,
    undone_redemptions,
    undone_spends,
)
from loyalty_rules.lifecycle.records import CouponRecord, Lot
from shop import earn, fixed, program

from .till import BACK_AT, decided, instant

AT = instant(BACK_AT)


def lot(**buckets: Any) -> Lot:
    (issue,) = decided(program(earn(fixed("10"))))
    assert isinstance(issue, IssueCurrency)
    return Lot(issue, 1, issued=Decimal(10), **buckets)


def spend(amount: int) -> SpendCurrency:
    draws = (LotDraw("acme/T-1/p/earn", Decimal(amount)),)
    return SpendCurrency("acme/S-1/spend/points", "S-1", "M1", None, "points", Decimal(amount), None, draws)


def coupon(**state: Any) -> CouponRecord:
    gift = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
    types = {"gift": {"benefit": {"type": "stored_value", "amount": "30"}}}
    (issue,) = decided(program(gift, coupon_types=types))
    assert isinstance(issue, IssueCoupon)
    return CouponRecord(issue, **state)


def redemption(of: CouponRecord, discount: int) -> RedeemCoupon:
    return RedeemCoupon("acme/S-1/redeem/T-1/p/gift/1", of.key, "S-1", None, Decimal(discount), None)


def test_the_units_of_a_spend_are_available_again() -> None:
    """Of 10 units 7 were spent: they come back, and 3 + 7 are available."""
    paid = lot(spent=Decimal(7), outstanding=Decimal(3))

    undone = undone_spends([spend(7)], [paid], AT)
    (after,) = after_undoing_spends([paid], undone)

    assert [(each.spend, each.draws[0].amount) for each in undone] == [("acme/S-1/spend/points", Decimal(7))]
    assert (after.spent, after.outstanding, after.expired) == (0, 10, 0)


def test_units_of_an_expired_lot_are_expired_after_they_came_back() -> None:
    paid = lot(spent=Decimal(10), expires_at=AT)

    (after,) = after_undoing_spends([paid], undone_spends([spend(10)], [paid], AT))

    assert (after.spent, after.outstanding, after.expired) == (0, 0, 10)


def test_a_redeemed_coupon_is_issued_again() -> None:
    used = coupon(state="redeemed")
    used = attrs.evolve(used, redeemed_by=redemption(used, 5).key, redeemed_at=AT)

    undone = undone_redemptions([Redeemed(redemption(used, 5), used, is_earned=True)])
    (after,) = after_undoing_redemptions([used], undone, AT)

    assert (after.state, after.redeemed_by, after.redeemed_at) == ("issued", None, None)


def test_a_stored_value_gets_its_discount_back() -> None:
    """Of 30 there were 18 left after 12: all 30 are there again."""
    used = coupon(remaining=Decimal(18))

    (after,) = after_undoing_redemptions(
        [used], undone_redemptions([Redeemed(redemption(used, 12), used, is_earned=True)]), AT
    )

    assert after.remaining == 30


def test_a_coupon_that_another_transaction_redeemed_stays_redeemed() -> None:
    used = coupon(state="redeemed", redeemed_by="acme/S-2/redeem/T-1/p/gift/1")

    assert undone_redemptions([Redeemed(redemption(used, 5), used, is_earned=True)]) == ()


def test_a_voided_coupon_is_not_revived() -> None:
    used = coupon(state="voided", remaining=Decimal(18))

    undone = undone_redemptions([Redeemed(redemption(used, 12), used, is_earned=True)])
    (after,) = after_undoing_redemptions([used], undone, AT)

    assert (after.state, after.remaining) == ("voided", 30)


def test_other_lots_and_coupons_stay_as_they_are() -> None:
    one, other = lot(outstanding=Decimal(10)), coupon()

    assert after_undoing_spends([one], ()) == [one]
    assert after_undoing_redemptions([other], (), AT) == [other]
