"""Local days as numbers since 1970, so that a database without time zones can group instants by them.

A zone is its offsets from UTC, each up to an instant. Within one offset, a local day is a whole division. Source:
ledger 4.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TypeAlias

__all__ = ["Offset", "day_number", "day_of_number", "offsets_of"]

Offset: TypeAlias = tuple[datetime | None, timedelta]
"""The offset of a zone before an instant; None for the last one."""

_EPOCH = date(1970, 1, 1).toordinal()
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


def day_number(day: date) -> int:
    """Return the number of days since 1970."""
    return day.toordinal() - _EPOCH


def day_of_number(number: int) -> date:
    """Return the date of a number of days since 1970."""
    return date.fromordinal(number + _EPOCH)


def offsets_of(zone: tzinfo, first: datetime, last: datetime) -> list[Offset]:
    """Return the offsets of a zone from one instant to another, in the order of time, each with its end."""
    offsets: list[Offset] = []
    at = first
    while at < last:
        following = min(at + _DAY, last)
        if _offset(zone, following) != _offset(zone, at):
            offsets.append((_transition(zone, at, following), _offset(zone, at)))
        at = following
    return [*offsets, (None, _offset(zone, last))]


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _transition(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """Return the first second with the offset of `after`; the offset changes once between the two."""
    low, high = _seconds(before), _seconds(after)
    old = _offset(zone, before)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, _instant(middle)) == old else (low, middle)
    return _instant(high)


def _seconds(at: datetime) -> int:
    return (at - _BEGINNING) // _SECOND


def _instant(seconds: int) -> datetime:
    return _BEGINNING + seconds * _SECOND
