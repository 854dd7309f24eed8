"""Tiers: levels reached and kept, and the refusals of a tier. Source: semantics 14."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.tiers import Tier
from rules.actions import SPEND, problem_of
from shop import evaluate, program, sale

STATUS: dict[str, Any] = {
    "levels": ["bronze", "silver", "gold"],
    "by": "spend",
    "from": {"silver": "1000", "gold": "5000"},
    "lasts": {"type": "fixed_period", "after": {"years": 1}, "through": "year"},
}
EURO = 1_000_000  # millionths


def tier(**parts: Any) -> Tier:
    loaded = lr.load_program(program(trackers=SPEND, tiers={"status": {**STATUS, **parts}}))
    return loaded.tiers[0]


@pytest.mark.parametrize(("value", "level"), [(-1, "bronze"), (999, "bronze"), (1000, "silver"), (5000, "gold")])
def test_the_highest_level_counts_whose_value_is_reached(value: int, level: str) -> None:
    assert tier().reached(value * EURO) == level


def test_a_level_is_kept_from_its_own_value_or_else_from_the_value_that_reaches_it() -> None:
    status = tier(keep_from={"silver": "700"})

    assert [status.keeps("silver", value * EURO) for value in (699, 700)] == [False, True]
    assert [status.keeps("gold", value * EURO) for value in (4999, 5000)] == [False, True]
    assert status.keeps("bronze", 0)


def test_a_level_that_no_longer_exists_ranks_as_the_first() -> None:
    assert [tier().rank(level) for level in ("bronze", "gold", "platinum")] == [0, 2, 0]


def test_a_tier_is_written_as_it_is_read_with_its_defaults() -> None:
    document = lr.dump(lr.load_program(program(trackers=SPEND, tiers={"status": STATUS})))["tiers"]["status"]

    assert document == {
        **STATUS,
        "lasts": {
            "type": "fixed_period",
            "after": {"years": 1, "months": 0, "weeks": 0, "days": 0},
            "through": "year",
        },
        "keep_from": None,
        "falls": "one",
        "grace": None,
    }


@pytest.mark.parametrize(
    ("parts", "path", "code", "message"),
    [
        ({"levels": []}, "levels", "out_of_range", "expected 1 to 100 levels, found 0"),
        ({"levels": ["bronze", "bronze"]}, "levels[1]", "duplicate_id", "an earlier level has the id 'bronze'"),
        ({"from": {"silver": "1"}}, "from.gold", "unreachable", "the level 'gold' needs a value"),
        (
            {"from": {"silver": "5", "gold": "5"}},
            "from.gold",
            "unreachable",
            "expected more than the level below needs, found 5",
        ),
        (
            {"keep_from": {"bronze": "1"}},
            "keep_from.bronze",
            "unknown_reference",
            "the first level is everybody's; expected one of silver, gold",
        ),
        (
            {"keep_from": {"platinum": "1"}},
            "keep_from.platinum",
            "unknown_reference",
            "there is no level 'platinum'; expected one of silver, gold",
        ),
        ({"by": "spent"}, "by", "unknown_reference", "there is no tracker 'spent'; did you mean 'spend'?"),
        (
            {"lasts": {"type": "registration_anniversary"}},
            "lasts.type",
            "not_a_choice",
            "expected one of fixed_date, fixed_recurring, fixed_period, event_date, never; "
            "found the text 'registration_anniversary'",
        ),
    ],
)
def test_a_tier_that_cannot_work_is_refused(parts: dict, path: str, code: str, message: str) -> None:
    document = program(trackers=SPEND, tiers={"status": {**STATUS, **parts}})

    assert problem_of(document) == (f"$.tiers.status.{path}", code, message)


def test_each_problem_of_the_values_is_told() -> None:
    levels, values = ["a", "b", "c", "d"], {"c": "5", "d": "5"}
    document = program(trackers=SPEND, tiers={"status": {**STATUS, "levels": levels, "from": values}})

    with pytest.raises(lr.DocumentError) as caught:
        lr.load_program(document)

    assert [(problem.path, problem.code) for problem in caught.value.problems] == [
        ("$.tiers.status.from.d", "unreachable"),
        ("$.tiers.status.from.b", "unreachable"),
    ]


def test_a_tier_may_have_one_level_alone() -> None:
    assert tier(levels=["member"], **{"from": {}}).reached(10**12) == "member"


def test_a_tier_of_one_level_has_no_value() -> None:
    document = program(trackers=SPEND, tiers={"status": {**STATUS, "levels": ["member"], "from": {"gold": "1"}}})

    assert problem_of(document)[2] == "there is no level 'gold'; expected one of none"


@pytest.mark.parametrize(("count", "loads"), [(100, True), (101, False)])
def test_a_tier_has_at_most_a_hundred_levels(count: int, loads: bool) -> None:
    levels = [f"l{number}" for number in range(count)]
    values = {level: number for number, level in enumerate(levels) if number}
    document = program(trackers=SPEND, tiers={"status": {**STATUS, "levels": levels, "from": values}})

    if loads:
        assert len(lr.load_program(document).tiers[0].levels) == 100
    else:
        assert problem_of(document) == ("$.tiers.status.levels", "out_of_range", "expected 1 to 100 levels, found 101")


@pytest.mark.parametrize(
    ("parts", "path", "message"),
    [
        ({"levels": "gold"}, "levels", "expected a list of levels, found the text 'gold'"),
        ({"from": "gold"}, "from", "expected an object of numbers, found the text 'gold'"),
        ({"from": {"no id": "1"}}, "from['no id']", None),
    ],
)
def test_other_kinds_of_levels_and_values_are_told(parts: dict, path: str, message: str | None) -> None:
    found = problem_of(program(trackers=SPEND, tiers={"status": {**STATUS, **parts}}))

    assert found[0] == f"$.tiers.status.{path}"
    assert message in (None, found[2])


def test_an_event_date_lasts_through_its_unit_too() -> None:
    """A year after 15 January 2025 lies in 2026, which ends on 31 December."""
    lasts = {"type": "event_date", "after": {"years": 1}, "through": "year"}
    document = program(trackers=SPEND, tiers={"status": {**STATUS, "lasts": lasts}})

    changes = [each for each in evaluate(document, sale("1000"))["intents"] if each["type"] == "change_tier"]
    assert [each["until"] for each in changes] == ["2026-12-31"]
