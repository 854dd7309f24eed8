"""Windows: the ranges of local dates over which trackers and caps count. Source: semantics 7, documents (windows).

An event belongs to the window of its own local date, not of the date on which it is processed.
"""

from datetime import date, timedelta
from typing import ClassVar, Literal, TypeAlias

import attrs

from loyalty_rules.values.amounts import read_whole
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import MAX_DAYS
from loyalty_rules.values.json_schema import declare, whole_number_schema

__all__ = ["Calendar", "Lifetime", "RollingDays", "Through", "Window", "last_day", "window_days", "window_name"]

Through: TypeAlias = Literal["week", "month", "quarter", "half_year", "year"]
"""A unit of the calendar to whose last day an expiry can move. Source: semantics 5."""


@attrs.frozen
class Lifetime:
    """All dates."""

    type: ClassVar[str] = "lifetime"


@attrs.frozen(field_transformer=checked)
class Calendar:
    """The day, ISO week (from Monday), month, quarter or year that contains the date."""

    type: ClassVar[str] = "calendar"
    unit: Literal["day", "week", "month", "quarter", "year"]


def _read_days(value: int) -> int:
    return read_whole(value, 1, MAX_DAYS)


declare(_read_days, whole_number_schema(1, MAX_DAYS))


@attrs.frozen(field_transformer=checked)
class RollingDays:
    """The N dates up to and including the event date D: D − N + 1 … D."""

    type: ClassVar[str] = "rolling"
    days: int = attrs.field(converter=_read_days)


Window: TypeAlias = Lifetime | Calendar | RollingDays

LIFETIME = Lifetime()


def window_days(window: Window, day: date) -> tuple[date, date] | None:
    """Return the first and the last date of the window that contains `day`; None for a lifetime."""
    match window:
        case Lifetime():
            return None
        case RollingDays(days):
            return day - timedelta(days=days - 1), day
        case Calendar("day"):
            return day, day
        case Calendar("week"):
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=6)
        case Calendar("month"):
            return _months(day.year, day.month, 1)
        case Calendar("quarter"):
            return _months(day.year, day.month - (day.month - 1) % 3, 3)
        case Calendar():
            return date(day.year, 1, 1), date(day.year, 12, 31)


def last_day(unit: Through, day: date) -> date:
    """Return the last day of the ISO week, month, quarter, half-year or year that contains `day`.

    A week of the year 9999 may end beyond the last date that Python has; then OverflowError is raised.
    Source: semantics 5.
    """
    if unit == "half_year":
        return _months(day.year, 1 if day.month <= 6 else 7, 6)[1]
    days = window_days(Calendar(unit), day)
    assert days is not None
    return days[1]


def _months(year: int, month: int, count: int) -> tuple[date, date]:
    following = month + count
    after = date(year + 1, following - 12, 1) if following > 12 else date(year, following, 1)
    return date(year, month, 1), after - timedelta(days=1)


def window_name(window: Window, day: date) -> str:
    """Return the window's name in a counter: `lifetime`, `rolling` or its first date. Source: documents (claims)."""
    match window:
        case Lifetime():
            return "lifetime"
        case RollingDays():
            return "rolling"
        case Calendar():
            days = window_days(window, day)
            assert days is not None
            return days[0].isoformat()
