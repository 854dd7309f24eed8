"""Local days, calendar periods, windows and instants. Source: semantics 5, 6 and 7.

Nothing but the standard library's calendar: the period arithmetic is written out here, so that it shares
nothing with the engine's.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_YEAR, LAST_YEAR = 1970, 9998


def parsed_date(value: object) -> date | None:
    """Return the date of a text ``YYYY-MM-DD``, or None if the value is not such a text."""
    if not isinstance(value, str) or not ISO_DATE.fullmatch(value):
        return None
    try:
        return date(int(value[:4]), int(value[5:7]), int(value[8:]))
    except ValueError:
        return None


def in_range(day: date | None) -> bool:
    """Return whether a result lies in the years 1970 to 9998; None means beyond the calendar."""
    return day is not None and FIRST_YEAR <= day.year <= LAST_YEAR


def clamped(year: int, month: int, day: int) -> date | None:
    """Return that day of that month, or the month's last; None beyond the calendar."""
    if year > date.max.year:
        return None
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def later(day: date, days: int) -> date | None:
    """Return the date some days later (or earlier), or None beyond the calendar."""
    ordinal = day.toordinal() + days
    if not 1 <= ordinal <= date.max.toordinal():
        return None
    return date.fromordinal(ordinal)


def add_period(day: date, period: dict | None) -> date | None:
    """Add a period to a date.

    "Years and months first, clamped to the month's last day, then weeks and days".
    """
    period = period or {}
    years, months, weeks, days = ((period.get(key) or 0) for key in ("years", "months", "weeks", "days"))
    month = day.year * 12 + (day.month - 1) + years * 12 + months
    moved = clamped(month // 12, month % 12 + 1, day.day)
    if moved is None:
        return None
    return later(moved, weeks * 7 + days)


def is_empty(period: dict | None) -> bool:
    """Return whether a period is absent or zero."""
    return not any((period or {}).values())


def next_anniversary(month: int, day: int, after: date) -> date | None:
    """Return the next such month and day strictly after a date; 29 February becomes the 28th in a common year.

    "Count from the original date, never from the clamped one": each year clamps anew.
    """
    this_year = clamped(after.year, month, day)
    if this_year > after:
        return this_year
    return clamped(after.year + 1, month, day)


def is_anniversary(original: date, today: date, unit: str) -> bool:
    """Return whether a date is the anniversary of another.

    "Has the event date's month, and for day its day too, 29 February counting as the 28th in a common year".
    """
    if original.month != today.month:
        return False
    return unit == "month" or clamped(today.year, original.month, original.day) == today


def last_day_of(unit: str | None, day: date) -> date | None:
    """Return the date moved by ``through``: "to the last day of that unit"; None beyond the calendar."""
    if unit is None:
        return day
    if unit == "week":
        return later(day, 6 - day.weekday())
    months = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}[unit]
    return clamped(day.year, ((day.month - 1) // months + 1) * months, 31)


# --- instants -------------------------------------------------------------------------------------------------


def parsed_instant(value: str, zone: ZoneInfo) -> datetime:
    """Read an RFC 3339 instant, in the program's zone: "Instants come out with the offset of the program's zone"."""
    return datetime.fromisoformat(value).astimezone(zone)


def is_before(first: datetime, second: datetime) -> bool:
    """Return whether one instant is before another, in UTC: times of one zone compare by wall time alone."""
    return first.astimezone(UTC) < second.astimezone(UTC)


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day that exists in the zone.

    Of a repeated midnight it is the first (fold 0). If the clocks skip midnight, or the whole day, it is
    the instant at which they jump: looked for second by second in halves, since the gap need not begin at midnight.
    """
    midnight = datetime.combine(day, time(), tzinfo=zone)
    there = midnight.astimezone(UTC).astimezone(zone)
    if there.replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return there
    return _jump_over(midnight.replace(tzinfo=None), zone)


def _jump_over(skipped: datetime, zone: ZoneInfo) -> datetime:
    before = skipped.replace(tzinfo=zone, fold=0).utcoffset()
    after = skipped.replace(tzinfo=zone, fold=1).utcoffset()
    as_if_utc = skipped.replace(tzinfo=UTC)
    # The jump lies after the instant that the later offset gives and not after that of the earlier one.
    low, high = as_if_utc - after - timedelta(seconds=1), as_if_utc - before
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.astimezone(zone)


def same_wall_time(instant: datetime, days: int, zone: ZoneInfo) -> datetime | None:
    """Return the due instant of a delay.

    "Same local wall time days calendar days later (a wall time that the clocks skip moves forward by the gap; of
    one that comes twice, the first; 0 days is occurred_at itself)". None beyond the calendar.
    """
    if days == 0:
        return instant
    day = later(instant.date(), days)
    if not in_range(day):
        return None
    # Fold 0 reads a skipped wall time by the offset before the gap, which lands it behind the gap by its length.
    wall = datetime.combine(day, instant.time().replace(fold=0), tzinfo=zone)
    return wall.astimezone(UTC).astimezone(zone)


# --- windows --------------------------------------------------------------------------------------------------


def window_dates(window: dict | None, day: date) -> tuple[date, date] | None:
    """Return the first and last date of the window that contains a day; None for a lifetime."""
    kind = (window or {"type": "lifetime"})["type"]
    if kind == "lifetime":
        return None
    if kind == "rolling":
        return day - timedelta(days=window["days"] - 1), day
    return calendar_dates(window["unit"], day)


def calendar_dates(unit: str, day: date) -> tuple[date, date]:
    """Return the calendar window that contains a day.

    "The day, ISO week, month, quarter or year that holds the date" (weeks start on Monday).
    """
    if unit == "day":
        return day, day
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, add_period(first, {"months": months}) - timedelta(days=1)
