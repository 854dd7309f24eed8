"""Conditions are valid, at most as deep as asked, and test only the given trackers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.testing import strategies as kit
from properties.examples import drawn
from shop import earn, fixed, program

SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "100"}}


def valid(condition: dict) -> lr.Program:
    promotion = {"id": "p", "when": condition, "actions": [earn(fixed("1"))]}
    return lr.load_program(program(promotions=[promotion], trackers=SPEND))


def depth(condition: dict) -> int:
    """Return the number of levels of all, any and not."""
    inner = [*condition.get("all", ()), *condition.get("any", ())]
    inner += [condition["not"]] if "not" in condition else []
    return 1 + max(map(depth, inner)) if inner else 0


def leaves(condition: dict) -> list[dict]:
    """Return the conditions within all, any and not."""
    inner = [*condition.get("all", ()), *condition.get("any", ())]
    inner += [condition["not"]] if "not" in condition else []
    return [leaf for each in inner for leaf in leaves(each)] if inner else [condition]


@pytest.mark.parametrize(
    "strategy",
    [kit.conditions(["spend"]), kit.comparisons(), kit.line_tests()],
    ids=["conditions", "comparisons", "lines"],
)
def test_every_condition_is_valid(strategy: st.SearchStrategy[Any]) -> None:
    for condition in drawn(strategy, 60):
        valid(condition)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_a_condition_has_at_most_the_given_depth(most: int) -> None:
    depths = {depth(condition) for condition in drawn(kit.conditions(depth=most), 200)}

    assert depths == set(range(most + 1))


def test_a_line_condition_has_at_most_the_given_depth() -> None:
    assert {depth(condition) for condition in drawn(kit.line_conditions(depth=1), 100)} == {0, 1}


def test_a_line_condition_reads_no_field_of_the_bill() -> None:
    conditions = [leaf for condition in drawn(kit.line_conditions(), 200) for leaf in leaves(condition)]

    assert {leaf["field"] for leaf in conditions} == {
        *("sku", "category", "brand", "value", "quantity", "unit_price", "discount"),
        *("tags", "extended_fields.nights"),
    }


def test_only_the_given_trackers_are_tested() -> None:
    found = [leaf for condition in drawn(kit.conditions(["spend"], depth=0), 200) for leaf in leaves(condition)]

    assert {leaf["tracker"] for leaf in found if "tracker" in leaf} == {"spend"}
    assert not [leaf for leaf in drawn(kit.conditions(depth=0), 200) if "tracker" in leaf]


def test_a_line_test_has_at_most_one_measure() -> None:
    measures = [set(test) - {"lines"} for test in drawn(kit.line_tests(), 100)]

    assert {frozenset(each) for each in measures} == {
        frozenset(),
        *(frozenset({measure}) for measure in ("count", "quantity", "value")),
    }
