"""The programs of the reference model: the documents are valid, and the plain rules are worked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.testing.ledgers import reference_programs as reference
from loyalty_rules.testing.ledgers.reference_programs import FIRST, SECOND, Bill, CounterUse

NOON = datetime(2025, 1, 27, 6, 30, tzinfo=UTC)  # 12:00 in the zone of the programs
RULES = {rule.id: rule for rule in FIRST.currency_rules}
COUPONS = {rule.id: rule for rule in FIRST.coupon_rules}


def bill(amount: int = 5000, *, member: str | None = "anna", store: str | None = "S1", pieces: int = 1) -> Bill:
    return Bill("T1", NOON, member, store, amount, pieces)


@pytest.mark.parametrize("version", reference.VERSIONS)
def test_every_version_is_a_valid_program(version: reference.ReferenceProgram) -> None:
    program = lr.load_program(reference.document(version))

    rules = [*version.currency_rules, *version.coupon_rules]
    assert [promotion.id for promotion in program.promotions] == [rule.id for rule in rules]
    assert program.shortfall == version.shortfall


def test_the_versions_differ_in_their_policies_and_limits() -> None:
    assert (FIRST.shortfall, SECOND.shortfall) == ("carry", "write_off")
    assert (FIRST.member_limit, SECOND.member_limit) == (6000, 7500)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2025, 1, 27, 18, 29, 59, tzinfo=UTC), date(2025, 1, 27)),
        (datetime(2025, 1, 27, 18, 30, tzinfo=UTC), date(2025, 1, 28)),
    ],
)
def test_a_local_day_begins_at_half_past_six_in_the_evening_of_greenwich(at: datetime, day: date) -> None:
    assert reference.local_day(at) == day


def test_a_local_day_ends_at_the_next_midnight() -> None:
    assert reference.midnight_after(date(2025, 1, 27)) == datetime(2025, 1, 27, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "amount", "award"),
    [
        ("base", 2999, 200),  # 1 point for each whole 10
        ("late", 2999, 200),  # 10 percent, in whole points: 2.99 is 2
        ("ship", 2999, 149),  # 5 percent, in hundredths: 1.4995 is 1.49
        ("roll", 3999, 200),  # 2 stars for each whole 20
        ("claim", 1, 700),
    ],
)
def test_the_award_of_a_rule_is_rounded_down(rule: str, amount: int, award: int) -> None:
    assert RULES[rule].award(bill(amount)) == award


def test_a_rule_for_pieces_awards_a_point_for_each() -> None:
    assert RULES["piece"].award(bill(pieces=3)) == 300


@pytest.mark.parametrize(("amount", "number"), [(2999, 0), (3000, 1), (8999, 2)])
def test_a_coupon_is_issued_for_each_whole_thirty(amount: int, number: int) -> None:
    assert COUPONS["next"].number(bill(amount)) == number


@pytest.mark.parametrize(
    ("rule", "issue_day", "end"),
    [
        ("late", date(2025, 1, 30), None),
        ("base", date(2025, 1, 30), date(2025, 2, 8)),  # 9 days after the issue
        ("ship", date(2025, 1, 30), date(2025, 1, 31)),  # 4 days after the event on 27 January
        ("roll", date(2025, 1, 27), date(2025, 2, 1)),
    ],
)
def test_an_issue_is_valid_until_the_end_of_its_last_day(rule: str, issue_day: date, end: date | None) -> None:
    expected = datetime(end.year, end.month, end.day, 18, 30, tzinfo=UTC) if end is not None else None

    assert reference.end_of(RULES[rule], bill(), issue_day) == expected


@pytest.mark.parametrize(
    ("sale", "contributions"),
    [
        (bill(5000), {"spent": 5000, "visits": 1}),
        (bill(0), {}),
        (bill(5000, member=None), {}),
    ],
)
def test_only_a_sale_of_a_member_contributes_to_trackers(sale: Bill, contributions: dict[str, int]) -> None:
    assert reference.contributions_of(sale) == contributions


def test_a_tracker_counts_in_a_month_or_in_the_last_three_days() -> None:
    assert reference.tracker_counter("spent", bill()) == (("tracker", "spent", "anna", "2025-01"), None)
    assert reference.tracker_counter("visits", bill()) == (("tracker", "visits", "anna"), date(2025, 1, 25))


def test_an_issue_uses_the_counters_of_its_caps_and_of_its_limit() -> None:
    day = date(2025, 1, 27)

    assert [*reference.counter_uses_of(RULES["roll"], FIRST, bill())] == [
        CounterUse(("cap", "roll", "anna", "2025-01"), day, None, 1400, 0),
        CounterUse(("cap", "roll"), day, None, 4000, 0),
        CounterUse(("limit", "store", "S1"), day, date(2025, 1, 23), 9000, 0),
    ]
    assert [*reference.counter_uses_of(RULES["claim"], FIRST, bill(store=None))] == [
        CounterUse(("times", "claim", "anna"), day, date(2025, 1, 22), 2, 0, times=True),
    ]
    assert [*reference.counter_uses_of(RULES["base"], FIRST, bill())] == [
        CounterUse(("limit", "member", "anna", "2025-01-27"), day, None, 6000, 0),
    ]


@pytest.mark.parametrize(
    ("parts", "caps"),
    [
        ({}, ["per_store", "per_member", "total"]),
        ({"store": None}, ["per_member", "total"]),
        ({"member": None, "store": None}, ["total"]),
    ],
)
def test_a_coupon_uses_a_counter_for_each_cap_that_applies(parts: dict[str, Any], caps: list[str]) -> None:
    uses = [*reference.coupon_counter_uses_of(COUPONS["next"], bill(**parts))]

    assert [use.counter[2] for use in uses] == caps
    assert {use.amount for use in uses} == {1}
