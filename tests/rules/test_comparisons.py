"""Comparisons: operators of every kind of subject. Source: semantics 7."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.rules.comparisons import Subject, _Free, bind_all, bind_any, bind_not, bind_to
from loyalty_rules.rules.conditions import Comparison


def test_a_comparison_can_be_bound_to_a_subject_of_the_caller() -> None:
    test = bind_to(Comparison(field="amount", at_least="1.5"), Subject(lambda value: value, "number", 10**6))

    assert [test(1_499_999), test(1_500_000), test(None)] == [False, True, False]


# -- ranges and beginnings ---------------------------------------------------------------------------------------------

KINDS = {"number": "amount", "text": "store", "list": "member.tags", "free": "custom_fields.x"}

RANGES: list[tuple[str, dict[str, Any], Any, bool]] = [
    ("number", {"between": ["1", 2]}, 1_000_000, True),  # both ends are included
    ("number", {"between": ["1", 2]}, 2_000_000, True),
    ("number", {"between": ["1", 2]}, 999_999, False),
    ("number", {"between": ["1", 2]}, 2_000_001, False),
    ("number", {"between": ["2", "1"]}, 1_500_000, False),  # it does not wrap
    ("number", {"between": ["a", "2"]}, 1_500_000, False),  # a text and a number don't compare
    ("number", {"starts_with": "1"}, 1_000_000, False),
    ("text", {"between": ["10:00", "14:00"]}, "10:00", True),
    ("text", {"between": ["10:00", "14:00"]}, "14:00", True),
    ("text", {"between": ["10:00", "14:00"]}, "14:01", False),
    ("text", {"between": ["22:00", "02:00"]}, "23:00", False),
    ("text", {"between": [1, "9"]}, "5", False),
    ("text", {"starts_with": "S1"}, "S12", True),
    ("text", {"starts_with": "S1"}, "S1", True),
    ("text", {"starts_with": "S1"}, "s12", False),
    ("text", {"starts_with": "S1"}, "XS1", False),
    ("list", {"between": ["a", "z"]}, ("m",), False),
    ("list", {"starts_with": "m"}, ("mm",), False),
    ("free", {"between": [1, "2"]}, "1.5", True),  # as numbers
    ("free", {"between": [1, "2"]}, 3, False),
    ("free", {"between": ["a", "c"]}, "b", True),  # as texts
    ("free", {"between": ["a", "c"]}, 5, False),
    ("free", {"between": ["1", "b"]}, "15", True),  # 1 ≤ 15 as numbers, "15" ≤ "b" as texts
    ("free", {"between": [False, True]}, True, False),  # flags have no order
    ("free", {"starts_with": "1"}, "12", True),
    ("free", {"starts_with": "1"}, 12, False),  # a number is no text
    ("free", {"starts_with": "a"}, ["a"], False),
]


@pytest.mark.parametrize(("kind", "operators", "value", "expected"), RANGES)
def test_a_range_and_a_beginning_hold(kind: str, operators: dict[str, Any], value: Any, expected: bool) -> None:
    test = bind_to(Comparison(field=KINDS[kind], **operators), Subject(lambda value: value, kind))

    assert test(value) is expected
    assert test(None) is False


@pytest.mark.parametrize(
    ("operators", "name", "code"),
    [
        ({"between": ["1"]}, "between", "out_of_range"),
        ({"between": ["1", "2", "3"]}, "between", "out_of_range"),
        ({"between": "12"}, "between", "not_a_list"),
        ({"starts_with": 1}, "starts_with", "not_a_text"),
    ],
)
def test_a_range_has_two_ends_and_a_beginning_is_a_text(operators: dict[str, Any], name: str, code: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Comparison(field="store", **operators)
    assert (caught.value.name, caught.value.code) == (name, code)


# -- combinations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "all_hold", "any_holds"),
    [([], True, False), ([True], True, True), ([True, False], False, True), ([False, False], False, False)],
)
def test_parts_combine(values: list[bool], all_hold: bool, any_holds: bool) -> None:
    parts = [(lambda _facts, value=value: value) for value in values]

    assert bind_all(parts)(None) is all_hold
    assert bind_any(parts)(None) is any_holds
    assert bind_not(bind_any(parts))(None) is not any_holds


# -- lists of free-form values ----------------------------------------------------------------------------------------

FREE_ITEMS: list[tuple[list[Any], Any, bool, bool]] = [  # items, value, `in`, `not_in`
    (["1", "b"], 1, True, False),  # as numbers
    (["1", "b"], "1.0", True, False),
    (["1", "b"], "b", True, False),
    (["1", "b"], "c", False, True),  # as texts
    (["1", "b"], 2, False, False),  # b and 2 don't compare
    ([1, 2], 3, False, True),
    ([1, 2], "3", False, True),
    ([1, 2], "b", False, False),
    (["a", "b"], "c", False, True),
    ([True], True, True, False),
    ([True], False, False, True),
    ([True], 1, False, False),
    ([1], True, False, False),
    (["a"], ["a"], False, False),
]


@pytest.mark.parametrize(("items", "value", "is_in", "is_not_in"), FREE_ITEMS)
def test_a_free_form_value_is_in_a_list_or_not_or_does_not_compare(
    items: list[Any], value: Any, is_in: bool, is_not_in: bool
) -> None:
    subject = Subject(lambda value: value, "free")

    assert bind_to(Comparison(field="custom_fields.x", in_=items), subject)(value) is is_in
    assert bind_to(Comparison(field="custom_fields.x", not_in=items), subject)(value) is is_not_in


def test_a_long_list_of_free_form_values_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[object] = []
    test = bind_to(
        Comparison(field="custom_fields.x", in_=[f"x{each}" for each in range(10_000)]),
        Subject(lambda value: value, "free"),
    )
    monkeypatch.setattr(_Free, "compares", lambda *each: compared.append(each))

    assert [test("x9999"), test("y")] == [True, False]
    assert compared == []
