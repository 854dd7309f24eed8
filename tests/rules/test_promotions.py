"""Promotions, actions and currencies: defaults, ranges and refusals. Source: semantics 1, documents (program)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.expiry import Never
from loyalty_rules.rules.promotions import (
    MAX_COUPONS,
    CouponAction,
    Currency,
    CurrencyAction,
    Promotion,
    RedeemRate,
)
from loyalty_rules.rules.proration import Fixed
from loyalty_rules.rules.timing import Immediate
from rules.actions import problem_of
from shop import earn, fixed, program, proportional

EARN = CurrencyAction(id="earn", currency="points", proration=Fixed(1), expiry=Never())


def refused(kind: Any, **arguments: Any) -> tuple[str, str]:
    """The name and the code of the refusal of these arguments."""
    with pytest.raises(lr.InvalidValueError) as caught:
        kind(**arguments)
    return caught.value.name, caught.value.code


def test_a_promotion_is_triggered_by_a_transaction_by_default() -> None:
    promotion = Promotion(id="p", actions=[EARN])

    assert (promotion.trigger, promotion.priority, promotion.exclusive) == ("transaction", 0, None)
    assert (promotion.starts_at, promotion.ends_at, promotion.when) == (None, None, None)
    assert promotion.actions == (EARN,)


@pytest.mark.parametrize("id", ["tracker", "limit", "coupon"])
def test_the_first_words_of_keys_are_no_ids_of_promotions(id: str) -> None:
    assert refused(Promotion, id=id, actions=[]) == ("id", "reserved")


@pytest.mark.parametrize("trigger", ["return", "update", "confirmation"])
def test_later_events_trigger_no_promotion(trigger: str) -> None:
    assert refused(Promotion, id="p", trigger=trigger, actions=[]) == ("trigger", "not_a_choice")


@pytest.mark.parametrize(
    ("priority", "is_accepted"), [(10**9, True), (-(10**9), True), (10**9 + 1, False), ("1", False)]
)
def test_a_priority_is_a_whole_number(priority: Any, is_accepted: bool) -> None:
    if is_accepted:
        assert Promotion(id="p", priority=priority, actions=[]).priority == priority
    else:
        assert refused(Promotion, id="p", priority=priority, actions=[])[0] == "priority"


def test_an_active_window_needs_aware_instants() -> None:
    starts_at = datetime(2025, 1, 1, tzinfo=UTC)

    assert Promotion(id="p", starts_at=starts_at, actions=[]).starts_at == starts_at
    assert refused(Promotion, id="p", starts_at=datetime(2025, 1, 1), actions=[]) == ("starts_at", "naive_instant")


def test_a_promotion_has_at_most_a_thousand_actions() -> None:
    assert len(Promotion(id="p", actions=[EARN] * 1_000).actions) == 1_000
    assert refused(Promotion, id="p", actions=[EARN] * 1_001) == ("actions", "out_of_range")


def test_an_action_issues_to_the_member_at_once_by_default() -> None:
    assert (EARN.recipient, EARN.timing, EARN.on_return) == ("member", Immediate(), "recompute")
    assert refused(CurrencyAction, id="a", currency="c", proration=Fixed(1), expiry=Never(), recipient="store") == (
        "recipient",
        "not_a_choice",
    )


@pytest.mark.parametrize("quantity", [0, 1, MAX_COUPONS, Fixed("2.5")])
def test_the_quantity_of_coupons_is_a_whole_number_or_a_proration(quantity: Any) -> None:
    assert CouponAction(id="c", coupon_type="gift", quantity=quantity).quantity == quantity


@pytest.mark.parametrize("quantity", [-1, MAX_COUPONS + 1, "2", 2.5, None, True])
def test_another_quantity_of_coupons_is_refused(quantity: Any) -> None:
    assert refused(CouponAction, id="c", coupon_type="gift", quantity=quantity)[0] == "quantity"


def test_the_number_of_coupons_is_rounded_to_the_nearest_by_default() -> None:
    action = CouponAction(id="c", coupon_type="gift")

    assert (action.quantity, action.rounding.value, action.rounding.currency) == (1, "actual", "nearest")
    assert action.on_return == "void_if_unredeemed"


@pytest.mark.parametrize("decimals", [0, 6])
def test_a_currency_has_up_to_six_decimals(decimals: int) -> None:
    assert Currency(id="points", decimals=decimals).decimals == decimals


@pytest.mark.parametrize("decimals", [-1, 7, "2", 1.0])
def test_other_decimals_of_a_currency_are_refused(decimals: Any) -> None:
    assert refused(Currency, id="points", decimals=decimals)[0] == "decimals"


@pytest.mark.parametrize(
    ("field", "value"), [("points", 0), ("value", "0"), ("block", 0), ("least", -1), ("most", "-0.5")]
)
def test_a_redeem_rate_is_refused(field: str, value: Any) -> None:
    rate = {"points": 100, "value": 1, field: value}

    assert refused(RedeemRate, **rate) == (field, "out_of_range")


def test_a_redeem_rate_accepts_a_least_and_a_most_of_zero() -> None:
    rate = RedeemRate(points="100", value="1", least=0, most=0)

    assert (rate.least, rate.most, rate.block) == (0, 0, None)


# -- spends, extensions and recipients ---------------------------------------------------------------------------------

PAY = {"type": "spend_currency", "id": "pay", "currency": "points", "amount": "5"}


@pytest.mark.parametrize(
    ("action", "path", "code", "message"),
    [
        (PAY | {"for": ["pay"]}, ".for[0]", "misplaced", "a spend does not pay for itself"),
        (PAY | {"for": ["earm"]}, ".for[0]", "unknown_reference",
         "the promotion has no action 'earm'; did you mean 'earn'?"),
        (PAY | {"currency": "point"}, ".currency", "unknown_reference",
         "there is no currency 'point'; did you mean 'points'?"),
        (PAY | {"amount": "-1"}, ".amount", "out_of_range", "must be zero or more; found -1"),
        (earn(fixed("1"), "x", recipient="friend"), ".recipient", "not_a_choice",
         'expected one of member, member_group, or {"field": …}; found the text \'friend\''),
        (earn(fixed("1"), "x", recipient={"field": "amount"}), ".recipient.field", "unknown_path",
         "a text of an event has no path 'amount'"),
        ({"type": "extend_expiry", "id": "x", "currency": "points"}, ".after", "required", "is missing"),
    ],
)  # fmt: skip
def test_an_action_that_cannot_work_is_refused(action: dict, path: str, code: str, message: str) -> None:
    document = program(action, earn(fixed("1")))
    found_path, found_code, found_message = problem_of(document)

    assert (found_path, found_code) == (f"$.promotions[0].actions[0]{path}", code)
    assert found_message.startswith(message)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (PAY, "'p/pay' spends a currency and issues none"),
        ({"type": "extend_expiry", "id": "pay", "currency": "points", "after": {"days": 1}},
         "'p/pay' extends lots and issues nothing"),
    ],
)  # fmt: skip
def test_only_issues_of_currency_are_awarded(action: dict, words: str) -> None:
    base = {"type": "awarded", "actions": ["p/pay"]}
    _, code, message = problem_of(program(action, earn(proportional("100", base))))

    assert (code, message) == ("unknown_reference", words)
