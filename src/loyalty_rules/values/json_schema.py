"""The JSON Schema that a reader or a class declares beside its definition; the package `schema` collects them.

A declaration is plain JSON Schema with one addition: `$ref` may refer to a Python object. A reader stands for the
values that it accepts, a class or a union of classes for the documents of its values. Source: documents.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import attrs

__all__ = [
    "Declaration",
    "Json",
    "any_of",
    "at_most_items",
    "at_most_one_of",
    "declaration_of",
    "declare",
    "given",
    "one_of",
    "rules_of",
    "schema_rules",
    "text_schema",
    "whole_number_schema",
]

Json: TypeAlias = dict[str, Any]
AnyClass = TypeVar("AnyClass", bound=type)

_DECLARATION = "json_schema"
_RULES = "json_schema_rules"


@attrs.frozen
class Declaration:
    """The JSON Schema of the values that a reader accepts; with a name, one definition that its uses share."""

    schema: Json
    name: str | None = None


def declare(function: Callable[..., Any], schema: Json, *, name: str | None = None) -> None:
    """Declare the JSON Schema of the values that a reader accepts, or that a writer writes.

    A statement after the function and not a decorator: mypy infers the parameter of a constructor from the
    converter only if that is a plain function.
    """
    setattr(function, _DECLARATION, Declaration(schema, name))


def declaration_of(function: Callable[..., Any]) -> Declaration | None:
    """Return the declaration of a reader or a writer, or None if it has none."""
    declaration: Declaration | None = getattr(function, _DECLARATION, None)
    return declaration


def schema_rules(*rules: Json) -> Callable[[AnyClass], AnyClass]:
    """Declare the rules of a class that no field has alone: a class decorator.

    Each rule is a JSON Schema that is merged into the schema of the class. No rules at all means that its
    `__attrs_post_init__` checks only rules that JSON Schema cannot express.
    """

    def decorate(cls: AnyClass) -> AnyClass:
        setattr(cls, _RULES, rules)
        return cls

    return decorate


def rules_of(cls: type) -> tuple[Json, ...] | None:
    """Return the rules that a class declares itself, or None if it declares none; those of a base do not count."""
    rules: tuple[Json, ...] | None = vars(cls).get(_RULES)
    return rules


# -- parts of declarations -------------------------------------------------------------------------------------------


def text_schema(description: str, pattern: str, **more: Any) -> Json:
    """Return the schema of a text that matches a pattern from end to end."""
    return {"description": description, "type": "string", "pattern": f"^(?:{pattern})$", **more}


def whole_number_schema(least: int, most: int) -> Json:
    """Return the schema of a whole number from `least` to `most`."""
    return {"type": "integer", "minimum": least, "maximum": most}


def given(key: str) -> Json:
    """Return the rule that a key is present and not null, since null means absent."""
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def one_of(*keys: str) -> Json:
    """Return the rule that exactly one of the keys is given."""
    return {"oneOf": [given(key) for key in keys]}


def any_of(*keys: str) -> Json:
    """Return the rule that at least one of the keys is given."""
    return {"anyOf": [given(key) for key in keys]}


def at_most_one_of(*keys: str) -> Json:
    """Return the rule that no two of the keys are given."""
    return {
        "allOf": [
            {"if": given(key), "then": {"properties": {other: {"type": "null"} for other in keys if other != key}}}
            for key in keys
        ]
    }


def at_most_items(key: str, most: int) -> Json:
    """Return the rule that the list under a key has at most so many items."""
    return {"properties": {key: {"maxItems": most}}}
