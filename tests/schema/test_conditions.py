"""Conditions and paths by their scope."""

import pytest

from loyalty_rules.rules.conditions import (
    ANNIVERSARY_SCOPE,
    CONTRIBUTION_SCOPE,
    EVENT_SCOPE,
    LINE_SCOPE,
    AllOf,
    Condition,
    LineTest,
    Scope,
)
from loyalty_rules.rules.promotions import Promotion
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.rules.windows import Window
from loyalty_rules.schema.conditions import (
    condition_schema,
    is_condition,
    is_condition_union,
    path_schema,
    scope_name,
    scope_of_field,
)


@pytest.mark.parametrize(
    ("scope", "name", "keys"),
    [
        (
            EVENT_SCOPE,
            "event",
            ["all", "any", "not", "field", "lines", "anniversary", "tracker", "base", "tier", "sample"],
        ),
        (
            CONTRIBUTION_SCOPE,
            "measured_event",
            ["all", "any", "not", "field", "lines", "anniversary", "base", "tier", "sample"],
        ),
        (LINE_SCOPE, "line", ["all", "any", "not", "field"]),
    ],
)
def test_a_scope_allows_its_conditions(scope: Scope, name: str, keys: list[str]) -> None:
    schema = condition_schema(scope)
    assert scope_name(scope) == name
    assert [*schema["properties"]] == keys
    assert [part["required"] for part in schema["anyOf"]] == [[key] for key in keys]


@pytest.mark.parametrize(
    ("cls", "key", "scope", "expected"),
    [
        (Promotion, "when", EVENT_SCOPE, EVENT_SCOPE),
        (Tracker, "when", EVENT_SCOPE, CONTRIBUTION_SCOPE),
        (LineTest, "lines", CONTRIBUTION_SCOPE, LINE_SCOPE),
        (AllOf, "all", CONTRIBUTION_SCOPE, CONTRIBUTION_SCOPE),
        (AllOf, "all", LINE_SCOPE, LINE_SCOPE),
        (Promotion, "actions", LINE_SCOPE, EVENT_SCOPE),
    ],
)
def test_a_field_has_the_scope_of_its_conditions(cls: type, key: str, scope: Scope, expected: Scope) -> None:
    assert scope_of_field(cls, key, scope) is expected


def test_only_the_conditions_are_conditions() -> None:
    assert is_condition(AllOf)
    assert not is_condition(Tracker)
    assert is_condition_union(Condition)
    assert not is_condition_union(Window)


def test_the_paths_of_a_scope_are_names_and_families() -> None:
    names, families = path_schema(ANNIVERSARY_SCOPE)["anyOf"]
    assert names == {"enum": ["member.registered_on"]}
    assert families == {"pattern": r"^(?:member\.extended_fields\.)[\s\S]{1,128}$"}
