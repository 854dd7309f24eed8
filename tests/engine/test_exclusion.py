"""Exclusive groups: which promotions count, with amounts worked out by hand. Source: semantics 8."""

from __future__ import annotations

from typing import Any

import pytest

from shop import earn, evaluate, fixed, program, proportional, sale

TENTH = earn(proportional("10"))
FIFTEEN = earn(fixed("15"))


def group(*promotions: dict, **choice: Any) -> dict:
    """A program whose promotions are in one group, named a, b, c…"""
    each = [{"id": name, "exclusive": "g", **promotion} for name, promotion in zip("abcdef", promotions, strict=False)]
    return program(promotions=each, groups={"g": choice} if choice else {})


def counted(document: dict, event: dict | None = None) -> list[str]:
    """The promotions that issued something."""
    intents = evaluate(document, event or sale())["intents"]
    return [each["promotion"] for each in intents if each["type"] == "issue_currency"]


@pytest.mark.parametrize(("bill", "most", "least"), [("100", "b", "a"), ("150", "a", "a"), ("400", "a", "b")])
def test_the_most_or_the_least_counts(bill: str, most: str, least: str) -> None:
    """10 % or 15 points; both are 15 at a bill of 150, and then the first counts."""
    parts = {"actions": [TENTH]}, {"actions": [FIFTEEN]}

    assert counted(group(*parts, choose="most", of="points"), sale(bill)) == [most]
    assert counted(group(*parts, choose="least", of="points"), sale(bill)) == [least]


def test_equal_amounts_are_chosen_by_priority() -> None:
    document = group(
        {"actions": [FIFTEEN]}, {"actions": [FIFTEEN], "priority": 1}, {"actions": [TENTH]}, choose="most", of="points"
    )
    assert counted(document) == ["b"]


@pytest.mark.parametrize(("keep", "expected"), [(1, ["b"]), (2, ["a", "b"]), (9, ["a", "b", "c"])])
def test_a_group_keeps_so_many(keep: int, expected: list[str]) -> None:
    document = group({"actions": [FIFTEEN]}, {"actions": [FIFTEEN], "priority": 1}, {"actions": [FIFTEEN]}, keep=keep)
    assert counted(document) == expected


def test_an_action_that_a_cap_stops_counts_with_its_amount_before_it() -> None:
    """20 points, of which a cap leaves nothing, are more than 15."""
    capped = earn(fixed("20"), caps={"per_event": "0"})
    document = group({"actions": [capped]}, {"actions": [FIFTEEN]}, choose="most", of="points")

    assert counted(document) == []
    assert [(each["promotion"], each["reason"]) for each in evaluate(document, sale())["skipped"]] == [
        ("a", "cap_reached"),
        ("b", "excluded_by"),
    ]


def test_an_action_that_another_reason_stops_counts_zero_and_so_do_other_currencies() -> None:
    past = earn(fixed("20"), expiry={"type": "fixed_date", "on": "2025-01-14"})
    stars = earn(fixed("90"), currency="stars")
    document = {
        **group({"actions": [past]}, {"actions": [stars]}, {"actions": [FIFTEEN]}, choose="most", of="points"),
        "currencies": {"points": {}, "stars": {}},
    }
    assert counted(document) == ["c"]
    assert counted({**document, "groups": {"g": {"choose": "least", "of": "points"}}}) == []


def test_a_promise_counts_and_actions_are_added() -> None:
    promised = earn(fixed("8"), "later", timing={"type": "external"})
    document = group({"actions": [earn(fixed("8")), promised]}, {"actions": [FIFTEEN]}, choose="most", of="points")

    assert counted(document) == ["a", "a"]


def test_the_choice_sees_earlier_awards_and_leaves_no_trace() -> None:
    """100 % of the 30 awarded before is more than 15; the trial draws on no limit."""
    doubled = earn(proportional("100", {"type": "awarded", "actions": ["first/earn"]}))
    limits = {"most": {"currency": "points", "per": "total", "amount": "60"}}
    document = {
        **group({"actions": [FIFTEEN]}, {"actions": [doubled]}, choose="most", of="points"),
        "limits": limits,
    }
    document["promotions"].insert(0, {"id": "first", "actions": [earn(fixed("30"))]})

    assert counted(document) == ["first", "b"]


def test_several_winners_are_named() -> None:
    document = group({"actions": [FIFTEEN]}, {"actions": [FIFTEEN]}, {"actions": [FIFTEEN]}, keep=2)
    [skip] = evaluate(document, sale())["skipped"]

    assert skip["detail"] == "a, b count in the group g"


def test_two_groups_that_meet_each_tell_their_own_amounts() -> None:
    """Group g has 10 and 15 of a bill of 100, group h has 20 and 15; the last of g is decided after the choice of h."""
    twenty, chosen = earn(proportional("20")), {"choose": "most", "of": "points"}
    promotions = [
        {"id": name, "exclusive": exclusive, "actions": [action]}
        for name, exclusive, action in (("a", "g", FIFTEEN), ("b", "h", twenty), ("c", "h", FIFTEEN), ("d", "g", TENTH))
    ]
    document = program(promotions=promotions, groups={"g": chosen, "h": chosen})

    assert [(each["promotion"], each["detail"]) for each in evaluate(document, sale())["skipped"]] == [
        ("c", "b counts in the group h with the most points, 20; this promotion would award 15"),
        ("d", "a counts in the group g with the most points, 15; this promotion would award 10"),
    ]


def test_several_that_count_are_named_with_their_amounts() -> None:
    parts = [{"actions": [earn(fixed(amount))]} for amount in ("1", "2", "3")]
    document = group(*parts, choose="most", of="points", keep=2)

    [skip] = evaluate(document, sale())["skipped"]
    assert skip["detail"] == "c, b count in the group g with the most points, 3, 2; this promotion would award 1"
