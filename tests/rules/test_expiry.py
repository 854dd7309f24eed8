"""Expiries: dates calculated by hand, reasons to skip, refusals. Source: semantics 5."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.expiry import (
    EXPIRIES,
    CustomerField,
    Expiry,
    FixedDate,
    FixedRecurring,
    Never,
    RegistrationAnniversary,
    Rolling,
    TransactionField,
    expires_by,
)
from loyalty_rules.values.dates import Period
from rules.actions import ACTION, DAY, MONEY, SPEND, expiring, problem_of
from shop import earn, evaluate, fixed, issued, program, sale

GIFT = {"gift": {"serial_managed": False, "code": "GIFT", "benefit": {"type": "amount_off", "amount": "1"}}}
LATER = {"type": "delayed", "days": 20}


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_expiry_has_a_row_in_the_table() -> None:
    assert set(EXPIRIES) == set(get_args(Expiry))


@pytest.mark.parametrize(
    ("expiry", "paths"),
    [
        (CustomerField("renewal"), ("member.extended_fields.renewal",)),
        (TransactionField("check_in"), ("extended_fields.check_in",)),
        (RegistrationAnniversary(), ("member.registered_on",)),
        (Never(), ()),
        (Rolling(after=Period(days=1)), ()),
    ],
)
def test_an_expiry_reads_these_dates_of_an_event(expiry: Any, paths: tuple[str, ...]) -> None:
    assert EXPIRIES[type(expiry)].reads(expiry) == paths


def test_only_a_fixed_date_names_a_date() -> None:
    assert EXPIRIES[FixedDate].dates(FixedDate("2025-12-31")) == (date(2025, 12, 31),)
    assert EXPIRIES[FixedRecurring].dates(FixedRecurring(month=12, day=31)) == ()


# -- dates -------------------------------------------------------------------------------------------------------------

HALVES = [{"month": 6, "day": 30}, {"month": 12, "day": 31}]

DATES: list[tuple[dict, dict, str | None]] = [
    ({"type": "never"}, sale(), None),
    ({"type": "fixed_date", "on": "2025-01-15"}, sale(), "2025-01-15"),
    ({"type": "fixed_recurring", "month": 1, "day": 15}, sale(), "2026-01-15"),
    ({"type": "fixed_recurring", "month": 1, "day": 16}, sale(), "2025-01-16"),
    ({"type": "fixed_recurring", "month": 2, "day": 29}, sale(), "2025-02-28"),
    ({"type": "fixed_recurring", "month": 12, "day": 31}, sale(), "2025-12-31"),
    ({"type": "fixed_period", "after": {"months": 1}}, sale(), "2025-02-15"),
    ({"type": "event_date", "after": DAY}, sale(), "2025-01-16"),
    ({"type": "rolling", "after": {"years": 1, "weeks": 1}}, sale(), "2026-01-22"),
    ({"type": "registration_anniversary"}, sale(member={"id": "M1", "registered_on": "2023-06-10"}), "2025-06-10"),
    (
        {"type": "customer_field", "field": "until"},
        sale(member={"id": "M1", "extended_fields": {"until": "2025-02-01"}}),
        "2025-02-01",
    ),
    (
        {"type": "customer_field", "field": "until", "after": {"days": 30}},
        sale(member={"id": "M1", "extended_fields": {"until": "2025-02-01"}}),
        "2025-03-03",
    ),
    (
        {"type": "transaction_field", "field": "until", "after": DAY},
        sale(extended_fields={"until": "2025-02-28"}),
        "2025-03-01",
    ),
    ({"type": "fixed_date", "on": "9998-12-31"}, sale(), "9998-12-31"),
    ({"type": "fixed_period", "after": {"months": 12}, "through": "month"}, sale(), "2026-01-31"),
    ({"type": "fixed_period", "after": {"years": 1}, "through": "year"}, sale(), "2026-12-31"),
    ({"type": "event_date", "after": DAY, "through": "week"}, sale(), "2025-01-19"),  # 16 January is a Thursday
    ({"type": "event_date", "after": {"days": 0}, "through": "quarter"}, sale(), "2025-03-31"),
    ({"type": "event_date", "after": {"months": 6}, "through": "half_year"}, sale(), "2025-12-31"),
    ({"type": "event_date", "after": {"months": 5}, "through": "half_year"}, sale(), "2025-06-30"),
    ({"type": "rolling", "after": {"months": 1}, "through": "month"}, sale(), "2025-02-28"),
    (
        {"type": "transaction_field", "field": "until", "through": "month"},
        sale(extended_fields={"until": "2025-02-10"}),
        "2025-02-28",
    ),
    (
        {"type": "customer_field", "field": "until", "after": DAY, "through": "month"},
        sale(member={"id": "M1", "extended_fields": {"until": "2025-02-28"}}),
        "2025-03-31",
    ),
    ({"type": "fixed_recurring", "dates": [{"month": 6, "day": 30}, {"month": 1, "day": 15}]}, sale(), "2025-06-30"),
    ({"type": "fixed_recurring", "dates": HALVES, "least": {"days": 166}}, sale(), "2025-06-30"),  # the day itself
    ({"type": "fixed_recurring", "dates": HALVES, "least": {"days": 167}}, sale(), "2025-12-31"),
    ({"type": "fixed_recurring", "dates": HALVES, "least": {"months": 12}}, sale(), "2026-06-30"),
    ({"type": "fixed_recurring", "month": 1, "day": 16, "least": {"days": 2}}, sale(), "2026-01-16"),
    ({"type": "fixed_recurring", "month": 1, "day": 15, "least": {"days": 0}}, sale(), "2026-01-15"),
    ({"type": "rolling", "after": {"years": 2}, "most": {"years": 1}}, sale(), "2026-01-15"),
    ({"type": "rolling", "after": DAY, "most": {"years": 1}}, sale(), "2025-01-16"),
    ({"type": "rolling", "after": {"months": 11}, "through": "year", "most": {"months": 11}}, sale(), "2025-12-15"),
]


@pytest.mark.parametrize(("expiry", "event", "expected"), DATES)
def test_an_expiry_is_the_date_calculated_by_hand(expiry: dict, event: dict, expected: str | None) -> None:
    [intent] = issued(program(earn(fixed("1"), expiry=expiry)), event)

    assert intent["expires_on"] == expected


@pytest.mark.parametrize(("until", "reason"), [("1970-01-01", "already_expired"), ("1969-12-31", "invalid_field")])
def test_the_first_year_is_1970(until: str, reason: str) -> None:
    action = earn(fixed("1"), expiry={"type": "customer_field", "field": "until"})
    event = sale(member={"id": "M1", "extended_fields": {"until": until}})

    assert [skip["reason"] for skip in evaluate(program(action), event)["skipped"]] == [reason]


@pytest.mark.parametrize("years", [1, 2])
def test_a_period_beyond_the_last_year_is_refused(years: int) -> None:
    """Into 9999, which is beyond the last one, and into 10000, which no date can hold."""
    action = earn(fixed("1"), expiry={"type": "fixed_period", "after": {"years": years}})
    event = sale(occurred_at="9998-06-01T12:00:00Z")

    assert [skip["reason"] for skip in evaluate(program(action), event)["skipped"]] == ["invalid_field"]


@pytest.mark.parametrize(
    ("expiry", "expected"),
    [
        ({"type": "fixed_period", "after": DAY}, "2025-02-05"),  # from 4 February, 20 days on
        ({"type": "fixed_recurring", "month": 2, "day": 4}, "2026-02-04"),
        ({"type": "registration_anniversary"}, "2025-02-05"),
        ({"type": "event_date", "after": {"days": 40}}, "2025-02-24"),  # from the sale
    ],
)
def test_the_expiry_of_a_promise_counts_from_its_issue_or_from_the_sale(expiry: dict, expected: str) -> None:
    member = {"id": "M1", "registered_on": "2020-02-05"}
    [intent] = issued(program(earn(fixed("1"), expiry=expiry, timing=LATER)), sale(member=member))

    assert intent["expires_on"] == expected


@pytest.mark.parametrize("kind", ["fixed_period", "fixed_recurring", "registration_anniversary"])
def test_an_expiry_from_an_unknown_issue_date_is_unknown(kind: str) -> None:
    parts = {"fixed_period": {"after": DAY}, "fixed_recurring": {"month": 1, "day": 1}, "registration_anniversary": {}}
    action = earn(fixed("1"), expiry={"type": kind, **parts[kind]}, timing={"type": "external"})

    assert issued(program(action), sale())[0]["expires_on"] is None


# -- reasons to skip ---------------------------------------------------------------------------------------------------

SKIPS: list[tuple[dict, dict, str, str]] = [
    (expiring(type="registration_anniversary"), sale(), "missing_field", "member.registered_on is absent"),
    (
        expiring(type="customer_field", field="until"),
        sale(),
        "missing_field",
        "member.extended_fields.until is absent",
    ),
    (
        expiring(type="customer_field", field="until"),
        sale(member={"id": "M1", "extended_fields": {"until": "soon"}}),
        "invalid_field",
        "member.extended_fields.until is not a date: the text 'soon'",
    ),
    (expiring(type="transaction_field", field="until"), sale(), "missing_field", "extended_fields.until is absent"),
    (
        expiring(type="transaction_field", field="until"),
        sale(extended_fields={"until": "2025-02-29"}),
        "invalid_field",
        "extended_fields.until is not a date: the text '2025-02-29'",
    ),
    (
        expiring(type="fixed_date", on="9999-01-01"),
        sale(),
        "invalid_field",
        "the expiry 9999-01-01 lies outside 1970 to 9998",
    ),
    (
        expiring(type="transaction_field", field="until", after={"years": 90}),
        sale(extended_fields={"until": "9990-01-01"}),
        "invalid_field",
        "the expiry lies outside 1970 to 9998",
    ),
]


@pytest.mark.parametrize(("action", "event", "reason", "detail"), SKIPS)
def test_an_action_without_its_date_is_skipped(action: dict, event: dict, reason: str, detail: str) -> None:
    [skip] = evaluate(program(action, trackers=SPEND, coupon_types=GIFT, **MONEY), event)["skipped"]

    assert skip == {"promotion": "p", "action": "earn", "reason": reason, "detail": detail}


@pytest.mark.parametrize(
    "expiry",
    [
        {"type": "event_date", "after": {"days": 0}, "through": "week"},  # to 3 January 9999
        {"type": "fixed_recurring", "month": 12, "day": 31, "least": DAY},
        {"type": "rolling", "after": {"days": 0}, "most": DAY},
    ],
)
def test_a_date_after_the_last_year_is_invalid(expiry: dict) -> None:
    event = sale(occurred_at="9998-12-31T12:00:00Z")
    [skip] = evaluate(program(expiring(**expiry)), event)["skipped"]

    assert skip["reason"] == "invalid_field"


def test_a_maximum_counts_from_an_issue_date_that_is_known() -> None:
    expiry = Rolling(after=Period(years=2), most=Period(years=1))

    assert expires_by(expiry, date(2025, 1, 15)) == date(2026, 1, 15)
    assert expires_by(expiry, None) is None
    assert expires_by(Rolling(after=Period(years=2)), date(2025, 1, 15)) is None
    assert expires_by(Never(), date(2025, 1, 15)) is None


def test_a_coupon_of_an_anonymous_sale_has_no_date_of_a_member() -> None:
    gift = {**GIFT["gift"], "validity": {"expiry": {"type": "customer_field", "field": "until"}}}
    coupon = {"type": "issue_coupon", "id": "c", "coupon_type": "gift"}
    [skip] = evaluate(program(coupon, coupon_types={"gift": gift}), sale(member=None))["skipped"]

    assert (skip["reason"], skip["detail"]) == ("missing_field", "member.extended_fields.until is absent")


# -- refusals ----------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict, str, str, str]] = [
    (
        expiring(type="fixed_recurring", month=2, day=30),
        f"{ACTION}.expiry.day",
        "out_of_range",
        "month 2 has 29 days, found 30",
    ),
    (
        expiring(type="fixed_recurring", month=11, day=31),
        f"{ACTION}.expiry.day",
        "out_of_range",
        "month 11 has 30 days, found 31",
    ),
    (
        expiring(type="fixed_recurring", dates=[{"month": 1, "day": 1}, {"month": 4, "day": 31}]),
        f"{ACTION}.expiry.dates[1].day",
        "out_of_range",
        "month 4 has 30 days, found 31",
    ),
    (
        expiring(type="fixed_recurring", month=1, day=1, dates=HALVES),
        f"{ACTION}.expiry",
        "ambiguous",
        "expected either month and day, or dates; found both",
    ),
    (
        expiring(type="fixed_recurring", month=1),
        f"{ACTION}.expiry.day",
        "required",
        "is missing; expected month and day, or dates",
    ),
]


@pytest.mark.parametrize(("action", "path", "code", "message"), REFUSED)
def test_a_date_outside_the_calendar_is_refused(action: dict, path: str, code: str, message: str) -> None:
    assert problem_of(program(action)) == (path, code, message)


@pytest.mark.parametrize(("month", "day", "key"), [(0, 1, "month"), (13, 1, "month"), (1, 0, "day"), (1, 32, "day")])
def test_a_month_or_day_outside_the_calendar_is_refused(month: int, day: int, key: str) -> None:
    path, code, message = problem_of(program(expiring(type="fixed_recurring", month=month, day=day)))

    assert (path, code) == (f"{ACTION}.expiry.{key}", "out_of_range")
    assert message.startswith(f"expected 1 to {12 if key == 'month' else 31}")


def test_the_fact_of_another_member_that_is_missing_is_told() -> None:
    action = earn(fixed("1"), recipient={"field": "store"}, expiry={"type": "customer_field", "field": "until"})

    [skip] = evaluate(program(action), sale("5", store="M2"))["skipped"]
    assert skip["detail"] == "the event does not say the member.extended_fields.until of another member"


@pytest.mark.parametrize("also", [{"month": 1}, {"day": 1}, {"month": 1, "day": 1}])
def test_dates_stand_without_a_month_and_a_day(also: dict) -> None:
    found = problem_of(program(expiring(type="fixed_recurring", dates=[{"month": 2, "day": 1}], **also)))

    assert found[:2] == (f"{ACTION}.expiry", "ambiguous")


def test_a_month_and_a_day_that_are_missing_are_both_told() -> None:
    with pytest.raises(lr.DocumentError) as caught:
        lr.load_program(program(expiring(type="fixed_recurring")))

    assert [(problem.path, problem.code) for problem in caught.value.problems] == [
        (f"{ACTION}.expiry.month", "required"),
        (f"{ACTION}.expiry.day", "required"),
    ]


def test_the_nearest_date_of_a_promise_waits_for_its_release() -> None:
    dates = {"type": "fixed_recurring", "dates": [{"month": 6, "day": 30}, {"month": 12, "day": 31}]}

    [promise] = issued(program(earn(fixed("1"), expiry=dates, timing={"type": "external"})), sale("5"))
    assert promise["expires_on"] is None
