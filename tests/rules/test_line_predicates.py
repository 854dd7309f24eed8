"""Predicates of lines: selections and line conditions. Source: semantics 7."""

from __future__ import annotations

import pytest

from loyalty_rules.rules.conditions import Comparison, Condition
from loyalty_rules.rules.line_predicates import bind_line, bind_selection
from rules.actions import facts_of
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
