"""The remainder of a bill, line by line, and the points that pay it. Source: semantics 9, 12, 17."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

import loyalty_rules as lr
from loyalty_rules.events import Snapshot
from loyalty_rules.intents import RedeemCoupon, Share, SpendCurrency
from loyalty_rules.lifecycle import Refusal
from loyalty_rules.lifecycle.bill import Bill, Part, Taking, bill_of, shared, to_cents
from loyalty_rules.values.money import cent_of
from shop import program

from .checkouts import BEN, NOTHING, PERCENT, Shop, bill, discounts, line, shares

MICRO = 1_000_000


# -- several on one bill ----------------------------------------------------------------------------------------------


def test_each_sees_what_the_earlier_ones_have_left() -> None:
    """15 and 15 and a card of 100 on 20: 15, the 5 that are left, and nothing."""
    fifteen = {"type": "amount_off", "amount": "15"}
    shop = Shop(fifteen, fifteen, {"type": "stored_value", "amount": "100"})
    assert discounts(shop, ("c1", "c2", "c3"), bill("20")) == [15, 5, NOTHING]


def test_a_percentage_and_a_card_share_a_bill() -> None:
    """15 % of 105 is 15.75; the card pays 89.25 and keeps 10.75."""
    shop = Shop({"type": "percent_off", "percent": "15"}, {"type": "stored_value", "amount": "100"})
    assert discounts(shop, ("c1",), bill("105")) == [Decimal("15.75")]
    card = shop.redeem("c2", bill("105"))
    assert isinstance(card, RedeemCoupon)
    assert (card.discount, card.remaining) == (Decimal("89.25"), Decimal("10.75"))


def test_the_base_is_what_is_left_of_the_lines_at_most_what_is_left_of_the_bill() -> None:
    """10 % of 60 and 60 on a bill of 100 is 10.00; of 50 and -40 on a bill of 10 it is 1.00."""
    first = Shop(PERCENT).redeem("c1", bill("100", line("1", "60"), line("2", "60")))
    assert shares(first) == {"1": "5", "2": "5"}
    second = Shop(PERCENT).redeem("c1", bill("10", line("1", "50"), line("2", "-40")))
    assert shares(second) == {"1": "1", "2": "0"}


def test_a_share_of_a_line_that_is_gone_comes_off_the_bill_alone() -> None:
    """12 off line 1 of 40 leaves 28 there. Without line 1, line 2 of 30 is whole, and the bill of 30 has 18 left."""
    on_one = {"type": "amount_off", "amount": "12", "lines": {"field": "sku", "is": "A"}}
    shop = Shop(on_one, {"type": "amount_off", "amount": "50"})
    assert discounts(shop, ("c1",), bill("70", line("1", "40", sku="A"), line("2", "30"))) == [12]
    last = shop.redeem("c2", bill("30", line("2", "30")))
    assert shares(last) == {"2": "18"}


def test_an_undone_redemption_leaves_the_whole_bill_again() -> None:
    shop = Shop({"type": "amount_off", "amount": "15"}, {"type": "amount_off", "amount": "15"})
    first = shop.redeem("c1", bill("20"))
    assert isinstance(first, RedeemCoupon)
    shop.ledger.undo_redemption(shop.program, first.key, event="U-1", at=bill("20").occurred_at)
    assert discounts(shop, ("c2",), bill("20")) == [15]


def test_half_of_a_stored_value_given_back_is_left_on_the_bill_again() -> None:
    """A card pays 20 of 20; 8 of them are given back: 8 are left of the bill for 5 off, and the card has 88."""
    shop = Shop({"type": "stored_value", "amount": "100"}, {"type": "amount_off", "amount": "15"})
    first = shop.redeem("c1", bill("20"))
    assert isinstance(first, RedeemCoupon)
    at = bill("20").occurred_at
    shop.ledger.undo_redemption(shop.program, first.key, event="U-1", at=at, amount=Decimal(8))
    assert discounts(shop, ("c2",), bill("20")) == [8]
    card = shop.ledger.coupon("acme", shop.code("c1"))
    assert card is not None
    assert (card.remaining, card.taken, card.state) == (88, 12, "issued")
    too_much = shop.ledger.undo_redemption(shop.program, first.key, event="U-2", at=at, amount=Decimal(13))
    assert too_much.refusal is not None
    assert too_much.refusal.reasons == ("more_than_redeemed",)


# -- points -----------------------------------------------------------------------------------------------------------


def test_points_pay_what_is_left_of_the_lines_that_they_may_pay() -> None:
    """Of 42 with wine for 30, bread for 10 and postage of 2, points may pay 12: 5 are 4.17 and 0.83."""
    shop = Shop(redeem={"not_for": {"field": "sku", "is": "WINE"}})
    event = bill("42", line("1", "30", sku="WINE"), line("2", "10"))
    assert shop.spend("13", event) == ("more_than_bill",)
    assert shares(shop.spend("5", event)) == {"2": "4.17", None: "0.83"}


def test_on_a_bill_without_lines_points_for_some_lines_pay_nothing() -> None:
    assert Shop(redeem={"not_for": {"field": "sku", "is": "WINE"}}).spend("1", bill("20")) == ("more_than_bill",)


def test_most_of_the_bill_is_a_part_of_the_bill_before_any_discount() -> None:
    """Half of 20 is 10 also after a coupon of 4; after one of 15 only 5 are left."""
    redeem = {"most_of_bill": "50"}
    shop = Shop({"type": "amount_off", "amount": "4"}, redeem=redeem)
    shop.redeem("c1", bill("20"))
    assert shop.spend("11", bill("20")) == ("more_than_bill",)
    assert isinstance(shop.spend("10", bill("20")), SpendCurrency)
    shop = Shop({"type": "amount_off", "amount": "15"}, redeem=redeem)
    shop.redeem("c1", bill("20"))
    assert shop.spend("6", bill("20")) == ("more_than_bill",)
    assert isinstance(shop.spend("5", bill("20")), SpendCurrency)


@pytest.mark.parametrize("redeem", [{"most_of_bill": "50"}, {"not_for": {"all": []}}, {"least_bill": "10"}])
def test_a_currency_that_looks_at_the_bill_needs_one(redeem: dict) -> None:
    shop = Shop(redeem=redeem)
    receipt = shop.ledger.spend(shop.program, BEN, "ben", "points", Decimal(1), event="P-1", at=bill("1").occurred_at)
    assert receipt.refusal is not None
    assert receipt.refusal.reasons == ("no_bill",)


def test_a_bill_that_is_too_small_is_not_paid_with_points() -> None:
    shop = Shop(redeem={"least_bill": "10"})
    assert shop.spend("1", bill("9.99")) == ("bill_too_small",)
    assert isinstance(shop.spend("1", bill("10")), SpendCurrency)


def test_a_coupon_sees_the_points_that_were_spent() -> None:
    """10 of 50 were paid with points: 10 % of 40."""
    shop = Shop(PERCENT)
    shop.spend("10", bill("50", line("1", "50")))
    assert discounts(shop, ("c1",), bill("50", line("1", "50"))) == [4]


def test_points_of_a_spend_without_a_bill_are_spread_over_the_lines() -> None:
    """10 points on lines of 40 and 10 are 8 and 2: 10 % of the second line is 0.80."""
    shop = Shop({**PERCENT, "lines": {"field": "sku", "is": "B"}})
    at = bill("1").occurred_at
    shop.ledger.spend(shop.program, BEN, "ben", "points", Decimal(10), event="P-1", at=at)
    event = bill("50", line("1", "40"), line("2", "10", sku="B"))
    assert discounts(shop, ("c1",), event) == [Decimal("0.8")]


# -- amounts ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("amount", "most", "money", "rounded"), [
    ("49.95", "333", "JPY", "50"),
    ("0.12345", "9", "KWD", "0.123"),
    ("0.015", "9", "EUR", "0.02"),
    ("0.005", "0.005", "EUR", "0"),       # half up would be more than is left
    ("10.005", "10.008", "EUR", "10"),
])  # fmt: skip
def test_a_discount_is_rounded_half_up_but_never_above_what_is_left(
    amount: str, most: str, money: str, rounded: str
) -> None:
    exact = [Fraction(each) * MICRO for each in (amount, most)]
    assert to_cents(*exact, cent_of(money)) == Fraction(rounded) * MICRO


def test_points_worth_less_than_a_cent_are_shared_to_their_own_last_decimal() -> None:
    parts = [Part("1", Fraction(2)), Part("2", Fraction(1))]
    assert shared(333_333, parts, 10_000) == (Share("1", Decimal("0.222222")), Share("2", Decimal("0.111111")))


def test_a_bill_in_foreign_money_is_converted_exactly() -> None:
    """3 of a line of 100 at 0.333333333333 is 33.3333333333 of the program's money."""
    rules = lr.load_program(program(money="EUR"))
    event = bill("100", line("1", "100", "3"), currency="USD", exchange_rate="0.333333333333")
    left = bill_of(rules.plan.facts(event, Snapshot()))
    assert left.left == left.lines[0].left == Fraction("33.3333333333") * MICRO
    assert left.lines[0].others.each == Fraction("33.3333333333") * MICRO / 3
    after = left.less(Taking(MICRO, (Share("1", Decimal(1)),)))
    assert isinstance(after, Bill)
    assert after.left == left.left - MICRO


def test_a_refusal_of_points_names_the_missing_rate() -> None:
    shop = Shop()
    assert shop.spend("1", bill("20", currency="USD")) == ("no_exchange_rate",)
    quote = shop.ledger.quote(shop.program, [], [(BEN, "points", Decimal(1))], bill("20", currency="USD"))
    assert isinstance(quote.refusal, Refusal)
    assert quote.refusal.reasons == ("no_exchange_rate",)
