"""Expiries: the last local date on which an issue is valid. A table has one row for each kind. Source: semantics 5."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, ClassVar, Literal, TypeAlias

import attrs

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import read_whole
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import FIRST_YEAR, LAST_YEAR, Period, date_in, next_anniversary, read_date, shifted
from loyalty_rules.values.identifiers import read_name
from loyalty_rules.values.json_schema import declare, schema_rules, whole_number_schema

__all__ = [
    "EXPIRIES",
    "CustomerField",
    "EventDate",
    "Expiry",
    "ExpiryPolicy",
    "FixedDate",
    "FixedPeriod",
    "FixedRecurring",
    "Never",
    "RegistrationAnniversary",
    "Rolling",
    "TransactionField",
    "Until",
    "bind_expiry",
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


@schema_rules(
    {
        "if": {"properties": {"month": {"const": 2}}},
        "then": {"properties": {"day": {"maximum": 29}}},
        "else": {
            "if": {"properties": {"month": {"enum": [4, 6, 9, 11]}}},
            "then": {"properties": {"day": {"maximum": 30}}},
        },
    }
)
@attrs.frozen(field_transformer=checked)
class FixedRecurring:
    """An expiry on the next such date strictly after the issue date. 29 February is the 28th in common years."""

    type: ClassVar[str] = "fixed_recurring"
    month: int = attrs.field(converter=_read_month)
    day: int = attrs.field(converter=_read_day)

    def __attrs_post_init__(self) -> None:
        if self.day > _DAYS_IN_LEAP_YEAR[self.month - 1]:
            most = _DAYS_IN_LEAP_YEAR[self.month - 1]
            raise InvalidValueError("day", "out_of_range", f"month {self.month} has {most} days, found {self.day}")


@attrs.frozen(field_transformer=checked)
class FixedPeriod:
    """An expiry a period after the issue date."""

    type: ClassVar[str] = "fixed_period"
    after: Period


@attrs.frozen(field_transformer=checked)
class EventDate:
    """An expiry a period after the event date, even if the issue is later."""

    type: ClassVar[str] = "event_date"
    after: Period


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


@attrs.frozen(field_transformer=checked)
class TransactionField:
    """An expiry on the date in one of the event's extended fields, or a period after it."""

    type: ClassVar[str] = "transaction_field"
    field: str = attrs.field(converter=read_name)
    after: Period | None = None


@attrs.frozen(field_transformer=checked)
class Rolling:
    """An expiry a period after the event date, which also moves the expiry of the member's live lots to that date.

    `scope` is `balance` (every live lot of the currency) or `rolling_lots`.
    """

    type: ClassVar[str] = "rolling"
    after: Period
    scope: Literal["balance", "rolling_lots"] = "balance"


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


# -- from the issue date ---------------------------------------------------------------------------------------------


def _bind_period(expiry: FixedPeriod) -> Until:
    months, days = expiry.after.in_months, expiry.after.in_days

    def until(_facts: Facts, issue_on: date | None) -> date | None:
        return _in_range(shifted(issue_on, months, days)) if issue_on is not None else None

    return until


def _bind_recurring(expiry: FixedRecurring) -> Until:
    month, day = expiry.month, expiry.day

    def until(_facts: Facts, issue_on: date | None) -> date | None:
        return _in_range(next_anniversary(month, day, issue_on)) if issue_on is not None else None

    return until


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


def _bind_from_event(expiry: EventDate | Rolling) -> Until:
    period = expiry.after
    return lambda facts, _issue_on: _in_range(period.after(facts.event_on))


def _bind_customer_field(expiry: CustomerField) -> Until:
    field, after = expiry.field, expiry.after
    return lambda facts, _issue_on: _later(_customer_date(facts, field), after)


def _bind_transaction_field(expiry: TransactionField) -> Until:
    field, after = expiry.field, expiry.after
    return lambda facts, _issue_on: _later(_transaction_date(facts, field), after)


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


def _later(day: date, after: Period | None) -> date:
    return _in_range(after.after(day) if after is not None else day)


def _in_range(day: date | None) -> date:
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Skip("invalid_field", f"the expiry {'' if day is None else f'{day} '}lies outside 1970 to 9998")
    return day


# -- the table -------------------------------------------------------------------------------------------------------

EXPIRIES: Mapping[type, ExpiryPolicy] = {
    FixedDate: ExpiryPolicy(_bind_fixed_date, dates=lambda expiry: (expiry.on,)),
    FixedRecurring: ExpiryPolicy(_bind_recurring),
    FixedPeriod: ExpiryPolicy(_bind_period),
    EventDate: ExpiryPolicy(_bind_from_event),
    Never: ExpiryPolicy(_bind_never),
    RegistrationAnniversary: ExpiryPolicy(
        _bind_registration_anniversary, reads=lambda _expiry: ("member.registered_on",)
    ),
    CustomerField: ExpiryPolicy(_bind_customer_field, reads=lambda expiry: (f"member.extended_fields.{expiry.field}",)),
    TransactionField: ExpiryPolicy(_bind_transaction_field, reads=lambda expiry: (f"extended_fields.{expiry.field}",)),
    Rolling: ExpiryPolicy(_bind_from_event),
}
"""The policy of each kind of expiry. A new kind is one class and one row."""
