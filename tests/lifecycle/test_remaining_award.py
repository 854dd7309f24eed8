"""The award of the remainder of a sale: its issues, coupons and contributions, as the whole program decides."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import loyalty_rules as lr
from loyalty_rules.events import Return, Snapshot
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.lifecycle.remaining_award import RemainingAward, action_of
from loyalty_rules.values.amounts import MICRO
from shop import earn, fixed, program, proportional, sale

from .till import BACK_AT, decided

SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "50"}}
GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
GIFTS = {"gift": {"benefit": {"type": "amount_off", "amount": "5"}}}


def after(amount: str, *actions: dict, event: dict | None = None, **parts: Any) -> RemainingAward:
    """Return the award of a sale of 100 after a part of it came back."""
    terms = Sale(
        lr.load_program(program(*actions, **parts)),
        lr.load_event(event or sale("100")),
        Snapshot(),
    )
    back = lr.load_event({"type": "return", "id": "R-1", "occurred_at": BACK_AT, "of": "T-1", "amount": amount})
    assert isinstance(back, Return)
    return RemainingAward(terms, (back,))


def test_the_rest_earns_as_a_sale_of_its_own() -> None:
    """10 % of the 70 that are left."""
    award = after("30", earn(proportional("10")), GIFT, coupon_types=GIFTS, trackers=SPEND)

    assert award.sale is not None
    assert (award.sale.amount, award.returned, award.base) == (70, 30 * MICRO, 100 * MICRO)
    assert [each.amount for each in award.issues] == [7]
    assert [each.coupon_type for each in award.coupons] == ["gift"]
    assert award.tracked == {"spend": 70 * MICRO}


def test_nothing_is_left_of_a_sale_that_has_wholly_come_back() -> None:
    award = after("100", earn(fixed("20")), GIFT, coupon_types=GIFTS, trackers=SPEND)

    assert (award.sale, award.issues, award.coupons, award.tracked) == (None, [], [], {})


def test_an_activity_comes_back_as_a_whole() -> None:
    event = {"type": "welcome", "id": "A-1", "occurred_at": BACK_AT}

    assert after("0", earn(fixed("20")), event=event).sale is None


def test_the_policy_of_an_issue_is_that_of_its_action() -> None:
    action = earn(fixed("20"), on_return="keep")
    award = after("30", action)
    (issue,) = decided(program(action))

    assert award.policy(issue) == "keep"
    assert action_of(issue) == "p/earn"
    assert award.issues[0].amount == Decimal(20)
