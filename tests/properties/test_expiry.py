"""No issue has expired already."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given

import loyalty_rules as lr
from reference import documents
from shop import Serials, earn, evaluate, fixed, program, sale

from .examples import examples


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@examples(80)
@given(documents.cases())
def test_no_issue_expires_before_it_is_issued(case: tuple) -> None:
    program, event, snapshot = case
    known = lr.load_snapshot(snapshot) if snapshot is not None else None
    evaluation = lr.load_program(program).evaluate(lr.load_event(event), known, serials=Serials())
    for intent in lr.dump(evaluation)["intents"]:
        if intent.get("expires_on") is None:
            assert intent.get("expires_at") is None
            continue
        issued_at = instant(intent.get("due_at") or event["occurred_at"].replace("Z", "+00:00"))
        assert instant(intent["expires_at"]) > issued_at
        assert intent.get("issue_on") is None or intent["expires_on"] >= intent["issue_on"]


@pytest.mark.parametrize(
    ("on", "parts", "reason"),
    [
        ("2025-01-14", {}, "already_expired"),
        ("2025-01-15", {}, None),  # valid until the end of the day of the issue
        # The till's day goes before the clock, and the clock before the end of the day.
        ("2025-01-15", {"business_date": "2025-01-16"}, "already_expired"),
        ("2025-01-14", {"business_date": "2025-01-14"}, "already_expired"),
        ("2025-01-15", {"business_date": "2025-01-14"}, None),
    ],
)
def test_an_action_whose_expiry_is_past_issues_nothing(on: str, parts: dict, reason: str | None) -> None:
    rules = program(earn(fixed("1"), expiry={"type": "fixed_date", "on": on}))
    evaluation = evaluate(rules, sale(**parts))
    assert [entry["reason"] for entry in evaluation["skipped"]] == ([reason] if reason else [])


@pytest.mark.parametrize(("on", "reason"), [("2025-01-17", "already_expired"), ("2025-01-18", None)])
def test_an_action_whose_expiry_is_past_after_its_delay_promises_nothing(on: str, reason: str | None) -> None:
    rules = program(earn(fixed("1"), expiry={"type": "fixed_date", "on": on}, timing={"type": "delayed", "days": 3}))
    evaluation = evaluate(rules, sale())
    assert [entry["reason"] for entry in evaluation["skipped"]] == ([reason] if reason else [])
