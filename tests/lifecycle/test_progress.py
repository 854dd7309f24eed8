"""Progress in trackers, and units about to expire: tables worked out by hand. Source: semantics 7a, 16."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.lifecycle.progress import expiring, tracker_progress
from loyalty_rules.rules.base_values import Count
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.rules.windows import Calendar, RollingDays

from .accounts import lot


def tracker(**parts: Any) -> Tracker:
    return Tracker(id="visits", measure=Count(), target=10, **parts)


@pytest.mark.parametrize(("repeats", "value", "target", "missing", "reached"), [
    (False, "0", "10", "10", 0),
    (False, "9.5", "10", "0.5", 0),
    (False, "10", "10", "0", 1),
    (False, "25", "10", "0", 1),
    (True, "9.5", "10", "0.5", 0),
    (True, "10", "20", "10", 1),
    (True, "25", "30", "5", 2),
])  # fmt: skip
def test_the_next_milestone(repeats: bool, value: str, target: str, missing: str, reached: int) -> None:
    progress = tracker_progress(tracker(repeats=repeats), int(Decimal(value) * 10**6), date(2025, 1, 15))
    assert (progress.value, progress.target, progress.missing, progress.reached) == (
        Decimal(value),
        Decimal(target),
        Decimal(missing),
        reached,
    )
    assert (progress.first, progress.last) == (None, None)


@pytest.mark.parametrize(("window", "first", "last"), [
    (Calendar("month"), date(2025, 2, 1), date(2025, 2, 28)),
    (RollingDays(30), date(2025, 1, 17), date(2025, 2, 15)),  # the 30 days that end with the day itself
])  # fmt: skip
def test_the_window_of_a_tracker_has_its_days(window: Any, first: date, last: date) -> None:
    progress = tracker_progress(tracker(window=window), 0, date(2025, 2, 15))
    assert (progress.first, progress.last) == (first, last)


def test_units_that_expire_are_added_up_by_their_last_day_without_those_that_never_do() -> None:
    lots = [lot("a", 5, date(2025, 3, 1)), lot("b", 7, date(2025, 2, 1)), lot("c", 2, date(2025, 3, 1)), lot("d", 9)]
    at = datetime(2025, 1, 20, tzinfo=UTC)
    rows = expiring(lots, at, date(2025, 3, 2))
    assert [(each.expires_on, each.available) for each in rows] == [(date(2025, 2, 1), 7), (date(2025, 3, 1), 7)]
    assert [each.expires_on for each in expiring(lots, at, date(2025, 3, 1))] == [date(2025, 2, 1)]
    assert expiring(lots, datetime(2025, 3, 5, tzinfo=UTC), date(2025, 4, 1)) == ()  # both days have passed
