"""Expiries: the last local date on which an issue is valid. A table has one row for each kind. Source: semantics 5."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar, Literal, TypeAlias

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.skips import Skip
from loyalty_rules.rules.windows import Through, last_day
from loyalty_rules.values.amounts import read_whole
from loyalty_rules.values.checked import TupleOf, checked
from loyalty_rules.values.dates import FIRST_YEAR, LAST_YEAR, Period, date_in, next_anniversary, read_date, shifted
from loyalty_rules.values.identifiers import read_name
from loyalty_rules.values.json_schema import Json, declare, given, schema_rules, whole_number_schema

__all__ = [
    "EXPIRIES",
    "CustomerField",
    "EventDate",
    "Expiry",
    "ExpiryPolicy",
    "FixedDate",
    "FixedPeriod",
    "FixedRecurring",
    "MonthDay",
    "Never",
    "RegistrationAnniversary",
    "Rolling",
    "TransactionField",
    "Until",
    "bind_expiry",
    "bind_expiry_of_another",
    "bind_extension",
    "bind_last_day",
    "expires_by",
    "expiry_date",
]

_DAYS_IN_LEAP_YEAR = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@attrs.frozen(field_transformer=checked)
class FixedDate:
    """An expiry on the date `on`."""

    type: ClassVar[str] = "fixed_date"
    on: date = attrs.field(converter=read_date)


def _read_month(value: int) -> int:
    return read_whole(value, 1, 12)


declare(_read_month, whole_number_schema(1, 12))


def _read_day(value: int) -> int:
    return read_whole(value, 1, 31)


declare(_read_day, whole_number_schema(1, 31))


_DAYS_OF_MONTHS: Json = {
    "if": {"properties": {"month": {"const": 2}}},
    "then": {"properties": {"day": {"maximum": 29}}},
    "else": {
        "if": {"properties": {"month": {"enum": [4, 6, 9, 11]}}},
        "then": {"properties": {"day": {"maximum": 30}}},
    },
}


def _check_day(month: int, day: int) -> None:
    most = _DAYS_IN_LEAP_YEAR[month - 1]
    if day > most:
        raise InvalidValueError("day", "out_of_range", f"month {month} has {most} days, found {day}")


@schema_rules(_DAYS_OF_MONTHS)
@attrs.frozen(field_transformer=checked)
class MonthDay:
    """A date of every year. 29 February is the 28th in common years."""

    month: int = attrs.field(converter=_read_month)
    day: int = attrs.field(converter=_read_day)

    def __attrs_post_init__(self) -> None:
        _check_day(self.month, self.day)


@schema_rules(
    {
        "if": {"required": ["dates"], "properties": {"dates": {"type": "array", "minItems": 1}}},
        "then": {"properties": {"month": {"type": "null"}, "day": {"type": "null"}}},
        "else": {"allOf": [given("month"), given("day"), _DAYS_OF_MONTHS]},
    }
)
@attrs.frozen(field_transformer=checked)
class FixedRecurring:
    """An expiry on the next date of every year that lies strictly after the issue date.

    The date is `month` and `day`, or the nearest of `dates`. It does not lie before the issue date + `least`.
    29 February is the 28th in common years.
    """

    type: ClassVar[str] = "fixed_recurring"
    month: int | None = attrs.field(default=None, converter=optional(_read_month))
    day: int | None = attrs.field(default=None, converter=optional(_read_day))
    dates: tuple[MonthDay, ...] = attrs.field(default=(), converter=TupleOf[MonthDay])
    least: Period | None = None

    def __attrs_post_init__(self) -> None:
        if self.dates:
            if self.month is not None or self.day is not None:
                raise InvalidValueError("", "ambiguous", "expected either month and day, or dates; found both")
            return
        message = "is missing; expected month and day, or dates"
        missing = [InvalidValueError(name, "required", message) for name in ("month", "day") if not getattr(self, name)]
        if missing:
            raise InvalidValueError(missing[0].name, "required", message, tuple(missing[1:]))
        assert self.month is not None
        assert self.day is not None
        _check_day(self.month, self.day)

    @property
    def days(self) -> tuple[tuple[int, int], ...]:
        """The months and days of the dates."""
        if self.dates:
            return tuple((each.month, each.day) for each in self.dates)
        assert self.month is not None
        assert self.day is not None
        return ((self.month, self.day),)


@attrs.frozen(field_transformer=checked)
class FixedPeriod:
    """An expiry a period after the issue date; with `through`, on the last day of the unit that contains that day."""

    type: ClassVar[str] = "fixed_period"
    after: Period
    through: Through | None = None


@attrs.frozen(field_transformer=checked)
class EventDate:
    """An expiry a period after the event date, even if the issue is later; `through` is as in `FixedPeriod`."""

    type: ClassVar[str] = "event_date"
    after: Period
    through: Through | None = None


@attrs.frozen
class Never:
    """No expiry."""

    type: ClassVar[str] = "never"


@attrs.frozen
class RegistrationAnniversary:
    """An expiry on the next anniversary of the member's registration strictly after the issue date."""

    type: ClassVar[str] = "registration_anniversary"


@attrs.frozen(field_transformer=checked)
class CustomerField:
    """An expiry on the date in one of the member's extended fields, or a period after it."""

    type: ClassVar[str] = "customer_field"
    field: str = attrs.field(converter=read_name)
    after: Period | None = None
    through: Through | None = None


@attrs.frozen(field_transformer=checked)
class TransactionField:
    """An expiry on the date in one of the event's extended fields, or a period after it."""

    type: ClassVar[str] = "transaction_field"
    field: str = attrs.field(converter=read_name)
    after: Period | None = None
    through: Through | None = None


@attrs.frozen(field_transformer=checked)
class Rolling:
    """An expiry a period after the event date, which also moves the expiry of the member's live lots to that date.

    `scope` is `balance` (every live lot of the currency) or `rolling_lots`. With `most`, the issue is never valid
    beyond its own issue date + `most`, however often it is extended.
    """

    type: ClassVar[str] = "rolling"
    after: Period
    scope: Literal["balance", "rolling_lots"] = "balance"
    through: Through | None = None
    most: Period | None = None


Expiry: TypeAlias = (
    FixedDate
    | FixedRecurring
    | FixedPeriod
    | EventDate
    | Never
    | RegistrationAnniversary
    | CustomerField
    | TransactionField
    | Rolling
)

NEVER = Never()


Until: TypeAlias = Callable[[Facts, date | None], date | None]
"""An expiry, bound: from an event's facts and the issue date to the last date on which the issue is valid."""


def _no_fields(_expiry: Expiry) -> tuple[str, ...]:
    return ()


def _no_dates(_expiry: Expiry) -> tuple[date, ...]:
    return ()


@attrs.frozen(eq=False)
class ExpiryPolicy:
    """One row of the table of expiries. Each function takes an expiry of the row's class.

    `bind` is for `bind_expiry`. `reads` returns the paths of the dates of an event that the expiry reads, `dates` the
    dates that it names itself.
    """

    bind: Callable[[Any], Until]
    reads: Callable[[Any], tuple[str, ...]] = _no_fields
    dates: Callable[[Any], tuple[date, ...]] = _no_dates


def expiry_date(expiry: Expiry, facts: Facts, issue_on: date | None) -> date | None:
    """Return the last date on which an issue is valid; None if it never expires or if the date is not yet known.

    `issue_on` is the local date of the issue, or None if a later event decides it. An expiry that counts from the
    issue date is then resolved on release. Raises `Skip` with `missing_field` or `invalid_field` for a date that is
    absent, malformed or outside the years 1970 to 9998.
    """
    return bind_expiry(expiry)(facts, issue_on)


def bind_expiry(expiry: Expiry) -> Until:
    """Bind an expiry to the function that returns its date, as `expiry_date` does."""
    return EXPIRIES[type(expiry)].bind(expiry)


def bind_expiry_of_another(expiry: Expiry) -> Until:
    """Bind the expiry of an issue to another member than the event's own, whose facts the event does not have.

    If the expiry reads facts of the member, the function raises `Skip` with `missing_field`. A promise without an
    issue date waits for its release. Source: semantics 13.
    """
    [path, *_] = [*EXPIRIES[type(expiry)].reads(expiry), ""]
    if not path.startswith("member."):
        return bind_expiry(expiry)
    waits = isinstance(expiry, RegistrationAnniversary)

    def until(_facts: Facts, issue_on: date | None) -> date | None:
        if waits and issue_on is None:
            return None
        raise Skip("missing_field", f"the event does not say the {path} of another member")

    return until


def bind_last_day(expiry: Expiry) -> Callable[[date], date | None]:
    """Bind the expiry of a level to the function from a date to the last day, at most that of the year 9998.

    The expiry reads no fact of an event; an event date is the date itself. Source: semantics 14.
    """
    lasts = FixedPeriod(expiry.after, expiry.through) if isinstance(expiry, EventDate) else expiry
    bound: Any = bind_expiry(lasts)

    def until(on: date) -> date | None:
        try:
            day: date | None = bound(None, on)
        except Skip:
            return date(LAST_YEAR, 12, 31)
        return day

    return until


# -- from the issue date ---------------------------------------------------------------------------------------------


def _bind_period(expiry: FixedPeriod) -> Until:
    months, days, through = expiry.after.in_months, expiry.after.in_days, expiry.through

    def until(_facts: Facts, issue_on: date | None) -> date | None:
        return _in_range(shifted(issue_on, months, days)) if issue_on is not None else None

    def until_last_day(_facts: Facts, issue_on: date | None) -> date | None:
        return _last_day(shifted(issue_on, months, days), through) if issue_on is not None else None

    return until if through is None else until_last_day


def _bind_recurring(expiry: FixedRecurring) -> Until:
    dates, least = expiry.days, expiry.least
    (month, day), *others = dates

    def until(_facts: Facts, issue_on: date | None) -> date | None:
        return _in_range(next_anniversary(month, day, issue_on)) if issue_on is not None else None

    def until_nearest(_facts: Facts, issue_on: date | None) -> date | None:
        return _nearest(dates, issue_on, least) if issue_on is not None else None

    return until if not others and least is None else until_nearest


def _nearest(dates: tuple[tuple[int, int], ...], issue_on: date, least: Period | None) -> date:
    """Return the nearest date strictly after the issue date and not before the issue date + `least`."""
    since = issue_on
    if least:  # a period of zero days is false, and binds no more than none
        since = _in_range(least.after(issue_on)) - timedelta(days=1)
    found = (next_anniversary(month, day, since) for month, day in dates)
    return _in_range(min((day for day in found if day is not None), default=None))


def _bind_registration_anniversary(_expiry: RegistrationAnniversary) -> Until:
    return lambda facts, issue_on: _registration_anniversary(facts, issue_on) if issue_on is not None else None


def _registration_anniversary(facts: Facts, issue_on: date) -> date:
    registered = _registered_on(facts)
    return _in_range(next_anniversary(registered.month, registered.day, issue_on))


# -- from other dates ------------------------------------------------------------------------------------------------


def _bind_never(_expiry: Never) -> Until:
    return lambda _facts, _issue_on: None


def _bind_fixed_date(expiry: FixedDate) -> Until:
    on = expiry.on
    return lambda _facts, _issue_on: _in_range(on)


def _bind_event_date(expiry: EventDate) -> Until:
    period, through = expiry.after, expiry.through
    return lambda facts, _issue_on: _last_day(period.after(facts.event_on), through)


def _bind_rolling(expiry: Rolling) -> Until:
    until, most = bind_extension(expiry.after, expiry.through), expiry.most
    if most is None:
        return lambda facts, _issue_on: until(facts.event_on)

    def until_most(facts: Facts, issue_on: date | None) -> date | None:
        day = until(facts.event_on)
        return min(day, _in_range(most.after(issue_on))) if issue_on is not None else day

    return until_most


def bind_extension(after: Period, through: Through | None) -> Callable[[date], date]:
    """Bind an extension to the function that returns its date from the event date.

    The function raises `Skip` with `invalid_field` outside the years 1970 to 9998. Source: semantics 5.
    """
    return lambda event_on: _last_day(after.after(event_on), through)


def expires_by(expiry: Expiry, issue_on: date | None) -> date | None:
    """Return the date beyond which no extension moves an issue: its issue date + `most`.

    It is None if the expiry has no `most`, or if the issue date is not known yet. Raises `Skip` as `expiry_date` does.
    Source: semantics 5.
    """
    if not isinstance(expiry, Rolling) or expiry.most is None or issue_on is None:
        return None
    return _in_range(expiry.most.after(issue_on))


def _bind_customer_field(expiry: CustomerField) -> Until:
    field, after, through = expiry.field, expiry.after, expiry.through
    return lambda facts, _issue_on: _later(_customer_date(facts, field), after, through)


def _bind_transaction_field(expiry: TransactionField) -> Until:
    field, after, through = expiry.field, expiry.after, expiry.through
    return lambda facts, _issue_on: _later(_transaction_date(facts, field), after, through)


def _customer_date(facts: Facts, field: str) -> date:
    fields = facts.member.extended_fields if facts.member is not None else {}
    return _date_field(fields, "member.extended_fields", field)


def _transaction_date(facts: Facts, field: str) -> date:
    return _date_field(facts.event.extended_fields, "extended_fields", field)


def _registered_on(facts: Facts) -> date:
    if facts.member is None or facts.member.registered_on is None:
        raise Skip("missing_field", "member.registered_on is absent")
    return facts.member.registered_on


def _date_field(fields: Mapping[str, Any], where: str, name: str) -> date:
    value = fields.get(name)
    if value is None:
        raise Skip("missing_field", f"{where}.{name} is absent")
    day = date_in(value)
    if day is None:
        raise Skip("invalid_field", f"{where}.{name} is not a date: {describe(value)}")
    return day


def _later(day: date, after: Period | None, through: Through | None) -> date:
    return _last_day(after.after(day) if after is not None else day, through)


def _last_day(day: date | None, through: Through | None) -> date:
    day = _in_range(day)  # before the unit is looked up, so that no week ends beyond the last date
    return _in_range(last_day(through, day)) if through is not None else day


def _in_range(day: date | None) -> date:
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Skip("invalid_field", f"the expiry {'' if day is None else f'{day} '}lies outside 1970 to 9998")
    return day


# -- the table -------------------------------------------------------------------------------------------------------

EXPIRIES: Mapping[type, ExpiryPolicy] = {
    FixedDate: ExpiryPolicy(_bind_fixed_date, dates=lambda expiry: (expiry.on,)),
    FixedRecurring: ExpiryPolicy(_bind_recurring),
    FixedPeriod: ExpiryPolicy(_bind_period),
    EventDate: ExpiryPolicy(_bind_event_date),
    Never: ExpiryPolicy(_bind_never),
    RegistrationAnniversary: ExpiryPolicy(
        _bind_registration_anniversary, reads=lambda _expiry: ("member.registered_on",)
    ),
    CustomerField: ExpiryPolicy(_bind_customer_field, reads=lambda expiry: (f"member.extended_fields.{expiry.field}",)),
    TransactionField: ExpiryPolicy(_bind_transaction_field, reads=lambda expiry: (f"extended_fields.{expiry.field}",)),
    Rolling: ExpiryPolicy(_bind_rolling),
}
"""The policy of each kind of expiry. A new kind is one class and one row."""
