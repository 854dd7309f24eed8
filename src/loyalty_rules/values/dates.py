"""Local days, calendar periods and instants. The only room that imports dateutil or knows zones.

A **date** is a local calendar day in the program's zone; an **instant** is a point in time. Instants go out with a
fixed offset: two times that share a zone object compare by their wall clocks, which is wrong where the clocks
change. Source: semantics 5 and 6, documents (scalars).
"""

import functools
import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
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
    "with_fixed_offset",
]

DateOrInstant = TypeVar("DateOrInstant", bound=date)

FIRST_YEAR, LAST_YEAR = 1970, 9998
MAX_DAYS = 36_500

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL_ZONE = re.compile("localtime|posixrules|posix/|right/")  # what is there differs from machine to machine
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

    Digits beyond the microsecond are dropped. What comes back has a fixed offset.
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
        raise InvalidValueError("", "not_an_instant", f"there is no such time: {describe(value)}") from None
    return instant


declare(read_instant, _instant_schema(_ANY_YEAR), name="instant")


def _from_host(value: datetime) -> datetime:
    try:
        offset = value.utcoffset()
        fixed = with_fixed_offset(value) if offset is not None else None
        if fixed is not None:
            fixed.astimezone(UTC)
    except Exception:  # noqa: BLE001  (a zone object of the host's may raise anything)
        raise InvalidValueError("", "not_an_instant", "this datetime's zone gives it no instant") from None
    if fixed is None:
        raise InvalidValueError(
            "", "naive_instant", "expected a datetime with a time zone, found a naive one: which instant is it?"
        )
    return fixed


def with_fixed_offset(value: datetime) -> datetime:
    """Give an aware datetime with its offset fixed, free of its zone."""
    offset = value.utcoffset()
    assert offset is not None
    return datetime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond, timezone(offset)
    )


def read_event_instant(value: datetime | str) -> datetime:
    """Read an instant as `read_instant` does, in the years 1970 to 9998. Source: semantics 2."""
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
    """Read a date as `read_date` does, in the years 1970 to 9998. Source: semantics 2."""
    return _in_years(read_date(value))


declare(read_event_date, _date_schema(_EVENT_YEAR), name="date_of_event")


def _in_years(value: DateOrInstant) -> DateOrInstant:
    if FIRST_YEAR <= value.year <= LAST_YEAR:
        return value
    raise InvalidValueError("", "out_of_range", f"expected a year from {FIRST_YEAR} to {LAST_YEAR}, found {value.year}")


def date_in(value: object) -> date | None:
    """Give the date that a free-form value holds as `YYYY-MM-DD`, or None."""
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def is_in_range(day: date) -> bool:
    """Say whether a result lies in the years 1970 to 9998. Source: semantics 2."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


def read_zone(value: str) -> str:
    """Read the name of an IANA time zone, such as `America/New_York`."""
    try:
        if isinstance(value, str) and len(value) <= 64 and value.isascii() and not _LOCAL_ZONE.match(value):
            ZoneInfo(value)
            return value
    except (ValueError, OSError, KeyError):  # no such key, a folder of zones, a path that leads elsewhere
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

    needs_one: ClassVar[bool] = True  # in a document

    years: int = attrs.field(default=0, converter=_part)
    months: int = attrs.field(default=0, converter=_part)
    weeks: int = attrs.field(default=0, converter=_part)
    days: int = attrs.field(default=0, converter=_part)

    def __attrs_post_init__(self) -> None:
        # A year counts as 365 days and a month as 30, so that 100 years are the 36,500 days that the limit names.
        days = self.years * 365 + self.months * 30 + self.weeks * 7 + self.days
        if days > MAX_DAYS:
            raise InvalidValueError("", "out_of_range", f"a period is at most {MAX_DAYS:,} days, found about {days:,}")

    def __bool__(self) -> bool:
        return bool(self.years or self.months or self.weeks or self.days)

    def after(self, day: date) -> date | None:
        """Give the day that lies this period after `day`, or None beyond the last year that a date can hold."""
        return shifted(day, self.in_months, self.in_days)

    @property
    def in_months(self) -> int:
        """The months that are added first, years among them."""
        return self.years * 12 + self.months

    @property
    def in_days(self) -> int:
        """The days that are added then, weeks among them."""
        return self.weeks * 7 + self.days


_days = functools.lru_cache(maxsize=4096)(timedelta)


@functools.lru_cache(maxsize=4096)  # the sales of a day ask for the same few days again and again
def shifted(day: date, months: int, days: int) -> date | None:
    """Give the day so many months and then days later, or None beyond the last year that a date can hold."""
    try:
        later: date = day + relativedelta(months=months) if months else day
        return later + _days(days)
    except (OverflowError, ValueError):
        return None


def days_after(day: date, days: int) -> date | None:
    """Give the day so many days later, or None beyond the last year that a date can hold."""
    try:
        return day + _days(days)
    except OverflowError:
        return None


def anniversary_in(year: int, month: int, day: int) -> date:
    """Give that month and day in `year`; 29 February falls on the 28th in a common year. Source: semantics 5."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, 28)


def next_anniversary(month: int, day: int, since: date) -> date | None:
    """Give the next such day strictly after `since`, counted from the original day, never from a clamped one."""
    if since.year > LAST_YEAR:
        return None
    this_year = anniversary_in(since.year, month, day)
    return this_year if this_year > since else anniversary_in(since.year + 1, month, day)


# -- zones -----------------------------------------------------------------------------------------------------------


def in_zone(instant: datetime, zone: tzinfo) -> datetime:
    """Give an instant with the offset that `zone` has then, fixed."""
    return with_fixed_offset(instant.astimezone(zone))


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Give the first instant of a local day that exists in the zone.

    Of a midnight that comes twice, the first; where midnight is skipped (Cairo, Santiago), the instant at which
    the clocks jump; of a day that is skipped (Apia, 2011-12-30), the start of the next. Source: documents.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return with_fixed_offset(midnight)
    return in_zone(_end_of_gap(midnight, zone), zone)


def _end_of_gap(skipped: datetime, zone: tzinfo) -> datetime:
    # A skipped wall time read with the offset before the gap lies at or after the jump, with the one after, before it.
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


def day_after(day: date, zone: tzinfo) -> datetime:
    """Give the instant at which a local day has ended: the first of the day after it that exists in the zone.

    The last day that a date can hold ends with the last instant that there is.
    """
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return start_of_day(day + timedelta(days=1), zone)


def later_by_days(instant: datetime, days: int, zone: tzinfo) -> datetime | None:
    """Give the same local wall time `days` calendar days later; None beyond the years that a date can hold.

    A wall time that the clocks skip moves forward by the gap; of one that comes twice, the first; 0 days is the
    instant itself. Source: semantics 6.
    """
    local = instant if instant.tzinfo is zone else instant.astimezone(zone)
    if days == 0:
        return with_fixed_offset(local)
    try:
        wall = local + _days(days)  # within one zone object a sum of wall times, of two the first
        return with_fixed_offset(wall.astimezone(UTC).astimezone(zone))
    except OverflowError:
        return None


def instant_text(instant: datetime) -> str:
    """Write an instant as RFC 3339 with its offset; one of an offset that has seconds (before 1973) in UTC."""
    offset = instant.utcoffset()
    if offset is not None and offset % timedelta(minutes=1):
        instant = instant.astimezone(UTC)
    return instant.isoformat()
