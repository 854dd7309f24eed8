"""The invariants of coupons and payments, over records that a ledger could hold."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import attrs

from loyalty_rules.intents import RedeemCoupon, SpendCurrency
from loyalty_rules.ledger.paid_bills import codes_of_two_types, overpaid
from loyalty_rules.lifecycle.records import Payment

AT = datetime(2025, 1, 15, 10, tzinfo=UTC)


def discount(key: str, amount: str, bill: str | None) -> Payment:
    redeemed = RedeemCoupon(f"acme/{key}", f"acme/c/{key}", "P1", None, Decimal(amount), None)
    return Payment(redeemed, AT, bill=None if bill is None else Decimal(bill))


def points(key: str, value: str, bill: str | None) -> Payment:
    spent = SpendCurrency(f"acme/{key}", "P1", "M1", None, "points", Decimal(100), Decimal(value))
    return Payment(spent, AT, bill=None if bill is None else Decimal(bill))


def found(*payments: Payment) -> list[str]:
    return [*overpaid(("acme", each) for each in payments)]


def test_a_bill_may_be_paid_to_the_cent() -> None:
    assert found(discount("a", "15", "20"), points("b", "5", "20")) == []


def test_a_cent_too_much_is_found() -> None:
    sentence = "discounts and spends of P1 are 20.01, more than its bill of 20"
    assert found(discount("a", "15", "20"), points("b", "5.01", "20")) == [sentence]


def test_each_bill_is_compared_with_the_payments_up_to_it() -> None:
    assert found(discount("a", "15", "15"), discount("b", "85", "100")) == []
    assert len(found(discount("b", "85", "100"), discount("a", "15", "15"))) == 1


def test_what_was_undone_does_not_count() -> None:
    undone = attrs.evolve(discount("a", "15", "20"), undone=Decimal(10))
    assert found(undone, discount("b", "15", "20")) == []
    assert len(found(undone, discount("b", "15.01", "20"))) == 1


def test_half_of_a_spend_that_stands_counts_with_half_its_worth() -> None:
    half = attrs.evolve(points("a", "10", "20"), undone=Decimal(50))
    assert found(half, discount("b", "15", "20")) == []
    assert len(found(half, discount("b", "15.01", "20"))) == 1


def test_a_spend_without_its_bill_counts_and_is_not_compared() -> None:
    assert found(points("a", "30", None)) == []
    assert len(found(points("a", "30", None), discount("b", "1", "20"))) == 1


def test_the_price_of_a_reward_pays_nothing_of_the_bill() -> None:
    price = points("a", "30", None)
    reward = attrs.evolve(price, intent=attrs.evolve(price.intent, promotion="reward", action="pay"))
    assert found(reward, discount("b", "20", "20")) == []


def test_a_voucher_for_a_thing_is_redeemed_on_a_bill_that_is_smaller_now() -> None:
    assert found(discount("a", "80", "100"), discount("b", "0", "50")) == []


def test_two_types_of_one_version_with_one_code_are_found() -> None:
    coupons = [("acme", "v1", "five", "a"), ("acme", "v1", "five", "a"), ("acme", "v1", "five", "b")]
    assert [*codes_of_two_types(coupons)] == ["the coupon types a and b share the code five"]


def test_a_later_version_may_give_a_code_to_another_type() -> None:
    coupons = [("acme", "v1", "five", "a"), ("acme", "v2", "five", "b"), ("other", "v1", "five", "b")]
    assert [*codes_of_two_types(coupons)] == []
