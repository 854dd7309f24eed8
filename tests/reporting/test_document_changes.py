"""The differences of two documents, in words."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from loyalty_rules.reporting.document_changes import document_changes
from shop import earn, fixed, program, proportional

TWO = [{"id": "a", "actions": [earn(fixed("1"))]}, {"id": "b", "actions": [earn(fixed("2"))]}]


def changes(old: dict, new: dict) -> tuple[str, ...]:
    return document_changes(lr.load_program(old), lr.load_program(new))


def test_equal_programs_have_no_differences() -> None:
    assert changes(program(earn(fixed("1"))), program(earn(fixed("1.0")))) == ()


def test_a_changed_value_is_shown_with_its_path() -> None:
    path = "$.promotions[p].actions[earn].proration.percent"
    assert changes(program(earn(proportional("10"))), program(earn(proportional("12")))) == (f'{path}: "10" → "12"',)


def test_a_promotion_that_is_added_or_removed_is_named() -> None:
    [line] = changes(program(promotions=TWO[:1]), program(promotions=TWO))
    assert line == "$.promotions[b]: an object (b) is added"
    [line] = changes(program(promotions=TWO), program(promotions=TWO[:1]))
    assert line == "$.promotions[b]: an object (b) is removed"


def test_promotions_that_change_places_are_a_change_of_order_only() -> None:
    assert changes(program(promotions=TWO), program(promotions=TWO[::-1])) == ("$.promotions: the order a, b → b, a",)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["A"], ["B"], '$.promotions[a].when.in[0]: "A" → "B"'),
        (["A"], ["A", "B"], '$.promotions[a].when.in: ["A"] → ["A", "B"]'),
        (["A"], [f"{n:03}" for n in range(50)], '$.promotions[a].when.in: ["A"] → a list of 50'),
    ],
)
def test_lists_of_values_are_compared_item_by_item_or_whole(old: list[str], new: list[str], expected: str) -> None:
    first, second = (
        program(promotions=[{**TWO[0], "when": {"field": "store", "in": stores}}]) for stores in (old, new)
    )
    assert changes(first, second) == (expected,)


def test_a_currency_that_is_added_is_shown_by_its_title() -> None:
    more = {"points": {"redeem": {"points": "100", "value": "1.00"}}, "stars": {"title": "Gold stars"}}
    assert changes(program(earn(fixed("1"))), program(earn(fixed("1")), currencies=more)) == (
        "$.currencies.stars: an object (Gold stars) is added",
    )
