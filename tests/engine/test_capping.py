"""Caps of a household, in money and of a named recipient, with amounts worked out by hand. Source: semantics 8, 13."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from rules.actions import problem_of
from shop import earn, evaluate, fixed, issued, program, sale

FAMILY = {"id": "M1", "group": "home"}
FRIEND = {"field": "custom_fields.friend"}
NAMED = sale(custom_fields={"friend": "M2"})


def limit(**parts: object) -> dict:
    return {"most": {"currency": "points", **parts}}


def test_a_limit_per_household_counts_the_group_and_does_not_bind_who_has_none() -> None:
    document = program(earn(fixed("50")), limits=limit(per="member_group", amount="60"))
    [mine] = issued(document, sale(member=FAMILY), {"limits": {"most": "20"}})

    assert (mine["amount"], mine["claims"]) == (
        "40",
        [{"counter": "limit/most/home/lifetime", "limit": "60", "amount": "40"}],
    )
    [other] = issued(document, sale(), {"limits": {"most": "20"}})
    assert (other["amount"], other["claims"]) == ("50", [])


@pytest.mark.parametrize(("money", "decimals", "units"), [("0.50", 0, "10"), ("0.59", 0, "11"), ("0.59", 1, "11.8")])
def test_a_limit_in_money_is_rounded_down_to_units(money: str, decimals: int, units: str) -> None:
    """100 points are worth 5.00: 0.50 are 10 points, 0.59 are 11.8."""
    currencies = {"points": {"decimals": decimals, "redeem": {"points": "100", "value": "5"}}}
    document = program(earn(fixed("50")), currencies=currencies, limits=limit(per="member", money=money))

    assert issued(document, sale())[0]["amount"] == units


def test_a_limit_in_money_needs_a_rate_and_no_amount() -> None:
    path = "$.limits.most"
    no_rate = program(earn(fixed("1")), limits=limit(per="total", money="5"), currencies={"points": {}})
    assert problem_of(no_rate) == (f"{path}.money", "no_rate", "the currency 'points' has no redeem rate")
    both = program(earn(fixed("1")), limits=limit(per="total", money="5", amount="5"),
                   currencies={"points": {"redeem": {"points": "100", "value": "5"}}})  # fmt: skip
    assert problem_of(both) == (path, "required", "a limit has either an amount or money")


def test_caps_and_limits_count_a_recipient_whom_a_field_names() -> None:
    """Of 50, the cap leaves 30 − 5 = 25, and the limit of 40 leaves 40 − 20 = 20."""
    caps = {"per_member": {"amount": "30"}, "total": {"amount": "1000"}}
    document = program(earn(fixed("50"), recipient=FRIEND, caps=caps), limits=limit(per="member", amount="40"))
    mine = {"issued": {"p/earn": {"member": {"amount": "29"}}}, "limits": {"most": "39"}}
    theirs = {"M2": {"issued": {"p/earn": {"member": {"amount": "5"}}}, "limits": {"most": "20"}}}
    [intent] = issued(document, NAMED, {**mine, "recipients": theirs})

    assert intent["amount"] == "20"
    assert [(each["counter"], each["amount"]) for each in intent["claims"]] == [
        ("p/earn/member/M2/lifetime", "20"),
        ("p/earn/total/lifetime", "20"),
        ("limit/most/M2/lifetime", "20"),
    ]


def test_a_household_limit_does_not_bind_a_named_recipient() -> None:
    document = program(earn(fixed("50"), recipient=FRIEND), limits=limit(per="member_group", amount="0"))
    event = sale(member=FAMILY, custom_fields={"friend": "M2"})

    assert issued(document, event)[0]["amount"] == "50"


def test_the_member_and_a_recipient_draw_on_a_limit_apart() -> None:
    actions = earn(fixed("30"), "own"), earn(fixed("30"), "friend", recipient=FRIEND), earn(fixed("30"), "more")
    document = program(*actions, limits=limit(per="member", amount="40"))

    assert [(each["member"], each["amount"]) for each in issued(document, NAMED)] == [
        ("M1", "30"),
        ("M2", "30"),
        ("M1", "10"),
    ]


def test_the_counters_of_a_snapshot_are_those_of_the_claims() -> None:
    caps = {"per_member": {"times": 3}}
    document = program(earn(fixed("50"), recipient=FRIEND, caps=caps), limits=limit(per="member", amount="40"))
    loaded = lr.load_program(document)
    values = {"p/earn/member/M2/lifetime/times": 2, "limit/most/M2/lifetime": 15}
    snapshot = loaded.snapshot(lr.load_event(NAMED), lambda counter: lr.load_snapshot(
        {"limits": {"x": values[counter.name]}}).limits["x"])  # fmt: skip

    assert lr.dump(snapshot)["recipients"] == {
        "M2": {
            "issued": {"p/earn": {"member": {"amount": "0", "times": 2}, "total": {"amount": "0", "times": 0}}},
            "limits": {"most": "15"},
        }
    }
    assert evaluate(document, NAMED, lr.dump(snapshot))["intents"][0]["amount"] == "25"
