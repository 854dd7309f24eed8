"""Redeem all: a whole set in its own order, or nothing of it. Source: semantics 9, 17."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lifecycle.checkouts import BEN, PERCENT, Shop, bill, discounts
from loyalty_rules.ledger.errors import IdempotencyConflict

# -- a set at once ----------------------------------------------------------------------------------------------------


def test_a_set_is_decided_in_its_own_order() -> None:
    """Given as card, amount, percentage on 105: 15.75, then 5, then the card pays 84.25."""
    shop = Shop({"type": "stored_value", "amount": "100"}, {"type": "amount_off", "amount": "5"},
                {"type": "percent_off", "percent": "15"})  # fmt: skip
    codes = [shop.code(name) for name in ("c1", "c2", "c3")]
    quote = shop.ledger.quote(shop.program, codes, [], bill("105"))
    receipt = shop.ledger.redeem_all(shop.program, codes, [], bill("105"))
    assert (quote.status, quote.intents, quote.discount) == ("quoted", receipt.intents, 105)
    assert [each.discount for each in receipt.redemptions] == [Decimal("15.75"), 5, Decimal("84.25")]


def test_the_order_of_a_type_comes_before_that_of_its_benefit() -> None:
    early = {"benefit": {"type": "stored_value", "amount": "5"}, "redemption": {"order": -1}}
    shop = Shop(PERCENT, card=early)
    receipt = shop.ledger.redeem_all(shop.program, [shop.code("c1"), shop.code("card")], [], bill("105"))
    assert [each.discount for each in receipt.redemptions] == [5, 10]  # then 10 % of 100


def test_points_come_after_the_coupons_and_a_set_is_refused_as_a_whole() -> None:
    shop = Shop({"type": "stored_value", "amount": "18"})
    code, spends = shop.code("c1"), [(BEN, "points", Decimal(3))]
    refused = shop.ledger.redeem_all(shop.program, [code, "GONE"], spends, bill("20"))
    assert refused.refusal is not None
    assert refused.refusal.reasons == ("unknown", "more_than_bill")
    assert [(each.reason, each.of) for each in refused.refusal.causes] == [
        ("unknown", "GONE"), ("more_than_bill", "points")
    ]  # fmt: skip
    receipt = shop.ledger.redeem_all(shop.program, [code], [(BEN, "points", Decimal(2))], bill("20"))
    assert [each.value for each in receipt.spends] == [2]
    with pytest.raises(IdempotencyConflict):
        shop.ledger.redeem_all(shop.program, [], [(BEN, "points", Decimal(2))], bill("20"))
    with pytest.raises(IdempotencyConflict):
        shop.spend("1", bill("20"))


def test_a_serial_named_twice_is_redeemed_already() -> None:
    shop = Shop(c1={"benefit": PERCENT, "uses": 5})
    quote = shop.ledger.quote(shop.program, [shop.code("c1")] * 2, [], bill("20"))
    assert quote.refusal is not None
    assert quote.refusal.reasons == ("already_redeemed",)


@pytest.mark.parametrize(("first", "second", "may"), [
    ("any", "any", True), ("none", "any", False), ("any", "none", False),
    (["c2"], "any", True), (["c2"], ["c1"], True), (["c1"], "any", False), (["c2"], [], False),
])  # fmt: skip
def test_two_coupons_share_a_transaction_if_both_types_say_so(first: Any, second: Any, may: bool) -> None:
    shop = Shop(c1={"benefit": PERCENT, "redemption": {"together": first}},
                c2={"benefit": PERCENT, "redemption": {"together": second}})  # fmt: skip
    assert discounts(shop, ("c1", "c2"), bill("100")) == [10, 9 if may else ("not_combinable",)]
