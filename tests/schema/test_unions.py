"""Unions of classes in a schema, and the events."""

from typing import Any

import pytest

from loyalty_rules.events import Activity, Return, Transaction
from loyalty_rules.rules.coupons import COUPON_EXPIRY
from loyalty_rules.rules.expiry import Expiry
from loyalty_rules.rules.windows import Calendar, Lifetime, RollingDays, Window
from loyalty_rules.schema.errors import UndeclaredSchemaError
from loyalty_rules.schema.unions import event_schema, union_name, union_schema


@pytest.mark.parametrize(
    ("union", "name"),
    [
        (Window, "window"),
        (RollingDays | Calendar | Lifetime, "window"),
        (Expiry, "expiry"),
        (COUPON_EXPIRY, "coupon_expiry"),
    ],
)
def test_a_union_has_a_name_in_any_order_of_its_classes(union: Any, name: str) -> None:
    assert union_name(union) == name


def test_another_union_is_an_error() -> None:
    with pytest.raises(UndeclaredSchemaError, match="has no name in the schema"):
        union_name(Lifetime | Calendar)


def test_a_union_is_selected_by_its_type() -> None:
    schema = union_schema(Window)
    assert schema["title"] == "Window"
    assert schema["properties"] == {"type": {"enum": ["lifetime", "calendar", "rolling"]}}
    assert [part["then"] for part in schema["allOf"]] == [{"$ref": Lifetime}, {"$ref": Calendar}, {"$ref": RollingDays}]
    assert schema["description"].splitlines()[0] == "One of"


def test_a_coupon_expiry_is_not_rolling() -> None:
    tags = union_schema(COUPON_EXPIRY)["properties"]["type"]["enum"]
    assert [*tags, "rolling"] == union_schema(Expiry)["properties"]["type"]["enum"]


def test_an_event_of_another_type_is_an_activity() -> None:
    *tagged, other = event_schema()["allOf"]
    assert {"$ref": Transaction} in [part["then"] for part in tagged]
    assert {"$ref": Return} in [part["then"] for part in tagged]
    assert other["else"] == {"$ref": Activity}
