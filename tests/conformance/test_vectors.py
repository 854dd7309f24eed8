"""Every worked case has its expected result, and the runner finds the differences of a wrong one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loyalty_rules.errors import DocumentError
from loyalty_rules.testing import Vector, check, load_vectors
from shop import earn, fixed, program, proportional, sale

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize(
    "vector",
    [pytest.param(vector, id=f"{path.stem}-{vector}") for path in FILES for vector in load_vectors(path)],
)
def test_a_worked_case_has_its_expected_result(vector: Vector) -> None:
    assert check(vector) == []


def test_a_folder_has_the_vectors_of_all_its_files() -> None:
    assert load_vectors(FOLDER) == [vector for path in FILES for vector in load_vectors(str(path))]


CONCEPTS = {
    *("base_values", "caps", "combinations", "communication", "conditions", "coupons", "expiry"),
    *("proration", "recipients", "returns", "rounding", "spending", "tiers", "timing", "trackers"),
}


def test_each_concept_has_a_file_of_worked_cases() -> None:
    assert {path.stem for path in FILES} == CONCEPTS
    assert len(load_vectors(FOLDER)) >= 144


@pytest.mark.parametrize("concept", ["caps", "communication", "conditions", "returns", "trackers"])
def test_a_concept_has_at_least_twelve_cases_with_their_calculation(concept: str) -> None:
    assert len([vector for vector in load_vectors(FOLDER / f"{concept}.json") if vector.why]) >= 12


# -- controls: differences are found -----------------------------------------------------------------------------------

PASSING = Vector(
    name="ten percent, and a gift without a condition",
    program=program(
        earn(proportional("10")),
        earn(proportional("10", {"type": "transaction_custom_field", "field": "tip"}), "tip"),
        earn(fixed("3"), "gift"),
    ),
    event=sale("120", lines=[{"id": "1", "quantity": "1", "value": "120"}]),
    expect={
        "intents": [
            {"type": "issue_currency", "action": "earn", "amount": "12", "shares": [{"line": "1", "amount": "12"}]},
            {"amount": "3", "group": None},
        ],
        "skipped": [{"action": "tip", "reason": "missing_field"}],
    },
)
EARN, GIFT = "issue_currency acme/T-1/p/earn", "issue_currency acme/T-1/p/gift"


def spoil(change: Callable[[dict], object]) -> Vector:
    expect = json.loads(json.dumps(PASSING.expect))
    change(expect)
    return replace(PASSING, expect=expect)


def test_the_case_before_its_changes_passes() -> None:
    assert check(PASSING) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda e: e["intents"][0].update(amount="13"), f'intents[0] ({EARN}): expected amount "13", found "12"'),
        (lambda e: e["intents"][0].update(amount=12), f'intents[0] ({EARN}): expected amount 12, found "12"'),
        (
            lambda e: e["intents"][0]["shares"][0].update(amount="11"),
            f'intents[0] ({EARN}): expected shares [{{"line": "1", "amount": "11"}}], '
            'found [{"line": "1", "amount": "12"}]',
        ),
        (
            lambda e: e["intents"][0]["shares"][0].pop("line"),
            f'intents[0] ({EARN}): expected shares [{{"amount": "12"}}], found [{{"line": "1", "amount": "12"}}]',
        ),
        (
            lambda e: e["intents"][1].update(amout="3"),
            f'intents[1] ({GIFT}): expected amout "3", found no such key',
        ),
        (
            lambda e: e["intents"][1].update(group="G"),
            f'intents[1] ({GIFT}): expected group "G", found null',
        ),
        (
            lambda e: e["intents"].pop(),
            f"intents: expected 1, found 2: {EARN}, {GIFT}",
        ),
        (
            lambda e: e["intents"].append({}),
            f"intents: expected 3, found 2: {EARN}, {GIFT}",
        ),
        (lambda e: e["skipped"].clear(), "skipped: expected 0, found 1: missing_field p/tip"),
        (
            lambda e: e["skipped"][0].update(reason="invalid_field"),
            'skipped[0] (missing_field p/tip): expected reason "invalid_field", found "missing_field"',
        ),
    ],
)
def test_a_difference_is_reported(change: Callable[[dict], object], difference: str) -> None:
    assert check(spoil(change)) == [difference]


def test_the_order_of_intents_counts() -> None:
    assert len(check(spoil(lambda expect: expect["intents"].reverse()))) > 0


def test_only_expected_keys_are_compared() -> None:
    assert check(replace(PASSING, expect={"skipped": [{}]})) == []


def test_an_invalid_program_is_a_difference() -> None:
    [difference] = check(replace(PASSING, program={**PASSING.program, "time_zone": "Mars/Olympus"}))
    assert difference.startswith("it can't be evaluated: this program has a problem:\n  $.time_zone: ")


def test_an_event_that_is_not_evaluated_is_a_difference() -> None:
    later = {"type": "update", "id": "U", "occurred_at": "2025-01-15T10:00:00Z", "of": "T-1"}
    [difference] = check(replace(PASSING, event=later))
    assert difference.startswith("it can't be evaluated: ")


RETURN = {"type": "return", "id": "R1", "occurred_at": "2025-01-20T10:00:00Z", "of": "T-1", "amount": "30"}


def test_a_later_event_is_processed_in_a_ledger() -> None:
    """10 % of 120 - 30 = 90 is 9; 12 - 9 = 3 come back."""
    step = {"event": RETURN, "expect": {"intents": [{"type": "reverse_currency", "amount": "3"}], "refusal": []}}

    assert check(replace(PASSING, then=[step])) == []


def test_a_difference_of_a_later_event_names_its_place() -> None:
    wrong = {"event": RETURN, "expect": {"intents": [{"amount": "4"}]}}
    refused = {"event": {**RETURN, "of": "T-9"}, "expect": {"refusal": []}}

    reversal = "reverse_currency acme/R1/p/earn/reverse"
    assert check(replace(PASSING, then=[wrong])) == [f'then[0].intents[0] ({reversal}): expected amount "4", found "3"']
    assert check(replace(PASSING, then=[refused])) == ['then[0].refusal: expected [], found ["unknown_sale"]']


@pytest.mark.parametrize(
    ("cases", "problems"),
    [
        ("{}", [("$", "not_a_list")]),
        ("[5]", [("$[0]", "not_an_object")]),
        (
            "[{}]",
            [("$[0].name", "not_a_text"), *[(f"$[0].{k}", "not_an_object") for k in ("program", "event", "expect")]],
        ),
        ('[{"name": "a", "program": {}, "event": {}, "expect": {}}]', [("$[0].expect", "required")]),
        (
            '[{"name": "a", "program": {}, "event": {}, "expect": {"intent": []}, "expects": 1}]',
            [("$[0]", "unknown_key"), ("$[0].expect", "unknown_key")],
        ),
        (
            '[{"name": "a", "program": {}, "event": {}, "expect": {"intents": {}, "skipped": [1]}}]',
            [("$[0].expect.intents", "not_a_list"), ("$[0].expect.skipped", "not_a_list")],
        ),
        (
            '[{"name": "a", "program": {}, "event": {}, "expect": {"intents": []}},'
            ' {"name": "a", "program": {}, "event": {}, "expect": {"intents": []}}]',
            [("$[1].name", "duplicate_id")],
        ),
        (
            '[{"name": "a", "program": {}, "event": {}, "expect": {"intents": []}, "then": {}}]',
            [("$[0].then", "not_a_list")],
        ),
        (
            '[{"name": "a", "program": {}, "event": {}, "expect": {"intents": []}, "then": [{"event": {}}]}]',
            [("$[0].then[0]", "not_an_object")],
        ),
        (
            '[{"name": "a", "program": {}, "event": {}, "expect": {"intents": []},'
            ' "then": [{"event": 5, "expect": {"refusal": "no", "skipped": []}}]}]',
            [
                ("$[0].then[0].event", "not_an_object"),
                ("$[0].then[0].expect.refusal", "not_a_list"),
                ("$[0].then[0].expect", "unknown_key"),
            ],
        ),
        ("[", [("$", "not_json")]),
        ('[{"name": "a", "name": "b"}]', [("$[0]", "duplicate_key")]),
    ],
)
def test_a_file_without_vectors_is_refused(tmp_path: Path, cases: str, problems: list) -> None:
    file = tmp_path / "cases.json"
    file.write_text(cases, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_vectors(file)
    assert [(problem.path, problem.code) for problem in caught.value.problems] == problems
