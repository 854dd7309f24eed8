"""Benefits: the rest of the bill, units, fixed prices, uses. Source: semantics 9, 17."""

from __future__ import annotations

from decimal import Decimal

import pytest

from loyalty_rules.intents import RedeemCoupon

from .checkouts import FREE_UNIT, NOTHING, PERCENT, Shop, bill, discounts, line, shares

# -- the rest of the bill ---------------------------------------------------------------------------------------------


def test_a_card_pays_the_rest_of_the_bill_and_a_percentage_does_not_touch_it() -> None:
    """Goods of 24 and postage of 6: 10 % is 2.40. A card of 10 on the 21.60 and 6: 7.83 and 2.17 (10 x 6 / 27.6)."""
    shop = Shop(PERCENT, {"type": "stored_value", "amount": "10"})
    event = bill("30", line("1", "24"))
    assert shares(shop.redeem("c1", event)) == {"1": "2.4"}
    assert shares(shop.redeem("c2", event)) == {"1": "7.83", None: "2.17"}


def test_a_card_for_some_lines_does_not_pay_the_rest_of_the_bill() -> None:
    card = {"type": "stored_value", "amount": "100", "lines": {"all": []}}
    assert shares(Shop(card).redeem("c1", bill("30", line("1", "24")))) == {"1": "24"}


def test_free_shipping_comes_off_the_rest_of_the_bill_once() -> None:
    """4.90 of 44.90, at most 3 by the first coupon, then the 1.90 that are left, then nothing."""
    shop = Shop({"type": "shipping", "most": "3"}, {"type": "shipping"}, {"type": "shipping"})
    event = bill("44.90", line("1", "40"), shipping="4.90")
    assert shares(shop.redeem("c1", event)) == {None: "3"}
    assert discounts(shop, ("c2", "c3"), event) == [Decimal("1.9"), NOTHING]


@pytest.mark.parametrize("benefit", [
    {**PERCENT, "lines": {"all": []}},
    {**PERCENT, "units": 1},
    {"type": "price", "price": "1", "lines": {"all": []}},
    {"type": "stored_value", "amount": "5", "lines": {"all": []}},
])  # fmt: skip
def test_on_a_bill_without_lines_a_benefit_on_lines_finds_nothing(benefit: dict) -> None:
    assert discounts(Shop(benefit), ("c1",), bill("20")) == [NOTHING]


# -- units ------------------------------------------------------------------------------------------------------------


def test_a_unit_is_taken_once() -> None:
    """Two coffees for 5.00: each free coffee is 2.50 off, and there is no third."""
    shop = Shop(FREE_UNIT, FREE_UNIT, FREE_UNIT)
    event = bill("5", line("1", "5.00", "2"))
    assert discounts(shop, ("c1", "c2", "c3"), event) == [Decimal("2.5"), Decimal("2.5"), NOTHING]


def test_the_taken_and_the_other_units_of_a_line_are_computed_apart() -> None:
    """Of three units of 4.00 one is half price (2 off). 10 % of the line is 1.00; a free unit is then 3.60 off.

    After the half price, the taken unit has 2 left and the others 8; the 10 % take 0.20 and 0.80 of them.
    """
    half = {"type": "percent_off", "percent": "50", "units": 1}
    shop = Shop(half, PERCENT, FREE_UNIT)
    event = bill("12", line("1", "12", "3"))
    assert discounts(shop, ("c1", "c2", "c3"), event) == [2, 1, Decimal("3.6")]


def test_units_are_chosen_by_their_price_and_then_by_their_line() -> None:
    """Units of 3, 2, 2 and 5: the cheapest are the two of lines 2 and 3, the dearest those of lines 4 and 1."""
    cheap, dear = ({"type": "percent_off", "percent": "100", "units": 2, "pick": pick} for pick in
                   ("cheapest", "dearest"))  # fmt: skip
    event = bill("12", line("1", "3"), line("2", "2"), line("3", "2"), line("4", "5"))
    assert shares(Shop(cheap).redeem("c1", event)) == {"1": "0", "2": "2", "3": "2", "4": "0"}
    assert shares(Shop(dear).redeem("c1", event)) == {"1": "3", "2": "0", "3": "0", "4": "5"}


@pytest.mark.parametrize(("quantity", "off"), [("0.5", "3"), ("1", "3"), ("3", "1"), ("0", None), ("-1", None)])
def test_a_line_of_no_whole_quantity_is_one_unit_and_one_of_zero_or_less_has_none(quantity: str, off: str) -> None:
    expected = Decimal(off) if off is not None else NOTHING
    assert discounts(Shop(FREE_UNIT), ("c1",), bill("3", line("1", "3", quantity))) == [expected]


def test_an_amount_off_units_is_taken_once() -> None:
    """5 off two units of 2 and 1.50: 3.50, shared as they are."""
    two = {"type": "amount_off", "amount": "5", "units": 2}
    event = bill("13.5", line("1", "2"), line("2", "1.5"), line("3", "10"))
    assert shares(Shop(two).redeem("c1", event)) == {"1": "2", "2": "1.5", "3": "0"}


def test_a_fixed_price_takes_the_excess_of_each_unit_above_it() -> None:
    """14.50 and 12.00 at 9.90: 4.60 and 2.10. A unit of 9 costs less and is left alone."""
    price = {"type": "price", "price": "9.90", "lines": {"field": "sku", "is": "PIZZA"}}
    event = bill("40", line("1", "14.50", sku="PIZZA"), line("2", "12", sku="PIZZA"), line("3", "9", sku="PIZZA"),
                 line("4", "4.50"))  # fmt: skip
    assert shares(Shop(price).redeem("c1", event)) == {"1": "4.6", "2": "2.1", "3": "0"}
    assert shares(Shop({**price, "units": 1}).redeem("c1", event)) == {"1": "0", "2": "2.1", "3": "0"}


# -- uses -------------------------------------------------------------------------------------------------------------


def test_a_coupon_with_uses_is_redeemed_so_often_and_an_undone_use_comes_back() -> None:
    shop = Shop(c1={"benefit": PERCENT, "uses": 2})
    first = shop.redeem("c1", bill("50", name="P-1"))
    assert isinstance(first, RedeemCoupon)
    assert discounts(shop, ("c1",), bill("40", name="P-2")) == [4]
    assert discounts(shop, ("c1",), bill("30", name="P-3")) == [("already_redeemed",)]
    shop.ledger.undo_redemption(shop.program, first.key, event="U-1", at=bill("1").occurred_at)
    assert discounts(shop, ("c1",), bill("30", name="P-3")) == [3]
    coupon = shop.ledger.coupon("acme", shop.code("c1"))
    assert coupon is not None
    assert (coupon.state, coupon.taken, coupon.redeemed_by) == ("redeemed", 7, "P-3")


def test_a_maximum_over_all_uses_ends_the_coupon() -> None:
    """15 % up to 20 in all: 15 of 100, then 5 of the 9 on 60, and it is used up though a use is left."""
    percent = {"type": "percent_off", "percent": "15", "most_in_all": "20"}
    shop = Shop(c1={"benefit": percent, "uses": 3})
    off = [discounts(shop, ("c1",), bill(amount, name=f"P-{amount}")) for amount in ("100", "60", "10")]
    assert off == [[15], [5], [("already_redeemed",)]]


def test_a_transaction_redeems_a_coupon_once_whatever_its_uses() -> None:
    shop = Shop(c1={"benefit": PERCENT, "uses": 5})
    assert discounts(shop, ("c1",), bill("50")) == [5]
    again = shop.ledger.redeem(shop.program, shop.code("c1"), bill("50"), event="P-1b")
    assert again.refusal is not None
    assert again.refusal.reasons == ("already_redeemed",)
