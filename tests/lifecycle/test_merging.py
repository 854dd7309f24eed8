"""Merges: which counters are a member's, their sums, and the level that remains. Source: semantics 13."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.events import TierStanding
from loyalty_rules.lifecycle.merging import counter_of_other_member, member_of_counter, merge, merged_level
from loyalty_rules.program import Program
from shop import program

LIFETIME = {"type": "lifetime"}
SPEND = {"measure": {"type": "transaction_value"}, "target": "1000"}
TIER = {
    "levels": ["bronze", "silver", "gold"],
    "by": "spend",
    "from": {"silver": "100", "gold": "300"},
    "lasts": {"type": "fixed_period", "after": {"days": 10}},
}
MILLION = 1_000_000


def shop() -> Program:
    limits: dict[str, Any] = {
        "mine": {"currency": "points", "per": "member", "amount": "10", "window": LIFETIME},
        "stores": {"currency": "points", "per": "store", "amount": "10", "window": LIFETIME},
        "all": {"currency": "points", "per": "total", "amount": "10", "window": LIFETIME},
    }
    return lr.load_program(program(limits=limits, trackers={"spend": SPEND}, tiers={"status": TIER}))


@pytest.mark.parametrize(
    ("counter", "other"),
    [
        ("tracker/spend/ben/lifetime", "tracker/spend/anna/lifetime"),
        ("limit/mine/ben/2025-01-01", "limit/mine/anna/2025-01-01"),
        ("limit/transfer:points/ben/rolling", "limit/transfer:points/anna/rolling"),
        ("coupon/gift/member/ben", "coupon/gift/member/anna"),
        ("p/earn/member/ben/lifetime", "p/earn/member/anna/lifetime"),
        ("p/earn/member/ben/lifetime/times", "p/earn/member/anna/lifetime/times"),
        ("limit/stores/ben/lifetime", None),  # a store of this name
        ("limit/group-transfer:points/ben/lifetime", None),
        ("limit/all/lifetime", None),
        ("coupon/gift/store/ben", None),
        ("coupon/gift/total", None),
        ("p/earn/total/lifetime", None),
        ("tracker/spend/benno/lifetime", None),
    ],
)
def test_a_counter_of_a_member_has_a_name_for_the_other(counter: str, other: str | None) -> None:
    assert counter_of_other_member(shop(), counter, "ben", "anna") == other


def test_ids_are_escaped_in_the_names_of_counters() -> None:
    assert member_of_counter(shop(), "tracker/spend/a%2Fb%25/lifetime") == "a/b%"
    assert (
        counter_of_other_member(shop(), "tracker/spend/a%2Fb/lifetime", "a/b", "c/d") == "tracker/spend/c%2Fd/lifetime"
    )
    assert member_of_counter(shop(), "limit/stores/S1/lifetime") is None


def test_the_counters_of_both_members_are_summed_beyond_their_limits() -> None:
    day = date(2025, 1, 15)
    old = [("limit/mine/ben/lifetime", None, 7 * MILLION), ("tracker/spend/ben/rolling", day, 5 * MILLION)]
    new = [("limit/mine/anna/lifetime", None, 6 * MILLION)]

    intent = merge(shop(), "ben", "anna", old, new, reason="twice", by="desk-3", event="E-1")

    claims = [(each.counter, each.amount, each.limit, each.to_date) for each in intent.claims]
    assert claims == [
        ("limit/mine/ben/lifetime", -7, 7, None),
        ("limit/mine/anna/lifetime", 7, 13, None),
        ("tracker/spend/ben/rolling", -5, 5, day),
        ("tracker/spend/anna/rolling", 5, 5, day),
    ]


MAY, JUNE = date(2025, 5, 1), date(2025, 6, 1)


@pytest.mark.parametrize(
    ("old", "new", "value", "left"),
    [
        (("bronze", None), ("bronze", None), "99", None),
        (("bronze", None), ("bronze", None), "100", ("silver", date(2025, 1, 25))),
        (("silver", MAY), ("bronze", None), "250", ("silver", MAY)),
        (("silver", MAY), ("silver", JUNE), "250", None),
        (("silver", JUNE), ("silver", MAY), "250", ("silver", JUNE)),
        (("silver", None), ("silver", MAY), "250", ("silver", None)),  # never ends: later than any day
        (("silver", MAY), ("silver", None), "250", None),
        (("silver", MAY), ("silver", JUNE), "300", ("gold", date(2025, 1, 25))),
        (("gold", MAY), ("silver", JUNE), "300", ("gold", MAY)),
    ],
)
def test_the_level_after_a_merge(old: Any, new: Any, value: str, left: Any) -> None:
    (bound,) = shop().plan.tiers
    level = merged_level(
        bound, TierStanding(*old), TierStanding(*new), int(Decimal(value)) * MILLION, date(2025, 1, 15)
    )

    assert level == (TierStanding(*left) if left is not None else None)
