"""The interpreter agrees with the worked cases, and the strategies reach all its decisions."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lifecycle.laws import is_broken

from .amounts import split, text
from .conditions import echoed
from .dates import add_period, next_anniversary, same_wall_time, start_of
from .documents import cases
from .interpreter import evaluate

CONFORMANCE = Path(__file__).parent.parent / "conformance"
INTENTS = {
    "issue_currency issued",
    "issue_currency promised",
    "issue_coupon",
    "send_message",
    "extend_expiry",
    "advance_tracker",
    "change_tier",
    "spend_currency",
}
REASONS = {
    "excluded_by",
    "no_member",
    "no_group",
    "missing_field",
    "invalid_field",
    "no_matching_lines",
    "no_exchange_rate",
    "zero_amount",
    "already_expired",
    "cap_reached",
    "not_enough",
    "same_member",
}


def vectors() -> list:
    return [
        pytest.param(case, id=f"{path.stem}-{case['name']}")
        for path in sorted(CONFORMANCE.glob("*.json"))
        for case in json.loads(path.read_text(encoding="utf-8"))
    ]


def agrees(found: list[dict], expected: list[dict]) -> bool:
    """Return whether there are as many entries, in that order, each with at least its expected keys."""
    return len(found) == len(expected) and all(
        {**entry, **wanted} == entry for entry, wanted in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("case", vectors())
def test_a_worked_case_has_its_expected_result(case: dict) -> None:
    evaluation = evaluate(case["program"], case["event"], case.get("snapshot"))
    for part, expected in case["expect"].items():
        assert agrees(evaluation[part], expected), (evaluation[part], expected)


@pytest.mark.slow
def test_random_cases_reach_every_kind_of_intent_and_every_reason() -> None:
    kinds, reasons = set(), set()

    def something_is_missing(case: tuple) -> None:
        evaluation = evaluate(*case)
        kinds.update(f"{intent['type']} {intent.get('state', '')}".strip() for intent in evaluation["intents"])
        reasons.update(entry["reason"] for entry in evaluation["skipped"])
        assert not (kinds >= INTENTS and reasons >= REASONS)

    is_broken(something_is_missing, cases(), tries=500)  # it ends once nothing is missing
    assert kinds == INTENTS
    assert reasons == REASONS


@pytest.mark.parametrize(
    ("zone", "day", "starts_at"),
    [
        ("Europe/Berlin", date(2025, 3, 30), "2025-03-30T00:00:00+01:00"),
        ("America/Santiago", date(2024, 9, 8), "2024-09-08T01:00:00-03:00"),
        ("Africa/Cairo", date(2024, 4, 26), "2024-04-26T01:00:00+03:00"),
        ("America/Havana", date(2025, 3, 9), "2025-03-09T01:00:00-04:00"),
        ("America/Havana", date(2025, 11, 2), "2025-11-02T00:00:00-04:00"),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-31T00:00:00+14:00"),
        ("America/Toronto", date(1919, 3, 31), "1919-03-31T00:30:00-04:00"),
    ],
)
def test_a_local_day_starts_at_its_first_instant(zone: str, day: date, starts_at: str) -> None:
    assert start_of(day, ZoneInfo(zone)).isoformat() == starts_at


@pytest.mark.parametrize(
    ("zone", "day", "days", "due_at"),
    [
        ("Europe/Berlin", date(2025, 3, 29), 1, "2025-03-30T03:30:00+02:00"),
        ("Europe/Berlin", date(2025, 10, 25), 1, "2025-10-26T02:30:00+02:00"),
        ("Pacific/Apia", date(2011, 12, 29), 1, "2011-12-31T02:30:00+14:00"),
    ],
)
def test_a_delay_keeps_the_wall_time(zone: str, day: date, days: int, due_at: str) -> None:
    occurred_at = start_of(day, ZoneInfo(zone)).replace(hour=2, minute=30)
    assert same_wall_time(occurred_at, days, ZoneInfo(zone)).isoformat() == due_at


def test_periods_are_clamped_once_and_anniversaries_recur() -> None:
    assert add_period(date(2024, 1, 31), {"months": 1, "days": 1}) == date(2024, 3, 1)
    assert add_period(date(2024, 2, 29), {"years": 1}) == date(2025, 2, 28)
    assert next_anniversary(2, 29, date(2023, 2, 28)) == date(2024, 2, 29)
    assert next_anniversary(2, 29, date(2025, 2, 28)) == date(2026, 2, 28)
    assert next_anniversary(12, 31, date(9999, 12, 31)) is None


def test_shares_are_rounded_by_largest_remainder() -> None:
    weights = [Fraction(4300), Fraction(1400), Fraction(2300)]
    assert [text(share) for share in split(Fraction(299), weights, 0)] == ["161", "52", "86"]
    assert [text(share) for share in split(Fraction(5, 2), [Fraction(0)] * 2, 0)] == ["1.3", "1.2"]


def test_a_promise_repeats_its_condition_in_canonical_text() -> None:
    condition = {
        "all": [
            {"field": "amount", "in": ["1.50", 7, "abc"], "is": None},
            {"field": "custom_fields.tip", "is": "1.50"},
            {"lines": {"field": "quantity", "at_least": 2, "exists": True}, "value": {"less_than": "10.0"}},
        ]
    }
    assert echoed(condition) == {
        "all": [
            {"field": "amount", "in": ["1.5", "7", "abc"]},
            {"field": "custom_fields.tip", "is": "1.50"},
            {"lines": {"field": "quantity", "at_least": "2", "exists": True}, "value": {"less_than": "10"}},
        ]
    }
