"""Whole programs and their parts are valid, and refer only to parts that exist."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.testing import strategies as kit
from properties.examples import drawn, examples
from shop import fixed, program

from .shrinking import shrunk


@examples(100)
@given(kit.programs().map(lr.load_program).flatmap(lambda shop: st.tuples(st.just(shop), kit.snapshots(shop))))
def test_programs_and_snapshots_are_valid(drawn: tuple[lr.Program, dict]) -> None:
    lr.load_snapshot(drawn[1])


def test_a_program_has_at_most_the_given_promotions_and_actions() -> None:
    found = drawn(kit.programs(most_promotions=2, most_actions=1), 60)

    assert {len(document["promotions"]) for document in found} == {1, 2}
    assert all(len(promotion["actions"]) == 1 for document in found for promotion in document["promotions"])


def test_a_program_without_coupons_issues_currency_alone() -> None:
    for document in drawn(kit.programs(coupons=False), 60):
        assert "coupon_types" not in document
        actions = [action for promotion in document["promotions"] for action in promotion["actions"]]
        assert {action["type"] for action in actions} <= {"issue_currency", "extend_expiry"}


def test_a_program_has_one_of_the_given_zones() -> None:
    assert {document["time_zone"] for document in drawn(kit.programs(zones=["Asia/Tokyo"]), 10)} == {"Asia/Tokyo"}


def test_a_promotion_without_currencies_issues_coupons() -> None:
    promotions = drawn(kit.promotions(currencies=(), coupon_types=["gift"]), 30)

    assert {action["type"] for promotion in promotions for action in promotion["actions"]} == {"issue_coupon"}


def test_an_action_has_the_given_proration_and_expiry() -> None:
    never = {"type": "never"}
    actions = drawn(kit.currency_actions(proration=st.just(fixed("7")), expiry=st.just(never)), 20)

    assert all((action["proration"], action["expiry"]) == (fixed("7"), never) for action in actions)


@pytest.mark.parametrize(
    ("key", "strategy"),
    [
        ("trackers", kit.trackers(currencies=["points"])),
        ("limits", kit.limits()),
        ("coupon_types", kit.coupon_types()),
        ("coupon_types", kit.public_types()),
        ("groups", kit.groups()),
    ],
)
def test_every_part_is_valid_in_a_program(key: str, strategy: st.SearchStrategy[Any]) -> None:
    for part in drawn(strategy, 60):
        lr.load_program(program(**{key: {"part": part}}))


def test_a_tier_is_valid_beside_its_tracker() -> None:
    tracker = {"spend": {"measure": {"type": "count"}, "target": "1"}}

    for tier in drawn(kit.tiers("spend"), 60):
        lr.load_program(program(trackers=tracker, tiers={"status": tier}))


def test_an_extension_is_valid_beside_other_actions() -> None:
    for action in drawn(kit.extension_actions(id="longer"), 30):
        lr.load_program(program(action))


def test_a_stored_value_has_a_serial_of_its_own() -> None:
    found = drawn(kit.coupon_types(), 100)

    assert {"percent_off", "amount_off", "stored_value", "price", "shipping"} >= {
        each["benefit"]["type"] for each in found
    }
    assert not [each for each in found if "code" in each and each["benefit"]["type"] == "stored_value"]


def test_a_coupon_action_issues_from_one_to_three_coupons_or_by_the_bill() -> None:
    quantities = [action.get("quantity", 1) for action in drawn(kit.coupon_actions(), 300)]

    assert {quantity for quantity in quantities if isinstance(quantity, int)} == {1, 2, 3}
    assert {quantity["type"] for quantity in quantities if isinstance(quantity, dict)} == {"stepped", "proportional"}


# -- the simplest ----------------------------------------------------------------------------------------------------

EARN = {
    "type": "issue_currency",
    "currency": "points",
    "proration": {"type": "fixed", "amount": "0"},
    "expiry": {"type": "never"},
}


SIMPLEST: list[tuple[st.SearchStrategy[Any], Any]] = [
    (kit.currency_actions(), {**EARN, "id": "earn"}),
    (kit.promotions(), {"id": "p1", "actions": [{**EARN, "id": "a1"}]}),
    (kit.spend_actions(), {"type": "spend_currency", "id": "price", "currency": "points", "amount": "1"}),
    (kit.extension_actions(), {"type": "extend_expiry", "id": "longer", "currency": "points", "after": {"days": 1}}),
    (kit.communications(), {"template": "earned"}),
    (
        kit.programs(),
        {
            "format": "loyalty-rules/1",
            "id": "shop",
            "time_zone": "UTC",
            "currencies": {"points": {}},
            "promotions": [{"id": "p1", "actions": [{**EARN, "id": "a1"}]}],
        },
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "simplest"), SIMPLEST)
def test_the_simplest_example_is_short_and_early(strategy: st.SearchStrategy[Any], simplest: Any) -> None:
    assert shrunk(strategy) == simplest
