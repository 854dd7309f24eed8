"""The evaluation: the order of its steps and of its intents, and the reasons why an action issues nothing.

Bases, prorations, roundings and expiries have their own tests beside their rules.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.engine.capping import cap_name
from rules.actions import amount
from shop import Serials, earn, evaluate, fixed, issued, lines, points, program, proportional, sale

GIFT = {"gift": {"benefit": {"type": "percent_off", "percent": "10"}}}
MESSAGE = {"template": "earned", "mandatory": ["email"]}
ROLLING = {"type": "rolling", "after": {"months": 12}}
SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "1000"}}


def give(quantity: Any = 1, name: str = "give", **parts: Any) -> dict:
    """Return an action that issues coupons of the type `gift`."""
    return {"type": "issue_coupon", "id": name, "coupon_type": "gift", "quantity": quantity, **parts}


def promotions(*parts: dict, **more: Any) -> dict:
    return {**program(**more), "promotions": list(parts)}


def keys_of(program: dict, event: dict, snapshot: dict | None = None) -> list[str]:
    return [intent["key"] for intent in evaluate(program, event, snapshot)["intents"]]


def reasons_of(program: dict, event: dict, snapshot: dict | None = None) -> list[tuple[str, str]]:
    return [(skip["action"], skip["reason"]) for skip in evaluate(program, event, snapshot)["skipped"]]


# -- the order of intents ----------------------------------------------------------------------------------------------


def test_issues_are_followed_by_extensions_and_these_by_trackers() -> None:
    document = program(
        earn(fixed("5"), "first", expiry=ROLLING, communication=MESSAGE),
        give(2, communication=MESSAGE),
        earn(fixed("5"), "last", expiry=ROLLING),
        coupon_types=GIFT,
        trackers=SPEND,
    )

    assert keys_of(document, sale(member={"id": "M1", "contacts": {"email": True}})) == [
        "acme/T-1/p/first",
        "acme/T-1/p/first/message",
        "acme/T-1/p/give/1",
        "acme/T-1/p/give/2",
        "acme/T-1/p/give/message",
        "acme/T-1/p/last",
        "acme/T-1/p/first/extend",
        "acme/T-1/p/last/extend",
        "acme/T-1/tracker/spend",
    ]


def test_an_id_from_outside_is_escaped_in_every_key() -> None:
    assert keys_of(program(earn(fixed("5")), trackers=SPEND), sale(id="7/3")) == [
        "acme/7%2F3/p/earn",
        "acme/7%2F3/tracker/spend",
    ]


def test_a_later_action_sees_the_award_of_an_earlier_one() -> None:
    of = {"type": "awarded", "actions": ["p/earn"]}
    assert points(program(earn(fixed("10")), earn(proportional("50", of), "half")), sale()) == 15


def test_a_later_action_does_not_see_an_award_that_was_skipped() -> None:
    of = {"type": "awarded", "actions": ["p/earn"]}
    document = program(earn(fixed("10"), caps={"per_event": "0"}), earn(proportional("50", of), "half"))
    assert reasons_of(document, sale()) == [("earn", "cap_reached"), ("half", "zero_amount")]


# -- exclusive groups --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("priorities", "winner"),
    [((0, 0), "a"), ((0, 1), "b"), ((1, 0), "a"), ((-1, -2), "a"), ((-2, -1), "b")],
)
def test_the_highest_priority_then_the_first_in_the_document_counts(priorities: tuple, winner: str) -> None:
    document = promotions(
        *(
            {"id": name, "exclusive": "bonus", "priority": priority, "actions": [earn(fixed("5"))]}
            for name, priority in zip("ab", priorities, strict=True)
        )
    )

    assert keys_of(document, sale()) == [f"acme/T-1/{winner}/earn"]
    (skip,) = evaluate(document, sale())["skipped"]
    assert (skip["promotion"], skip["reason"]) == ({"a": "b", "b": "a"}[winner], "excluded_by")
    assert skip["detail"] == f"{winner} counts in the group bonus"


def test_a_promotion_that_does_not_fire_excludes_no_other() -> None:
    fires_never = {"field": "store", "is": "elsewhere"}
    document = promotions(
        {"id": "a", "exclusive": "bonus", "priority": 9, "when": fires_never, "actions": [earn(fixed("5"))]},
        {"id": "b", "exclusive": "bonus", "actions": [earn(fixed("7"))]},
    )
    assert points(document, sale()) == 7


def test_promotions_of_different_groups_all_count() -> None:
    document = promotions(
        {"id": "a", "exclusive": "one", "actions": [earn(fixed("5"))]},
        {"id": "b", "exclusive": "two", "actions": [earn(fixed("7"))]},
        {"id": "c", "actions": [earn(fixed("9"))]},
    )
    assert points(document, sale()) == 21


# -- recipients and skips ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "event", "reason"),
    [
        (earn(fixed("5")), sale(member=None), "no_member"),
        (earn(fixed("5"), recipient="member_group"), sale(), "no_group"),
        (earn(fixed("0")), sale(), "zero_amount"),
        (earn(proportional("10")), sale("0"), "zero_amount"),
        (earn(proportional("10", {"type": "transaction_custom_field", "field": "tip"})), sale(), "missing_field"),
        (earn(fixed("5"), expiry={"type": "fixed_date", "on": "2025-01-14"}), sale(), "already_expired"),
        (earn(fixed("5"), caps={"per_event": "0"}), sale(), "cap_reached"),
        (give(0), sale(), "zero_amount"),
    ],
)  # fmt: skip
def test_an_action_that_issues_nothing_has_one_reason(action: dict, event: dict, reason: str) -> None:
    document = program(action, coupon_types=GIFT)
    assert reasons_of(document, event) == [(action["id"], reason)]
    assert evaluate(document, event)["intents"] == []


def test_the_first_reason_is_the_one_of_the_earliest_step() -> None:
    action = earn(fixed("0"), expiry={"type": "fixed_date", "on": "2025-01-14"}, caps={"per_event": "0"})
    assert reasons_of(program(action), sale(member=None)) == [("earn", "no_member")]
    assert reasons_of(program(action), sale()) == [("earn", "zero_amount")]
    assert reasons_of(program({**action, "proration": fixed("5")}), sale()) == [("earn", "already_expired")]


def test_an_issue_to_a_group_is_of_the_member_and_the_group() -> None:
    document = program(earn(fixed("5"), recipient="member_group"))
    (intent,) = evaluate(document, sale(member={"id": "M1", "group": "family"}))["intents"]
    assert (intent["member"], intent["group"]) == ("M1", "family")


def test_points_of_the_last_valid_day_are_issued_until_its_end() -> None:
    document = program(earn(fixed("5"), expiry={"type": "fixed_date", "on": "2025-01-15"}))
    assert points(document, sale(occurred_at="2025-01-15T23:59:59.999999Z")) == 5
    assert reasons_of(document, sale(occurred_at="2025-01-16T00:00:00Z")) == [("earn", "already_expired")]


def test_a_business_date_does_not_revive_points_whose_end_has_passed() -> None:
    """The till's day is the 15th, but its clock shows the 16th: the end of the 15th has passed."""
    document = program(earn(fixed("5"), expiry={"type": "fixed_date", "on": "2025-01-15"}))
    event = sale(occurred_at="2025-01-16T00:30:00Z", business_date="2025-01-15")
    assert reasons_of(document, event) == [("earn", "already_expired")]


# -- recipients whom a field names -------------------------------------------------------------------------------------

FRIEND = {"field": "custom_fields.friend"}


@pytest.mark.parametrize(
    ("event", "reason", "detail"),
    [
        (sale(), "no_member", "custom_fields.friend is absent"),
        (sale(custom_fields={"friend": None}), "no_member", "custom_fields.friend is absent"),
        (sale(custom_fields={"friend": "M1"}), "same_member", "custom_fields.friend names the event's own member"),
        (sale(custom_fields={"friend": 5}), "invalid_field",
         "custom_fields.friend is not the id of a member: the number 5"),
        (sale(custom_fields={"friend": " M2"}), "invalid_field",
         "custom_fields.friend is not the id of a member: the text ' M2'"),
    ],
)  # fmt: skip
def test_a_field_that_names_no_other_member_has_a_reason(event: dict, reason: str, detail: str) -> None:
    [skip] = evaluate(program(earn(fixed("5"), recipient=FRIEND)), event)["skipped"]
    assert (skip["reason"], skip["detail"]) == (reason, detail)


@pytest.mark.parametrize("member", [None, {"id": "M1", "group": "home", "contacts": {"email": "a@example.org"}}])
def test_an_issue_to_a_named_recipient_is_its_own_and_its_message_has_no_channels(member: Any) -> None:
    """Also of an anonymous event; the host knows the channels of the recipient."""
    document = program(earn(fixed("5"), recipient=FRIEND, communication={**MESSAGE, "priority": ["sms"]}))
    issue, message = evaluate(document, sale(member=member, custom_fields={"friend": "M2"}))["intents"]

    assert (issue["member"], issue["group"], issue["amount"]) == ("M2", None, "5")
    assert (message["member"], message["channels"], message["fallbacks"]) == ("M2", [], [])


def test_a_promise_to_a_named_recipient_has_no_message_without_its_template() -> None:
    action = earn(fixed("5"), recipient=FRIEND, communication=MESSAGE, timing={"type": "external"})
    assert len(evaluate(program(action), sale(custom_fields={"friend": "M2"}))["intents"]) == 1


@pytest.mark.parametrize(
    ("expiry", "timing", "reason"),
    [
        ({"type": "registration_anniversary"}, "immediate", "missing_field"),
        ({"type": "registration_anniversary"}, "delayed", "missing_field"),
        ({"type": "registration_anniversary"}, "external", None),  # waits for the release
        ({"type": "customer_field", "field": "until"}, "external", "missing_field"),
        ({"type": "transaction_field", "field": "until"}, "immediate", None),
    ],
)
def test_the_event_says_nothing_about_a_named_recipient(expiry: dict, timing: str, reason: str | None) -> None:
    member = {"id": "M1", "registered_on": "2020-01-01", "extended_fields": {"until": "2026-01-01"}}
    event = sale(member=member, custom_fields={"friend": "M2"}, extended_fields={"until": "2026-01-01"})
    document = program(earn(fixed("5"), recipient=FRIEND, expiry=expiry, timing={"type": timing}))

    assert [each for _, each in reasons_of(document, event)] == ([reason] if reason else [])


# -- extensions without an issue ---------------------------------------------------------------------------------------

VISIT = {"type": "extend_expiry", "id": "visit", "currency": "points", "after": {"months": 6}, "through": "month"}


def test_an_action_extends_the_members_lots_after_all_issues() -> None:
    extension, advance = evaluate(program(VISIT, earn(fixed("5")), trackers=SPEND), sale())["intents"][1:]

    assert extension == {
        "type": "extend_expiry",
        "key": "acme/T-1/p/visit/extend",
        "member": "M1",
        "group": None,
        "currency": "points",
        "scope": "balance",
        "expires_on": "2025-07-31",
        "expires_at": "2025-08-01T00:00:00+00:00",
    }
    assert advance["type"] == "advance_tracker"


def test_an_extension_is_skipped_as_an_expiry_is() -> None:
    none = {**VISIT, "after": {"days": 0}, "through": None}
    late = sale(occurred_at="2025-01-16T00:30:00Z", business_date="2025-01-15")

    assert reasons_of(program(VISIT), sale(member=None)) == [("visit", "no_member")]
    assert reasons_of(program(none), late) == [("visit", "already_expired")]
    assert reasons_of(program({**VISIT, "after": {"years": 90}}), sale(occurred_at="9990-01-01T00:00:00Z")) == [
        ("visit", "invalid_field")
    ]


def test_an_extension_carries_the_date_before_the_maximum_and_the_issue_its_own() -> None:
    """Six months after 15 January is 15 July; the issue itself ends two months after its date."""
    rolling = {"type": "rolling", "after": {"months": 6}, "most": {"months": 2}}
    issue, extension = evaluate(program(earn(fixed("5"), expiry=rolling)), sale())["intents"]

    assert (issue["expires_on"], issue["expires_by"]) == ("2025-03-15", "2025-03-15")
    assert extension["expires_on"] == "2025-07-15"
    promised = program(earn(fixed("5"), expiry=rolling, timing={"type": "external"}))
    issue = evaluate(promised, sale())["intents"][0]
    assert (issue["expires_on"], issue["expires_by"]) == ("2025-07-15", None)


# -- spends ------------------------------------------------------------------------------------------------------------

PAY = {"type": "spend_currency", "id": "pay", "currency": "points", "amount": "500"}
HAS = {"balances": {"points": "500"}}


def shown(document: dict, snapshot: dict, event: dict | None = None) -> list[tuple[str, str]]:
    """The types and the amounts of the intents; coupons count as 1."""
    intents = evaluate(document, event or sale(), snapshot)["intents"]
    return [(each["type"], each.get("amount", "1")) for each in intents]


def test_a_spend_and_what_it_pays_for_name_each_other() -> None:
    document = program(PAY, give(), earn(fixed("5")), coupon_types=GIFT)
    spend, coupon, issue = evaluate(document, sale(), HAS)["intents"]

    assert spend == {
        "type": "spend_currency",
        "key": "acme/T-1/p/pay",
        "promotion": "p",
        "action": "pay",
        "event": "T-1",
        "member": "M1",
        "group": None,
        "currency": "points",
        "amount": "500",
    }
    assert coupon["depends_on"] == issue["depends_on"] == ["acme/T-1/p/pay"]
    assert evaluate(program(give(), coupon_types=GIFT), sale())["intents"][0]["depends_on"] == []


@pytest.mark.parametrize(
    ("actions", "event", "snapshot", "reason"),
    [
        ([give(), PAY], sale(), {"balances": {"points": "499.999999"}}, "not_enough"),
        ([give(), PAY], sale(), {}, "not_enough"),
        ([give(), PAY], sale(), {"balances": {"points": "-5"}}, "not_enough"),
        ([give(), PAY], sale(member=None), HAS, "no_member"),
        ([give(), {**PAY, "amount": "0"}], sale(), HAS, "zero_amount"),
        ([give(), {**PAY, "amount": {"type": "multiplier", "percent": "10"}}], sale("0"), HAS, "zero_amount"),
        ([give(0), PAY], sale(), HAS, "zero_amount"),
        ([earn(fixed("5"), caps={"per_event": "4"}), PAY], sale(), HAS, "cap_reached"),
        ([earn(fixed("5"), caps={"per_event": "0"}), give(0), PAY], sale(), HAS, "cap_reached"),
        ([{**VISIT, "after": {"years": 90}}, PAY], sale(occurred_at="9990-01-01T00:00:00Z"), HAS, "invalid_field"),
        ([give(0), PAY], sale(), {}, "not_enough"),  # the reason of the spend comes first
    ],
)
def test_a_promotion_with_a_spend_stands_or_falls_as_a_whole(
    actions: list, event: dict, snapshot: dict, reason: str
) -> None:
    document = program(*actions, coupon_types=GIFT)

    assert evaluate(document, event, snapshot)["intents"] == []
    assert reasons_of(document, event, snapshot) == [(each["id"], reason) for each in actions]


def test_a_cap_that_leaves_fewer_coupons_stops_the_promotion() -> None:
    types = {"gift": {**GIFT["gift"], "caps": {"per_transaction": 1}}}
    assert reasons_of(program(PAY, give(2), coupon_types=types), sale(), HAS) == [
        ("pay", "cap_reached"),
        ("give", "cap_reached"),
    ]


def test_an_action_that_no_spend_pays_for_is_skipped_alone() -> None:
    document = program({**PAY, "for": ["give"]}, give(), earn(fixed("0")), coupon_types=GIFT)

    assert reasons_of(document, sale(), HAS) == [("earn", "zero_amount")]
    assert shown(document, HAS) == [("spend_currency", "500"), ("issue_coupon", "1")]


def test_a_second_spend_sees_what_the_first_leaves() -> None:
    """Of 800 the first takes 500, so that 300 are too little for the second promotion."""
    second = {**PAY, "id": "again"}
    balance = {"balances": {"points": "800"}}
    apart = promotions({"id": "a", "actions": [PAY]}, {"id": "b", "actions": [second]})

    assert shown(apart, balance) == [("spend_currency", "500")]
    assert reasons_of(program(PAY, second), sale(), balance) == [("pay", "not_enough"), ("again", "not_enough")]
    assert shown(program(PAY, {**second, "amount": "300"}), balance) == [
        ("spend_currency", "500"),
        ("spend_currency", "300"),
    ]


def test_a_spend_sees_earlier_issues_at_once_and_no_promises() -> None:
    at_once, later = earn(fixed("500")), earn(fixed("500"), "later", timing={"type": "delayed", "days": 0})
    pay = {"id": "b", "actions": [PAY]}

    assert ("spend_currency", "500") in shown(promotions({"id": "a", "actions": [at_once]}, pay), {})
    assert shown(promotions({"id": "a", "actions": [later]}, pay), {}) == [("issue_currency", "500")]


def test_the_amount_of_a_spend_is_rounded_and_never_below_zero() -> None:
    half = {"type": "multiplier", "percent": "50"}
    assert shown(program({**PAY, "amount": half}), HAS, sale("3")) == [("spend_currency", "1.5")]
    assert shown(program({**PAY, "amount": half, "rounding": {"currency": "up"}}), HAS, sale("3")) == [
        ("spend_currency", "2")
    ]
    assert shown(program({**PAY, "amount": "1.5", "rounding": {"currency": "down"}}), HAS) == [("spend_currency", "1")]


def test_a_spend_in_a_currency_that_extends_moves_the_rest() -> None:
    def extending(**after: int) -> dict:
        redeem = {"points": "1", "value": "1", "extends": {"after": after, "scope": "rolling_lots"}}
        return program(PAY, currencies={"points": {"redeem": redeem}})

    spend, extension = evaluate(extending(months=12), sale(), HAS)["intents"]
    assert (extension["key"], extension["scope"], extension["expires_on"]) == (
        f"{spend['key']}/extend",
        "rolling_lots",
        "2026-01-15",
    )
    late = sale(occurred_at="2025-01-16T00:30:00Z", business_date="2025-01-15")
    assert shown(extending(days=0), HAS, late) == [("spend_currency", "500")]  # its date is past


def test_a_serial_is_asked_for_only_when_the_spend_can_be_made() -> None:
    document = lr.load_program(program(give(), PAY, coupon_types=GIFT))

    assert document.evaluate(lr.load_event(sale())).intents == ()  # without a generator


# -- caps and limits ---------------------------------------------------------------------------------------------------

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


# -- coupons -----------------------------------------------------------------------------------------------------------


def test_a_type_with_a_cap_per_member_needs_a_member() -> None:
    gift = {"gift": {**GIFT["gift"], "caps": {"per_member": 1}}}
    assert reasons_of(program(give(), coupon_types=gift), sale(member=None)) == [("give", "no_member")]
    assert keys_of(program(give(), coupon_types=GIFT), sale(member=None)) == ["acme/T-1/p/give/1"]


def test_the_caps_of_a_type_count_the_coupons_of_earlier_actions() -> None:
    gift = {"gift": {**GIFT["gift"], "caps": {"per_transaction": 3}}}
    document = program(give(2, "a"), give(2, "b"), give(2, "c"), coupon_types=gift)
    assert keys_of(document, sale()) == ["acme/T-1/p/a/1", "acme/T-1/p/a/2", "acme/T-1/p/b/1"]
    assert reasons_of(document, sale()) == [("c", "cap_reached")]


def test_the_caps_of_a_type_count_the_snapshot() -> None:
    gift = {"gift": {**GIFT["gift"], "caps": {"total": 10}}}
    document = program(give(3), coupon_types=gift)
    assert len(keys_of(document, sale(), {"coupons": {"gift": {"total": 8}}})) == 2
    assert reasons_of(document, sale(), {"coupons": {"gift": {"total": 10}}}) == [("give", "cap_reached")]


def test_one_action_gives_at_most_ten_thousand_coupons() -> None:
    document = program(give({"type": "stepped", "step_size": "1", "points_per_step": "1"}), coupon_types=GIFT)
    assert len(keys_of(document, sale("10001"))) == 10_000


def test_a_serial_is_generated_for_each_coupon() -> None:
    intents = evaluate(program(give(2), coupon_types=GIFT), sale())["intents"]
    assert [intent["serial"] for intent in intents] == ["S:acme/T-1/p/give/1", "S:acme/T-1/p/give/2"]


def test_a_coupon_with_a_serial_needs_a_generator() -> None:
    loaded = lr.load_program(program(give(), coupon_types=GIFT))
    with pytest.raises(lr.MissingSerialsError):
        loaded.evaluate(lr.load_event(sale()))


# -- messages, shares, trackers ----------------------------------------------------------------------------------------


def test_a_promise_has_the_message_of_its_own_template_or_none() -> None:
    event = sale(member={"id": "M1", "contacts": {"email": True}})
    promised = earn(fixed("5"), timing={"type": "external"}, communication=MESSAGE)
    assert keys_of(program(promised), event) == ["acme/T-1/p/earn"]

    promised["communication"] = {**MESSAGE, "promised_template": "soon"}
    (_, message) = evaluate(program(promised), event)["intents"]
    assert (message["template"], message["about"]) == ("soon", ["acme/T-1/p/earn"])


def test_an_issue_over_selected_lines_has_shares_of_those_lines_only() -> None:
    of = {"type": "line_item_value", "lines": {"field": "sku", "is": "TEA"}}
    basket = [{**line, "sku": sku} for line, sku in zip(lines("30", "50", "20"), ("TEA", "MUG", "TEA"), strict=True)]
    (intent,) = evaluate(program(earn(proportional("10", of))), sale(lines=basket))["intents"]
    assert intent["shares"] == [{"line": "1", "amount": "3"}, {"line": "3", "amount": "2"}]


def test_an_issue_for_a_bill_without_lines_has_no_shares() -> None:
    (intent,) = evaluate(program(earn(fixed("5"))), sale())["intents"]
    assert intent["shares"] == []


def test_a_tracker_advances_although_no_promotion_reads_it() -> None:
    (advance,) = evaluate(program(trackers=SPEND), sale("12.50"))["intents"]
    assert (advance["tracker"], advance["value"], advance["window_starts_at"]) == ("spend", "12.5", None)


@pytest.mark.parametrize("event", [sale("0"), sale("-5"), sale(member=None)])
def test_a_tracker_does_not_advance_by_nothing_nor_for_nobody(event: dict) -> None:
    assert evaluate(program(trackers=SPEND), event)["intents"] == []


def test_an_evaluation_does_not_change_its_program_or_event() -> None:
    loaded, event = lr.load_program(program(earn(fixed("5")), give(), coupon_types=GIFT)), lr.load_event(sale())
    version = loaded.version
    first = loaded.evaluate(event, serials=Serials())
    assert loaded.evaluate(event, serials=Serials()) == first
    assert (loaded.version, event) == (version, lr.load_event(sale()))


@pytest.mark.parametrize(("maximum", "words"), [(Decimal("10.50"), "cap of 10.5 per event"), (3, "cap of 3 per event")])
def test_a_cap_in_words_has_its_maximum_in_canonical_text(maximum: Decimal | int, words: str) -> None:
    assert cap_name("cap of {} per event", maximum) == words


@pytest.mark.parametrize(
    ("expiry", "reason"),
    [
        ({"type": "registration_anniversary"}, "missing_field"),  # the event is anonymous
        ({"type": "fixed_date", "on": "2025-01-15"}, "invalid_field"),  # long past, but the start comes first
        ({"type": "never"}, "invalid_field"),
    ],
)
def test_a_coupon_that_would_start_out_of_range_has_the_first_reason_that_applies(
    expiry: dict[str, Any], reason: str
) -> None:
    validity = {"starts_after": {"days": 30}, "expiry": expiry}
    gift = {"type": "issue_coupon", "id": "gift", "coupon_type": "fifteen"}
    types = {"fifteen": {"serial_managed": False, "code": "NEXT15", "validity": validity}}

    evaluation = evaluate(
        program(gift, coupon_types=types), sale("100", occurred_at="9998-12-30T10:00:00Z", member=None)
    )

    assert [each["reason"] for each in evaluation["skipped"]] == [reason]
