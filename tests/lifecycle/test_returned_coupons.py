"""The coupons that a return voids, and those that are still earned."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.events import Snapshot
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.lifecycle.returned_coupons import is_coupon_earned
from shop import program, sale, stepped

from .till import BACK_AT, Till, voids

GIFTS = {"gift": {"benefit": {"type": "amount_off", "amount": "5"}}}


def give(name: str = "gift", **parts: object) -> dict:
    """Return an action that gives a coupon for each 20 of the bill."""
    return {"type": "issue_coupon", "id": name, "coupon_type": "gift", "quantity": stepped("20", "1"), **parts}


def till(*actions: dict) -> Till:
    """Return a till after a sale of 100."""
    till = Till(program(*actions, coupon_types=GIFTS))
    till.sell(sale("100"))
    return till


def test_the_newest_coupons_go_first() -> None:
    """100 gave five, the 60 that are left give three: the fifth and the fourth go."""
    assert voids(till(give()).take_back("40")) == ["p/gift/5", "p/gift/4"]


def test_coupons_of_a_type_are_one_pool_over_the_actions_that_void() -> None:
    """Ten from two actions, of which the 60 that are left earn six; those of the third are kept."""
    shop = till(give(), give("more"), give("kept", on_return="keep"))

    assert voids(shop.take_back("40")) == ["p/more/5", "p/more/4", "p/more/3", "p/more/2"]


@pytest.mark.parametrize(
    ("policy", "gone"),
    [("void_if_unredeemed", ["p/gift/5"]), ("reverse", [f"p/gift/{n}" for n in (5, 4, 3, 2, 1)]), ("keep", [])],
)
def test_each_policy_voids_its_own_number(policy: str, gone: list[str]) -> None:
    assert voids(till(give(on_return=policy)).take_back("20")) == gone


def test_a_coupon_is_earned_unless_returns_were_due_more_than_they_could_void() -> None:
    """Of five coupons 40 back void two: as long as one of these is still redeemed, it is not earned."""
    shop = till(give())
    shop.take_back("40")
    back = {"type": "return", "id": "R-1", "occurred_at": BACK_AT, "of": "T-1", "amount": "40"}
    terms = Sale(shop.program, lr.load_event(sale("100")), Snapshot(), returns=(lr.load_event(back),))
    coupons, at = [*shop.coupons().values()], datetime.fromisoformat(BACK_AT)
    used: dict[str, Any] = {"state": "redeemed", "voided_at": None}
    missed = [attrs.evolve(each, **used) if each.state == "voided" else each for each in coupons]

    assert is_coupon_earned(attrs.evolve(terms, returns=()), missed, missed[0], at)
    assert is_coupon_earned(terms, coupons, coupons[0], at)
    assert not is_coupon_earned(terms, missed, missed[0], at)
