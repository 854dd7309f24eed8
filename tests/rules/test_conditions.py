"""Conditions as values: paths, operands, refusals. Source: semantics 7."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.conditions import (
    ANNIVERSARY_SCOPE,
    CONTRIBUTION_SCOPE,
    EVENT_SCOPE,
    LINE_SCOPE,
    OPERATORS,
    AllOf,
    AnyOf,
    Comparison,
    LineTest,
    Measure,
    Not,
    Scope,
    TrackerTest,
    is_numeric_path,
    read_condition,
)

STORE = Comparison(field="store", is_="S1")


# -- paths -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "is_numeric"),
    [
        ("amount", True),
        ("quantity", True),
        ("tenders.card", True),
        ("tip", True),
        ("store", False),
        ("local_date", False),
        ("custom_fields.amount", False),
        ("extended_fields.tenders.card", False),
    ],
)
def test_amounts_quantities_and_tenders_compare_as_numbers(path: str, is_numeric: bool) -> None:
    assert is_numeric_path(path) is is_numeric


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        (EVENT_SCOPE, "amount"),
        (EVENT_SCOPE, "member.tags"),
        (EVENT_SCOPE, "custom_fields.x"),
        (EVENT_SCOPE, "extended_fields." + "x" * 128),
        (EVENT_SCOPE, "member.extended_fields.a.b"),
        (CONTRIBUTION_SCOPE, "tenders.card"),
        (LINE_SCOPE, "sku"),
        (LINE_SCOPE, "extended_fields.nights"),
        (ANNIVERSARY_SCOPE, "member.registered_on"),
    ],
)
def test_a_scope_has_these_paths(scope: Scope, path: str) -> None:
    scope.check(path)


@pytest.mark.parametrize(
    ("scope", "path", "message"),
    [
        (EVENT_SCOPE, "amuont", "an event has no path 'amuont'; did you mean 'amount'?"),
        (EVENT_SCOPE, "sku", "an event has no path 'sku'"),
        (EVENT_SCOPE, "custom_fields.", "an event has no path 'custom_fields.'; did you mean 'custom_fields.NAME'?"),
        (LINE_SCOPE, "amount", "a line has no path 'amount'"),
        (LINE_SCOPE, "tag", "a line has no path 'tag'; did you mean 'tags'?"),
    ],
)
def test_an_unknown_path_is_refused_with_the_nearest_path(scope: Scope, path: str, message: str) -> None:
    with pytest.raises(lr.InvalidValueError) as caught:
        scope.check(path)

    assert (caught.value.code, caught.value.message) == ("unknown_path", message)


def test_a_name_in_a_path_has_at_most_128_characters() -> None:
    with pytest.raises(lr.InvalidValueError, match="has no path"):
        EVENT_SCOPE.check("custom_fields." + "x" * 129)


# -- operands ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operand", [100, "100", "100.0", Decimal("100.00")])
def test_equal_numbers_at_a_numeric_path_are_equal_conditions(operand: Any) -> None:
    assert Comparison(field="amount", at_least=operand) == Comparison(field="amount", at_least=100)


def test_true_and_one_are_different_operands() -> None:
    assert Comparison(field="custom_fields.x", is_=True) != Comparison(field="custom_fields.x", is_=1)
    assert Comparison(field="custom_fields.x", in_=[True]) != Comparison(field="custom_fields.x", in_=[1])


def test_a_fraction_at_a_free_form_field_is_its_decimal_text() -> None:
    assert Comparison(field="custom_fields.x", is_=Decimal("1.50")).is_ == "1.5"


@pytest.mark.parametrize(
    ("operators", "name", "code"),
    [
        ({}, "", "required"),
        ({"is_": 1.5}, "is_", "float"),
        ({"is_": Decimal("1.5")}, "", "not_an_operand"),  # a store compares as text
        ({"in_": "S1"}, "in_", "not_a_list"),
        ({"in_": ["S1", 1.5]}, "in_[1]", "float"),
        ({"exists": "yes"}, "exists", "not_a_boolean"),
    ],
)
def test_a_malformed_operator_is_refused(operators: dict, name: str, code: str) -> None:
    with pytest.raises(lr.InvalidValueError) as caught:
        Comparison(field="store", **operators)

    assert (caught.value.name, caught.value.code) == (name, code)


def test_the_operators_are_returned_by_their_words_in_documents() -> None:
    condition = Comparison(field="store", is_not="S1", in_=["S2", "S3"], exists=True)

    assert condition.tests() == (("is_not", "S1"), ("in", ("S2", "S3")), ("exists", True))
    assert {OPERATORS[name] for name, _ in condition.tests()} == {"is_not", "in_", "exists"}


# -- nested conditions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", [AllOf, AnyOf])
def test_a_list_of_conditions_is_kept_as_a_tuple(group: Any) -> None:
    assert group([STORE, Not(STORE)]) == group((STORE, Not(STORE)))
    assert group([]) == group(())


@pytest.mark.parametrize("value", [None, "store", {"field": "store", "is": "S1"}, [STORE]])
def test_only_a_condition_is_a_condition(value: Any) -> None:
    with pytest.raises(lr.InvalidValueError, match="expected a condition"):
        read_condition(value)


def test_a_line_test_has_at_most_one_measure() -> None:
    one = Measure(at_least=1)

    assert LineTest(STORE).count is None
    assert LineTest(STORE, value=one).value == one
    with pytest.raises(lr.InvalidValueError, match="one measure"):
        LineTest(STORE, value=one, count=one)


@pytest.mark.parametrize("tests", [{}, {"crossed": True, "reached": False}])
def test_a_tracker_test_is_either_crossed_or_reached(tests: dict) -> None:
    with pytest.raises(lr.InvalidValueError) as caught:
        TrackerTest("spend", **tests)

    assert caught.value.code == "required"
