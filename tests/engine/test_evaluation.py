"""Evaluation: caps and limits trim an award, and the intent claims their counters. Source: semantics 8."""

from __future__ import annotations

import pytest

from rules.actions import amount
from shop import earn, evaluate, fixed, issued, program, sale

COUNTED = {"issued": {"p/earn": {"member": {"amount": "450", "times": 9}, "total": {"amount": "900", "times": 20}}}}
CAPS: list[tuple[dict, str | None, str]] = [
    ({"per_event": "60"}, "60", ""),
    ({"per_event": "100.5"}, "100", ""),
    ({"per_event": "0"}, None, "the cap of 0 per event is used up"),
    ({"per_member": {"amount": "500"}}, "50", ""),
    ({"per_member": {"amount": "550"}}, "100", ""),
    ({"per_member": {"amount": "450"}}, None, "the member's cap of 450 is used up"),
    ({"per_member": {"amount": "450.000001"}}, "0.000001", ""),
    ({"per_member": {"times": 9}}, None, "the member's cap of 9 times is used up"),
    ({"per_member": {"times": 10}}, "100", ""),
    ({"total": {"amount": "907.5"}}, "7.5", ""),
    ({"total": {"amount": "800"}}, None, "the total cap of 800 is used up"),
    ({"total": {"times": 20}}, None, "the total cap of 20 times is used up"),
    ({"total": {"times": 21}}, "100", ""),
    ({"per_event": "60", "per_member": {"amount": "490"}, "total": {"amount": "930"}}, "30", ""),
]


@pytest.mark.parametrize(("caps", "expected", "detail"), CAPS)
def test_a_cap_trims_to_the_amount_calculated_by_hand(caps: dict, expected: str | None, detail: str) -> None:
    evaluation = evaluate(program(earn(fixed("100"), caps=caps)), sale(), COUNTED)

    assert [intent["amount"] for intent in evaluation["intents"]] == ([expected] if expected is not None else [])
    assert [(skip["reason"], skip["detail"]) for skip in evaluation["skipped"]] == (
        [] if expected is not None else [("cap_reached", detail)]
    )


def limit(per: str, amount: str = "150") -> dict:
    return {"currency": "points", "per": per, "amount": amount}


@pytest.mark.parametrize(
    ("limits", "store", "expected"),
    [
        ({"l": limit("member")}, None, ["100", "20"]),  # 30 of 150 are gone
        ({"l": limit("total")}, None, ["100", "20"]),
        ({"l": limit("store")}, "S1", ["100", "20"]),
        ({"l": limit("store")}, None, ["100", "100"]),  # binds no event without a store
        ({"l": limit("member"), "m": limit("total", "105")}, None, ["100", "5"]),
        ({"m": limit("total", "105"), "l": limit("member")}, None, ["100", "5"]),
        ({"l": limit("member", "130")}, None, ["100"]),
    ],
)
def test_a_limit_counts_issues_of_the_same_evaluation(limits: dict, store: str | None, expected: list[str]) -> None:
    document = program(earn(fixed("100"), "a"), earn(fixed("100"), "b"), limits=limits)
    evaluation = evaluate(document, sale(store=store), {"limits": {"l": "30"}})

    assert [intent["amount"] for intent in evaluation["intents"]] == expected


def test_an_exhausted_limit_is_named() -> None:
    [skip] = evaluate(program(earn(fixed("1")), limits={"l": limit("member")}), sale(), {"limits": {"l": "150"}})[
        "skipped"
    ]

    assert (skip["reason"], skip["detail"]) == ("cap_reached", "the limit l of 150 is used up")


def test_a_limit_of_another_currency_does_not_apply() -> None:
    document = program(
        earn(fixed("100")),
        currencies={"points": {}, "stars": {}},
        limits={"l": {**limit("member", "5"), "currency": "stars"}},
    )

    assert amount(document, sale()) == "100"


def test_an_issue_claims_its_counters_in_order() -> None:
    day = {"type": "calendar", "unit": "day"}
    document = program(
        earn(
            fixed("100"),
            caps={"per_member": {"amount": "500", "window": day}, "total": {"times": 30}, "per_event": "80"},
        ),
        limits={"l": {**limit("member"), "window": {"type": "rolling", "days": 7}}, "s": limit("store")},
    )
    [intent] = issued(document, sale(), {"limits": {"l": "100"}})

    assert intent["amount"] == "50"
    assert intent["claims"] == [
        {"counter": "p/earn/member/M1/2025-01-15", "limit": "500", "amount": "50"},
        {"counter": "p/earn/total/lifetime/times", "limit": "30", "amount": "1"},
        {
            "counter": "limit/l/M1/rolling",
            "limit": "150",
            "amount": "50",
            "from": "2025-01-09",
            "to": "2025-01-15",
        },
    ]


def test_a_limit_counts_all_earlier_issues_of_the_evaluation() -> None:
    actions = [earn(fixed("50"), name) for name in ("a", "b", "c", "d")]
    document = program(*actions, limits={"l": limit("member", "170")})

    assert [intent["amount"] for intent in issued(document, sale())] == ["50", "50", "50", "20"]
