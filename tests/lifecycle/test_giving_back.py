"""Giving back: the points and coupons that paid for a sale, and the records after they have gone back."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.events import Return, Snapshot
from loyalty_rules.intents import (
    IssueCoupon,
    IssueCurrency,
    LotDraw,
    RedeemCoupon,
    SpendCurrency,
    UndoRedemption,
    UndoSpend,
)
from loyalty_rules.lifecycle.giving_back import (
    Redeemed,
    after_undoing_redemptions,
    after_undoing_spends,
    part_to_give_back,
    undone_redemptions,
    undone_spends,
)
from loyalty_rules.lifecycle.records import CouponRecord, Lot, Payment, Sale, Shortfall
from loyalty_rules.lifecycle.remaining_award import RemainingAward
from shop import earn, fixed, program, sale

from .till import BACK_AT, LONG_AFTER, SOLD_AT, decided, instant

AT = instant(BACK_AT)


def lot(**buckets: Any) -> Lot:
    (issue,) = decided(program(earn(fixed("10"))))
    assert isinstance(issue, IssueCurrency)
    return Lot(issue, 1, issued=Decimal(10), **buckets)


def spend(amount: int) -> Payment:
    draws = (LotDraw("acme/T-1/p/earn", Decimal(amount)),)
    spent = SpendCurrency("acme/S-1/spend/points", "S-1", "M1", None, "points", Decimal(amount), None, draws)
    return Payment(spent, instant(SOLD_AT))


def coupon(**state: Any) -> CouponRecord:
    gift = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
    types = {"gift": {"benefit": {"type": "stored_value", "amount": "30"}}}
    (issue,) = decided(program(gift, coupon_types=types))
    assert isinstance(issue, IssueCoupon)
    return CouponRecord(issue, **state)


def redemption(of: CouponRecord, discount: int) -> RedeemCoupon:
    return RedeemCoupon("acme/S-1/redeem/T-1/p/gift/1", of.key, "S-1", None, Decimal(discount), None)


SOLD = Sale(lr.load_program(program(give_back="proportional")), lr.load_event(sale("100")), Snapshot())
RETURN = lr.load_event({"type": "return", "id": "R-1", "occurred_at": BACK_AT, "of": "T-1", "amount": "50"})
HALF, WHOLE = Fraction(1, 2), Fraction(1)


def undone_of(payment: Payment, lots: list[Lot], part: Fraction, *shortfalls: Shortfall) -> list[UndoSpend]:
    assert isinstance(RETURN, Return)
    return [*undone_spends(SOLD, RETURN, [payment], lots, shortfalls, part)]


def reinstated(redeemed: Redeemed, part: Fraction = WHOLE) -> list[UndoRedemption]:
    assert isinstance(RETURN, Return)
    return [*undone_redemptions(SOLD, RETURN, [redeemed], part)]


def used(coupon: CouponRecord, discount: int, undone: int = 0) -> Redeemed:
    payment = Payment(redemption(coupon, discount), AT, Decimal(undone))
    return Redeemed(payment, coupon, is_earned=True)


@pytest.mark.parametrize(
    ("give_back", "back", "part"),
    [
        ("whole", "50", Fraction(0)),
        ("whole", "100", WHOLE),
        ("proportional", "50", HALF),
        ("proportional", "100", WHOLE),
        ("never", "100", Fraction(0)),
    ],
)
def test_the_program_decides_which_part_goes_back(give_back: str, back: str, part: Fraction) -> None:
    terms = attrs.evolve(SOLD, program=lr.load_program(program(give_back=give_back)))
    assert isinstance(RETURN, Return)

    award = RemainingAward(terms, (attrs.evolve(RETURN, amount=Decimal(back)),))

    assert part_to_give_back(terms, award) == part


def test_the_units_of_a_spend_are_available_again() -> None:
    """Of 10 units 7 were spent: they come back, and 3 + 7 are available."""
    paid = lot(spent=Decimal(7), outstanding=Decimal(3))

    undone = undone_of(spend(7), [paid], WHOLE)
    (after,) = after_undoing_spends([paid], undone)

    assert [(each.key, each.amount) for each in undone] == [("acme/S-1/spend/points/undo", Decimal(7))]
    assert (after.spent, after.outstanding, after.expired) == (0, 10, 0)


def test_a_part_of_a_spend_is_rounded_down_and_counts_what_was_undone() -> None:
    """Half of 7 is 3; of these 1 was undone before, so 2 go back."""
    paid = lot(spent=Decimal(6), outstanding=Decimal(4))

    (undone,) = undone_of(attrs.evolve(spend(7), undone=Decimal(1)), [paid], HALF)

    assert (undone.key, undone.amount) == ("acme/R-1/undo/S-1/spend/points", 2)


def test_nothing_goes_back_of_a_spend_of_which_more_was_undone() -> None:
    paid = lot(spent=Decimal(3), outstanding=Decimal(7))

    assert undone_of(attrs.evolve(spend(7), undone=Decimal(4)), [paid], HALF) == []


def test_a_spend_after_the_return_is_left_alone() -> None:
    paid = lot(spent=Decimal(7), outstanding=Decimal(3))

    assert undone_of(attrs.evolve(spend(7), at=LONG_AFTER), [paid], WHOLE) == []


def test_units_of_an_expired_lot_are_expired_after_they_came_back() -> None:
    paid = lot(spent=Decimal(10), expires_at=AT)

    (after,) = after_undoing_spends([paid], undone_of(spend(10), [paid], WHOLE))

    assert (after.spent, after.outstanding, after.expired) == (0, 0, 10)


def test_units_that_come_back_settle_the_shortfall_of_their_lot() -> None:
    """Of 10 units that come back, 4 were short: 6 are available."""
    paid = lot(spent=Decimal(10))
    short = Shortfall("k", paid.key, paid.account, "points", AT, Decimal(4), Decimal(4), carried=False)

    (after,) = after_undoing_spends([paid], undone_of(spend(10), [paid], WHOLE, short))

    assert (after.spent, after.outstanding, after.reversed) == (0, 6, 4)


def test_a_redeemed_coupon_is_issued_again() -> None:
    gift = coupon(state="redeemed")
    gift = attrs.evolve(gift, redemption=redemption(gift, 5).key, redeemed_by="S-1", redeemed_at=AT)

    (after,) = after_undoing_redemptions([gift], reinstated(used(gift, 5)), AT)

    assert (after.state, after.redeemed_by, after.redeemed_at) == ("issued", None, None)


def test_a_single_use_coupon_does_not_go_back_in_parts() -> None:
    gift = coupon(state="redeemed")
    gift = attrs.evolve(gift, redeemed_by=redemption(gift, 5).key)

    assert reinstated(used(gift, 5), HALF) == []


@pytest.mark.parametrize(
    ("part", "undone", "remaining"), [(WHOLE, 0, 30), (HALF, 0, 24), (HALF, 4, 20), (WHOLE, 4, 26)]
)
def test_a_stored_value_gets_its_part_of_the_discount_back(part: Fraction, undone: int, remaining: int) -> None:
    """Of 30 there are 18 left after 12: all of them go back, or half less what was undone before."""
    card = coupon(remaining=Decimal(18))

    (after,) = after_undoing_redemptions([card], reinstated(used(card, 12, undone), part), AT)

    assert after.remaining == remaining


def test_a_voided_coupon_is_not_revived() -> None:
    card = coupon(state="voided", remaining=Decimal(18))

    (undone,) = reinstated(used(card, 12))
    (after,) = after_undoing_redemptions([card], [undone], AT)

    assert (after.state, after.remaining, undone.expired) == ("voided", 18, 12)


def test_other_lots_and_coupons_stay_as_they_are() -> None:
    one, other = lot(outstanding=Decimal(10)), coupon()

    assert after_undoing_spends([one], ()) == [one]
    assert after_undoing_redemptions([other], (), AT) == [other]


def test_a_coupon_gets_back_each_of_its_uses() -> None:
    """A card of 30 was used twice, for 5 and for 7: all 30 are there again."""
    card = coupon(remaining=Decimal(18), taken=Decimal(12))
    undone = [*reinstated(used(card, 5)), *reinstated(used(card, 7))]

    (after,) = after_undoing_redemptions([card], undone, AT)

    assert (after.remaining, after.taken) == (30, 0)
