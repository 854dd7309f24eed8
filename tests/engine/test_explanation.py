"""The trace: it tells what the evaluation did, and what would have been needed where it did nothing."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import loyalty_rules as lr
from reference import documents


class Numbered:
    """Serials that name their coupon."""

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


def told(of: lr.Program, event: Any, snapshot: Any = None) -> str:
    return str(of.evaluate(event, snapshot, serials=Numbered()).explain())


def test_a_bill_below_the_threshold_is_told_how_much_more_it_needs() -> None:
    shop = program({"id": "big", "when": {"field": "amount", "at_least": "100"}, "actions": [earning()]})

    assert told(shop, sale("87.60")).splitlines() == [
        "T1 under the program acme:",
        "  big did not fire: amount is 87.6, and must be at least 100: 12.4 more",
    ]


def test_every_step_from_the_base_to_the_amount_is_told() -> None:
    action = earning(
        rounding={"value": "nearest", "currency": "down"},
        caps={"per_event": "10"},
        expiry={"type": "fixed_period", "after": {"days": 90}},
    )

    assert told(program({"id": "base", "title": "Base", "actions": [action]}), sale("119.50")).splitlines() == [
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
def test_the_part_of_a_condition_that_failed_is_named_with_its_value(when: Any, because: str) -> None:
    trackers = {"spend": {"measure": {"type": "transaction_value"}, "target": "500"}}
    shop = program({"id": "p", "when": when, "actions": [earning()]}, trackers=trackers)
    lines = [{"id": "1", "quantity": "2", "unit_price": "5", "sku": "TEA"}]

    explanation = shop.evaluate(sale(store="S9", lines=lines)).explain()

    assert explanation.promotions[0].fired is False
    assert "; ".join(explanation.promotions[0].because) == because


def test_a_promotion_outside_its_window_says_when_it_ended() -> None:
    shop = program({"id": "p", "ends_at": "2025-01-15T10:00:00Z", "actions": [earning()]})

    assert told(shop, sale()).splitlines()[1] == "  p did not fire: it ended at 2025-01-15T10:00:00+00:00"


def test_an_action_that_issued_nothing_says_why() -> None:
    assert told(program({"id": "p", "actions": [earning()]}), sale(member=None)).splitlines()[2] == (
        "    earn: nothing, no_member: the event is anonymous"
    )


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents.cases())
def test_the_trace_tells_of_every_case_what_the_evaluation_decided(case: Any) -> None:
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
    assert all("× coupon" in outcome for outcome in outcomes.values())
    assert all(promotion.fired or promotion.because for promotion in explanation.promotions)
    assert json.loads(json.dumps(lr.dump(explanation))) == lr.dump(explanation)
    assert str(explanation) == str(evaluation.explain())
