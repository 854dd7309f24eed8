"""Numbers, dates and objects lie in their ranges, and shrink to the simplest."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_rules.testing import strategies as kit
from loyalty_rules.testing.strategies.scalars import instant_at, near, objects
from properties.examples import drawn, examples

from .shrinking import shrunk


@examples(50)
@given(kit.amounts("0.5", "2.5", 2), kit.amounts(3, 4, 0), kit.amounts("0.1", "0.2", 1))
def test_amounts_lie_in_their_range(fine: str, whole: str, small: str) -> None:
    assert Decimal("0.5") <= Decimal(fine) <= Decimal("2.5")
    assert whole in ("3", "4")
    assert small in ("0.1", "0.2")


def test_whole_amounts_and_cents_are_both_drawn() -> None:
    amounts = {Decimal(text) for text in drawn(kit.amounts(0, 10), 100)}

    assert any(amount == int(amount) for amount in amounts)
    assert any(amount != int(amount) for amount in amounts)


def test_counts_include_both_ends() -> None:
    assert set(drawn(kit.counts(2, 4), 60)) == {"2", "3", "4"}


def test_days_begin_at_the_first_and_number_at_most_the_given_count() -> None:
    assert set(drawn(kit.days(date(2024, 2, 28), 3), 60)) == {
        date(2024, 2, 28),
        date(2024, 2, 29),
        date(2024, 3, 1),
    }


@pytest.mark.parametrize(
    ("day", "time", "zone", "instant"),
    [
        (date(2025, 1, 1), "12:00:00", "UTC", "2025-01-01T12:00:00Z"),
        (date(2025, 1, 1), "08:30:00", "America/New_York", "2025-01-01T08:30:00-05:00"),
        (date(2025, 7, 1), "08:30:00", "America/New_York", "2025-07-01T08:30:00-04:00"),
        (date(2025, 3, 9), "02:30:00", "America/New_York", "2025-03-09T03:30:00-04:00"),  # the clocks skip 02:30
    ],
)
def test_an_instant_has_the_offset_of_its_zone(day: date, time: str, zone: str, instant: str) -> None:
    assert instant_at(day, time, zone) == instant


def test_a_period_of_at_most_31_days_has_days_weeks_or_one_month() -> None:
    periods = drawn(kit.periods(31), 100)

    assert {unit for period in periods for unit in period} == {"days", "weeks", "months"}
    assert all(1 <= period.get("days", 1) <= 31 for period in periods)
    assert all(1 <= period.get("weeks", 1) <= 4 for period in periods)
    assert all(period.get("months", 1) == 1 for period in periods)


def test_a_period_of_less_than_a_week_has_days_alone() -> None:
    assert {unit for period in drawn(kit.periods(6), 30) for unit in period} == {"days"}


@pytest.mark.parametrize(
    ("number", "neighbours"),
    [("10", ["10", "9.99", "10.01"]), ("0", ["0", "-0.01", "0.01"]), ("1.5", ["1.5", "1.49", "1.51"])],
)
def test_the_neighbours_of_a_threshold_are_a_cent_away(number: str, neighbours: list[str]) -> None:
    assert near(Decimal(number)) == neighbours


@pytest.mark.parametrize(("percent", "keys"), [(0, [{"a"}]), (100, [{"a", "b"}]), (50, [{"a"}, {"a", "b"}])])
def test_an_optional_key_is_present_in_the_given_percentage_of_objects(percent: int, keys: list[set[str]]) -> None:
    found = drawn(objects({"a": st.just(1)}, {"b": st.just(2)}, percent=percent), 60)

    assert {frozenset(each) for each in found} == {frozenset(each) for each in keys}


# -- the simplest ----------------------------------------------------------------------------------------------------


SIMPLEST: list[tuple[st.SearchStrategy[Any], Any]] = [
    (kit.amounts(), "0"),
    (kit.amounts(1), "1"),
    (kit.counts(), "1"),
    (kit.days(), date(2025, 1, 1)),
    (kit.instants(), "2025-01-01T12:00:00Z"),
    (kit.periods(), {"days": 1}),
    (objects({}, {"a": st.just(1)}), {}),
]


@pytest.mark.parametrize(("strategy", "simplest"), SIMPLEST)
def test_the_simplest_example_is_short_and_early(strategy: st.SearchStrategy[Any], simplest: Any) -> None:
    assert shrunk(strategy) == simplest
