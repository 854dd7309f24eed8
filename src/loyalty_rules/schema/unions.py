"""Unions of classes that differ in their `type`, each with its name in the schema."""

from collections.abc import Mapping
from typing import Any, get_args

from loyalty_rules import events, intents
from loyalty_rules.documents.structuring import tags_of
from loyalty_rules.rules import base_values, coupons, expiry, promotions, proration, tiers, timing, trackers, windows
from loyalty_rules.schema.combining import if_type
from loyalty_rules.schema.errors import UndeclaredSchemaError
from loyalty_rules.schema.wording import bullet_points, title_of
from loyalty_rules.values.identifiers import read_name
from loyalty_rules.values.json_schema import Json

__all__ = ["event_schema", "union_name", "union_schema"]

_UNIONS: Mapping[str, Any] = {
    "action": promotions.Action,
    "base_value": base_values.BaseValue,
    "base_of_event": base_values.Comparable,
    "benefit": coupons.Benefit,
    "coupon_expiry": coupons.COUPON_EXPIRY,
    "expiry_of_level": tiers.Lasts,
    "expiry": expiry.Expiry,
    "intent": intents.Intent,
    "measure_of_tracker": trackers.MeasuredBy,
    "proration": proration.Proration,
    "timing": timing.Timing,
    "window": windows.Window,
    "worth": coupons.WORTH,
}


def union_name(union: Any) -> str:
    """Return the name of a union in the schema."""
    classes = set(get_args(union))
    for name, known in _UNIONS.items():
        if set(get_args(known)) == classes:
            return name
    raise UndeclaredSchemaError(f"the union {union} has no name in the schema")


def union_schema(union: Any) -> Json:
    """Return the schema of the documents of a union."""
    # If and then, not oneOf: an editor then reports the problems of the class that was meant, not of every class.
    tags = tags_of(union)
    return {
        "title": title_of(union_name(union)),
        "description": f"One of\n{bullet_points(tags)}",
        "type": "object",
        "properties": {"type": {"enum": [*tags]}},
        "required": ["type"],
        "allOf": [if_type(tag, {"$ref": cls}) for tag, cls in tags.items()],
    }


def event_schema() -> Json:
    """Return the schema of an event: a type that is none of the four documents is the name of an activity."""
    tags = events.EVENT_TYPES
    return {
        "description": f"What happened: an activity, by the name of its type, or one of\n{bullet_points(tags)}",
        "type": "object",
        "properties": {"type": {"$ref": read_name, "examples": [*tags, "registration"]}},
        "required": ["type"],
        "allOf": [
            *(if_type(tag, {"$ref": cls}) for tag, cls in tags.items()),
            {"if": {"properties": {"type": {"enum": [*tags]}}}, "else": {"$ref": events.Activity}},
        ],
    }
