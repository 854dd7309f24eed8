"""The counters of an event: which there are, their days, and the snapshot that is built from their values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.engine.counters import (
    Counter,
    cap_counters,
    claim_on,
    coupon_counters,
    limit_counter,
    make_snapshot,
    tracker_counter,
)
from loyalty_rules.rules.caps import Cap, Limit
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.windows import Calendar, Lifetime, RollingDays
from shop import earn, fixed, program, sale

DAY = {"type": "calendar", "unit": "day"}
WEDNESDAY = date(2025, 1, 15)


def facts_of(**parts: object) -> Facts:
    """Return the facts of a sale to M1 on Wednesday, 15 January 2025."""
    plan = lr.load_program(program()).plan
    return plan.facts(lr.load_event(sale(**parts)), lr.Snapshot())


def tracker(window: dict):
    document = {"spend": {"measure": {"type": "transaction_value"}, "target": "500", "window": window}}
    return lr.load_program(program(trackers=document)).trackers[0]


def coupon_type(**caps: int):
    document = {"gift": {"benefit": {"type": "percent_off", "percent": "10"}, "caps": caps}}
    return lr.load_program(program(coupon_types=document)).coupon_types[0]


@pytest.mark.parametrize(
    ("window", "name", "days"),
    [
        ({"type": "lifetime"}, "tracker/spend/M1/lifetime", (None, None)),
        (DAY, "tracker/spend/M1/2025-01-15", (None, None)),
        ({"type": "calendar", "unit": "week"}, "tracker/spend/M1/2025-01-13", (None, None)),
        ({"type": "rolling", "days": 7}, "tracker/spend/M1/rolling", (date(2025, 1, 9), WEDNESDAY)),
        ({"type": "rolling", "days": 1}, "tracker/spend/M1/rolling", (WEDNESDAY, WEDNESDAY)),
    ],
)
def test_only_a_rolling_window_has_days(window: dict, name: str, days: tuple) -> None:
    assert tracker_counter(tracker(window), "M1", WEDNESDAY) == Counter(name, "tracker", "spend", "", *days)


def test_the_counters_of_an_actions_caps_are_per_member_then_total() -> None:
    per_member, total = Cap(amount=Decimal(10), window=Calendar("day")), Cap(times=2, window=Lifetime())

    assert list(cap_counters("p/earn", per_member, total, facts_of())) == [
        (per_member, Counter("p/earn/member/M1/2025-01-15", "issued", "p/earn", "member.amount")),
        (total, Counter("p/earn/total/lifetime/times", "issued", "p/earn", "total.times")),
    ]


def test_a_cap_per_member_does_not_bind_an_anonymous_event() -> None:
    cap = Cap(amount=Decimal(10))
    assert [each for each, _ in cap_counters("p/earn", cap, cap, facts_of(member=None))] == [cap]


def test_an_action_without_caps_has_no_counters() -> None:
    assert list(cap_counters("p/earn", None, None, facts_of())) == []


@pytest.mark.parametrize(
    ("per", "event", "name"),
    [
        ("member", {}, "limit/daily/M1/2025-01-15"),
        ("member", {"member": None}, None),
        ("store", {"store": "S/1"}, "limit/daily/S%2F1/2025-01-15"),
        ("store", {}, None),
        ("total", {"member": None}, "limit/daily/2025-01-15"),
    ],
)
def test_a_limit_binds_an_event_that_has_its_member_or_store(per: str, event: dict, name: str | None) -> None:
    counter = limit_counter(Limit("daily", "points", per, Decimal(5), Calendar("day")), facts_of(**event))
    assert counter == (Counter(name, "limit", "daily") if name is not None else None)


def test_a_limit_over_rolling_days_has_its_first_and_last_day() -> None:
    limit = Limit("weekly", "points", "total", Decimal(5), RollingDays(7))
    expected = Counter("limit/weekly/rolling", "limit", "weekly", "", date(2025, 1, 9), WEDNESDAY)
    assert limit_counter(limit, facts_of()) == expected


def test_the_counters_of_a_coupon_type_are_per_store_per_member_and_total() -> None:
    gift = coupon_type(per_store=3, per_member=1, total=9, per_transaction=2)

    assert list(coupon_counters(gift, facts_of(store="S1"))) == [
        (3, Counter("coupon/gift/store/S1", "coupon", "gift", "store")),
        (1, Counter("coupon/gift/member/M1", "coupon", "gift", "member")),
        (9, Counter("coupon/gift/total", "coupon", "gift", "total")),
    ]


def test_without_a_store_and_a_member_only_the_total_of_coupons_is_counted() -> None:
    gift = coupon_type(per_store=3, per_member=1, total=9)
    assert [cap for cap, _ in coupon_counters(gift, facts_of(member=None))] == [9]


def test_a_claim_has_the_name_and_the_days_of_its_counter() -> None:
    counter = Counter("limit/weekly/rolling", "limit", "weekly", "", date(2025, 1, 9), WEDNESDAY)
    claim = lr.Claim("limit/weekly/rolling", Decimal(5), Decimal(2), date(2025, 1, 9), WEDNESDAY)
    assert claim_on(counter, Decimal(5), Decimal(2)) == claim


def test_a_snapshot_has_each_value_in_its_place() -> None:
    values = {
        Counter("t", "tracker", "spend"): Decimal("12.5"),
        Counter("l", "limit", "daily"): Decimal(70),
        Counter("ma", "issued", "p/earn", "member.amount"): Decimal("1.5"),
        Counter("tt", "issued", "p/earn", "total.times"): Decimal(4),
        Counter("cs", "coupon", "gift", "store"): Decimal(3),
        Counter("ct", "coupon", "gift", "total"): Decimal(9),
    }

    assert make_snapshot(values, values.__getitem__) == lr.Snapshot(
        trackers={"spend": "12.5"},
        issued={
            "p/earn": lr.Issued(member=lr.IssuedCounts(amount=Decimal("1.5")), total=lr.IssuedCounts(times=4)),
        },
        limits={"daily": 70},
        coupons={"gift": lr.CouponCounts(store=3, total=9)},
    )


def test_a_program_without_caps_and_trackers_has_no_counters() -> None:
    loaded = lr.load_program(program(earn(fixed("5"))))
    assert loaded.counters(lr.load_event(sale())) == []


def test_the_claims_of_an_evaluation_are_on_the_counters_of_the_event() -> None:
    limits = {"daily": {"currency": "points", "per": "member", "amount": "500", "window": DAY}}
    caps = {"per_member": {"amount": "100"}, "total": {"times": 9}}
    loaded = lr.load_program(program(earn(fixed("5"), caps=caps), limits=limits))
    event = lr.load_event(sale())

    (intent,) = loaded.evaluate(event).intents
    assert [claim.counter for claim in intent.claims] == [counter.name for counter in loaded.counters(event)]
