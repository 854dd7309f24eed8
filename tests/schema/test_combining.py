"""Combinations of schemas."""

import pytest
from jsonschema import Draft202012Validator

from loyalty_rules.schema.combining import if_key, if_type, merged, or_null
from loyalty_rules.values.json_schema import Json


@pytest.mark.parametrize(
    ("schema", "nullable"),
    [
        ({"type": "string"}, {"type": ["string", "null"]}),
        ({"type": ["string", "number"]}, {"type": ["string", "number", "null"]}),
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ({"enum": ["a"]}, {"enum": ["a", None]}),
        ({"enum": ["a", None]}, {"enum": ["a", None]}),
        ({"const": "a"}, {"enum": ["a", None]}),
        ({"$ref": "#/$defs/a"}, {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}),
        ({"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}, {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}),
    ],
)
def test_null_is_allowed_once(schema: Json, nullable: Json) -> None:
    assert or_null(schema) == nullable


def test_a_rule_is_merged_key_by_key_and_list_after_list() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "array"}}}
    rule = {"required": ["b"], "properties": {"a": {"maxItems": 3}, "b": {}}, "anyOf": []}
    assert merged(schema, rule) == {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": "array", "maxItems": 3}, "b": {}},
        "anyOf": [],
    }
    assert schema["required"] == ["a"]


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        (if_type("a", {"required": ["x"]}), [{"type": "a", "x": 1}, {"type": "b"}, {}], {"type": "a"}),
        (if_key("a", {"required": ["x"]}), [{"a": 1, "x": 1}, {"b": 1}, {}], {"a": 1}),
    ],
)
def test_a_condition_applies_to_its_type_or_key_alone(schema: Json, valid: list[Json], invalid: Json) -> None:
    validator = Draft202012Validator(schema)
    assert all(map(validator.is_valid, valid))
    assert not validator.is_valid(invalid)
