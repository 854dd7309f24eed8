"""The parts of a program with their JSON paths."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.loading import load_program
from loyalty_rules.paths import LINE, SALE, Circumstances, actions_of, conditions_of, keyed, promotions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.base_values import LineItemValue
from shop import earn, fixed, program, proportional

MUGS = {"field": "sku", "is": "MUG"}
STORE = {"field": "store", "is": "S1"}


@pytest.fixture(scope="module")
def rules() -> Program:
    update: Any = {"type": "transaction_update", "when": {"field": "status", "is": "Shipped"}}
    document = program(
        trackers={
            "spend": {
                "measure": {"type": "line_item_value", "lines": MUGS},
                "target": "100",
                "when": {"field": "channel", "is": "web"},
            },
            "visits": {"measure": {"type": "count"}, "target": "5"},
        },
        coupon_types={
            "gift": {
                "benefit": {"type": "percent_off", "percent": "10", "lines": MUGS},
                "redemption": {"when": STORE},
            }
        },
        promotions=[
            {
                "id": "base",
                "when": STORE,
                "actions": [
                    {**earn(proportional("10", {"type": "line_item_value", "lines": MUGS})), "id": "a"},
                    {**earn(fixed("5")), "id": "b", "timing": update},
                ],
            },
            {
                "id": "welcome",
                "trigger": "registration",
                "when": STORE,
                "actions": [
                    {"type": "issue_coupon", "id": "c", "coupon_type": "gift"},
                    {"type": "issue_coupon", "id": "d", "coupon_type": "gift", "quantity": fixed("2")},
                ],
            },
        ],
    )
    return load_program(document)


def test_promotions_have_their_positions(rules: Program) -> None:
    assert [(path, each.id) for path, each in promotions_of(rules)] == [
        ("$.promotions[0]", "base"),
        ("$.promotions[1]", "welcome"),
    ]


def test_actions_have_their_paths_and_keys(rules: Program) -> None:
    assert [(place.path, place.key, place.proration_path) for place in actions_of(rules)] == [
        ("$.promotions[0].actions[0]", "base/a", "$.promotions[0].actions[0].proration"),
        ("$.promotions[0].actions[1]", "base/b", "$.promotions[0].actions[1].proration"),
        ("$.promotions[1].actions[0]", "welcome/c", "$.promotions[1].actions[0].quantity"),
        ("$.promotions[1].actions[1]", "welcome/d", "$.promotions[1].actions[1].quantity"),
    ]


def test_only_an_amount_that_depends_on_the_event_has_a_base(rules: Program) -> None:
    bases = [place.base for place in actions_of(rules)]
    assert isinstance(bases[0], LineItemValue)
    assert bases[1:] == [None, None, None]
    assert [place.proration is None for place in actions_of(rules)] == [False, False, True, False]


def test_parts_with_ids_have_their_ids_as_keys(rules: Program) -> None:
    assert [path for path, _ in keyed("trackers", rules.trackers)] == ["$.trackers.spend", "$.trackers.visits"]


def test_every_condition_has_its_path_and_its_subject(rules: Program) -> None:
    assert [(path, circumstances) for path, _, circumstances in conditions_of(rules)] == [
        ("$.trackers.spend.when", SALE),
        ("$.trackers.spend.measure.lines", LINE),
        ("$.coupon_types.gift.benefit.lines", LINE),
        ("$.coupon_types.gift.redemption.when", SALE),
        ("$.promotions[0].when", SALE),
        ("$.promotions[1].when", Circumstances("registration")),
        ("$.promotions[0].actions[0].proration.of.lines", LINE),
        ("$.promotions[0].actions[1].timing.when", SALE),
    ]


def test_only_a_transaction_is_a_sale() -> None:
    assert SALE.is_sale
    assert not Circumstances("registration").is_sale
