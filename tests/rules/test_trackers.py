"""Trackers: contributions of an event, calculated by hand. Source: semantics 7."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.base_values import (
    Balance,
    Count,
    LineItemExtendedField,
    LineItemValue,
    TransactionCustomField,
    TransactionValue,
)
from loyalty_rules.rules.conditions import Comparison
from loyalty_rules.rules.facts import Standing
from loyalty_rules.rules.trackers import AwardedCurrency, MeasuredBy, Tracker, bind_applies, bind_tracker
from loyalty_rules.rules.windows import LIFETIME
from rules.actions import facts_of
from shop import lines, sale

TARGET = 500_000_000  # millionths
VISIT = {"type": "visit", "id": "V", "occurred_at": "2025-01-15T10:00:00Z", "member": {"id": "M1"}}


def standing(measure: MeasuredBy, event: dict, snapshot: dict | None = None, **parts: Any) -> Standing:
    tracker = Tracker(id="t", measure=measure, target="500", when=parts.pop("when", None))
    return bind_tracker(tracker)(facts_of(event, snapshot, **parts))


@pytest.mark.parametrize(
    ("measure", "event", "millionths"),
    [
        (TransactionValue(), sale("120.50"), 120_500_000),
        (TransactionValue(), sale("-5"), 0),
        (Count(), sale("-5"), 1_000_000),
        (TransactionCustomField("steps"), sale(custom_fields={"steps": "7"}), 7_000_000),
        (TransactionCustomField("steps"), sale(), 0),
        (TransactionCustomField("steps"), sale(custom_fields={"steps": "many"}), 0),
        (LineItemValue(), sale(lines=lines("4", "-1")), 3_000_000),
        (LineItemValue(aggregate="each_line"), sale(lines=lines("4", "-1")), 4_000_000),
        (LineItemValue(), sale(), 0),
        (LineItemExtendedField("nights"), sale(lines=lines("4")), 0),
        (TransactionValue(), sale(member=None), 0),
        (Count(), VISIT, 0),
    ],
)
def test_an_event_contributes_its_measure(measure: MeasuredBy, event: dict, millionths: int) -> None:
    assert standing(measure, event) == Standing(TARGET, 0, millionths)


def test_a_tracker_starts_from_the_snapshot() -> None:
    found = standing(TransactionValue(), sale("200"), {"trackers": {"t": "450", "other": "9"}}, trackers={
        name: {"measure": {"type": "count"}, "target": "500"} for name in ("t", "other")
    })  # fmt: skip

    assert (found.before, found.gap_before, found.after) == (450_000_000, 50_000_000, 650_000_000)


@pytest.mark.parametrize(("store", "millionths"), [("S1", 100_000_000), ("S2", 0), (None, 0)])
def test_an_event_contributes_only_if_the_condition_holds(store: str | None, millionths: int) -> None:
    condition = Comparison(field="store", is_="S1")

    assert standing(TransactionValue(), sale(store=store), when=condition).contribution == millionths


def test_foreign_money_without_a_rate_makes_the_contribution_unknown() -> None:
    event = sale("100", currency="SEK")

    assert standing(TransactionValue(), event, money="USD") == Standing(TARGET, 0, 0, is_known=False)
    assert standing(Count(), event, money="USD") == Standing(TARGET, 0, 1_000_000)


@pytest.mark.parametrize(
    ("rate", "millionths"), [("0.000000000005", 0), ("0.000000004", 0), ("0.00000005", 5), ("0.000000005", 1)]
)
def test_a_contribution_is_rounded_half_up_to_six_decimals(rate: str, millionths: int) -> None:
    """100 at the rate: 5 × 10⁻¹⁰, 4 × 10⁻⁷, 5 × 10⁻⁶, 5 × 10⁻⁷."""
    event = sale("100", currency="SEK", exchange_rate=rate)

    assert standing(TransactionValue(), event, money="USD").contribution == millionths


@pytest.mark.parametrize("target", ["0", "-1"])
def test_a_target_is_more_than_zero(target: str) -> None:
    with pytest.raises(lr.InvalidValueError) as caught:
        Tracker(id="t", measure=Count(), target=target)

    assert caught.value.name == "target"


def test_a_tracker_counts_over_the_lifetime_by_default() -> None:
    assert Tracker(id="t", measure=Count(), target=5).window == LIFETIME


# -- whose tracker it is, and its milestones ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "per", "holder"),
    [("G1", "member", "M1"), (None, "member", "M1"), ("G1", "member_group", "G1"), (None, "member_group", None)],
)
def test_a_tracker_belongs_to_the_member_or_its_group(group: str | None, per: Any, holder: str | None) -> None:
    tracker = Tracker(id="t", measure=Count(), target="1", per=per)
    assert tracker.holder(lr.Member("M1", group=group)) == holder


@pytest.mark.parametrize(("member", "is_anyones", "millionths"), [
    ({"id": "M1", "group": "G1"}, True, 1_000_000), ({"id": "M1"}, False, 0)])  # fmt: skip
def test_a_member_without_a_group_has_no_tracker_of_groups(member: dict, is_anyones: bool, millionths: int) -> None:
    tracker = Tracker(id="t", measure=Count(), target="500", per="member_group")
    found = bind_tracker(tracker)(facts_of(sale(member=member)))
    assert (found.is_anyones, found.contribution) == (is_anyones, millionths)


def test_a_tracker_of_awards_sees_no_contribution_of_the_event() -> None:
    assert standing(AwardedCurrency("points"), sale("50")) == Standing(TARGET, 0, 0)


def test_a_tracker_repeats_its_milestones() -> None:
    tracker = Tracker(id="t", measure=TransactionValue(), target="10", repeats=True)
    assert bind_tracker(tracker)(facts_of(sale("25"))).crossings == 2


@pytest.mark.parametrize(("when", "applies"), [(None, True), (Comparison(field="store", is_="S1"), False)])
def test_awards_count_if_the_condition_holds(when: Any, applies: bool) -> None:
    tracker = Tracker(id="t", measure=AwardedCurrency("points"), target="1", when=when)
    assert bind_applies(tracker)(facts_of(sale())) is applies


def test_a_measure_is_a_base_of_the_event_a_count_or_an_award() -> None:
    with pytest.raises(lr.InvalidValueError) as caught:
        Tracker(id="t", measure=Balance("points"), target="1")  # type: ignore[arg-type]
    assert caught.value.code == "wrong_type"
