"""Coupon types: defaults and refusals. Source: semantics 9."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.caps import CouponCaps
from loyalty_rules.rules.conditions import Comparison
from loyalty_rules.rules.coupons import AmountOff, CouponType, PercentOff, Redemption, StoredValue, Validity
from loyalty_rules.rules.expiry import FixedDate, Never, Rolling
from loyalty_rules.values.dates import Period


@pytest.mark.parametrize(
    ("benefit", "field"),
    [
        (PercentOff("12.5"), "percent"),
        (AmountOff("12.50"), "amount"),
        (StoredValue(Decimal("12.5")), "amount"),
    ],
)
def test_a_benefit_is_a_decimal(benefit: Any, field: str) -> None:
    assert getattr(benefit, field) == Decimal("12.5")


@pytest.mark.parametrize(
    ("benefit", "field"), [(PercentOff, "percent"), (AmountOff, "amount"), (StoredValue, "amount")]
)
@pytest.mark.parametrize("value", ["-0.01", 0.5, None, "ten"])
def test_a_benefit_is_zero_or_more_and_exact(benefit: Any, field: str, value: object) -> None:
    with pytest.raises(lr.InvalidValueError) as caught:
        benefit(value)

    assert caught.value.name == field


def test_a_benefit_applies_to_selected_lines() -> None:
    mugs = Comparison(field="sku", is_="MUG")

    assert PercentOff(10, most=5, lines=mugs).lines == AmountOff(1, lines=mugs).lines == mugs
    assert PercentOff(10).lines is AmountOff(1).lines is None


def test_a_coupon_never_expires_by_default() -> None:
    validity = Validity()

    assert (validity.starts_after, validity.expiry) == (None, Never())
    assert CouponType(id="gift").validity == validity


def test_the_expiry_of_a_coupon_is_not_rolling() -> None:
    with pytest.raises(lr.InvalidValueError) as caught:
        Validity(expiry=Rolling(after=Period(days=1)))

    assert (caught.value.name, caught.value.code) == ("expiry", "not_a_choice")
    assert caught.value.message == "a coupon's expiry can't be rolling: a coupon is not extended"


@pytest.mark.parametrize("expiry", ["never", {"type": "never"}, Period(days=1)])
def test_the_expiry_of_a_coupon_is_an_expiry(expiry: Any) -> None:
    assert Validity(expiry=FixedDate("2025-12-31")).expiry == FixedDate("2025-12-31")
    with pytest.raises(lr.InvalidValueError) as caught:
        Validity(expiry=expiry)
    assert (caught.value.name, caught.value.code) == ("expiry", "wrong_type")


def test_a_redemption_has_no_restriction_by_default() -> None:
    redemption = Redemption()

    assert (redemption.when, redemption.stores, redemption.brands, redemption.holder_only) == (None, None, None, False)


def test_the_stores_and_brands_of_a_redemption_can_be_lists() -> None:
    redemption = Redemption(stores=["S1", "S2"], brands=[])

    assert (redemption.stores, redemption.brands) == (("S1", "S2"), ())


def test_a_coupon_type_without_serials_needs_a_code() -> None:
    assert CouponType(id="gift", serial_managed=False, code="GIFT").code == "GIFT"
    assert CouponType(id="gift").caps == CouponCaps()
    with pytest.raises(lr.InvalidValueError) as caught:
        CouponType(id="gift", serial_managed=False)
    assert (caught.value.name, caught.value.code) == ("code", "required")
