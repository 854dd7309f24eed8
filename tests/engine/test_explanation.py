"""The explanation: it shows every step of the evaluation, and the missing amount of a condition that failed."""

import json
from typing import Any

import pytest
from hypothesis import given

import loyalty_rules as lr
from properties.examples import examples
from reference import documents


class Numbered:
    """A generator of serials that identify their coupon."""

    def serial(self, request: Any) -> str:
        return f"{request.promotion}-{request.action}-{request.ordinal}"


def program(*promotions: dict[str, Any], **more: Any) -> lr.Program:
    return lr.load_program(
        {
            "format": "loyalty-rules/1",
            "id": "acme",
            "time_zone": "UTC",
            "currencies": {"points": {}},
            "promotions": [*promotions],
            **more,
        }
    )


def earning(**changes: Any) -> dict[str, Any]:
    action = {
        "type": "issue_currency",
        "id": "earn",
        "currency": "points",
        "proration": {"type": "proportional", "percent": "10", "of": {"type": "transaction_value"}},
        "expiry": {"type": "never"},
    }
    return {**action, **changes}


def sale(amount: str = "100", **more: Any) -> lr.Transaction:
    document = {"type": "transaction", "id": "T1", "occurred_at": "2025-01-15T10:00:00Z", "amount": amount}
    return lr.load_event({**document, "member": {"id": "M1"}, **more})


def explained(of: lr.Program, event: Any, snapshot: Any = None) -> str:
    return str(of.evaluate(event, snapshot, serials=Numbered()).explain())


def test_a_bill_below_a_threshold_has_the_missing_amount() -> None:
    shop = program({"id": "big", "when": {"field": "amount", "at_least": "100"}, "actions": [earning()]})

    assert explained(shop, sale("87.60")).splitlines() == [
        "T1 under the program acme:",
        "  big did not fire: amount is 87.6, and must be at least 100: 12.4 more",
    ]


def test_every_step_from_the_base_to_the_amount_is_shown() -> None:
    action = earning(
        rounding={"value": "nearest", "currency": "down"},
        caps={"per_event": "10"},
        expiry={"type": "fixed_period", "after": {"days": 90}},
    )

    assert explained(program({"id": "base", "title": "Base", "actions": [action]}), sale("119.50")).splitlines() == [
        "T1 under the program acme:",
        "  base (Base) fired:",
        "    earn: 10 points issued",
        "      base: transaction value",
        "      119.5 rounded (nearest) is 120",
        "      10 % of 120 is 12",
        "      12 trimmed to 10 by the cap of 10 per event",
        "      valid until 2025-04-15 (inclusive)",
    ]


@pytest.mark.parametrize(
    ("when", "because"),
    [
        ({"field": "store", "in": ["S1", "S2"]}, "store is 'S9', and must be one of 'S1', 'S2'"),
        ({"field": "brand", "is": "acme"}, "brand is absent, and must be 'acme'"),
        ({"not": {"field": "store", "is": "S9"}}, "must not hold: store is 'S9', and must be 'S9'"),
        ({"lines": {"field": "sku", "is": "MUG"}}, "no line where sku is 'MUG'"),
        (
            {"lines": {"field": "sku", "is": "TEA"}, "quantity": {"at_least": 3}},
            "the quantity of the lines where sku is 'TEA' is 2, and must be at least 3: 1 more",
        ),
        (
            {"tracker": "spend", "reached": True},
            "tracker spend must be reached; it goes from 0 to 100 of 500: 400 more",
        ),
        (
            {"any": [{"field": "tip", "exists": True}, {"field": "amount", "more_than": 100}]},
            "tip is absent, and must be present; amount is 100, and must be more than 100",
        ),
    ],
)
def test_the_failed_part_of_a_condition_is_shown_with_its_value(when: Any, because: str) -> None:
    trackers = {"spend": {"measure": {"type": "transaction_value"}, "target": "500"}}
    shop = program({"id": "p", "when": when, "actions": [earning()]}, trackers=trackers)
    lines = [{"id": "1", "quantity": "2", "unit_price": "5", "sku": "TEA"}]

    explanation = shop.evaluate(sale(store="S9", lines=lines)).explain()

    assert explanation.promotions[0].fired is False
    assert "; ".join(explanation.promotions[0].because) == because


def test_the_end_of_a_promotion_that_is_over_is_shown() -> None:
    shop = program({"id": "p", "ends_at": "2025-01-15T10:00:00Z", "actions": [earning()]})

    assert explained(shop, sale()).splitlines()[1] == "  p did not fire: it ended at 2025-01-15T10:00:00+00:00"


def test_the_reason_of_a_skipped_action_is_shown() -> None:
    assert explained(program({"id": "p", "actions": [earning()]}), sale(member=None)).splitlines()[2] == (
        "    earn: nothing, no_member: the event is anonymous"
    )


def steps(action: dict[str, Any], event: lr.Transaction, **more: Any) -> list[str]:
    """Return the outcome of the only action of a promotion, and its steps."""
    shop = program({"id": "p", "actions": [action]}, **more)
    (trace,) = shop.evaluate(event, serials=Numbered()).explain().promotions[0].actions
    return [trace.outcome, *trace.steps]


@pytest.mark.parametrize(
    ("contacts", "step"),
    [
        ({"email": True}, "message 'earned' by email"),
        ({"email": True, "sms": True}, "message 'earned' by email, sms"),
        ({"email": True, "sms": True, "wallet": True}, "message 'earned' by email, sms, fallback wallet"),
    ],
)
def test_a_message_is_shown_with_its_channels_and_fallbacks(contacts: dict[str, Any], step: str) -> None:
    wording = {"template": "earned", "mandatory": ["email"], "priority": ["sms", "wallet"]}
    event = sale(member={"id": "M1", "contacts": contacts})
    assert steps(earning(communication=wording), event)[-1] == step


def test_a_promise_is_shown_with_its_release_and_its_due_instant() -> None:
    assert steps(earning(timing={"type": "delayed", "days": 14}), sale()) == [
        "10 points promised",
        "base: transaction value",
        "10 % of 100 is 10",
        "promised (delayed), due at 2025-01-29T10:00:00+00:00",
    ]


def test_an_issue_to_a_group_is_shown() -> None:
    event = sale(member={"id": "M1", "group": "family"})
    assert steps(earning(recipient="member_group"), event)[-1] == "issued to the account of the group family"


@pytest.mark.parametrize(
    ("expiry", "validity"),
    [
        ({"type": "never"}, "valid from 2025-01-15T10:00:00+00:00 without an end"),
        (
            {"type": "fixed_period", "after": {"days": 30}},
            "valid from 2025-01-15T10:00:00+00:00 until 2025-02-14 (inclusive)",
        ),
    ],
)
def test_coupons_are_shown_with_their_number_and_their_validity(expiry: dict[str, Any], validity: str) -> None:
    gift = {"gift": {"benefit": {"type": "percent_off", "percent": "10"}, "validity": {"expiry": expiry}}}
    give = {"type": "issue_coupon", "id": "give", "coupon_type": "gift", "quantity": 2}
    assert steps(give, sale(), coupon_types=gift) == ["2 × coupon gift", validity]


def test_an_amount_of_more_than_six_decimals_is_shown_with_its_rounding() -> None:
    assert steps(earning(), sale("0.000015")) == [
        "0.000002 points issued",
        "base: transaction value",
        "10 % of 0.000015 is 0.0000015",
        "0.0000015 rounded (to 6 decimals) is 0.000002",
    ]


def test_each_line_has_its_own_steps() -> None:
    of = {"type": "line_item_value", "aggregate": "each_line"}
    lines = [{"id": "1", "quantity": "1", "value": "12"}, {"id": "2", "quantity": "1", "value": "30"}]
    action = earning(proration={"type": "stepped", "step_size": "10", "points_per_step": "1", "of": of})
    assert steps(action, sale(lines=lines)) == [
        "4 points issued",
        "base: line item value, line by line",
        "1 for each whole 10 of 12 is 1",
        "1 for each whole 10 of 30 is 3",
    ]


def test_a_tracker_is_shown_with_its_advance() -> None:
    trackers = {"spend": {"measure": {"type": "transaction_value"}, "target": "500"}}
    snapshot = lr.load_snapshot({"trackers": {"spend": "50"}})
    assert explained(program(trackers=trackers), sale("100"), snapshot).splitlines() == [
        "T1 under the program acme:",
        "  no promotion is triggered by it",
        "  tracker spend advances by 100 to 150 of 500",
    ]


def test_an_explanation_does_not_generate_new_serials() -> None:
    gift = {"gift": {"benefit": {"type": "percent_off", "percent": "10"}}}
    give = {"type": "issue_coupon", "id": "give", "coupon_type": "gift", "quantity": 2}
    evaluation = program({"id": "p", "actions": [give]}, coupon_types=gift).evaluate(sale(), serials=Numbered())
    assert str(evaluation.explain()) == str(evaluation.explain())


def test_a_promotion_of_another_trigger_is_not_explained() -> None:
    shop = program({"id": "welcome", "trigger": "registration", "actions": [earning()]})
    assert shop.evaluate(sale()).explain().promotions == ()


@pytest.mark.slow
@examples(150)
@given(documents.cases())
def test_the_explanation_of_every_case_agrees_with_its_evaluation(case: Any) -> None:
    document, event, snapshot = case
    known = lr.load_snapshot(snapshot) if snapshot is not None else None
    evaluation = lr.load_program(document).evaluate(lr.load_event(event), known, serials=Numbered())

    explanation = evaluation.explain()

    outcomes = {
        (promotion.promotion, action.action): action.outcome
        for promotion in explanation.promotions
        for action in promotion.actions
    }
    for intent in evaluation.intents:
        if intent.type == "issue_currency":
            amount = lr.dump(intent)["amount"]
            assert outcomes.pop((intent.promotion, intent.action)).startswith(f"{amount} {intent.currency} ")
        elif intent.type == "issue_coupon":
            assert "× coupon" in outcomes[intent.promotion, intent.action]
    for skipped in evaluation.skipped:
        assert outcomes.pop((skipped.promotion, skipped.action)).startswith(f"nothing, {skipped.reason}: ")
    coupons = {
        (promotion["id"], action["id"])
        for promotion in case[0]["promotions"]
        for action in promotion["actions"]
        if action["type"] == "issue_coupon"
    }
    assert all("× coupon" in outcome for of, outcome in outcomes.items() if of in coupons)
    assert all(promotion.fired or promotion.because for promotion in explanation.promotions)
    assert json.loads(json.dumps(lr.dump(explanation))) == lr.dump(explanation)
    assert str(explanation) == str(evaluation.explain())


def test_a_spend_has_the_available_units_and_a_card_its_worth() -> None:
    """The balance is 130 and the bill 75: two cards of 37.50 for 100 points."""
    card = {"benefit": {"type": "stored_value", "amount": {"type": "transaction_value"}}}
    buy = {"type": "issue_coupon", "id": "card", "coupon_type": "card", "quantity": 2}
    pay = {"type": "spend_currency", "id": "pay", "currency": "points", "amount": "100"}
    shop = program({"id": "shelf", "actions": [buy, pay]}, coupon_types={"card": card})
    text = explained(shop, sale("75"), lr.Snapshot(balances={"points": 130}))

    assert text.splitlines()[2:] == [
        "    card: 2 × coupon card",
        "      worth 37.5, 37.5",
        "      valid from 2025-01-15T10:00:00+00:00 without an end",
        "    pay: 100 points spent",
        "      130 points available",
    ]


def test_a_recipient_by_field_is_named_and_has_channels_of_its_own() -> None:
    gift = earning(recipient={"field": "custom_fields.by"}, communication={"template": "thanks"})
    text = explained(program({"id": "friend", "actions": [gift]}), sale("50", custom_fields={"by": "M2"}))

    assert text.splitlines()[-2:] == [
        "      issued to the member M2",
        "      message 'thanks' by the recipient's channels, which the host knows",
    ]


def test_a_lot_with_a_most_has_the_day_that_no_extension_passes() -> None:
    """12 months from 15 January 2025, but at most 6."""
    rolling = earning(expiry={"type": "rolling", "after": {"months": 12}, "most": {"months": 6}})
    text = explained(program({"id": "base", "actions": [rolling]}), sale("50"))

    assert text.splitlines()[-3:] == [
        "      valid until 2025-07-15 (inclusive)",
        "      never extended beyond 2025-07-15 (inclusive)",
        "      live points extended to 2026-01-15 (inclusive)",
    ]


def test_a_group_that_chooses_by_amount_names_the_amounts() -> None:
    """10 % of 120 are 12; the fixed 15 are more."""
    fixed = earning(proration={"type": "fixed", "amount": "15"})
    shop = program(
        {"id": "tenth", "exclusive": "g", "actions": [earning()]},
        {"id": "flat", "exclusive": "g", "actions": [fixed]},
        groups={"g": {"choose": "most", "of": "points"}},
    )
    assert explained(shop, sale("120")).splitlines()[2] == (
        "    earn: nothing, excluded_by: flat counts in the group g with the most points, 15; "
        "this promotion would award 12"
    )
