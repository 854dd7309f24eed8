"""Predicates of lines: selections and line conditions. Source: semantics 7."""

from __future__ import annotations

import pytest

from loyalty_rules.rules.conditions import AllOf, AnyOf, Comparison, Condition, Not
from loyalty_rules.rules.line_predicates import bind_line, bind_selection
from rules.actions import MONEY, facts_of
from shop import lines, sale

BASKET = [
    {"id": "1", "quantity": "2", "value": "10", "sku": "MUG", "tags": ["gift"]},
    {"id": "2", "quantity": "1.5", "value": "20", "sku": "TEE"},
    {"id": "3", "quantity": "1", "unit_price": "5", "discount": "1", "sku": "MUG"},
]


@pytest.mark.parametrize(
    ("condition", "positions"),
    [
        (None, [0, 1, 2]),
        (Comparison(field="sku", is_="MUG"), [0, 2]),
        (Comparison(field="value", at_least=10), [0, 1]),
        (Comparison(field="tags", exists=True), [0]),
        (Comparison(field="sku", is_="CAP"), []),
    ],
)
def test_a_selection_returns_the_positions_of_the_lines(condition: Condition | None, positions: list[int]) -> None:
    assert bind_selection(condition)(facts_of(sale(lines=BASKET))) == positions


def test_an_absent_line_condition_stays_absent() -> None:
    assert bind_line(None) is None


def test_a_line_condition_is_a_predicate_of_one_line() -> None:
    matches = bind_line(Comparison(field="value", more_than=4))
    assert matches is not None

    assert [matches(line) for line in facts_of(sale(lines=lines("4", "5"))).lines] == [False, True]


def test_the_discount_of_a_line_compares_in_the_money_of_the_program() -> None:
    matches = bind_line(Comparison(field="discount", at_least="3"))
    assert matches is not None
    discounted = {"id": "1", "quantity": "1", "value": "9", "discount": "2"}
    plain = {"id": "2", "quantity": "1", "value": "9"}
    for rate, expected in (("1.5", [True, False]), ("1.4", [False, False]), (None, [False, False])):
        event = sale(currency="EUR", exchange_rate=rate, lines=[discounted, plain])
        assert [matches(line) for line in facts_of(event, **MONEY).lines] == expected


def test_a_line_without_a_discount_has_none() -> None:
    absent = bind_line(Comparison(field="discount", exists=False))
    assert absent is not None
    assert [absent(line) for line in facts_of(sale(lines=lines("4"))).lines] == [True]


@pytest.mark.parametrize(
    ("condition", "positions"),
    [
        (AllOf([Comparison(field="sku", is_="MUG"), Comparison(field="value", less_than=10)]), [2]),
        (AnyOf([Comparison(field="sku", is_="CAP"), Comparison(field="tags", exists=True)]), [0]),
        (Not(Comparison(field="sku", is_="MUG")), [1]),
        (Comparison(field="sku", starts_with="M"), [0, 2]),
    ],
)
def test_line_conditions_combine(condition: Condition, positions: list[int]) -> None:
    assert bind_selection(condition)(facts_of(sale(lines=BASKET))) == positions
