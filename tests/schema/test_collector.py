"""The collector: references to Python objects become definitions."""

import attrs
import pytest

from loyalty_rules.rules.conditions import ANNIVERSARY_SCOPE, EVENT_SCOPE, LINE_SCOPE, Condition, Not, Scope
from loyalty_rules.rules.windows import Calendar, Window
from loyalty_rules.schema.collector import Collector
from loyalty_rules.schema.errors import UndeclaredSchemaError
from loyalty_rules.values.amounts import read_count
from loyalty_rules.values.identifiers import read_id
from loyalty_rules.values.json_schema import declare


def test_a_reader_with_a_name_becomes_one_definition() -> None:
    collector = Collector()
    resolved = collector.resolve([{"$ref": read_id}, {"$ref": read_id, "not": {"const": "x"}}], EVENT_SCOPE)
    assert resolved == [{"$ref": "#/$defs/id"}, {"$ref": "#/$defs/id", "not": {"const": "x"}}]
    assert [*collector.definitions] == ["id"]


def test_the_schema_of_a_reader_without_a_name_is_inserted() -> None:
    collector = Collector()
    assert collector.resolve({"items": {"$ref": read_count}}, EVENT_SCOPE) == {
        "items": {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999}
    }
    assert collector.definitions == {}


def test_a_class_and_a_union_become_definitions_with_their_parts() -> None:
    collector = Collector()
    assert collector.resolve({"$ref": Window}, EVENT_SCOPE) == {"$ref": "#/$defs/window"}
    assert [*collector.definitions] == ["window", "lifetime", "calendar", "rolling_days"]
    assert collector.resolve({"$ref": Calendar}, EVENT_SCOPE) == {"$ref": "#/$defs/calendar"}


@pytest.mark.parametrize(
    ("target", "scope", "name"),
    [
        (Condition, EVENT_SCOPE, "event_condition"),
        (Condition, LINE_SCOPE, "line_condition"),
        (Not, LINE_SCOPE, "line_not"),
        (Scope, LINE_SCOPE, "line_path"),
        (ANNIVERSARY_SCOPE, EVENT_SCOPE, "anniversary_path"),
    ],
)
def test_conditions_and_paths_have_definitions_for_each_scope(target: object, scope: Scope, name: str) -> None:
    collector = Collector()
    assert collector.resolve({"$ref": target}, scope) == {"$ref": f"#/$defs/{name}"}
    assert name in collector.definitions


def test_plain_json_schema_stays_as_it_is() -> None:
    schema = {"$ref": "#/$defs/id", "enum": [1, None, "a"], "properties": {"a": {}}}
    assert Collector().resolve(schema, EVENT_SCOPE) == schema


def test_a_reader_without_a_declaration_is_an_error() -> None:
    def read_colour(value: str) -> str:
        return value

    with pytest.raises(UndeclaredSchemaError, match="read_colour declares no JSON Schema"):
        Collector().resolve({"$ref": read_colour}, EVENT_SCOPE)


def test_two_definitions_with_one_name_are_an_error() -> None:
    def read_other(value: str) -> str:
        return value

    @attrs.frozen
    class Id:
        """An id."""

    declare(read_other, {"type": "string"}, name="id")
    for target in (read_other, Id):
        with pytest.raises(UndeclaredSchemaError, match="two definitions would have the name id"):
            Collector().resolve([{"$ref": read_id}, {"$ref": target}], EVENT_SCOPE)
