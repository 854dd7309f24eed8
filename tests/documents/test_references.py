"""The references of a program: names that refer to nothing, repeated ids, misplaced conditions."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.documents.references import unresolved
from shop import earn, fixed, program, proportional

SPEND = {"measure": {"type": "transaction_value"}, "target": "100"}


def problems(document: Any) -> list[tuple[str, str, str]]:
    return [(problem.path, problem.code, problem.message) for problem in unresolved(document)]


def awarded(*actions: str) -> dict:
    return proportional("10", {"type": "awarded", "actions": list(actions)})


def promotion(when: Any) -> dict:
    return {"id": "p", "when": when, "actions": []}


def test_a_program_whose_names_exist_has_no_problem() -> None:
    document = program(
        trackers={"spend": SPEND},
        coupon_types={"gift": {}},
        limits={"daily": {"currency": "points", "per": "member", "amount": "5"}},
        promotions=[
            {
                "id": "p",
                "when": {"all": [{"tracker": "spend", "reached": True}, {"lines": {"field": "sku", "is": "MUG"}}]},
                "actions": [
                    earn(proportional("10", {"type": "surplus", "tracker": "spend"}), "a"),
                    earn(awarded("p/a"), "b"),
                    {"type": "issue_coupon", "id": "c", "coupon_type": "gift"},
                ],
            }
        ],
    )
    assert problems(document) == []


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (
            program({**earn(fixed("5")), "currency": "point"}),
            "$.promotions[0].actions[0].currency",
            "there is no currency 'point'; did you mean 'points'?",
        ),
        (
            program({"type": "issue_coupon", "id": "c", "coupon_type": "gift"}),
            "$.promotions[0].actions[0].coupon_type",
            "there is no coupon type 'gift'",
        ),
        (
            program(limits={"daily": {"currency": "miles"}}),
            "$.limits.daily.currency",
            "there is no currency 'miles'",
        ),
        (
            program(trackers={"spend": SPEND}, promotions=[promotion({"not": {"tracker": "spent", "reached": True}})]),
            "$.promotions[0].when.not.tracker",
            "there is no tracker 'spent'; did you mean 'spend'?",
        ),
        (
            program(earn(awarded("p/later"), "a"), earn(fixed("5"), "later")),
            "$.promotions[0].actions[0].proration.of.actions[0]",
            "there is no earlier action 'p/later'",
        ),
        (
            program(
                {"type": "issue_coupon", "id": "c", "coupon_type": "gift"},
                earn(awarded("p/c")),
                coupon_types={"gift": {}},
            ),
            "$.promotions[0].actions[1].proration.of.actions[0]",
            "'p/c' issues coupons, not a currency",
        ),
    ],
)
def test_a_name_that_refers_to_nothing_is_a_problem(document: dict, path: str, message: str) -> None:
    assert problems(document) == [(path, "unknown_reference", message)]


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (
            program(promotions=[promotion(None), promotion(None)]),
            "$.promotions[1].id",
            "an earlier one of the promotions has the id 'p'",
        ),
        (
            program(earn(fixed("5")), earn(fixed("5"))),
            "$.promotions[0].actions[1].id",
            "an earlier one of the actions has the id 'earn'",
        ),
    ],
)
def test_a_repeated_id_is_a_problem(document: dict, path: str, message: str) -> None:
    assert problems(document) == [(path, "duplicate_id", message)]


@pytest.mark.parametrize(
    ("when", "path", "code", "message"),
    [
        (
            {"field": "stroe", "is": "S"},
            ".field",
            "unknown_path",
            "an event has no path 'stroe'; did you mean 'store'?",
        ),
        ({"lines": {"field": "store"}}, ".lines.field", "unknown_path", "a line has no path 'store'"),
        ({"lines": {"lines": {}}}, ".lines", "misplaced", "a line has no lines to test"),
        ({"lines": {"anniversary": "x"}}, ".lines", "misplaced", "a line has no anniversary"),
        ({"lines": {"tracker": "x"}}, ".lines", "misplaced", "a line cannot be tested by a tracker"),
        ({"anniversary": "store"}, ".anniversary", "unknown_path", "an anniversary has no path 'store'"),
    ],
)
def test_a_condition_is_checked_in_its_scope(when: dict, path: str, code: str, message: str) -> None:
    assert problems(program(promotions=[promotion(when)])) == [(f"$.promotions[0].when{path}", code, message)]


def test_a_tracker_cannot_depend_on_a_tracker() -> None:
    tracker = {**SPEND, "when": {"tracker": "spend", "reached": True}}
    assert problems(program(trackers={"spend": tracker})) == [
        ("$.trackers.spend.when", "misplaced", "an event that a tracker measures cannot be tested by a tracker")
    ]


def nested(levels: int) -> dict:
    condition: dict = {"field": "store", "is": "S1"}
    for _ in range(levels):
        condition = {"not": condition}
    return condition


def test_a_condition_is_at_most_32_levels_deep() -> None:
    assert problems(program(promotions=[promotion(nested(31))])) == []
    [(path, code, _)] = problems(program(promotions=[promotion(nested(32))]))
    assert (path, code) == ("$.promotions[0].when" + ".not" * 32, "too_deep")


@pytest.mark.parametrize(
    "part",
    [{"promotions": 5}, {"promotions": [5]}, {"trackers": []}, {"limits": {"a": 5}}, {"promotions": [{"when": []}]}],
)
def test_a_part_of_the_wrong_type_is_left_to_the_conversion(part: dict) -> None:
    assert problems(program(**part)) == []


def test_without_currencies_no_currency_is_unknown() -> None:
    assert problems(program(earn(fixed("5")), currencies=[])) == []


def test_at_most_100_problems_are_returned() -> None:
    actions = [{**earn(fixed("5"), str(number)), "currency": "miles"} for number in range(200)]
    assert len(problems(program(*actions))) == 100


# -- tiers, balances, bases --------------------------------------------------------------------------------------------

TIERS = {"status": {"levels": ["bronze", "gold"], "by": "spend", "from": {"gold": "5"}, "lasts": {"type": "never"}}}


@pytest.mark.parametrize(
    ("when", "path", "code", "message"),
    [
        ({"field": "tiers.statsu", "is": "x"}, ".field", "unknown_reference",
         "there is no tier 'statsu'; did you mean 'status'?"),
        ({"field": "balances.pints", "is": 1}, ".field", "unknown_reference",
         "there is no currency 'pints'; did you mean 'points'?"),
        ({"tier": "stats", "is": "gold"}, ".tier", "unknown_reference",
         "there is no tier 'stats'; did you mean 'status'?"),
        ({"tier": "status", "at_least": "golden"}, ".at_least", "unknown_reference",
         "the tier status has no level 'golden'; did you mean 'gold'?"),
        ({"base": {"type": "line_item_value", "lines": {"field": "store"}}}, ".base.lines.field", "unknown_path",
         "a line has no path 'store'"),
        ({"sample": "stroe"}, ".sample", "unknown_path", "an event has no path 'stroe'; did you mean 'store'?"),
        ({"lines": {"base": {}}}, ".lines", "misplaced", "a line has no base to test"),
        ({"lines": {"tier": "status"}}, ".lines", "misplaced", "a line has no tier to test"),
        ({"lines": {"sample": "sku"}}, ".lines", "misplaced", "a line has no sample to test"),
    ],
)  # fmt: skip
def test_a_condition_names_tiers_levels_currencies_and_bases(when: dict, path: str, code: str, message: str) -> None:
    document = program(promotions=[promotion(when)], trackers={"spend": SPEND}, tiers=TIERS)
    assert problems(document) == [(f"$.promotions[0].when{path}", code, message)]


def test_names_of_tiers_levels_currencies_and_bases_that_exist_are_no_problem() -> None:
    conditions = [
        {"field": "tiers.status", "is": "gold"},
        {"field": "balances.points", "at_least": 1},
        {"tier": "status", "at_least": "bronze"},
        {"base": {"type": "line_item_value", "lines": {"field": "sku", "is": "A"}}, "at_least": 1},
        {"sample": "tiers.status", "salt": "s", "from": 0, "below": 1},
    ]
    document = program(promotions=[promotion({"all": conditions})], trackers={"spend": SPEND}, tiers=TIERS)
    assert problems(document) == []


def test_the_currency_of_a_measure_exists() -> None:
    tracker = {"measure": {"type": "awarded", "currency": "pints"}, "target": "5"}
    assert problems(program(trackers={"t": tracker})) == [
        (
            "$.trackers.t.measure.currency",
            "unknown_reference",
            "there is no currency 'pints'; did you mean 'points'?",
        )
    ]
