"""Unrecovered units and coupons: each return names those that are newly due."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import loyalty_rules as lr
from loyalty_rules.events import Return, Snapshot
from loyalty_rules.intents import IssueCoupon, ReverseCurrency, VoidCoupon
from loyalty_rules.lifecycle.records import CouponRecord, Sale
from loyalty_rules.lifecycle.remaining_award import RemainingAward
from loyalty_rules.lifecycle.unrecovered import UNRECOVERED, Shortfall, Unrecovered, UsedCoupon, unrecovered
from shop import program, sale, stepped

from .till import BACK_AT, decided

TYPES = {
    "gift": {"benefit": {"type": "amount_off", "amount": "5"}},
    "card": {"benefit": {"type": "stored_value", "amount": "30"}},
}


def document(coupon_type: str = "gift") -> dict:
    """Return a program that gives a coupon for each 50 of the bill."""
    give = {"type": "issue_coupon", "id": "gift", "coupon_type": coupon_type, "quantity": stepped("50", "1")}
    return program(give, coupon_types=TYPES)


def given(coupon_type: str = "gift") -> list[IssueCoupon]:
    """Return the two coupons of a sale of 100."""
    intents = decided(document(coupon_type))
    return [each for each in intents if isinstance(each, IssueCoupon)]


def back(amount: str, name: str = "R-1") -> Return:
    event = lr.load_event({"type": "return", "id": name, "occurred_at": BACK_AT, "of": "T-1", "amount": amount})
    assert isinstance(event, Return)
    return event


def sold(*returns: Return, coupon_type: str = "gift") -> Sale:
    return Sale(lr.load_program(document(coupon_type)), lr.load_event(sale("100")), Snapshot(), returns=returns)


def redeemed(issue: IssueCoupon) -> CouponRecord:
    return CouponRecord(issue, "redeemed", redemption=f"redeem {issue.key}")


def told(sale: Sale, event: Return, *rest: Any) -> tuple[Unrecovered, ...]:
    remainder = RemainingAward(sale, (*sale.returns, event))
    return unrecovered(sale, remainder, event.occurred_at, *rest)


def test_each_shortfall_is_named() -> None:
    whole = ReverseCurrency("k", "i", "R-1", "M1", None, "points", Decimal(9), (), Decimal(0), False, ())
    short = ReverseCurrency("k", "acme/T-1/p/earn", "R-1", "M1", None, "points", Decimal(9), (), Decimal(4), False, ())

    assert told(sold(), back("50"), [whole, short], [], {}) == (Shortfall("acme/T-1/p/earn", "points", Decimal(4)),)


def test_the_newest_redeemed_coupon_is_named_first_and_each_once() -> None:
    """Both are redeemed. The first 50 name the second coupon, the other 50 the first one."""
    coupons = [redeemed(each) for each in given()]
    discounts = {each.redemption or "": Decimal(place) for place, each in enumerate(coupons, 3)}
    first, second = back("50"), back("50", "R-2")

    assert told(sold(), first, [], coupons, discounts) == (UsedCoupon("acme/T-1/p/gift/2", Decimal(4)),)
    assert told(sold(first), second, [], coupons, discounts) == (UsedCoupon("acme/T-1/p/gift/1", Decimal(3)),)


def test_a_redeemed_coupon_stays_unnamed_while_an_unused_one_can_go() -> None:
    """Of two, one was due and the unused one is voided."""
    used, unused = redeemed(given()[0]), CouponRecord(given()[1])
    void = VoidCoupon("k", unused.key, "R-1", ())

    assert told(sold(), back("50"), [void], [used, unused], {used.redeemed_by or "": Decimal(5)}) == ()


def test_a_stored_value_that_is_voided_is_named_with_what_it_took() -> None:
    """A card of 30 has 18 left: 12 are gone."""
    cards = [CouponRecord(each, remaining=Decimal(18), taken=Decimal(12)) for each in given("card")]
    void = VoidCoupon("k", cards[1].key, "R-1", ())

    assert told(sold(coupon_type="card"), back("50"), [void], cards, {}) == (
        UsedCoupon("acme/T-1/p/gift/2", Decimal(12)),
    )


def test_an_entry_says_its_type() -> None:
    assert set(UNRECOVERED) == {"shortfall", "used_coupon"}
    assert lr.dump(UsedCoupon("c", Decimal(5))) == {"type": "used_coupon", "coupon": "c", "discount": "5"}


def test_a_stored_value_counts_as_used_before_its_additions() -> None:
    """A card of 30 and 20 more has 8 left after 42: its own 30 are gone, and 12 of the addition."""
    cards = [
        CouponRecord(each, remaining=Decimal(8), taken=Decimal(42), topped_up=Decimal(20)) for each in given("card")
    ]
    void = VoidCoupon("k", cards[1].key, "R-1", ())

    assert told(sold(coupon_type="card"), back("50"), [void], cards, {}) == (
        UsedCoupon("acme/T-1/p/gift/2", Decimal(30)),
    )
