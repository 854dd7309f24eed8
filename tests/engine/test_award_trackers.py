"""Trackers of awards: which issues of an event count. Source: semantics 7a and 17."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from loyalty_rules.engine.award_trackers import award_trackers
from shop import earn, evaluate, fixed, program, sale

AWARDS = {"type": "awarded", "currency": "points"}
GROUP = {"id": "M1", "group": "G1"}


def tracked(*actions: dict, event: dict | None = None, **tracker: object) -> dict[str, str]:
    """The advance of a tracker of awards, by tracker."""
    trackers = {"earned": {"measure": AWARDS, "target": "100", **tracker}}
    document = program(*actions, trackers=trackers, currencies={"points": {}, "stars": {}})
    intents = evaluate(document, event or sale("50"))["intents"]
    return {each["tracker"]: each["value"] for each in intents if each["type"] == "advance_tracker"}


def test_only_trackers_that_measure_awards_are_bound() -> None:
    trackers = {"earned": {"measure": AWARDS, "target": "1"}, "visits": {"measure": {"type": "count"}, "target": "1"}}
    loaded = lr.load_program(program(earn(fixed("1")), trackers=trackers)).trackers

    assert [(each.id, each.currency, each.is_of_group) for each in award_trackers(loaded)] == [
        ("earned", "points", False)
    ]


def test_issued_and_promised_units_of_the_currency_count() -> None:
    actions = [
        earn(fixed("7")),
        earn(fixed("5"), "later", timing={"type": "external"}),
        earn(fixed("9"), "stars", currency="stars"),
    ]
    assert tracked(*actions) == {"earned": "12"}


def test_units_count_after_caps() -> None:
    assert tracked(earn(fixed("7"), caps={"per_event": "4"})) == {"earned": "4"}


def test_the_account_of_the_tracker_counts() -> None:
    own, shared = earn(fixed("7")), earn(fixed("5"), "shared", recipient="member_group")
    event = sale("50", member=GROUP)

    assert tracked(own, shared, event=event) == {"earned": "7"}
    assert tracked(own, shared, event=event, per="member_group") == {"earned": "5"}


def test_a_member_without_a_group_advances_no_tracker_of_groups() -> None:
    assert tracked(earn(fixed("7")), per="member_group") == {}


def test_an_anonymous_event_advances_nothing() -> None:
    assert tracked(earn(fixed("7")), event=sale("50", member=None)) == {}


@pytest.mark.parametrize(("store", "advances"), [("S1", {"earned": "7"}), ("S2", {})])
def test_awards_count_only_if_the_condition_holds(store: str, advances: dict[str, str]) -> None:
    when = {"field": "store", "is": "S1"}
    assert tracked(earn(fixed("7")), event=sale("50", store=store), when=when) == advances


def test_the_award_of_an_activity_counts() -> None:
    trackers = {"earned": {"measure": AWARDS, "target": "100"}}
    document = program(trackers=trackers, promotions=[{"id": "p", "trigger": "visit", "actions": [earn(fixed("7"))]}])
    visit = {"type": "visit", "id": "V", "occurred_at": "2025-01-15T10:00:00Z", "member": {"id": "M1"}}

    assert [(each["type"], each.get("value")) for each in evaluate(document, visit)["intents"]] == [
        ("issue_currency", None),
        ("advance_tracker", "7"),
    ]


def test_conditions_and_bases_of_the_event_see_a_contribution_of_zero() -> None:
    reached = {"id": "again", "when": {"tracker": "earned", "reached": True}, "actions": [earn(fixed("1"))]}
    document = program(
        trackers={"earned": {"measure": AWARDS, "target": "5"}},
        promotions=[{"id": "p", "actions": [earn(fixed("7"))]}, reached],
    )
    assert [each["value"] for each in evaluate(document, sale())["intents"] if each["type"] == "advance_tracker"] == [
        "7"
    ]
