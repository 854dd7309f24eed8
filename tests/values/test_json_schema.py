"""Declarations of JSON Schema, and the parts that they are built of."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from jsonschema import Draft202012Validator

from loyalty_rules.values.json_schema import (
    Declaration,
    Json,
    any_of,
    at_most_items,
    at_most_one_of,
    declaration_of,
    declare,
    given,
    one_of,
    rules_of,
    schema_rules,
    text_schema,
    whole_number_schema,
)


def test_a_function_has_the_schema_that_it_declares() -> None:
    def read(value: str) -> str:
        return value

    assert declaration_of(read) is None
    declare(read, {"type": "string"}, name="word")
    assert declaration_of(read) == Declaration({"type": "string"}, "word")


def test_a_class_has_its_own_rules_and_not_those_of_its_base() -> None:
    @schema_rules({"required": ["a"]})
    @attrs.frozen
    class Base:
        a: int

    @attrs.frozen
    class Derived(Base):
        b: int

    assert rules_of(Base) == ({"required": ["a"]},)
    assert rules_of(Derived) is None
    assert rules_of(schema_rules()(Derived)) == ()


@pytest.mark.parametrize(
    ("rule", "valid", "invalid"),
    [
        (given("a"), [{"a": 1}, {"a": 0}], [{}, {"a": None}]),
        (one_of("a", "b"), [{"a": 1}, {"b": 1}, {"a": 1, "b": None}], [{}, {"a": 1, "b": 1}, {"a": None}]),
        (any_of("a", "b"), [{"a": 1}, {"a": 1, "b": 1}], [{}, {"a": None, "b": None}]),
        (at_most_one_of("a", "b", "c"), [{}, {"b": 1}, {"a": None, "c": 1}], [{"a": 1, "c": 1}]),
        (at_most_items("a", 2), [{}, {"a": [1, 2]}], [{"a": [1, 2, 3]}]),
        (whole_number_schema(1, 3), [1, 3], [0, 4, 1.5, "1"]),
        (text_schema("A word.", "[a-z]+|[0-9]"), ["abc", "5"], ["", "55", "a5", 5]),
    ],
)
def test_each_part_accepts_and_refuses(rule: Json, valid: list[Any], invalid: list[Any]) -> None:
    validator = Draft202012Validator(rule)
    assert [value for value in valid if not validator.is_valid(value)] == []
    assert [value for value in invalid if validator.is_valid(value)] == []
