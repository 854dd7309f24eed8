"""Changes of level at the sale, with values worked out by hand. Source: semantics 14."""

from __future__ import annotations

from typing import Any

import pytest

from shop import earn, evaluate, fixed, program, sale

SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "1000"}}
STATUS: dict[str, Any] = {
    "levels": ["bronze", "silver", "gold"],
    "by": "spend",
    "from": {"silver": "1000", "gold": "5000"},
    "lasts": {"type": "fixed_period", "after": {"years": 1}, "through": "year"},
}


def changes(amount: str, before: str = "0", level: str = "bronze", until: str | None = None, **parts: Any) -> list:
    """The changes of level: from, to and last day."""
    trackers = parts.pop("trackers", SPEND)
    event = parts.pop("event", sale(amount))
    document = program(earn(fixed("1")), trackers=trackers, tiers={"status": {**STATUS, **parts}})
    snapshot = {"trackers": {"spend": before}, "tiers": {"status": {"level": level, "until": until}}}
    intents = evaluate(document, event, snapshot)["intents"]
    return [(each["from_level"], each["to_level"], each["until"]) for each in intents if each["type"] == "change_tier"]


@pytest.mark.parametrize(
    ("amount", "before", "expected"),
    [
        ("999", "0", []),
        ("1", "999", [("bronze", "silver", "2026-12-31")]),
        ("5000", "0", [("bronze", "gold", "2026-12-31")]),  # a jump is one change
    ],
)
def test_the_level_becomes_the_highest_that_the_tracker_reaches(amount: str, before: str, expected: list) -> None:
    assert changes(amount, before) == expected


@pytest.mark.parametrize(
    ("level", "until", "expected"),
    [
        ("silver", "2025-12-31", [("silver", "silver", "2026-12-31")]),
        ("silver", "2026-12-31", []),
        ("silver", "2027-12-31", []),
        ("silver", None, []),  # without end is later than any day
        ("gold", "2025-12-31", []),  # silver is reached, gold is not
        ("platinum", "2025-12-31", [("platinum", "silver", "2026-12-31")]),  # no longer a level
    ],
)
def test_reaching_the_present_level_again_moves_its_last_day_later(level: str, until: str, expected: list) -> None:
    assert changes("1", "2000", level, until) == expected


@pytest.mark.parametrize(
    ("lasts", "until"), [({"type": "never"}, None), ({"type": "fixed_date", "on": "2024-12-31"}, "2024-12-31")]
)
def test_a_level_lasts_without_end_or_until_a_day_that_may_be_past(lasts: dict, until: str | None) -> None:
    assert changes("1000", lasts=lasts) == [("bronze", "silver", until)]


def test_a_level_without_end_follows_one_with_a_last_day() -> None:
    assert changes("1", "2000", "silver", "2025-12-31", lasts={"type": "never"}) == [("silver", "silver", None)]


def test_a_last_day_is_in_the_year_9998_at_most() -> None:
    lasts = {"type": "fixed_period", "after": {"years": 90}}
    event = sale("1000", occurred_at="9990-01-01T12:00:00Z")

    assert changes("1000", lasts=lasts, event=event) == [("bronze", "silver", "9998-12-31")]


def test_an_event_that_contributes_nothing_moves_no_level() -> None:
    assert changes("0", "2000") == []
    assert changes("50", "2000", event=sale("50", member=None)) == []


def test_the_change_is_the_last_intent_and_has_the_key_of_its_event() -> None:
    document = program(earn(fixed("1")), trackers=SPEND, tiers={"status": STATUS})
    change = evaluate(document, sale("1000"))["intents"][-1]

    assert change == {
        "type": "change_tier",
        "key": "acme/T-1/tier/status",
        "tier": "status",
        "member": "M1",
        "group": None,
        "from_level": "bronze",
        "to_level": "silver",
        "on": "2025-01-15",
        "until": "2026-12-31",
    }


def test_a_level_by_a_tracker_of_the_group_is_the_groups() -> None:
    trackers = {"spend": {**SPEND["spend"], "per": "member_group"}}
    document = program(earn(fixed("1")), trackers=trackers, tiers={"status": STATUS})
    change = evaluate(document, sale("1000", member={"id": "M1", "group": "home"}))["intents"][-1]

    assert (change["type"], change["member"], change["group"]) == ("change_tier", "M1", "home")
