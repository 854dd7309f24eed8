"""Conditions in words: their requirements, and their results for one event."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.engine.condition_report import (
    ConditionResult,
    condition_result,
    describe_condition,
    window_result,
)
from loyalty_rules.rules.facts import Facts
from shop import earn, fixed, lines, program, sale

TRACKERS = {"spend": {"measure": {"type": "transaction_value"}, "target": "500"}}


def promotion(**parts: Any):
    document = program(trackers=TRACKERS, promotions=[{"id": "p", **parts, "actions": [earn(fixed("1"))]}])
    return lr.load_program(document).promotions[0]


def facts_of(snapshot: dict | None = None, money: str | None = None, **event: Any) -> Facts:
    plan = lr.load_program(program(trackers=TRACKERS, money=money)).plan
    return plan.facts(lr.load_event(sale(**event)), lr.load_snapshot(snapshot or {}))


def result_of(condition: dict[str, Any], **event: Any) -> ConditionResult:
    return condition_result(promotion(when=condition).when, facts_of(**event))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"field": "amount", "at_least": "50", "less_than": "100"}, "amount is at least 50 and is less than 100"),
        ({"field": "amount", "more_than": "50", "at_most": "100"}, "amount is more than 50 and is at most 100"),
        ({"field": "store", "is": "S1"}, "store is 'S1'"),
        ({"field": "store", "is_not": "S1"}, "store is not 'S1'"),
        ({"field": "store", "in": ["S1", "S2"]}, "store is one of 'S1', 'S2'"),
        ({"field": "store", "not_in": ["S1", "S2"]}, "store is none of 'S1', 'S2'"),
        ({"field": "member.tags", "has": "staff"}, "member.tags has 'staff'"),
        ({"field": "tip", "exists": True}, "tip is present"),
        ({"field": "tip", "exists": False}, "tip is absent"),
        ({"all": []}, "anything"),
        ({"not": {"field": "store", "is": "S1"}}, "not (store is 'S1')"),
        (
            {"any": [{"field": "store", "is": "S1"}, {"field": "brand", "is": "acme"}]},
            "(store is 'S1' or brand is 'acme')",
        ),
        (
            {"all": [{"field": "store", "is": "S1"}, {"field": "brand", "is": "acme"}]},
            "store is 'S1' and brand is 'acme'",
        ),
        ({"lines": {"field": "sku", "is": "A"}}, "a line where sku is 'A'"),
        (
            {"lines": {"field": "sku", "is": "A"}, "value": {"at_least": "5"}},
            "the value of the lines where sku is 'A' must be at least 5",
        ),
        ({"tracker": "spend", "crossed": True}, "tracker spend is crossed"),
        ({"tracker": "spend", "crossed": False}, "tracker spend is not crossed"),
        ({"tracker": "spend", "reached": False}, "tracker spend is not reached"),
        (
            {"anniversary": "member.registered_on", "unit": "month"},
            "member.registered_on has its anniversary (month)",
        ),
    ],
)
def test_a_condition_in_words(condition: dict[str, Any], words: str) -> None:
    assert describe_condition(promotion(when=condition).when) == words


def test_of_a_long_list_the_first_ten_operands_are_shown() -> None:
    stores = [f"S{number}" for number in range(11)]
    words = describe_condition(promotion(when={"field": "store", "in": stores}).when)
    assert words.endswith("'S8', 'S9' …")


@pytest.mark.parametrize(
    ("condition", "holds", "text"),
    [
        ({"field": "amount", "at_least": "100"}, True, "amount is 100, and must be at least 100"),
        ({"field": "amount", "at_least": "112.5"}, False, "amount is 100, and must be at least 112.5: 12.5 more"),
        ({"field": "amount", "at_most": "80"}, False, "amount is 100, and must be at most 80: 20 less"),
        ({"field": "amount", "more_than": "100"}, False, "amount is 100, and must be more than 100"),
        ({"field": "store", "is": "S1"}, False, "store is 'S2', and must be 'S1'"),
        ({"field": "brand", "is_not": "acme"}, False, "brand is absent, and must not be 'acme'"),
        ({"lines": {"field": "sku", "is": "TEA"}}, True, "a line where sku is 'TEA'"),
        ({"lines": {"field": "sku", "is": "MUG"}}, False, "no line where sku is 'MUG'"),
        (
            {"lines": {"field": "sku", "is": "TEA"}, "value": {"at_least": "12"}},
            False,
            "the value of the lines where sku is 'TEA' is 10, and must be at least 12: 2 more",
        ),
        (
            {"tracker": "spend", "reached": True},
            False,
            "tracker spend must be reached; it goes from 0 to 100 of 500: 400 more",
        ),
        (
            {"tracker": "spend", "crossed": False},
            True,
            "tracker spend must not be crossed; it goes from 0 to 100 of 500: 400 more",
        ),
    ],
)
def test_a_result_has_the_compared_value_and_the_gap(condition: dict[str, Any], holds: bool, text: str) -> None:
    tea = [{**lines("10")[0], "sku": "TEA"}]
    assert result_of(condition, store="S2", lines=tea) == ConditionResult(holds, text)


def test_a_tracker_of_an_anonymous_event_is_not_reached() -> None:
    assert result_of({"tracker": "spend", "reached": True}, member=None) == ConditionResult(
        False, "tracker spend must be reached, and the event is anonymous"
    )


def test_money_without_an_exchange_rate_holds_for_no_requirement() -> None:
    condition = promotion(when={"field": "amount", "at_least": "1"}).when
    assert condition_result(condition, facts_of(money="EUR", currency="USD")) == ConditionResult(
        False, "amount must be at least 1, and the event has no exchange rate"
    )


def test_the_results_of_the_parts_are_below_the_result_of_the_whole() -> None:
    both = {"all": [{"field": "store", "is": "S1"}, {"field": "amount", "at_least": "50"}]}

    assert result_of(both, store="S2") == ConditionResult(
        False,
        "all of these must hold",
        (
            ConditionResult(False, "store is 'S2', and must be 'S1'"),
            ConditionResult(True, "amount is 100, and must be at least 50"),
        ),
    )


def test_one_part_of_any_is_enough() -> None:
    either = {"any": [{"field": "store", "is": "S1"}, {"field": "amount", "at_least": "50"}]}
    assert (result_of(either).holds, result_of(either).text) == (True, "one of these must hold")
    assert result_of(either, amount="49").holds is False


def test_a_negation_holds_if_its_part_does_not() -> None:
    condition = {"not": {"field": "store", "is": "S1"}}
    assert result_of(condition, store="S2").holds is True
    assert result_of(condition, store="S1") == ConditionResult(False, "must not hold: store is 'S1', and must be 'S1'")


def test_the_failures_are_the_innermost_parts_that_do_not_hold() -> None:
    nested = {
        "all": [
            {"field": "amount", "at_least": "50"},
            {"all": [{"field": "store", "is": "S1"}, {"field": "brand", "is": "acme"}]},
        ]
    }
    assert list(result_of(nested, store="S2", brand="acme").failures()) == ["store is 'S2', and must be 'S1'"]


def test_a_condition_that_holds_has_no_failures() -> None:
    assert list(result_of({"field": "amount", "at_least": "50"}).failures()) == []


@pytest.mark.parametrize(
    ("at", "holds", "text"),
    [
        ("2025-01-14T23:59:59Z", False, "it starts at 2025-01-15T00:00:00+00:00"),
        ("2025-01-15T00:00:00Z", True, "it is active"),
        ("2025-01-15T23:59:59Z", True, "it is active"),
        ("2025-01-16T00:00:00Z", False, "it ended at 2025-01-16T00:00:00+00:00"),
    ],
)
def test_a_window_contains_its_start_and_not_its_end(at: str, holds: bool, text: str) -> None:
    given = promotion(starts_at="2025-01-15T00:00:00Z", ends_at="2025-01-16T00:00:00Z")
    assert window_result(given, facts_of(occurred_at=at)) == ConditionResult(holds, text)


def test_a_promotion_without_a_window_is_always_active() -> None:
    assert window_result(promotion(), facts_of()) == ConditionResult(True, "it is active")


# -- bases, levels, samples, groups ------------------------------------------------------------------------------------

STATUS = {"levels": ["bronze", "gold"], "by": "spend", "from": {"gold": "5"}, "lasts": {"type": "never"}}
STAMPS = {"measure": {"type": "transaction_value"}, "target": "30", "repeats": True}
HOUSEHOLD = {"measure": {"type": "transaction_value"}, "target": "30", "per": "member_group"}


def decided(condition: dict[str, Any], snapshot: dict | None = None, **event: Any) -> tuple[str, bool, str]:
    """The condition in words, whether it holds, and the reason."""
    document = program(
        trackers={**TRACKERS, "stamps": STAMPS, "home": HOUSEHOLD},
        tiers={"status": STATUS},
        promotions=[{"id": "p", "when": condition, "actions": [earn(fixed("1"))]}],
    )
    loaded = lr.load_program(document)
    when = loaded.promotions[0].when
    assert when is not None
    facts = loaded.plan.facts(lr.load_event(sale(**event)), lr.load_snapshot(snapshot or {}))
    result = condition_result(when, facts)
    return describe_condition(when), result.holds, result.text


@pytest.mark.parametrize(
    ("condition", "event", "words", "holds", "text"),
    [
        (
            {"base": {"type": "transaction_value", "less": ["shipping"]}, "at_least": "95"},
            {"shipping": "7"},
            "transaction value less shipping is at least 95",
            False,
            "transaction value less shipping is 93, and must be at least 95: 2 more",
        ),
        (
            {"base": {"type": "line_item_value"}, "at_least": "95"},
            {},
            "line item value is at least 95",
            False,
            "line item value is absent, and must be at least 95",
        ),
        (
            {"tier": "status", "at_least": "bronze", "at_most": "bronze"},
            {},
            "the level of status is at least bronze and at most bronze",
            True,
            "the level of status is bronze, and must be at least bronze and at most bronze",
        ),
        (
            {"tier": "status", "is": "gold"},
            {"member": None},
            "the level of status is gold",
            False,
            "the level of status must be gold, and the event is anonymous",
        ),
        (
            {"sample": "store", "salt": "x", "from": 0, "below": 50},
            {},
            "store is in the sample from 0 to below 50 of 100, with the salt the text 'x'",
            False,
            "store is absent, and must be in the sample from 0 to below 50 of 100, with the salt the text 'x'",
        ),
        (
            {"field": "store", "starts_with": "S"},
            {"store": "S1"},
            "store begins with 'S'",
            True,
            "store is 'S1', and must begin with 'S'",
        ),
        (
            {"field": "amount", "between": ["5", "99"]},
            {},
            "amount is from 5 to 99",
            False,
            "amount is 100, and must be from 5 to 99",
        ),
        (
            {"tracker": "stamps", "crossed": True},
            {"amount": "20"},
            "tracker stamps is crossed",
            False,
            "tracker stamps must be crossed; it goes from 0 to 20 of 30: 10 more",
        ),
        (
            {"tracker": "stamps", "crossed": True},
            {},
            "tracker stamps is crossed",
            True,
            "tracker stamps must be crossed; it goes from 0 to 100 of 30",
        ),
        (
            {"tracker": "home", "reached": True},
            {},
            "tracker home is reached",
            False,
            "tracker home must be reached, and the member has no group",
        ),
    ],
)
def test_a_condition_of_the_second_edition_in_words(
    condition: dict[str, Any], event: dict, words: str, holds: bool, text: str
) -> None:
    assert decided(condition, **event) == (words, holds, text)
