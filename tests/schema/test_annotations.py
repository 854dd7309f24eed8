"""The schemas of annotations."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest

from loyalty_rules.rules.windows import Calendar, Window
from loyalty_rules.schema.annotations import annotation_schema
from loyalty_rules.schema.errors import UndeclaredSchemaError
from loyalty_rules.values.amounts import text_of
from loyalty_rules.values.dates import read_date, read_instant


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (bool, {"type": "boolean"}),
        (bool | None, {"type": ["boolean", "null"]}),
        (str, {"type": "string"}),
        (Decimal, {"$ref": text_of}),
        (Decimal | None, {"anyOf": [{"$ref": text_of}, {"type": "null"}]}),
        (date, {"$ref": read_date}),
        (datetime, {"$ref": read_instant}),
        (Literal["a"], {"const": "a"}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (Literal["a", "b"] | None, {"enum": ["a", "b", None]}),
        (tuple[str, ...], {"type": "array", "items": {"type": "string"}}),
        (Calendar, {"$ref": Calendar}),
        (Window, {"$ref": Window}),
    ],
)
def test_an_annotation_has_a_schema(annotation: Any, schema: dict) -> None:
    assert annotation_schema(annotation) == schema


@pytest.mark.parametrize("annotation", [complex, bytes, list[str], complex | None])
def test_another_annotation_is_an_error(annotation: Any) -> None:
    with pytest.raises(UndeclaredSchemaError, match="is not known"):
        annotation_schema(annotation)
