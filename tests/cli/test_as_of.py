"""The option --as-of: an instant or a whole day."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime

import pytest

import loyalty_rules as lr
from loyalty_rules.cli.as_of import instant_of, read_as_of
from shop import program


def test_an_instant_is_taken_as_it_is() -> None:
    at = read_as_of("2025-01-31T18:00:00Z")
    assert instant_of(lr.load_program(program()), at) == datetime(2025, 1, 31, 18, tzinfo=UTC)


def test_a_date_is_the_last_moment_of_that_day_in_the_zone_of_the_program() -> None:
    day = read_as_of("2025-01-31")
    assert day == date(2025, 1, 31)
    berlin = lr.load_program(program(time_zone="Europe/Berlin"))  # an hour ahead of UTC in winter
    assert instant_of(berlin, day) == datetime(2025, 1, 31, 22, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2025-02-30", "2025-01-31T18:00:00", "yesterday", "x" * 500])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"2025-01-31T18:00:00Z, or a date .* found"):
        read_as_of(text)
