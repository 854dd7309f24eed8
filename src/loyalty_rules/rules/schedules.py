"""Schedules: activities that fall due by the calendar, for each member. Source: semantics 15.

Nothing here reads a clock: the host asks for the activities between two instants, and asking twice gives the same ids.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Literal, TypeAlias

import attrs

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.events import Activity, Member, read_activity_type
from loyalty_rules.keys import key_part
from loyalty_rules.rules.conditions import ANNIVERSARY_SCOPE
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import LAST_YEAR, Period, anniversary_in, date_in, in_zone, wall_instant
from loyalty_rules.values.identifiers import read_id, read_text
from loyalty_rules.values.json_schema import declare, one_of, schema_rules, text_schema

__all__ = ["AnniversaryOf", "Interval", "Schedule", "due"]

_WALL_TIME = re.compile("(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_ONE_DAY = timedelta(days=1)

Interval: TypeAlias = tuple[datetime, datetime]
"""Two instants: the first is part of the interval, the second is not."""


def _read_anniversary_path(value: str) -> str:
    return read_text(value)


declare(_read_anniversary_path, {"$ref": ANNIVERSARY_SCOPE})


@attrs.frozen(field_transformer=checked)
class AnniversaryOf:
    """The path of a member's date: `member.registered_on` or `member.extended_fields.NAME`."""

    anniversary: str = attrs.field(converter=_read_anniversary_path)


def _read_wall_time(value: str | time) -> str:
    text = value.isoformat("minutes") if isinstance(value, time) else value
    if isinstance(text, str) and _WALL_TIME.fullmatch(text):
        return text
    raise InvalidValueError("", "not_a_time", f'expected a local time such as "09:00", found {describe(value)}')


declare(_read_wall_time, text_schema('A local time: "09:00".', _WALL_TIME.pattern))


@schema_rules(
    one_of("on", "after"),
    {
        "if": {"required": ["after"], "properties": {"after": {"not": {"type": "null"}}}},
        "then": {"required": ["since"], "properties": {"since": {"not": {"type": "null"}}}},
        "else": {"properties": {"since": {"type": "null"}}},
    },
)
@attrs.frozen(field_transformer=checked)
class Schedule:
    """An activity for each member that falls due by the calendar, at the local time `at`.

    With `on` it is due on each anniversary of a date of the member, from the year after it on; 29 February counts as
    the 28th in common years. With `after` and `since` it is due a period after the member's last event. Source:
    semantics 15.
    """

    id: str = attrs.field(converter=read_id)
    activity: str = attrs.field(converter=read_activity_type)
    on: AnniversaryOf | None = None
    after: Period | None = None
    since: Literal["last_event"] | None = None
    at: str = attrs.field(default="00:00", converter=_read_wall_time)

    def __attrs_post_init__(self) -> None:
        if (self.on is None) == (self.after is None):
            found = "both" if self.on is not None else "neither"
            raise InvalidValueError("", "required", f"expected either `on` or `after`, found {found}")
        if (self.after is None) != (self.since is None):
            missing, given = ("since", "after") if self.since is None else ("after", "since")
            raise InvalidValueError(missing, "required", f"is missing beside `{given}`")

    def instant(self, day: date, zone: tzinfo) -> datetime:
        """Return the instant at which the activity of a day is due."""
        return wall_instant(day, time.fromisoformat(self.at), zone)

    def days(self, member: Member, interval: Interval, last_event: datetime | None, zone: tzinfo) -> Iterator[date]:
        """Yield the local days on which the activity of a member may be due in an interval, and some beside it."""
        if self.on is not None:
            since = _date_of(member, self.on.anniversary)
            if since is not None:
                yield from _anniversaries(since, interval, zone)
        elif last_event is not None and self.after is not None:
            day = self.after.after(in_zone(last_event, zone).date())
            if day is not None and day.year <= LAST_YEAR:
                yield day


def due(
    schedule: Schedule, member: Member, interval: Interval, last_event: datetime | None, zone: tzinfo
) -> Iterator[Activity]:
    """Yield the activities of a member that a schedule makes due in an interval, in the order of their instants.

    An activity has the id `SCHEDULE/MEMBER/DATE`.
    """
    start, end = interval
    for day in schedule.days(member, interval, last_event, zone):
        at = schedule.instant(day, zone)
        if start <= at < end:
            name = f"{schedule.id}/{key_part(member.id)}/{day.isoformat()}"
            yield Activity(type=schedule.activity, id=name, occurred_at=at, member=member)


def _date_of(member: Member, path: str) -> date | None:
    if path == "member.registered_on":
        return member.registered_on
    return date_in(member.extended_fields.get(path.removeprefix("member.extended_fields.")))


def _anniversaries(since: date, interval: Interval, zone: tzinfo) -> Iterator[date]:
    """Yield the anniversaries of a date in the local days of an interval, and of one day more at each end.

    A wall time that the clocks skip may move to the next day.
    """
    first, last = (in_zone(each, zone).date() for each in interval)
    for year in range(max(first.year - 1, since.year + 1), min(last.year + 1, LAST_YEAR) + 1):
        day = anniversary_in(year, since.month, since.day)
        if first - _ONE_DAY <= day <= last + _ONE_DAY:
            yield day
