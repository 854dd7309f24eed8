"""Windows: the dates that each contains, case by case. Source: semantics 7, documents (windows)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.rules.windows import Calendar, Lifetime, RollingDays, window_days, window_name
from properties.examples import examples
from rules.actions import problem_of
from shop import evaluate, program, sale

CALENDAR = """
day        unit     first      last
2025-01-15 day      2025-01-15 2025-01-15
2025-01-15 week     2025-01-13 2025-01-19
2025-01-13 week     2025-01-13 2025-01-19
2025-01-19 week     2025-01-13 2025-01-19
2025-01-20 week     2025-01-20 2025-01-26
2024-12-31 week     2024-12-30 2025-01-05
2025-01-01 week     2024-12-30 2025-01-05
2027-01-03 week     2026-12-28 2027-01-03
2025-01-31 month    2025-01-01 2025-01-31
2025-02-01 month    2025-02-01 2025-02-28
2024-02-29 month    2024-02-01 2024-02-29
2025-04-30 month    2025-04-01 2025-04-30
2025-12-31 month    2025-12-01 2025-12-31
2025-01-01 quarter  2025-01-01 2025-03-31
2025-03-31 quarter  2025-01-01 2025-03-31
2025-04-01 quarter  2025-04-01 2025-06-30
2025-09-30 quarter  2025-07-01 2025-09-30
2025-10-01 quarter  2025-10-01 2025-12-31
2025-12-31 quarter  2025-10-01 2025-12-31
2025-01-01 year     2025-01-01 2025-12-31
2024-12-31 year     2024-01-01 2024-12-31
"""
ROWS = [line.split() for line in CALENDAR.strip().splitlines()[1:]]
UNITS = ("day", "week", "month", "quarter", "year")
days = st.dates(date(1970, 1, 1), date(9998, 12, 31))


@pytest.mark.parametrize(("day", "unit", "first", "last"), ROWS)
def test_a_calendar_window_contains_these_dates(day: str, unit: str, first: str, last: str) -> None:
    window = Calendar(unit)
    assert window_days(window, date.fromisoformat(day)) == (date.fromisoformat(first), date.fromisoformat(last))
    assert window_name(window, date.fromisoformat(day)) == first


@pytest.mark.parametrize(
    ("days", "first"),
    [(1, "2024-03-01"), (2, "2024-02-29"), (7, "2024-02-24"), (30, "2024-02-01"), (365, "2023-03-03")],
)
def test_a_rolling_window_has_so_many_days_and_ends_on_the_event_date(days: int, first: str) -> None:
    window = RollingDays(days)
    assert window_days(window, date(2024, 3, 1)) == (date.fromisoformat(first), date(2024, 3, 1))
    assert window_name(window, date(2024, 3, 1)) == "rolling"


def test_a_lifetime_has_no_first_and_no_last_day() -> None:
    assert window_days(Lifetime(), date(2025, 1, 15)) is None
    assert window_name(Lifetime(), date(2025, 1, 15)) == "lifetime"


@pytest.mark.parametrize("unit", UNITS)
@examples(100)
@given(day=days)
def test_a_date_lies_in_its_window_and_the_next_window_starts_on_the_next_date(unit: str, day: date) -> None:
    first, last = window_days(Calendar(unit), day)
    assert first <= day <= last
    assert window_days(Calendar(unit), first) == window_days(Calendar(unit), last) == (first, last)
    if last.year < 9998:
        assert window_days(Calendar(unit), last + timedelta(days=1))[0] == last + timedelta(days=1)


@examples(100)
@given(days)
def test_weeks_are_those_of_iso_8601(day: date) -> None:
    first, last = window_days(Calendar("week"), day)
    assert (first.isocalendar().weekday, last.isocalendar().weekday) == (1, 7)
    assert first.isocalendar()[:2] == day.isocalendar()[:2]


# -- in an evaluation --------------------------------------------------------------------------------------------------


def advanced(window: dict | None, event: dict, zone: str = "America/New_York") -> tuple[str | None, str | None]:
    tracker = {"measure": {"type": "count"}, "target": "5", "window": window}
    [intent] = evaluate(program(time_zone=zone, trackers={"visits": tracker}), event)["intents"]
    return intent["window_starts_at"], intent["window_ends_at"]


def test_a_window_starts_and_ends_at_local_midnights() -> None:
    assert advanced({"type": "calendar", "unit": "year"}, sale(occurred_at="2025-01-15T10:00:00-05:00")) == (
        "2025-01-01T00:00:00-05:00",
        "2026-01-01T00:00:00-05:00",
    )


def test_a_window_with_a_clock_change_ends_with_another_offset() -> None:
    assert advanced({"type": "calendar", "unit": "month"}, sale(occurred_at="2025-03-15T10:00:00-04:00")) == (
        "2025-03-01T00:00:00-05:00",
        "2025-04-01T00:00:00-04:00",
    )


def test_an_event_belongs_to_the_window_of_its_own_local_date() -> None:
    # Three o'clock in the morning of 1 February in UTC is still January in New York.
    assert advanced({"type": "calendar", "unit": "month"}, sale(occurred_at="2025-02-01T03:00:00Z"))[0] == (
        "2025-01-01T00:00:00-05:00"
    )


def test_the_business_date_takes_precedence_over_the_clock() -> None:
    event = sale(occurred_at="2025-02-01T00:30:00-05:00", business_date="2025-01-31")
    assert advanced({"type": "calendar", "unit": "day"}, event) == (
        "2025-01-31T00:00:00-05:00",
        "2025-02-01T00:00:00-05:00",
    )


def test_a_rolling_window_of_three_days_ends_with_the_event_date() -> None:
    assert advanced({"type": "rolling", "days": 3}, sale(occurred_at="2025-01-15T10:00:00-05:00")) == (
        "2025-01-13T00:00:00-05:00",
        "2025-01-16T00:00:00-05:00",
    )


@pytest.mark.parametrize("window", [None, {"type": "lifetime"}])
def test_a_lifetime_neither_starts_nor_ends(window: dict | None) -> None:
    assert advanced(window, sale()) == (None, None)


# -- refusals ----------------------------------------------------------------------------------------------------------


def limited(days: int) -> dict:
    window = {"type": "rolling", "days": days}
    return program(limits={"l": {"currency": "points", "per": "total", "amount": "1", "window": window}})


@pytest.mark.parametrize("days", [0, 36_501])
def test_a_rolling_window_of_no_days_or_too_many_is_refused(days: int) -> None:
    assert problem_of(limited(days))[:2] == ("$.limits.l.window.days", "out_of_range")


@pytest.mark.parametrize("days", [1, 36_500])
def test_the_shortest_and_the_longest_rolling_window_are_accepted(days: int) -> None:
    assert lr.load_program(limited(days)).limits[0].window.days == days  # type: ignore[union-attr]
