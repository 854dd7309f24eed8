"""The preview of a cart: the same result as an evaluation, without serials. Source: semantics 16."""

from __future__ import annotations

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.errors import WrongEventError
from shop import Serials, earn, fixed, program, sale

GIFT = {"benefit": {"type": "amount_off", "amount": "5"}}
SHOP = lr.load_program(
    program(
        earn(fixed("10")),
        earn(fixed("0"), "none"),
        {"type": "issue_coupon", "id": "own", "coupon_type": "own"},
        {"type": "issue_coupon", "id": "shared", "coupon_type": "shared"},
        coupon_types={"own": GIFT, "shared": {**GIFT, "serial_managed": False, "code": "TAKE5"}},
    )
)
SALE = lr.load_event(sale())


def test_a_preview_is_the_evaluation_without_its_serials() -> None:
    previewed, evaluated = SHOP.preview(SALE), SHOP.evaluate(SALE, serials=Serials())
    points, own, shared = evaluated.intents
    assert isinstance(own, lr.IssueCoupon)
    assert own.serial is not None
    assert previewed.intents == (points, attrs.evolve(own, serial=None, till_message=""), shared)
    assert previewed.skipped == evaluated.skipped != ()
    assert (previewed.program_version, previewed.needed()) == (evaluated.program_version, evaluated.needed())


def test_a_return_has_no_preview() -> None:
    back = lr.load_event(
        {"type": "return", "id": "R", "of": "T-1", "amount": "1", "occurred_at": "2025-01-16T10:00:00Z"}
    )
    with pytest.raises(WrongEventError, match="process"):
        SHOP.preview(back)
