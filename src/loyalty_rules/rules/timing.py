"""Timings: when an award becomes issued. Source: semantics 6."""

from collections.abc import Callable
from datetime import date, datetime
from typing import ClassVar, TypeAlias

import attrs

from loyalty_rules.rules.conditions import Condition, read_condition
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import read_whole
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import MAX_DAYS, days_after, is_in_range, later_by_days
from loyalty_rules.values.json_schema import declare, whole_number_schema

__all__ = ["Delayed", "External", "Immediate", "Schedule", "Timing", "TransactionUpdate", "bind_timing"]


@attrs.frozen
class Immediate:
    """An issue at once."""

    type: ClassVar[str] = "immediate"


def _read_delay(value: int) -> int:
    return read_whole(value, 0, MAX_DAYS)


declare(_read_delay, whole_number_schema(0, MAX_DAYS))


@attrs.frozen(field_transformer=checked)
class Delayed:
    """A promise that is due at the same local time of day, `days` calendar days later."""

    type: ClassVar[str] = "delayed"
    days: int = attrs.field(default=0, converter=_read_delay)


@attrs.frozen
class External:
    """A promise until an external confirmation names it."""

    type: ClassVar[str] = "external"


@attrs.frozen(field_transformer=checked)
class TransactionUpdate:
    """A promise until an update of the transaction satisfies the condition."""

    type: ClassVar[str] = "transaction_update"
    when: Condition = attrs.field(converter=read_condition)


Timing: TypeAlias = Immediate | Delayed | External | TransactionUpdate

IMMEDIATE = Immediate()


Schedule: TypeAlias = tuple[date | None, datetime | None]
"""The local date of the issue (None if a later event decides it), and the instant at which a promise is due."""


def bind_timing(timing: Timing) -> Callable[[Facts], Schedule]:
    """Bind a timing to the function that returns the schedule of an issue.

    The function raises `Skip` with `invalid_field` beyond the year 9998.
    """
    match timing:
        case Immediate():
            return lambda facts: (facts.event_on, None)
        case Delayed(days):
            return lambda facts: _days_later(facts, days)
        case _:
            return lambda _facts: (None, None)


def _days_later(facts: Facts, days: int) -> Schedule:
    issue_on = days_after(facts.event_on, days)
    due_at = later_by_days(facts.zoned, days, facts.zone)
    if due_at is None or issue_on is None or not (is_in_range(issue_on) and is_in_range(due_at)):
        raise Skip("invalid_field", f"{days} days later lies outside 1970 to 9998")
    return issue_on, due_at
