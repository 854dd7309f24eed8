"""Redeeming coupons: every reason to refuse, every benefit to the cent, and the way back. Source: semantics 9."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.events import Transaction
from loyalty_rules.intents import IssueCoupon, RedeemCoupon, UndoRedemption
from loyalty_rules.ledger import Receipt
from loyalty_rules.lifecycle import CouponRecord, Refusal, redeem, void
from shop import Serials, program, sale

from .till import BACK_AT, SOLD_AT, Till, instant

GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
CODE = "S:acme/T-1/p/gift/1"
KEY = "acme/T-1/p/gift/1"


def rules(benefit: dict | None, **parts: Any) -> dict:
    return program(GIFT, money="EUR", coupon_types={"gift": {"benefit": benefit, **parts}})


def coupon_of(document: dict) -> CouponRecord:
    evaluation = lr.load_program(document).evaluate(lr.load_event(sale("100")), serials=Serials())
    (issue,) = evaluation.intents
    assert isinstance(issue, IssueCoupon)
    return CouponRecord(issue)


def purchase(amount: Any = "100", **parts: Any) -> Transaction:
    event = lr.load_event(sale(amount, **{"id": "T-2", "occurred_at": "2025-01-20T10:00:00Z", **parts}))
    assert isinstance(event, Transaction)
    return event


def discount(benefit: dict | None, amount: Any = "100", **parts: Any) -> Decimal:
    """Return the discount of a coupon with a benefit."""
    document = rules(benefit)
    decided = redeem(lr.load_program(document), coupon_of(document), purchase(amount, **parts))
    assert isinstance(decided, RedeemCoupon), decided
    return decided.discount


# -- every reason, in every combination ------------------------------------------------------------------------------

STRICT = rules(
    {"type": "amount_off", "amount": "5"},
    validity={"starts_after": {"days": 2}, "expiry": {"type": "fixed_period", "after": {"days": 10}}},
    redemption={
        "when": {"field": "amount", "at_least": "40"},
        "stores": ["S1", "S2"],
        "brands": ["acme"],
        "holder_only": True,
    },
)
STATES = {
    "issued": (),
    "voided": ("voided",),
    "redeemed": ("already_redeemed",),
    "expired": (),
}  # swept: by time it may still be good
TIMES = {
    "2025-01-16T23:59:59Z": ("not_yet_valid",),
    "2025-01-17T00:00:00Z": (),  # two days on, from the start of that day
    "2025-01-25T23:59:59Z": (),
    "2025-01-26T00:00:00Z": ("expired",),
}
MEMBERS = {"M1": (), "M2": ("wrong_member",), None: ("wrong_member",)}
STORES = {"S2": (), "S3": ("wrong_store",), None: ("wrong_store",)}
BRANDS = {"acme": (), "zen": ("wrong_brand",), None: ("wrong_brand",)}
AMOUNTS = {"40": (), "39.99": ("condition_not_met",)}
ORDER = ("voided", "already_redeemed", "expired", "not_yet_valid", "wrong_member", "wrong_store", "wrong_brand",
         "condition_not_met")  # fmt: skip


def test_a_refusal_lists_every_reason_in_every_combination() -> None:
    program, issued = lr.load_program(STRICT), coupon_of(STRICT)
    ways = itertools.product(STATES, TIMES, MEMBERS, STORES, BRANDS, AMOUNTS)
    for state, at, member, store, brand, amount in ways:
        coupon = attrs.evolve(issued, state=state)
        event = purchase(amount, occurred_at=at, store=store, brand=brand, member={"id": member} if member else None)
        decided = redeem(program, coupon, event)
        wrong = {*STATES[state], *TIMES[at], *MEMBERS[member], *STORES[store], *BRANDS[brand], *AMOUNTS[amount]}
        if wrong:
            assert isinstance(decided, Refusal)
            assert decided.reasons == tuple(reason for reason in ORDER if reason in wrong)
        else:
            assert isinstance(decided, RedeemCoupon)


def test_a_coupon_that_was_not_issued_and_one_whose_type_was_removed_are_both_unknown() -> None:
    gone = lr.load_program(program())
    for coupon in (None, coupon_of(STRICT)):
        decided = redeem(gone, coupon, purchase())
        assert isinstance(decided, Refusal)
        assert (decided.reasons, decided.detail) == (("unknown",), "there is no such coupon")


def test_another_member_may_redeem_a_coupon_without_holder_only() -> None:
    assert discount({"type": "amount_off", "amount": "5"}, member={"id": "M2"}) == 5
    assert discount({"type": "amount_off", "amount": "5"}, member=None) == 5


def test_a_condition_on_a_tracker_reads_the_snapshot_of_the_redeeming_sale() -> None:
    spend = {"spend": {"measure": {"type": "transaction_value"}, "target": "150"}}
    reached = {"when": {"tracker": "spend", "reached": True}}
    document = {**rules({"type": "amount_off", "amount": "5"}, redemption=reached), "trackers": spend}
    strict = lr.load_program(document)
    coupon = coupon_of({**document, "trackers": {"spend": {**spend["spend"], "when": {"field": "store", "is": "S9"}}}})
    known = [lr.load_snapshot({"trackers": {"spend": before}}) for before in ("49.99", "50")]
    assert [type(redeem(strict, coupon, purchase(), snapshot)) for snapshot in known] == [Refusal, RedeemCoupon]


# -- benefits --------------------------------------------------------------------------------------------------------

MUGS = {"field": "sku", "is": "MUG"}
BASKET = [
    {"id": "1", "sku": "MUG", "quantity": "2", "unit_price": "10"},
    {"id": "2", "sku": "TEA", "quantity": "1", "value": "30"},
]


@pytest.mark.parametrize(("percent", "most", "amount", "off"), [
    ("15", None, "100", "15"),
    ("15", "50", "1000", "50"),            # 150, at most 50
    ("15", "50", "333.33", "50"),          # 49.9995 is 50.00
    ("15", "49.99", "333.33", "49.99"),
    ("15", None, "0.1", "0.02"),           # 0.015, half up
    ("33.333333", None, "100", "33.33"),
    ("100", None, "19.99", "19.99"),
    ("200", None, "19.99", "19.99"),       # never more than the bill
])  # fmt: skip
def test_a_percentage_of_the_bill_is_rounded_to_the_cent(percent: str, most: str | None, amount: str, off: str) -> None:
    assert discount({"type": "percent_off", "percent": percent, "most": most}, amount) == Decimal(off)


@pytest.mark.parametrize(("benefit", "amount", "off"), [
    ({"type": "percent_off", "percent": "50", "lines": MUGS}, "50", "10"),
    ({"type": "percent_off", "percent": "50", "most": "7.5", "lines": MUGS}, "50", "7.5"),
    ({"type": "amount_off", "amount": "5", "lines": MUGS}, "50", "5"),
    ({"type": "amount_off", "amount": "25", "lines": MUGS}, "50", "20"),   # the mugs cost 20
    ({"type": "amount_off", "amount": "25", "lines": MUGS}, "12", "12"),   # a bill lower than its lines
    ({"type": "amount_off", "amount": "25"}, "50", "25"),
    ({"type": "amount_off", "amount": "60"}, "50", "50"),
    (None, "50", "0"),                                                     # a coupon without a benefit has no discount
])  # fmt: skip
def test_the_discount_of_lines_and_of_the_bill(benefit: dict | None, amount: str, off: str) -> None:
    assert discount(benefit, amount, lines=BASKET) == Decimal(off)


@pytest.mark.parametrize(("benefit", "amount"), [
    ({"type": "percent_off", "percent": "15", "most": "0"}, "100"),
    ({"type": "percent_off", "percent": "15"}, "0.03"),                    # 0.0045
    ({"type": "percent_off", "percent": "15"}, "0"),
    ({"type": "percent_off", "percent": "15"}, "-20"),
    ({"type": "amount_off", "amount": "25", "lines": {"field": "sku", "is": "HAT"}}, "50"),
    ({"type": "shipping"}, "50"),
])  # fmt: skip
def test_a_coupon_that_would_take_nothing_is_refused_and_not_used_up(benefit: dict, amount: str) -> None:
    document = rules(benefit)
    decided = redeem(lr.load_program(document), coupon_of(document), purchase(amount, lines=BASKET))
    assert isinstance(decided, Refusal)
    assert decided.reasons == ("nothing_to_discount",)


@pytest.mark.parametrize(("benefit", "rate", "off"), [
    ({"type": "percent_off", "percent": "10"}, "1.1", "11"),
    ({"type": "percent_off", "percent": "10", "most": "5"}, "1.1", "5"),
    ({"type": "percent_off", "percent": "10"}, "0.333333333333", "3.33"),
    ({"type": "amount_off", "amount": "50"}, "0.1", "10"),                 # the bill is 10 of the program's money
    ({"type": "stored_value", "amount": "50"}, "0.1", "10"),
])  # fmt: skip
def test_a_bill_in_foreign_money_is_converted_and_the_discount_is_in_the_programs_money(
    benefit: dict, rate: str, off: str
) -> None:
    assert discount(benefit, "100", currency="USD", exchange_rate=rate) == Decimal(off)


def test_a_bill_in_foreign_money_without_a_rate_redeems_no_coupon() -> None:
    document = rules({"type": "amount_off", "amount": "5"})
    decided = redeem(lr.load_program(document), coupon_of(document), purchase(currency="USD"))
    assert isinstance(decided, Refusal)
    assert decided.reasons == ("condition_not_met",)


# -- stored value ----------------------------------------------------------------------------------------------------

CARD = rules({"type": "stored_value", "amount": "100"})


def sold(document: dict) -> Till:
    till = Till(document)
    till.sell(sale("200"))
    return till


def draw(till: Till, amount: str, number: int, at: str = BACK_AT) -> Receipt:
    return till.sound(till.ledger.redeem(till.program, CODE, purchase(amount, id=f"P-{number}", occurred_at=at)))


def redemption(receipt: Receipt) -> RedeemCoupon:
    (intent,) = receipt.intents
    assert isinstance(intent, RedeemCoupon)
    return intent


def refused(receipt: Receipt) -> tuple[str, ...]:
    assert receipt.refusal is not None
    return receipt.refusal.reasons


def test_a_gift_card_of_a_hundred_is_drawn_down_to_zero() -> None:
    till = sold(CARD)
    drawn = [redemption(draw(till, amount, number)) for number, amount in enumerate(("30", "50", "45"))]
    assert [(each.discount, each.remaining) for each in drawn] == [(30, 70), (50, 20), (20, 0)]
    assert till.coupons()[KEY].state == "redeemed"
    assert refused(draw(till, "1", 4)) == ("already_redeemed",)


def test_a_draw_is_recorded_once_a_transaction() -> None:
    till = sold(CARD)
    assert draw(till, "30", 1).intents == draw(till, "30", 1).intents
    assert till.coupons()[KEY].remaining == 70


def undo(till: Till, number: int, at: str = BACK_AT, event: str = "X-1") -> Receipt:
    key = f"acme/P-{number}/redeem/T-1/p/gift/1"
    return till.sound(till.ledger.undo_redemption(till.program, key, event=event, at=instant(at)))


def test_each_draw_is_undone_once_and_restores_its_amount() -> None:
    till = sold(CARD)
    for number, amount in enumerate(("30", "50", "20")):
        draw(till, amount, number)
    (intent,) = undo(till, 1).intents
    assert isinstance(intent, UndoRedemption)
    assert (intent.discount, till.coupons()[KEY].remaining, till.coupons()[KEY].state) == (50, 50, "issued")
    assert refused(undo(till, 1, event="X-2")) == ("already_undone",)
    assert redemption(draw(till, "80", 4)).discount == 50


def test_a_voided_gift_card_stays_voided_when_a_draw_is_undone() -> None:
    till = sold(CARD)
    draw(till, "30", 1, at="2025-01-16T10:00:00Z")
    till.take_back("200")
    assert undo(till, 1).status == "recorded"
    card = till.coupons()[KEY]
    assert (card.state, card.remaining) == ("voided", 70)  # the 30 are named as expired, not revived
    assert refused(draw(till, "10", 2)) == ("voided",)


# -- undo ------------------------------------------------------------------------------------------------------------

TENNER = rules(
    {"type": "amount_off", "amount": "10"}, validity={"expiry": {"type": "fixed_period", "after": {"days": 10}}}
)


@pytest.mark.parametrize(("at", "state"), [("2025-01-25T23:59:59Z", "issued"), ("2025-01-26T00:00:00Z", "expired")])
def test_a_cancelled_purchase_reinstates_its_coupon_if_it_is_still_valid(at: str, state: str) -> None:
    till = sold(TENNER)
    draw(till, "50", 1)
    assert undo(till, 1, at).status == "recorded"
    coupon = till.coupons()[KEY]
    assert (coupon.state, coupon.redeemed_by, coupon.redeemed_at) == (state, None, None)


def test_an_undo_names_the_current_redemption() -> None:
    """Used in A, A cancelled, used in B, A cancelled again: B's use stands."""
    till = sold(TENNER)
    draw(till, "50", 1)
    undo(till, 1)
    assert draw(till, "50", 2).status == "recorded"
    assert refused(undo(till, 1, event="X-2")) == ("already_undone",)
    assert till.coupons()[KEY].state == "redeemed"
    assert refused(undo(till, 7, event="X-3")) == ("unknown_redemption",)


# -- void ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "at", "reason"), [
    ("issued", SOLD_AT, None),
    ("redeemed", SOLD_AT, "already_redeemed"),
    ("voided", SOLD_AT, "voided"),
    ("expired", BACK_AT, None),  # late: a sweep of the 26th has expired it since
    ("expired", "2025-01-26T00:00:00Z", "expired"),
    ("issued", "2025-01-26T00:00:00Z", "expired"),  # by time, whether or not a sweep has come by
])  # fmt: skip
def test_only_a_redeemable_coupon_can_be_voided(state: Any, at: str, reason: str | None) -> None:
    decided = void(lr.load_program(TENNER), attrs.evolve(coupon_of(TENNER), state=state), "V-1", instant(at))
    assert (decided.reasons[0] if isinstance(decided, Refusal) else None) == reason


def test_a_voided_coupon_releases_its_caps() -> None:
    till = sold(rules({"type": "amount_off", "amount": "10"}, caps={"per_member": 1, "total": 1}))
    assert till.sell(sale("200", id="T-2")).intents == ()
    till.sound(till.ledger.void(till.program, KEY, event="V-1", at=instant(SOLD_AT)))
    assert len(till.sell(sale("200", id="T-3")).intents) == 1
