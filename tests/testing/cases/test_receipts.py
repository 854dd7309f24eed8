"""The expectations of results: each finds a difference, and none if there is none."""

from __future__ import annotations

from typing import Any

import pytest

from .small_cases import AT, SALE, SELL, wrong

SPEND = {"do": "spend", "member": "anna", "currency": "points", "amount": "40", "event": "S1", "at": AT, "as": "spend"}


@pytest.mark.parametrize(
    ("step", "expect"),
    [
        (SELL, {"counts": {"issue_coupon": 1}, "sums": {"issue_currency": "100.00"}}),
        (SELL, {"intents": [{"type": "issue_currency", "amount": "100"}, {"type": "issue_coupon"}]}),
        (SELL, {"trims": []}),
        ({"do": "evaluate", "event": SALE}, {"skipped": []}),
        ({"do": "load", "program": "program"}, {"status": "loaded"}),
        (SPEND, {"refusal": ["insufficient"]}),
    ],
)
def test_a_result_as_expected_has_no_difference(step: dict[str, Any], expect: dict[str, Any]) -> None:
    assert wrong({**step, "expect": expect}) == []


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ({"counts": {"issue_coupon": 2}}, "the number of issue_coupon: expected 2, found 1"),
        ({"sums": {"issue_currency": "99"}}, "the sum of issue_currency: expected 99, found 100"),
        ({"status": "already_recorded"}, "status: expected already_recorded, found recorded"),
        ({"refusal": ["expired"]}, "status: expected refused, found recorded"),
        ({"shares": {"1": "5"}}, "the lines of shares: expected ['1'], found []"),
    ],
)
def test_a_difference_is_said(expect: dict[str, Any], difference: str) -> None:
    assert wrong({**SELL, "expect": expect})[0] == f"steps[0] (process): {difference}"


def test_an_unknown_expectation_is_said() -> None:
    (difference,) = wrong({**SELL, "expect": {"pointz": "1"}})
    assert "a step has no expectation 'pointz'" in difference


def test_the_figures_are_sums_over_the_intents() -> None:
    undo = {"do": "undo_spend", "spend": "$spend", "event": "U1", "at": AT}
    back = {**undo, "expect": {"given_back": "40", "expired": "0"}}
    assert wrong(SELL, {**SPEND, "expect": {"value": "4"}}, back) == []
    (difference,) = wrong(SELL, {**SPEND, "expect": {"value": "5"}})
    assert difference.startswith("steps[1] (spend): value: expected 5, found 4")
