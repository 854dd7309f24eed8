"""The schemas of classes."""

from typing import Any, ClassVar, Literal

import attrs
import pytest

from loyalty_rules.rules.conditions import EVENT_SCOPE, Scope
from loyalty_rules.schema.classes import Keyed, class_schema
from loyalty_rules.schema.errors import UndeclaredSchemaError
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_id
from loyalty_rules.values.json_schema import Json, schema_rules


def unresolved(declared: Json, _: Scope) -> Json:
    return declared


@attrs.frozen(field_transformer=checked)
class Wheel:
    """A wheel. It turns."""

    type: ClassVar[str] = "wheel"
    id: str = attrs.field(converter=read_id)
    size: Literal["small", "large"] = "small"
    note: str | None = attrs.field(default=None, eq=False)


@attrs.frozen(field_transformer=checked)
class Cart:
    """A cart."""

    format: Literal["cart/1"] = "cart/1"
    wheels: tuple[Wheel, ...] = attrs.field(default=(), metadata={"keyed": True})


def test_a_class_has_its_tag_its_fields_and_its_required_keys() -> None:
    assert class_schema(Wheel, EVENT_SCOPE, unresolved) == {
        "title": "Wheel",
        "description": "A wheel.",
        "type": "object",
        "properties": {
            "type": {"const": "wheel"},
            "id": {"$ref": read_id},
            "size": {"enum": ["small", "large", None], "default": "small"},
        },
        "required": ["type", "id"],
        "additionalProperties": False,
    }


def test_a_keyed_object_has_no_id_of_its_own() -> None:
    schema = class_schema(Wheel, EVENT_SCOPE, unresolved, keyed=True)
    assert [*schema["properties"]] == ["type", "size"]
    assert schema["required"] == ["type"]


def test_keyed_parts_are_an_object_by_their_ids() -> None:
    assert class_schema(Cart, EVENT_SCOPE, unresolved)["properties"]["wheels"] == {
        "type": ["object", "null"],
        "propertyNames": {"$ref": read_id},
        "additionalProperties": {"anyOf": [{"$ref": Keyed(Wheel)}, {"type": "null"}]},
        "default": {},
    }


def test_the_field_that_names_the_kind_of_document_is_required() -> None:
    schema = class_schema(Cart, EVENT_SCOPE, unresolved)
    assert schema["required"] == ["format"]
    assert schema["properties"]["format"] == {"const": "cart/1"}


def checks_together(*rules: Json) -> type:
    @schema_rules(*rules)
    @attrs.frozen
    class Pair:
        """A pair."""

        def __attrs_post_init__(self) -> None:
            pass

    return Pair


def test_the_rules_of_a_class_are_merged_into_its_schema() -> None:
    rules: Any = ({"required": ["a"]}, {"required": ["b"]})
    assert class_schema(checks_together(*rules), EVENT_SCOPE, unresolved)["required"] == ["a", "b"]
    assert "required" not in class_schema(checks_together(), EVENT_SCOPE, unresolved)


def test_a_class_that_checks_its_fields_together_must_declare_its_rules() -> None:
    @attrs.frozen
    class Pair:
        """A pair."""

        def __attrs_post_init__(self) -> None:
            pass

    with pytest.raises(UndeclaredSchemaError, match="Pair checks its fields together and declares no schema_rules"):
        class_schema(Pair, EVENT_SCOPE, unresolved)
