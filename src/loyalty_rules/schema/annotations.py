"""Annotations: the schema of a field that has no reader of its own."""

import types
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from loyalty_rules.rules.texts import Text, read_text_by_language
from loyalty_rules.schema.combining import or_null
from loyalty_rules.schema.errors import UndeclaredSchemaError
from loyalty_rules.values.amounts import text_of
from loyalty_rules.values.dates import read_date, read_instant
from loyalty_rules.values.json_schema import Json

__all__ = ["annotation_schema"]

_PLAIN: Mapping[Any, Json] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    Decimal: {"$ref": text_of},
    date: {"$ref": read_date},
    datetime: {"$ref": read_instant},
}
"""Flags, and the plain values of an evaluation, which is only ever written."""


def annotation_schema(annotation: Any) -> Json:
    """Return the schema of the documents of the values that an annotation allows."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return {"const": arguments[0]} if len(arguments) == 1 else {"enum": [*arguments]}
    if origin is tuple:
        return {"type": "array", "items": annotation_schema(arguments[0])}
    if origin in (Union, types.UnionType):
        alternatives = tuple(each for each in arguments if each is not types.NoneType)
        if set(alternatives) == set(get_args(Text)):
            text: Json = {"$ref": read_text_by_language}
            return text if len(alternatives) == len(arguments) else or_null(text)
        if len(alternatives) < len(arguments):
            return or_null(annotation_schema(Union[alternatives]))  # noqa: UP007  (made, not written)
        return {"$ref": annotation}
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if attrs.has(annotation):
        return {"$ref": annotation}
    raise UndeclaredSchemaError(f"the schema of the annotation {annotation} is not known")
