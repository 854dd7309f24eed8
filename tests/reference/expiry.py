"""The issue date and the expiry of an award. Source: semantics 5, 6 and 9."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from .conditions import echoed
from .dates import (
    add_period,
    in_range,
    is_before,
    is_empty,
    last_day_of,
    later,
    next_anniversary,
    parsed_date,
    same_wall_time,
    start_of,
)
from .facts import Facts, Skip

# "Where the issue date is not known yet (external, transaction_update), fixed_recurring, fixed_period and
# registration_anniversary are resolved on release; the others are known at once."
COUNTED_FROM_THE_ISSUE = ("fixed_recurring", "fixed_period", "registration_anniversary")
# "An expiry that reads the member's facts is missing_field, since the event says nothing about the recipient".
FACTS_OF_THE_MEMBER = ("registration_anniversary", "customer_field")


@dataclass
class Issue:
    """The issue of an award: ``issue_on`` and ``due_at`` are None if the date is unknown, or if it is not due."""

    state: str
    issue_on: date | None
    due_at: datetime | None
    release: dict | None


def issue_of(timing: dict | None, facts: Facts) -> Issue:
    """Return the issue by a timing; immediate by default."""
    timing = timing or {"type": "immediate"}
    kind = timing["type"]
    if kind == "immediate":
        return Issue("issued", facts.event_date, None, None)
    if kind == "delayed":
        days = timing.get("days") or 0
        # "The event date + days for delayed (though due_at counts from occurred_at)"
        issue_on, due_at = later(facts.event_date, days), same_wall_time(facts.occurred_at, days, facts.zone)
        if not in_range(issue_on) or due_at is None:
            raise Skip("invalid_field")
        return Issue("promised", issue_on, due_at, {"type": "delayed"})
    if kind == "external":
        return Issue("promised", None, None, {"type": "external"})
    release = {"type": "transaction_update", "when": echoed(timing["when"])}
    return Issue("promised", None, None, release)


@dataclass
class Life:
    """The end: "expires_on is that date, expires_at is that next midnight as an instant"; None: never, or unknown.

    ``expires_by`` is the last day that ``most`` leaves, and ``before_most`` the date that an extension carries.
    """

    expires_on: date | None
    expires_at: datetime | None
    expires_by: date | None = None
    before_most: date | None = None


def life_of(expiry: dict | None, issue: Issue, facts: Facts, is_own: bool = True) -> Life:
    """Return the expiry of an award; raise Skip if its date is missing, malformed, out of range or past.

    ``is_own`` is false for another recipient, of whom the event says nothing.
    """
    kind = (expiry or {"type": "never"})["type"]
    if kind == "never" or (issue.issue_on is None and kind in COUNTED_FROM_THE_ISSUE):
        return Life(None, None)
    if not is_own and kind in FACTS_OF_THE_MEMBER:
        raise Skip("missing_field")
    moved_to = expiry_date(expiry, issue.issue_on, facts)
    if not in_range(moved_to):
        raise Skip("invalid_field")
    expires_on, expires_by = moved_to, None
    if expiry.get("most") is not None and issue.issue_on is not None:
        # "most binds last, counts from the issue date …, and is not moved by through"
        expires_by = add_period(issue.issue_on, expiry["most"])
        if not in_range(expires_by):
            raise Skip("invalid_field")
        expires_on = min(moved_to, expires_by)
    expires_at = start_of(later(expires_on, 1), facts.zone)
    # "Already past is expires_on before the issue date (where that is not known, the event date), or expires_at not
    # after the instant of issue (occurred_at, or due_at)."
    is_past_day = expires_on < (issue.issue_on or facts.event_date)
    if is_past_day or not is_before(issue.due_at or facts.occurred_at, expires_at):
        raise Skip("already_expired")
    return Life(expires_on, expires_at, expires_by, moved_to)


def expiry_date(expiry: dict, issue_on: date | None, facts: Facts) -> date | None:
    """Return the local date on which an award expires, None beyond the calendar; each type is a line of the table."""
    kind = expiry["type"]
    if kind == "fixed_date":
        return parsed_date(expiry["on"])
    if kind == "fixed_recurring":
        return recurring_date(expiry, issue_on)
    if kind == "fixed_period":
        return period_end(issue_on, expiry)
    if kind in ("event_date", "rolling"):
        return period_end(facts.event_date, expiry)
    if kind == "registration_anniversary":
        registered_on = date_field(facts.member, "registered_on")
        return next_anniversary(registered_on.month, registered_on.day, issue_on)
    holder = facts.member if kind == "customer_field" else facts.event
    return period_end(date_field((holder or {}).get("extended_fields"), expiry["field"]), expiry)


def period_end(day: date, expiry: dict) -> date | None:
    """Return the end of a period: "through moves the date after its period was added"."""
    moved = add_period(day, expiry.get("after"))
    return None if moved is None else last_day_of(expiry.get("through"), moved)


def recurring_date(expiry: dict, issue_on: date) -> date | None:
    """Return the nearest of the dates: "strictly after the issue date", and "must not lie before issue date + least".

    "The day itself counts, and the search goes on through later years".
    """
    earliest = add_period(issue_on, expiry.get("least"))
    days = expiry.get("dates") or [expiry]
    if earliest is None:
        return None
    # The nearest of the days that is strictly after both the issue date and the day before the earliest.
    after = max(issue_on, later(earliest, -1))
    found = [next_anniversary(day["month"], day["day"], after) for day in days]
    return min((day for day in found if day is not None), default=None)


def date_field(fields: dict | None, name: str) -> date:
    """Read a date field; "a missing or malformed date: missing_field / invalid_field."""
    value = (fields or {}).get(name)
    if value is None:
        raise Skip("missing_field")
    day = parsed_date(value)
    if day is None:
        raise Skip("invalid_field")
    return day


def valid_from(validity: dict, facts: Facts) -> datetime:
    """Return the start of the validity of a coupon.
    "From the start of the local day that lies starts_after past the event date (none or zero: from issued_at)".
    """
    starts_after = validity.get("starts_after")
    if is_empty(starts_after):
        return facts.occurred_at
    day = add_period(facts.event_date, starts_after)
    if not in_range(day):
        raise Skip("invalid_field")
    return start_of(day, facts.zone)
