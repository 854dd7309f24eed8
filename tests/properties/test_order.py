"""The order of parts decides only the recipient of the odd unit and the order of lists."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from reference import documents
from shop import Serials, earn, fixed, issued, program, proportional, sale, text

from .examples import examples


def evaluate(program: dict, event: dict, snapshot: dict | None) -> dict:
    known = lr.load_snapshot(snapshot) if snapshot is not None else None
    return lr.dump(lr.load_program(program).evaluate(lr.load_event(event), known, serials=Serials()))


def without_shares(evaluation: dict) -> tuple[list[dict], list[tuple]]:
    intents = [{key: value for key, value in intent.items() if key != "shares"} for intent in evaluation["intents"]]
    return intents, [(entry["promotion"], entry["action"], entry["reason"]) for entry in evaluation["skipped"]]


@examples(50)
@given(documents.cases(), st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_no_amount(case: tuple, random: Any) -> None:
    program, event, snapshot = case
    shuffled = deepcopy(event)
    random.shuffle(shuffled.get("lines") or [])
    assert without_shares(evaluate(program, shuffled, snapshot)) == without_shares(evaluate(program, event, snapshot))


@examples(80)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=6), st.data())
def test_the_order_of_lines_moves_the_odd_unit_only_between_lines_of_equal_weight(pairs: list, data: Any) -> None:
    of, weight = data.draw(st.sampled_from([("transaction_value", "value"), ("line_item_quantity", "quantity")]))
    basket = [
        {"id": str(number), "value": text(value * 10**6), "quantity": text(quantity * 10**6)}
        for number, (value, quantity) in enumerate(pairs)
    ]
    rules = program(earn(proportional("100", {"type": of}), rounding={"currency": "up"}))

    def shares(basket: list[dict]) -> Counter:
        weights = {line["id"]: line[weight] for line in basket}
        found = [share for intent in issued(rules, sale("7.5", lines=basket)) for share in intent["shares"]]
        return Counter((weights[share["line"]], Fraction(share["amount"])) for share in found)

    assert shares(data.draw(st.permutations(basket))) == shares(basket)


def independent(program: dict) -> dict:
    """Return the program without dependencies between promotions: groups, limits, caps, awards of awards."""
    document = deepcopy(program)
    document.pop("limits", None)
    for coupon_type in (document.get("coupon_types") or {}).values():
        coupon_type.pop("caps", None)
    for promotion in document["promotions"]:
        promotion.pop("exclusive", None)
        promotion["actions"] = [action for action in promotion["actions"] if "awarded" not in str(action)]
    # A spend changes the balance that other promotions see.
    document["promotions"] = [
        each for each in document["promotions"] if "spend_currency" not in str(each) and "balance" not in str(each)
    ]
    return document


@examples(50)
@given(documents.cases(), st.randoms(use_true_random=False))
def test_the_order_of_independent_promotions_changes_no_intent(case: tuple, random: Any) -> None:
    program, event, snapshot = independent(case[0]), case[1], case[2]
    shuffled = deepcopy(program)
    random.shuffle(shuffled["promotions"])

    def by_key(evaluation: dict) -> dict:
        return {intent["key"]: intent for intent in evaluation["intents"]}

    one, other = evaluate(program, event, snapshot), evaluate(shuffled, event, snapshot)
    assert by_key(one) == by_key(other)
    assert len(one["intents"]) == len(other["intents"])
    assert sorted(map(str, one["skipped"])) == sorted(map(str, other["skipped"]))


@examples(60)
@given(documents.cases())
def test_every_key_of_an_evaluation_is_unique(case: tuple) -> None:
    keys = [intent["key"] for intent in evaluate(*case)["intents"]]
    assert len(set(keys)) == len(keys)


def exclusive(*promotions: tuple[str, int, str]) -> dict:
    """Return a program of promotions with these ids, priorities and groups, each for a point."""
    return program(
        promotions=[
            {"id": name, "priority": priority, "exclusive": group, "actions": [earn(fixed("1"))]}
            for name, priority, group in promotions
        ]
    )


@pytest.mark.parametrize(
    ("promotions", "counting"),
    [
        ([("a", 0, "g"), ("b", 0, "g")], ["a"]),  # of equal priority, the first of the document
        ([("b", 0, "g"), ("a", 0, "g")], ["b"]),
        ([("a", 0, "g"), ("b", 1, "g")], ["b"]),
        ([("a", -1, "g"), ("b", 0, "g"), ("c", 0, "g")], ["b"]),
        ([("a", 0, "g"), ("b", 1, "h"), ("c", 0, "h")], ["a", "b"]),
    ],
)
def test_the_first_promotion_of_a_group_by_priority_and_then_by_position_counts(
    promotions: list, counting: list
) -> None:
    evaluation = evaluate(exclusive(*promotions), sale(), None)
    assert [intent["promotion"] for intent in evaluation["intents"]] == counting
    assert {entry["reason"] for entry in evaluation["skipped"]} == {"excluded_by"}
