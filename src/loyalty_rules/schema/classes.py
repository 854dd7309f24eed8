"""Classes: the schema of the documents of one class, field by field."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args, get_origin

import attrs

from loyalty_rules.documents.structuring import fields_of, is_keyed, unstructure
from loyalty_rules.rules.conditions import Scope
from loyalty_rules.schema.annotations import annotation_schema
from loyalty_rules.schema.combining import merged, or_null
from loyalty_rules.schema.conditions import scope_of_field
from loyalty_rules.schema.errors import UndeclaredSchemaError
from loyalty_rules.schema.wording import description_of, title_of
from loyalty_rules.values.checked import named_reader_of
from loyalty_rules.values.json_schema import Json, rules_of

__all__ = ["Keyed", "class_schema"]

Resolve: TypeAlias = Callable[[Json, Scope], Json]


@attrs.frozen
class Keyed:
    """A reference to the objects of a class whose id is the key that they are written under."""

    cls: type


def class_schema(cls: type, scope: Scope, resolve: Resolve, *, keyed: bool = False) -> Json:
    """Return the schema of the objects of a class; with `keyed`, they have no id of their own.

    `resolve` replaces the references of a declaration.
    """
    tag = getattr(cls, "type", None)
    properties: Json = {"type": {"const": tag}} if isinstance(tag, str) else {}
    required = [*properties]
    for key, field in fields_of(cls).items():
        if not field.eq or (keyed and key == "id"):  # a field that is not compared is not written
            continue
        try:
            properties[key] = _field_schema(field, scope_of_field(cls, key, scope), resolve)
        except UndeclaredSchemaError as error:
            raise UndeclaredSchemaError(f"{cls.__name__}.{field.name}: {error}") from None
        if _is_required(field):
            required.append(key)
    body = {
        "title": title_of(cls.__name__),
        "description": description_of(cls),
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }
    for rule in _rules_of(cls):
        body = merged(body, rule)
    return body


def _rules_of(cls: type) -> tuple[Json, ...]:
    rules = rules_of(cls)
    if rules is None and hasattr(cls, "__attrs_post_init__"):
        raise UndeclaredSchemaError(f"{cls.__name__} checks its fields together and declares no schema_rules")
    return rules or ()


# -- fields ----------------------------------------------------------------------------------------------------------


def _field_schema(field: "attrs.Attribute[Any]", scope: Scope, resolve: Resolve) -> Json:
    schema = resolve(_accepted(field), scope)
    return schema if _is_required(field) else {**or_null(schema), **_default(field)}


def _accepted(field: "attrs.Attribute[Any]") -> Json:
    if is_keyed(field):
        return _keyed_schema(get_args(field.type)[0])
    read = named_reader_of(field)
    return annotation_schema(field.type) if read is None else {"$ref": read}


def _keyed_schema(cls: type) -> Json:
    return {
        "type": "object",
        "propertyNames": _accepted(fields_of(cls)["id"]),
        "additionalProperties": or_null({"$ref": Keyed(cls)}),
    }


def _is_required(field: "attrs.Attribute[Any]") -> bool:
    """Return whether a document must have a field: one without default, or one that names the kind of document."""
    names_kind = get_origin(field.type) is Literal and len(get_args(field.type)) == 1
    return names_kind or field.default is attrs.NOTHING


def _default(field: "attrs.Attribute[Any]") -> Json:
    default: Any = field.default
    if getattr(default, "takes_self", False):
        return {}  # it depends on other fields
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    if default is None:
        return {}
    return {"default": {} if is_keyed(field) and not default else _without_nulls(unstructure(default))}


def _without_nulls(document: Any) -> Any:
    if not isinstance(document, dict):
        return document
    return {key: _without_nulls(each) for key, each in document.items() if each is not None}
