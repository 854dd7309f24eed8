"""Conditions and paths: their schemas differ by the scope of the condition, an event or a line."""

import re
from collections.abc import Mapping
from typing import Any, get_args

import attrs

from loyalty_rules.documents.structuring import key_of
from loyalty_rules.rules.conditions import (
    ANNIVERSARY_SCOPE,
    CONTRIBUTION_SCOPE,
    EVENT_SCOPE,
    LINE_SCOPE,
    TEXT_SCOPE,
    Anniversary,
    BaseTest,
    Condition,
    LineTest,
    Sample,
    Scope,
    TierTest,
    TrackerTest,
)
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.schema.combining import if_key
from loyalty_rules.schema.wording import bullet_points, description_of, title_of
from loyalty_rules.values.json_schema import Json

__all__ = ["condition_schema", "is_condition", "is_condition_union", "path_schema", "scope_name", "scope_of_field"]

_SCOPE_NAMES: Mapping[Scope, str] = {
    EVENT_SCOPE: "event",
    CONTRIBUTION_SCOPE: "measured_event",
    LINE_SCOPE: "line",
    ANNIVERSARY_SCOPE: "anniversary",
    TEXT_SCOPE: "text",
}


def scope_name(scope: Scope) -> str:
    """Return the prefix that a scope gives to the names of its definitions."""
    return _SCOPE_NAMES[scope]


def is_condition(cls: type) -> bool:
    """Return whether a class is one of the conditions."""
    return cls in get_args(Condition)


def is_condition_union(union: Any) -> bool:
    """Return whether a union is that of all conditions."""
    return set(get_args(union)) == set(get_args(Condition))


def scope_of_field(cls: type, key: str, scope: Scope) -> Scope:
    """Return the scope of the conditions under a key of a class that itself has a scope."""
    if key == "lines":
        return LINE_SCOPE
    if cls is Tracker:
        return CONTRIBUTION_SCOPE
    return scope if is_condition(cls) else EVENT_SCOPE


def condition_schema(scope: Scope) -> Json:
    """Return the schema of the conditions that are allowed in a scope; the key of a document selects the class."""
    classes = {_selecting_key(cls): cls for cls in get_args(Condition) if _is_allowed(cls, scope)}
    return {
        "title": title_of(f"condition on {scope.name}"),
        "description": f"A condition on {scope.name}. Its key is one of\n{bullet_points(classes)}",
        "type": "object",
        "properties": {key: {"description": description_of(cls)} for key, cls in classes.items()},
        "anyOf": [{"required": [key]} for key in classes],
        "allOf": [if_key(key, {"$ref": cls}) for key, cls in classes.items()],
    }


def _is_allowed(cls: type, scope: Scope) -> bool:
    if cls is TrackerTest:
        return scope.tracker_tests
    return scope.line_tests or cls not in (LineTest, Anniversary, BaseTest, TierTest, Sample)


def _selecting_key(cls: type) -> str:
    """Return the key that tells a condition from the others: that of its first required field."""
    required: list[str] = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
    return key_of(required[0])


def path_schema(scope: Scope) -> Json:
    """Return the schema of the paths of a scope: the named ones, and the families whose last part the host names."""
    families = "|".join(re.escape(family) for family in scope.families)
    return {
        "title": title_of(f"path of {scope.name}"),
        "description": "A path: " + ", ".join([*scope.paths, *(f"{each}NAME" for each in scope.families)]),
        "type": "string",
        "anyOf": [{"enum": [*scope.paths]}, {"pattern": rf"^(?:{families})[\s\S]{{1,128}}$"}],
    }
