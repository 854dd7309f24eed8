"""Local days as whole divisions: the offsets of zones, by their known transitions. Source: ledger 4."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty_rules.reports.local_days import day_number, day_of_number, offsets_of

JANUARY, DECEMBER = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)


def hours(*offsets: float) -> list[timedelta]:
    return [timedelta(hours=each) for each in offsets]


@pytest.mark.parametrize(("zone", "ends", "offsets"), [
    ("UTC", [None], hours(0)),
    ("Asia/Kolkata", [None], hours(5.5)),
    ("Europe/Berlin", ["2025-03-30T01:00:00", "2025-10-26T01:00:00", None], hours(1, 2, 1)),
    ("Australia/Lord_Howe", ["2025-04-05T15:00:00", "2025-10-04T15:30:00", None], hours(11, 10.5, 11)),
])  # fmt: skip
def test_a_zone_is_its_offsets_until_their_ends(zone: str, ends: list[str | None], offsets: list[timedelta]) -> None:
    expected = [datetime.fromisoformat(each).replace(tzinfo=UTC) if each is not None else None for each in ends]
    assert offsets_of(ZoneInfo(zone), JANUARY, DECEMBER) == list(zip(expected, offsets, strict=True))


def test_a_single_instant_has_one_offset() -> None:
    assert offsets_of(ZoneInfo("Europe/Berlin"), JANUARY, JANUARY) == [(None, timedelta(hours=1))]


def test_days_are_numbered_from_1970() -> None:
    assert [day_number(date(1970, 1, 1)), day_number(date(2025, 1, 15))] == [0, 20103]
    assert day_of_number(20103) == date(2025, 1, 15)
