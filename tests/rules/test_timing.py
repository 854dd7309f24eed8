"""Timings: the issue date and the due instant. Source: semantics 6."""

from __future__ import annotations

from datetime import date, datetime

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.conditions import Comparison
from loyalty_rules.rules.skips import Skip
from loyalty_rules.rules.timing import Delayed, External, Immediate, TransactionUpdate, bind_timing
from rules.actions import facts_of
from shop import sale

SHIPPED = TransactionUpdate(Comparison(field="status", is_="Shipped"))


def test_an_immediate_award_is_issued_on_the_event_date() -> None:
    assert bind_timing(Immediate())(facts_of(sale(business_date="2025-01-14"))) == (date(2025, 1, 14), None)


@pytest.mark.parametrize("timing", [External(), SHIPPED])
def test_an_award_that_waits_for_an_event_has_no_issue_date(timing: External | TransactionUpdate) -> None:
    assert bind_timing(timing)(facts_of(sale())) == (None, None)


@pytest.mark.parametrize(
    ("occurred_at", "days", "issue_on", "due_at"),
    [
        ("2025-01-15T10:00:00-05:00", 0, "2025-01-15", "2025-01-15T10:00:00-05:00"),
        ("2025-01-31T10:00:00-05:00", 30, "2025-03-02", "2025-03-02T10:00:00-05:00"),
        ("2025-03-08T10:00:00-05:00", 1, "2025-03-09", "2025-03-09T10:00:00-04:00"),  # 23 hours later
        ("2025-11-01T10:00:00-04:00", 1, "2025-11-02", "2025-11-02T10:00:00-05:00"),  # 25 hours later
        ("2025-01-16T03:00:00Z", 1, "2025-01-16", "2025-01-16T22:00:00-05:00"),  # the 15th in New York
    ],
)
def test_a_delayed_award_is_due_at_the_same_local_time(occurred_at: str, days: int, issue_on: str, due_at: str) -> None:
    facts = facts_of(sale(occurred_at=occurred_at), time_zone="America/New_York")

    assert bind_timing(Delayed(days))(facts) == (date.fromisoformat(issue_on), datetime.fromisoformat(due_at))


def test_a_delay_beyond_the_year_9998_is_skipped() -> None:
    facts = facts_of(sale(occurred_at="9998-12-31T10:00:00Z"))

    assert bind_timing(Delayed(0))(facts)[0] == date(9998, 12, 31)
    with pytest.raises(Skip) as skip:
        bind_timing(Delayed(1))(facts)
    assert (skip.value.reason, skip.value.detail) == ("invalid_field", "1 days later lies outside 1970 to 9998")


@pytest.mark.parametrize("days", [-1, 36_501, "3", True])
def test_a_delay_is_a_whole_number_of_days_up_to_a_century(days: object) -> None:
    assert (Delayed(0).days, Delayed(36_500).days) == (0, 36_500)
    with pytest.raises(lr.InvalidValueError) as caught:
        Delayed(days)  # type: ignore[arg-type]
    assert caught.value.name == "days"


def test_an_update_needs_a_condition() -> None:
    with pytest.raises(lr.InvalidValueError, match="expected a condition"):
        TransactionUpdate(None)  # type: ignore[arg-type]
