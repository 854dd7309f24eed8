"""Local dates, calendar periods, instants and time zones. Only this module imports dateutil and zoneinfo.

A **date** is a local calendar day in the program's zone; an **instant** is a point in time. Instants are returned
with a fixed offset: Python compares two times with the same zone object by their wall clocks, which is wrong when
the clocks change. Source: semantics 5 and 6, documents (scalars).
"""

import functools
import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import ClassVar, TypeVar
from zoneinfo import ZoneInfo

import attrs
from dateutil.relativedelta import relativedelta

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.values.amounts import read_whole
from loyalty_rules.values.checked import checked
from loyalty_rules.values.json_schema import Json, any_of, declare, schema_rules, text_schema, whole_number_schema

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "MAX_DAYS",
    "Period",
    "anniversary_in",
    "date_in",
    "day_after",
    "days_after",
    "in_zone",
    "instant_text",
    "is_in_range",
    "later_by_days",
    "next_anniversary",
    "read_date",
    "read_event_date",
    "read_event_instant",
    "read_instant",
    "read_zone",
    "shifted",
    "start_of_day",
    "wall_instant",
    "with_fixed_offset",
]

DateOrInstant = TypeVar("DateOrInstant", bound=date)

FIRST_YEAR, LAST_YEAR = 1970, 9998
MAX_DAYS = 36_500

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL_ZONE = re.compile("localtime|posixrules|posix/|right/")  # their content differs from machine to machine
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,30})?([Zz]|[+-][0-9]{2}:[0-5][0-9])"
)

# For JSON Schema, in which only a pattern can limit months, days and hours.
_ANY_YEAR = r"(?!0000)[0-9]{4}"
_EVENT_YEAR = r"(?:19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])"
_MONTH_AND_DAY = r"(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,30})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"


def _date_schema(year: str) -> Json:
    return text_schema('A date: "2025-01-15".', f"{year}-{_MONTH_AND_DAY}", format="date")


def _instant_schema(year: str) -> Json:
    description = 'An instant, RFC 3339 with its offset: "2025-01-15T10:00:00-05:00".'
    return text_schema(description, f"{year}-{_MONTH_AND_DAY}{_TIME}", format="date-time")


# -- reading ---------------------------------------------------------------------------------------------------------


def read_instant(value: datetime | str) -> datetime:
    """Read an instant: RFC 3339 text with an offset, or an aware datetime; a naive one is refused.

    Digits beyond the microsecond are dropped. The result has a fixed offset.
    """
    if isinstance(value, datetime):
        return _from_host(value)
    match = _INSTANT.fullmatch(value) if isinstance(value, str) and len(value) <= 64 else None
    if match is None:
        naive = isinstance(value, str) and len(value) <= 63 and _INSTANT.fullmatch(value + "Z") is not None
        raise InvalidValueError(
            "",
            "naive_instant" if naive else "not_an_instant",
            'expected an instant with its offset, such as "2025-01-15T10:00:00-05:00"; found ' + describe(value),
        )
    day, time, fraction, offset = match.groups()
    try:
        instant = datetime.fromisoformat(f"{day}T{time}{(fraction or '.')[:7]:0<7}{offset.upper()}")
        instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidValueError("", "not_an_instant", f"expected a time that exists, found {describe(value)}") from None
    return instant


declare(read_instant, _instant_schema(_ANY_YEAR), name="instant")


def _from_host(value: datetime) -> datetime:
    try:
        offset = value.utcoffset()
        fixed = with_fixed_offset(value) if offset is not None else None
        if fixed is not None:
            fixed.astimezone(UTC)
    except Exception:  # noqa: BLE001  (a zone object of the host's may raise anything)
        raise InvalidValueError(
            "", "not_an_instant", "the time zone of this datetime has no valid offset for it"
        ) from None
    if fixed is None:
        raise InvalidValueError("", "naive_instant", "expected a datetime with a time zone, found a naive one")
    return fixed


def with_fixed_offset(value: datetime) -> datetime:
    """Return an aware datetime with a fixed offset in place of its zone."""
    offset = value.utcoffset()
    assert offset is not None
    return datetime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond, timezone(offset)
    )


def read_event_instant(value: datetime | str) -> datetime:
    """Read an instant in the years 1970 to 9998, as `read_instant` does. Source: semantics 2."""
    return _in_years(read_instant(value))


declare(read_event_instant, _instant_schema(_EVENT_YEAR), name="instant_of_event")


def read_date(value: date | str) -> date:
    """Read a date: `YYYY-MM-DD`, or a date object."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return date(value.year, value.month, value.day)
    day = date_in(value)
    if day is None:
        raise InvalidValueError("", "not_a_date", f'expected a date such as "2025-01-15", found {describe(value)}')
    return day


declare(read_date, _date_schema(_ANY_YEAR), name="date")


def read_event_date(value: date | str) -> date:
    """Read a date in the years 1970 to 9998, as `read_date` does. Source: semantics 2."""
    return _in_years(read_date(value))


declare(read_event_date, _date_schema(_EVENT_YEAR), name="date_of_event")


def _in_years(value: DateOrInstant) -> DateOrInstant:
    if FIRST_YEAR <= value.year <= LAST_YEAR:
        return value
    raise InvalidValueError("", "out_of_range", f"expected a year from {FIRST_YEAR} to {LAST_YEAR}, found {value.year}")


def date_in(value: object) -> date | None:
    """Return the date in a free-form value, a text `YYYY-MM-DD`, or None if it is no date."""
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def is_in_range(day: date) -> bool:
    """Return whether a date is in the years 1970 to 9998. Source: semantics 2."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


def read_zone(value: str) -> str:
    """Read the name of an IANA time zone, such as `America/New_York`."""
    try:
        if isinstance(value, str) and len(value) <= 64 and value.isascii() and not _LOCAL_ZONE.match(value):
            ZoneInfo(value)
            return value
    except (ValueError, OSError, KeyError):  # an unknown name, a folder of zones, a path outside the database
        pass
    raise InvalidValueError(
        "",
        "unknown_time_zone",
        f'expected an IANA time zone such as "America/New_York", found {describe(value)}',
    )


declare(
    read_zone,
    text_schema(
        'An IANA time zone, such as "America/New_York".', "[!-~]+", maxLength=64, examples=["UTC", "America/New_York"]
    ),
    name="time_zone",
)


# -- calendar --------------------------------------------------------------------------------------------------------


def _part(value: int) -> int:
    return read_whole(value, 0, MAX_DAYS)


declare(_part, whole_number_schema(0, MAX_DAYS))


@schema_rules(any_of("years", "months", "weeks", "days"))
@attrs.frozen(field_transformer=checked)
class Period:
    """A calendar period: whole years, months, weeks and days, each zero or more, at most about 36,500 days in all.

    Years and months are added first, clamped to the month's last day, then weeks and days: 31 January + 1 month is
    28 or 29 February. Source: semantics 5, documents (scalars).
    """

    needs_one: ClassVar[bool] = True  # a document gives at least one of the fields

    years: int = attrs.field(default=0, converter=_part)
    months: int = attrs.field(default=0, converter=_part)
    weeks: int = attrs.field(default=0, converter=_part)
    days: int = attrs.field(default=0, converter=_part)

    def __attrs_post_init__(self) -> None:
        # A year counts as 365 days and a month as 30, so that 100 years are within the limit of 36,500 days.
        days = self.years * 365 + self.months * 30 + self.weeks * 7 + self.days
        if days > MAX_DAYS:
            raise InvalidValueError(
                "", "out_of_range", f"expected a period of at most {MAX_DAYS:,} days, found about {days:,}"
            )

    def __bool__(self) -> bool:
        return bool(self.years or self.months or self.weeks or self.days)

    def after(self, day: date) -> date | None:
        """Return the day that is this period after `day`, or None if it is after the year 9999."""
        return shifted(day, self.in_months, self.in_days)

    @property
    def in_months(self) -> int:
        """The number of months, years included; they are added first."""
        return self.years * 12 + self.months

    @property
    def in_days(self) -> int:
        """The number of days, weeks included; they are added after the months."""
        return self.weeks * 7 + self.days

    def before(self, day: date) -> date | None:
        """Return the day that is this period before `day`, or None if it is before the year 1.

        Years and months are subtracted first, clamped to the month's last day.
        """
        try:
            earlier: date = day - relativedelta(months=self.in_months)
            return earlier - timedelta(days=self.in_days)
        except (OverflowError, ValueError):
            return None

    @property
    def iso(self) -> str:
        """The period in ISO 8601: `P1M`, `P30D`, `P0D`."""
        parts = (("Y", self.years), ("M", self.months), ("W", self.weeks), ("D", self.days))
        return "P" + ("".join(f"{number}{unit}" for unit, number in parts if number) or "0D")


_days = functools.lru_cache(maxsize=4096)(timedelta)


@functools.lru_cache(maxsize=4096)  # the sales of one day need the same few results
def shifted(day: date, months: int, days: int) -> date | None:
    """Return the day that is some months and then some days later, or None if it is after the year 9999."""
    try:
        later: date = day + relativedelta(months=months) if months else day
        return later + _days(days)
    except (OverflowError, ValueError):
        return None


def days_after(day: date, days: int) -> date | None:
    """Return the day that is some days later, or None if it is after the year 9999."""
    try:
        return day + _days(days)
    except OverflowError:
        return None


def anniversary_in(year: int, month: int, day: int) -> date:
    """Return the date of a month and day in `year`; 29 February is the 28th in a common year. Source: semantics 5."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, 28)


def next_anniversary(month: int, day: int, since: date) -> date | None:
    """Return the next date of a month and day strictly after `since`, or None after the year 9998.

    29 February is clamped anew in each year. Source: semantics 5.
    """
    if since.year > LAST_YEAR:
        return None
    this_year = anniversary_in(since.year, month, day)
    return this_year if this_year > since else anniversary_in(since.year + 1, month, day)


# -- zones -----------------------------------------------------------------------------------------------------------


def in_zone(instant: datetime, zone: tzinfo) -> datetime:
    """Convert an instant to the offset that `zone` has at that instant."""
    return with_fixed_offset(instant.astimezone(zone))


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of a local day in the zone.

    If midnight occurs twice, it is the first. If midnight is skipped (Cairo, Santiago), it is the instant of the clock
    change. If the whole day is skipped (Apia, 2011-12-30), it is the start of the next day. Source: documents.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return with_fixed_offset(midnight)
    return in_zone(_end_of_gap(midnight, zone), zone)


def _end_of_gap(skipped: datetime, zone: tzinfo) -> datetime:
    # A skipped wall time with the offset from before the gap is at or after the clock change. With the offset from
    # after the gap it is before the change.
    after = skipped.replace(fold=0).astimezone(UTC)
    before = skipped.replace(fold=1).astimezone(UTC)
    offset_before = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset_before:
            before = middle
        else:
            after = middle
    return after


def wall_instant(day: date, wall: time, zone: tzinfo) -> datetime:
    """Return the instant of a wall time on a local day.

    A wall time that the clocks skip moves forward by the gap. If it occurs twice, the result is the first. Source:
    semantics 6.
    """
    return in_zone(datetime.combine(day, wall, zone).astimezone(UTC), zone)


def day_after(day: date, zone: tzinfo) -> datetime:
    """Return the end of a local day (exclusive): the first instant of the next day in the zone.

    For 9999-12-31 it is the last instant that a datetime can have.
    """
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return start_of_day(day + timedelta(days=1), zone)


def later_by_days(instant: datetime, days: int, zone: tzinfo) -> datetime | None:
    """Return the same local wall time `days` calendar days later, or None if it is after the year 9999.

    A wall time that the clocks skip moves forward by the gap. If a wall time occurs twice, the result is the first.
    With 0 days the result is the instant itself. Source: semantics 6.
    """
    local = instant if instant.tzinfo is zone else instant.astimezone(zone)
    if days == 0:
        return with_fixed_offset(local)
    try:
        wall = local + _days(days)  # adds to the wall time, since both have the same zone object
        return with_fixed_offset(wall.astimezone(UTC).astimezone(zone))
    except OverflowError:
        return None


def instant_text(instant: datetime) -> str:
    """Write an instant as RFC 3339 with its offset, or in UTC if the offset has seconds (before 1973)."""
    offset = instant.utcoffset()
    if offset is not None and offset % timedelta(minutes=1):
        instant = instant.astimezone(UTC)
    return instant.isoformat()
