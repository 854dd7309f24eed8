"""Local days, calendar periods and instants, case by case and zone by zone. Source: semantics 5 and 6.

``LOYALTY_ALL_ZONES=1`` tests every zone of the database instead of a selection of unusual ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.values.dates import (
    Period,
    anniversary_in,
    date_in,
    day_after,
    in_zone,
    instant_text,
    later_by_days,
    next_anniversary,
    read_date,
    read_event_date,
    read_event_instant,
    read_instant,
    read_zone,
    start_of_day,
)
from properties.examples import examples

AWKWARD_ZONES = [
    *("Africa/Cairo", "Africa/Casablanca", "Africa/El_Aaiun", "America/Asuncion", "America/Havana", "America/New_York"),
    *("America/Santiago", "America/Scoresbysund", "America/St_Johns", "Antarctica/Casey", "Antarctica/Troll"),
    *("Antarctica/Vostok", "Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu", "Asia/Tehran", "Australia/Lord_Howe"),
    *("Europe/Berlin", "Europe/Dublin", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "UTC"),
]
ALL_ZONES = bool(os.environ.get("LOYALTY_ALL_ZONES"))
ZONES = sorted(available_timezones()) if ALL_ZONES else AWKWARD_ZONES

FIRST_DAY, LAST_DAY = date(2020, 1, 1), date(2035, 12, 31)
A_DAY, A_MOMENT = timedelta(days=1), timedelta(microseconds=1)

# Zones whose clocks change by more than an hour, and how long those days are.
ODD_LENGTHS = {
    "Antarctica/Troll": {22, 26},  # two hours, every spring and autumn
    "Antarctica/Casey": {21, 27},  # three hours, from 2020 to 2023
    "Antarctica/Vostok": {26},  # two hours, on 2023-12-18
}


@pytest.fixture(scope="module")
def ends() -> Callable[[str], list[datetime]]:
    """The ends of all days of a zone, worked out once."""
    known: dict[str, list[datetime]] = {}

    def ends_of_days(zone: str) -> list[datetime]:
        if zone not in known:
            days = [FIRST_DAY + timedelta(days=number) for number in range((LAST_DAY - FIRST_DAY).days + 1)]
            known[zone] = [day_after(day, ZoneInfo(zone)) for day in days]
        return known[zone]

    return ends_of_days


@pytest.mark.parametrize("zone", ZONES)
def test_days_follow_each_other_and_last_23_to_25_hours(zone: str, ends: Callable) -> None:
    instants = ends(zone)
    hours = {(later - earlier) / timedelta(hours=1) for earlier, later in pairwise(instants)}
    odd = {length for length in hours if not 23 <= length <= 25}
    assert odd == ODD_LENGTHS.get(zone, set())
    assert min(hours) > 0


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_ends_with_the_first_instant_of_the_next(zone: str, ends: Callable) -> None:
    local = ZoneInfo(zone)
    for number, instant in enumerate(ends(zone)):
        day = FIRST_DAY + timedelta(days=number)
        in_utc = instant.astimezone(UTC)
        assert in_utc.astimezone(local).date() == day + A_DAY
        assert (in_utc - A_MOMENT).astimezone(local).date() == day


@pytest.mark.parametrize("zone", ZONES)
def test_the_end_of_a_day_has_the_offset_of_the_zone_at_that_instant(zone: str, ends: Callable) -> None:
    local = ZoneInfo(zone)
    for instant in ends(zone)[::7]:
        assert isinstance(instant.tzinfo, timezone)
        assert instant.utcoffset() == instant.astimezone(UTC).astimezone(local).utcoffset()


@pytest.mark.parametrize(
    ("zone", "day", "starts_at"),
    [
        ("UTC", "2025-01-15", "2025-01-15T00:00:00+00:00"),
        ("America/New_York", "2025-03-09", "2025-03-09T00:00:00-05:00"),
        ("America/New_York", "2025-03-10", "2025-03-10T00:00:00-04:00"),
        # Midnight is skipped: the day starts at the clock change.
        ("Africa/Cairo", "2024-04-26", "2024-04-26T01:00:00+03:00"),
        ("America/Santiago", "2024-09-08", "2024-09-08T01:00:00-03:00"),
        ("America/Asuncion", "2023-10-01", "2023-10-01T01:00:00-03:00"),
        ("Asia/Beirut", "2024-03-31", "2024-03-31T01:00:00+03:00"),
        ("America/Havana", "2025-03-09", "2025-03-09T01:00:00-04:00"),
        ("America/Toronto", "1919-03-31", "1919-03-31T00:30:00-04:00"),
        # Midnight occurs twice: the first.
        ("America/Havana", "2025-11-02", "2025-11-02T00:00:00-04:00"),
        # Eleven at night occurs twice on the day before: midnight only once.
        ("Asia/Beirut", "2024-10-27", "2024-10-27T00:00:00+02:00"),
        ("America/Santiago", "2025-04-06", "2025-04-06T00:00:00-04:00"),
        # Half an hour, in the middle of the night.
        ("Australia/Lord_Howe", "2025-10-05", "2025-10-05T00:00:00+10:30"),
        ("Australia/Lord_Howe", "2025-10-06", "2025-10-06T00:00:00+11:00"),
        # The whole day is skipped: the start of the next.
        ("Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"),
        ("Pacific/Kwajalein", "1993-08-21", "1993-08-22T00:00:00+12:00"),
    ],
)
def test_a_local_day_starts_at_its_first_instant(zone: str, day: str, starts_at: str) -> None:
    assert start_of_day(date.fromisoformat(day), ZoneInfo(zone)).isoformat() == starts_at
    assert day_after(date.fromisoformat(day) - A_DAY, ZoneInfo(zone)).isoformat() == starts_at


def test_the_day_before_a_missing_day_ends_where_the_missing_day_does() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert day_after(date(2011, 12, 29), apia) == day_after(date(2011, 12, 30), apia)
    assert day_after(date(2011, 12, 29), apia) - day_after(date(2011, 12, 28), apia) == A_DAY
    assert day_after(date(2011, 12, 31), apia) - day_after(date(2011, 12, 30), apia) == A_DAY


@pytest.mark.parametrize(
    ("zone", "at", "days", "later"),
    [
        ("Europe/Berlin", "2025-01-15T10:00:00+01:00", 15, "2025-01-30T10:00:00+01:00"),
        ("Europe/Berlin", "2025-01-15T09:00:00Z", 1, "2025-01-16T10:00:00+01:00"),
        ("Europe/Berlin", "2025-03-29T10:00:00+01:00", 1, "2025-03-30T10:00:00+02:00"),  # 23 hours later
        ("Europe/Berlin", "2025-10-25T10:00:00+02:00", 1, "2025-10-26T10:00:00+01:00"),  # 25 hours later
        # A wall time that is skipped moves forward by the gap.
        ("Europe/Berlin", "2025-03-29T02:30:00+01:00", 1, "2025-03-30T03:30:00+02:00"),
        ("America/New_York", "2025-03-08T02:00:00-05:00", 1, "2025-03-09T03:00:00-04:00"),
        ("Australia/Lord_Howe", "2025-10-04T02:15:00+10:30", 1, "2025-10-05T02:45:00+11:00"),
        ("Africa/Cairo", "2024-04-25T00:00:00+02:00", 1, "2024-04-26T01:00:00+03:00"),
        ("Pacific/Apia", "2011-12-29T10:00:00-10:00", 1, "2011-12-31T10:00:00+14:00"),
        # If a wall time occurs twice, the first.
        ("Europe/Berlin", "2025-10-25T02:30:00+02:00", 1, "2025-10-26T02:30:00+02:00"),
        ("America/Havana", "2025-11-01T00:30:00-04:00", 1, "2025-11-02T00:30:00-04:00"),
        ("Australia/Lord_Howe", "2025-04-05T01:45:00+11:00", 1, "2025-04-06T01:45:00+11:00"),
        # From the second of two: the wall time counts.
        ("Europe/Berlin", "2025-10-26T02:30:00+01:00", 1, "2025-10-27T02:30:00+01:00"),
        # No days: the instant itself, the second of two included.
        ("Europe/Berlin", "2025-10-26T02:30:00+01:00", 0, "2025-10-26T02:30:00+01:00"),
        ("Europe/Berlin", "2025-10-26T00:30:00Z", 0, "2025-10-26T02:30:00+02:00"),
        ("UTC", "2024-02-28T12:00:00.000001Z", 2, "2024-03-01T12:00:00.000001+00:00"),
    ],
)
def test_the_same_wall_time_days_later(zone: str, at: str, days: int, later: str) -> None:
    found = later_by_days(read_instant(at), days, ZoneInfo(zone))
    assert found is not None
    assert found.isoformat() == later


def test_a_day_after_the_last_date_is_none() -> None:
    assert later_by_days(read_instant("9998-12-31T12:00:00Z"), 36_500, ZoneInfo("UTC")) is None


@examples(200)
@given(
    st.sampled_from(AWKWARD_ZONES),
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)),
    st.integers(1, 800),
)
def test_days_later_is_that_many_dates_later_unless_that_day_is_missing(zone: str, at: datetime, days: int) -> None:
    local = ZoneInfo(zone)
    found = later_by_days(at, days, local)
    wanted = at.astimezone(local).replace(tzinfo=None) + timedelta(days=days)
    # Either that wall time, or the time after the gap if the clocks skip it.
    gap = found.replace(tzinfo=None) - wanted
    assert gap == timedelta(0) or timedelta(0) < gap <= timedelta(days=1)
    if gap:
        assert wanted.replace(tzinfo=local).astimezone(UTC).astimezone(local).replace(tzinfo=None) != wanted


def test_an_instant_is_written_with_the_offset_of_the_zone() -> None:
    assert in_zone(read_instant("2025-07-01T00:00:00Z"), ZoneInfo("Asia/Kolkata")).isoformat() == (
        "2025-07-01T05:30:00+05:30"
    )


def test_an_offset_that_has_seconds_is_written_in_utc() -> None:
    amsterdam = start_of_day(date(1930, 1, 1), ZoneInfo("Africa/Monrovia"))  # 44 minutes and 30 seconds behind
    assert instant_text(amsterdam) == "1930-01-01T00:44:30+00:00"


# -- periods -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "period", "after"),
    [
        ("2025-01-15", {"days": 0}, "2025-01-15"),
        ("2025-01-15", {"days": 90}, "2025-04-15"),
        ("2025-03-01", {"days": 60}, "2025-04-30"),
        ("2025-09-01", {"days": 30}, "2025-10-01"),
        ("2025-07-20", {"days": 14}, "2025-08-03"),
        ("2025-07-20", {"weeks": 2}, "2025-08-03"),
        ("2024-12-01", {"months": 12}, "2025-12-01"),
        ("2025-01-31", {"months": 1}, "2025-02-28"),
        ("2024-01-31", {"months": 1}, "2024-02-29"),
        ("2025-01-31", {"months": 2}, "2025-03-31"),
        ("2025-01-31", {"months": 3}, "2025-04-30"),
        ("2025-03-31", {"months": 11}, "2026-02-28"),
        ("2025-12-31", {"months": 2}, "2026-02-28"),
        ("2024-02-29", {"years": 1}, "2025-02-28"),
        ("2024-02-29", {"years": 4}, "2028-02-29"),
        ("2096-02-29", {"years": 4}, "2100-02-28"),
        ("2024-02-29", {"months": 12}, "2025-02-28"),
        ("2024-02-29", {"years": 1, "days": 1}, "2025-03-01"),
        ("2024-02-28", {"days": 1}, "2024-02-29"),
        ("2025-02-28", {"days": 1}, "2025-03-01"),
        # Years and months first, clamped once, then weeks and days.
        ("2025-01-31", {"months": 1, "days": 1}, "2025-03-01"),
        ("2024-01-31", {"months": 1, "weeks": 1, "days": 1}, "2024-03-08"),
        ("2023-11-30", {"years": 1, "months": 3}, "2025-02-28"),
        ("2025-01-15", {"months": 18}, "2026-07-15"),
        ("1970-01-01", {"years": 100}, "2070-01-01"),
        ("2025-01-01", {"days": 36_500}, "2124-12-08"),
    ],
)
def test_a_period_after_a_day(day: str, period: dict, after: str) -> None:
    assert Period(**period).after(date.fromisoformat(day)) == date.fromisoformat(after)


def test_a_month_and_a_month_are_not_two_months() -> None:
    month, months = Period(months=1), Period(months=2)
    assert month.after(month.after(date(2025, 1, 31))) == date(2025, 3, 28)
    assert months.after(date(2025, 1, 31)) == date(2025, 3, 31)


@pytest.mark.parametrize("period", [{"days": 36_500}, {"years": 100}, {"months": 1_200}])
def test_a_period_beyond_the_last_date_gives_none(period: dict) -> None:
    assert Period(**period).after(date(9998, 6, 1)) is None


@pytest.mark.parametrize(
    "period",
    [
        {"days": -1},
        {"days": 36_501},
        {"weeks": 5_215},
        {"months": 1_217},
        {"years": 101},
        {"years": 100, "days": 1},
        {"days": True},
        {"days": 1.0},
        {"days": "1"},
        {"days": None},
    ],
)
def test_an_invalid_period_is_refused(period: dict) -> None:
    with pytest.raises(InvalidValueError):
        Period(**period)


@pytest.mark.parametrize(("period", "is_something"), [({}, False), ({"days": 0}, False), ({"weeks": 1}, True)])
def test_an_empty_period_is_false(period: dict, is_something: bool) -> None:
    assert bool(Period(**period)) is is_something


# -- anniversaries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "day", "since", "following"),
    [
        (1, 15, "2025-03-01", "2026-01-15"),
        (1, 15, "2025-01-15", "2026-01-15"),  # strictly after
        (1, 15, "2025-01-14", "2025-01-15"),
        (6, 10, "2025-03-01", "2025-06-10"),
        (12, 31, "2025-12-31", "2026-12-31"),
        (12, 31, "2025-12-30", "2025-12-31"),
        (1, 1, "2025-12-31", "2026-01-01"),
        (2, 29, "2025-01-01", "2025-02-28"),  # a common year
        (2, 29, "2025-02-27", "2025-02-28"),
        (2, 29, "2025-02-28", "2026-02-28"),
        (2, 29, "2023-02-28", "2024-02-29"),  # and the 29th again
        (2, 29, "2024-02-28", "2024-02-29"),
        (2, 29, "2024-02-29", "2025-02-28"),
        (2, 29, "2096-02-29", "2097-02-28"),
        (2, 29, "2099-02-28", "2100-02-28"),  # no leap year
        (2, 28, "2024-02-28", "2025-02-28"),
    ],
)
def test_the_next_anniversary_is_counted_from_the_original_day(
    month: int, day: int, since: str, following: str
) -> None:
    assert next_anniversary(month, day, date.fromisoformat(since)) == date.fromisoformat(following)


def test_after_the_last_year_there_is_no_anniversary() -> None:
    assert next_anniversary(12, 31, date(9999, 12, 31)) is None


@pytest.mark.parametrize(
    ("year", "month", "day", "expected"),
    [(2024, 2, 29, "2024-02-29"), (2025, 2, 29, "2025-02-28"), (2025, 7, 4, "2025-07-04")],
)
def test_the_anniversary_of_a_year(year: int, month: int, day: int, expected: str) -> None:
    assert anniversary_in(year, month, day) == date.fromisoformat(expected)


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-01-15T10:00:00Z", "2025-01-15T10:00:00+00:00"),
        ("2025-01-15t10:00:00z", "2025-01-15T10:00:00+00:00"),
        ("2025-01-15T10:00:00+05:30", "2025-01-15T10:00:00+05:30"),
        ("2025-01-15T10:00:00-00:00", "2025-01-15T10:00:00+00:00"),
        ("2025-01-15T10:00:00+23:59", "2025-01-15T10:00:00+23:59"),
        ("2025-01-15T10:00:00.5Z", "2025-01-15T10:00:00.500000+00:00"),
        ("2025-01-15T10:00:00.123456Z", "2025-01-15T10:00:00.123456+00:00"),
        ("2025-01-15T10:00:00.1234567Z", "2025-01-15T10:00:00.123456+00:00"),  # dropped, never rounded
        ("2025-01-15T23:59:59.999999999Z", "2025-01-15T23:59:59.999999+00:00"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
    ],
)
def test_an_instant_is_read(text: str, instant: str) -> None:
    assert read_instant(text).isoformat() == instant


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2025-01-15T10:00:00", "naive_instant"),
        ("2025-01-15T10:00:00.5", "naive_instant"),
        (datetime(2025, 1, 15, 10), "naive_instant"),
        ("", "not_an_instant"),
        ("2025-01-15", "not_an_instant"),
        ("2025-01-15T10:00Z", "not_an_instant"),
        ("2025-01-15 10:00:00Z", "not_an_instant"),
        ("20250115T100000Z", "not_an_instant"),
        ("2025-W03-3T10:00:00Z", "not_an_instant"),
        ("2025-01-15T10:00:00+0530", "not_an_instant"),
        ("2025-01-15T10:00:00+05", "not_an_instant"),
        ("2025-01-15T10:00:00 Z", "not_an_instant"),
        (" 2025-01-15T10:00:00Z", "not_an_instant"),
        ("2025-01-15T10:00:00Z\n", "not_an_instant"),
        ("2025-01-15T10:00:00,5Z", "not_an_instant"),
        ("2025-01-15T10:00:00.Z", "not_an_instant"),
        ("2025-01-15T10:00:00." + "1" * 31 + "Z", "not_an_instant"),
        ("2025-01-15T10:00:00UTC", "not_an_instant"),
        ("2025-01-15T10:00:00[America/New_York]", "not_an_instant"),
        ("٢٠٢٥-01-15T10:00:00Z", "not_an_instant"),
        ("-2025-01-15T10:00:00Z", "not_an_instant"),
        ("12025-01-15T10:00:00Z", "not_an_instant"),
        ("0000-01-01T00:00:00Z", "not_an_instant"),
        ("2025-13-01T00:00:00Z", "not_an_instant"),
        ("2025-02-29T00:00:00Z", "not_an_instant"),
        ("2025-01-15T24:00:00Z", "not_an_instant"),
        ("2025-01-15T23:60:00Z", "not_an_instant"),
        ("2016-12-31T23:59:60Z", "not_an_instant"),
        ("2025-01-15T10:00:00+24:00", "not_an_instant"),
        ("2025-01-15T10:00:00+05:60", "not_an_instant"),
        (1736935200, "not_an_instant"),
        (None, "not_an_instant"),
        (date(2025, 1, 15), "not_an_instant"),
        (b"2025-01-15T10:00:00Z", "not_an_instant"),
    ],
    ids=repr,
)
def test_a_value_that_is_not_an_instant_is_refused(value: object, code: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_instant(value)
    assert caught.value.code == code


def test_an_aware_datetime_is_read_with_a_fixed_offset() -> None:
    second = datetime(2025, 11, 2, 1, 30, tzinfo=ZoneInfo("America/New_York"), fold=1)
    found = read_instant(second)
    assert (found.isoformat(), type(found.tzinfo)) == ("2025-11-02T01:30:00-05:00", timezone)


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_the_date_of_an_event_lies_in_the_years_1970_to_9998(year: int) -> None:
    for read, value in ((read_event_date, date(year, 6, 1)), (read_event_instant, datetime(year, 6, 1, tzinfo=UTC))):
        with pytest.raises(InvalidValueError) as caught:
            read(value)
        assert caught.value.code == "out_of_range"


@pytest.mark.parametrize("text", ["2025-01-15", "2024-02-29", "0001-01-01", "9999-12-31"])
def test_a_date_is_read(text: str) -> None:
    assert read_date(text) == date_in(text) == date.fromisoformat(text)
    assert read_date(date.fromisoformat(text)) == date.fromisoformat(text)


@pytest.mark.parametrize(
    "value",
    [
        *("", "2025", "2025-1-5", "20250115", "2025-W03-3", "2025-015", "15.01.2025", "2025/01/15", " 2025-01-15"),
        *(
            "2025-01-15 ",
            "2025-01-15\n",
            "2025-01-15T00:00:00Z",
            "2025-02-29",
            "2025-04-31",
            "2025-00-10",
            "2025-13-01",
        ),
        *("2025-01-00", "0000-01-01", "-2025-01-15", "12025-01-15", "２０２５-01-15", "2025-01-١٥", "2025–01–15"),
        *(
            20250115,
            1.5,
            None,
            True,
            b"2025-01-15",
            ["2025-01-15"],
            datetime(2025, 1, 15),
            datetime(2025, 1, 15, tzinfo=UTC),
        ),
    ],
    ids=repr,
)
def test_a_value_that_is_not_a_date_is_refused(value: object) -> None:
    assert date_in(value) is None
    with pytest.raises(InvalidValueError) as caught:
        read_date(value)
    assert caught.value.code == "not_a_date"


@pytest.mark.parametrize(
    "name", ["UTC", "America/New_York", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Asia/Calcutta"]
)
def test_a_zone_of_the_database_is_read(name: str) -> None:
    assert read_zone(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            " ",
            "Mars/Olympus",
            "America",
            "America/",
            "/etc/localtime",
            "../zoneinfo/UTC",
            "America/../UTC",
            "UTC ",
        ),
        *("UTC\0", "utc\n", "+05:30", "EST5EDT4", "tzdata.zi", "zone.tab", "\ud800", "x" * 10_000, "Ａmerica/New_York"),
        *(None, 5, b"UTC", UTC, ZoneInfo("UTC"), ["UTC"]),
    ],
    ids=lambda name: ascii(name)[:30],
)
def test_a_name_that_is_not_a_time_zone_is_refused(name: object) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_zone(name)
    assert caught.value.code == "unknown_time_zone"


@pytest.mark.parametrize("name", ["localtime", "posixrules", "right/UTC", "posix/UTC"])
def test_a_zone_that_only_some_machines_have_is_refused(name: str) -> None:
    # What `localtime` means is for the machine to say: an evaluation is the same on all of them.
    with pytest.raises(InvalidValueError):
        read_zone(name)
