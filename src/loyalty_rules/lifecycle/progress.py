"""Progress: the way of a member to the next milestones and levels, and units that expire soon.

Source: semantics 7a, 14, 16.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

import attrs

from loyalty_rules.lifecycle.levels import TierStatus
from loyalty_rules.lifecycle.records import Lot
from loyalty_rules.rules.facts import Standing
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.rules.windows import window_days
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["Expiring", "Progress", "TrackerProgress", "expiring", "tracker_progress"]


@attrs.frozen
class TrackerProgress:
    """The value of a tracker in a window, and the amount that is missing to its next milestone, `target`.

    `reached` counts the milestones so far; without `repeats` it is 0 or 1, and `missing` is 0 after the first.
    `first` and `last` are the days of the window, both included; None for one without an end.
    """

    tracker: str
    value: Decimal
    target: Decimal
    missing: Decimal
    reached: int
    first: date | None
    last: date | None


@attrs.frozen
class Progress:
    """The progress of a member: each tracker that the member has, and the status of each tier, by its id."""

    member: str
    at: datetime
    trackers: tuple[TrackerProgress, ...]
    tiers: Mapping[str, TierStatus]


@attrs.frozen
class Expiring:
    """The units that expire with the end of one day: available ones, and those that are set aside by holds."""

    expires_on: date
    available: Decimal
    held: Decimal


def tracker_progress(tracker: Tracker, value: int, day: date) -> TrackerProgress:
    """Return the progress of a tracker in the window that contains a local date; `value` is in millionths."""
    standing = Standing(micros(tracker.target), value, 0, repeats=tracker.repeats)
    missing = standing.gap_before
    target = decimal_of(value + missing) if missing else tracker.target
    start = attrs.evolve(standing, before=0, contribution=value)
    days = window_days(tracker.window, day)
    first, last = days if days is not None else (None, None)
    return TrackerProgress(tracker.id, decimal_of(value), target, decimal_of(missing), start.crossings, first, last)


def expiring(lots: Iterable[Lot], at: datetime, before: datetime | date) -> tuple[Expiring, ...]:
    """Return the units of live lots that expire before an instant or a day, by their last day, soonest first.

    Before an instant means that they can no longer be spent at it. Before a day means that their last day is earlier.
    """
    by_day: dict[date, tuple[int, int]] = {}
    for lot in lots:
        if lot.expires_on is None or not _ends_before(lot, before):
            continue
        available, held = micros(lot.outstanding) if lot.is_live(at) else 0, micros(lot.held)
        if available or held:
            so_far = by_day.get(lot.expires_on, (0, 0))
            by_day[lot.expires_on] = so_far[0] + available, so_far[1] + held
    return tuple(Expiring(day, decimal_of(units), decimal_of(held)) for day, (units, held) in sorted(by_day.items()))


def _ends_before(lot: Lot, before: datetime | date) -> bool:
    assert lot.expires_on is not None
    assert lot.expires_at is not None
    return lot.expires_at <= before if isinstance(before, datetime) else lot.expires_on < before
