"""Reminders: the last days of which an account is reminded on a day."""

from __future__ import annotations

from datetime import date

import pytest

from loyalty_rules.rules.communication import Communication
from loyalty_rules.rules.reminders import Reminder
from loyalty_rules.values.dates import Period

SOON = Communication("soon")


@pytest.mark.parametrize(
    ("before", "reminded_on", "days"),
    [
        (Period(days=30), "2025-01-01", ["2025-01-31"]),
        (Period(), "2025-01-01", ["2025-01-01"]),
        (Period(months=1), "2025-02-28", ["2025-03-28", "2025-03-29", "2025-03-30", "2025-03-31"]),
        (Period(months=1), "2024-02-29", ["2024-03-29", "2024-03-30", "2024-03-31"]),
        (Period(months=1), "2025-03-31", []),  # 30 April is a month after 30 March
        (Period(months=1, days=5), "2025-03-29", ["2025-05-03"]),
        (Period(years=1), "2023-02-28", ["2024-02-28", "2024-02-29"]),
        (Period(weeks=2), "9999-12-30", []),
    ],
)
def test_the_days_that_are_a_period_later(before: Period, reminded_on: str, days: list[str]) -> None:
    found = Reminder(before, SOON).last_days(date.fromisoformat(reminded_on))

    assert [each.isoformat() for each in found] == days


@pytest.mark.parametrize(
    ("period", "text"), [(Period(days=30), "P30D"), (Period(1, 2, 3, 4), "P1Y2M3W4D"), (Period(), "P0D")]
)
def test_a_period_in_iso_8601(period: Period, text: str) -> None:
    assert period.iso == text
