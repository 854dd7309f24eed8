"""Components of a bill: what a base is less by, and the spread over lines. Source: semantics 3."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.rules.components import component_of, net_values, read_components
from rules.actions import facts_of
from shop import sale

MILLION = 10**6
CASH = [{"type": "cash", "amount": "60"}, {"type": "cash", "amount": "-10.5"}, {"type": "gift", "amount": "-5"}]


def line(value: Any, **parts: Any) -> dict:
    return {"id": str(value), "quantity": "1", "value": str(value), **parts}


def net(values: list[Any], less: tuple[str, ...], **parts: Any) -> list[int]:
    """The values of lines less these components, in millionths."""
    basket = [value if isinstance(value, dict) else line(value) for value in values]
    return net_values(facts_of(sale("100", lines=basket, **parts)), less)


def test_components_are_read_as_named() -> None:
    assert read_components(["tax", "tenders.gift card"]) == ("tax", "tenders.gift card")


@pytest.mark.parametrize(
    ("names", "code"), [(["tax", "tax"], "duplicate"), (["fee"], "not_a_choice"), (["tenders."], "out_of_range")]
)
def test_other_components_are_refused(names: list[str], code: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_components(names)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "millionths"),
    [
        ("tenders.cash", 49_500_000),  # change was given
        ("tenders.gift", 0),  # below zero
        ("tenders.card", 0),
        ("shipping", 7 * MILLION),
        ("tip", 0),
    ],
)
def test_a_component_is_what_the_bill_says(name: str, millionths: int) -> None:
    assert component_of(facts_of(sale(tenders=CASH, shipping="7")), name) == millionths


def test_the_tax_is_that_of_the_lines_if_all_carry_their_own() -> None:
    assert (
        component_of(facts_of(sale(tax="31", lines=[line(121, tax="21"), line(110, tax="9")])), "tax") == 30 * MILLION
    )
    assert component_of(facts_of(sale(tax="31", lines=[line(121, tax="21"), line(110)])), "tax") == 31 * MILLION


def test_a_component_is_spread_over_all_lines_by_value() -> None:
    # 50 over 60 and 40 is 30 and 20.
    paid = [{"type": "points", "amount": "50"}]
    assert net([60, 40], ("tenders.points",), tenders=paid) == [30 * MILLION, 20 * MILLION]


def test_a_spread_is_exact_to_the_sixth_decimal_and_the_rest_goes_to_the_largest_remainder() -> None:
    # 10 over three equal lines: 3.333334 for the first, 3.333333 for the others.
    assert net([20, {**line(20), "id": "b"}, {**line(20), "id": "c"}], ("tip",), tip="10") == [
        16_666_666,
        16_666_667,
        16_666_667,
    ]


def test_several_components_are_spread_each_by_itself() -> None:
    # Shipping 3 is 2 and 1; the lines' own tax is 5 and 7.
    basket = [line(20, tax="5"), line(10, tax="7")]
    assert net(basket, ("shipping", "tax"), shipping="3", tax="99") == [13 * MILLION, 2 * MILLION]


def test_a_part_takes_a_line_no_further_than_zero() -> None:
    assert net([line(5, tax="8"), line(10, tax="1")], ("tax",)) == [0, 9 * MILLION]


def test_a_line_below_zero_has_no_part_and_keeps_its_value() -> None:
    assert net([30, -10], ("tip",), tip="6") == [24 * MILLION, -10 * MILLION]


def test_nothing_is_spread_if_no_line_is_above_zero() -> None:
    assert net([0, -10], ("tip",), tip="6") == [0, -10 * MILLION]


def test_lines_without_a_value_have_twelve_decimals() -> None:
    # 3 × 2.5 − 0.5 = 7, less a tip of 1.
    bought = {"id": "1", "quantity": "3", "unit_price": "2.5", "discount": "0.5"}
    assert net([bought], ("tip",), tip="1") == [6 * MILLION * MILLION]


def test_the_smallest_values_have_the_smallest_parts() -> None:
    """A millionth is spread over the line that has one, not over the line before it that has nothing."""
    assert net(["0", "0.000001"], ("tip",), tip="0.000001") == [0, 0]
    assert net([line("0.000001", tax="0.000001"), line("1", tax="0")], ("tax",)) == [0, MILLION]
