"""Amounts and discounts: programs with a finding, and programs just short of one."""

from __future__ import annotations

import pytest

from linting.small_programs import ON, SPEND, UP, action, coupon, findings, promoted
from shop import earn, fixed, program, proportional, stepped

HAVE: list[tuple[str, str, dict]] = [
    ("percent_as_factor", f"{ON}.proration.percent", action(proration={"type": "multiplier", "percent": "2"})),
    ("issues_nothing", f"{ON}.proration.amount", action(proration=fixed("0"))),
    ("issues_nothing", f"{ON}.proration.percent", action(proration=proportional("0"))),
    ("issues_nothing", f"{ON}.proration.points_per_step", action(proration=stepped("10", "0"))),
    ("issues_nothing", f"{ON}.quantity", coupon({}, quantity=0)),
    ("needs_a_sale", f"{ON}.proration.of", promoted({"trigger": "visit", "actions": [earn(proportional("10"))]})),
    ("needs_a_sale", f"{ON}.proration.of", promoted(
        {"trigger": "visit", "actions": [earn(proportional("10", {"type": "event_value", "tracker": "spend"}))]},
        trackers=SPEND,
    )),
    ("mixed_currencies", "$.promotions[0].actions[2].proration.of.actions", program(
        earn(fixed("1"), "a"),
        earn(fixed("1"), "b", currency="miles"),
        earn(proportional("100", {"type": "awarded", "actions": ["p/a", "p/b"]}), "c"),
        currencies={"points": {}, "miles": {}},
    )),
    ("split_earns_more", f"{ON}.rounding.currency", action(proration=proportional("10"), rounding=UP)),
    ("split_earns_more", f"{ON}.rounding.value", action(
        proration=stepped("10", "1"), rounding={"value": "up"}
    )),
    ("split_earns_more", f"{ON}.rounding.currency", action(proration=stepped("10", "0.5"), rounding=UP)),
    ("coupon_never_issued", "$.coupon_types.gift", program(
        earn(fixed("1")), coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "1"}}}
    )),
    ("percent_off_over_100", "$.coupon_types.gift.benefit.percent", coupon(
        {"benefit": {"type": "percent_off", "percent": "150"}}
    )),
    ("percent_off_as_fraction", "$.coupon_types.gift.benefit.percent", coupon(
        {"benefit": {"type": "percent_off", "percent": "0.15"}}
    )),
]  # fmt: skip

NEARLY: list[tuple[str, dict]] = [
    ("percent_as_factor", action(proration={"type": "multiplier", "percent": "200"})),
    ("percent_as_factor", action(proration={"type": "multiplier", "percent": "2.5"})),
    ("percent_as_factor", action(proration=proportional("2"))),
    ("issues_nothing", action(proration=fixed("0.000001"))),
    ("issues_nothing", coupon({}, quantity=1)),
    ("needs_a_sale", promoted({"trigger": "visit"})),
    ("needs_a_sale", promoted(
        {"trigger": "visit", "actions": [earn(proportional("10", {"type": "gap_before", "tracker": "spend"}))]},
        trackers=SPEND,
    )),
    ("mixed_currencies", program(
        earn(fixed("1"), "a"),
        earn(fixed("1"), "b"),
        earn(proportional("1", {"type": "awarded", "actions": ["p/a", "p/b"]}), "c", currency="miles"),
        currencies={"points": {}, "miles": {}},
    )),
    ("split_earns_more", action(proration=proportional("10"), rounding={"currency": "down", "value": "down"})),
    ("split_earns_more", action(proration=fixed("1.5"), rounding=UP)),
    ("split_earns_more", action(proration=stepped("10", "1"), rounding=UP)),
    ("split_earns_more", action(
        proration=proportional("100", {"type": "line_item_quantity"}), rounding={"value": "up"}
    )),
    ("coupon_never_issued", coupon({})),
    ("percent_off_over_100", coupon({"benefit": {"type": "percent_off", "percent": "100"}})),
    ("percent_off_as_fraction", coupon({"benefit": {"type": "percent_off", "percent": "1"}})),
]  # fmt: skip


@pytest.mark.parametrize(("code", "path", "document"), HAVE)
def test_a_program_has_a_finding_at_this_path(code: str, path: str, document: dict) -> None:
    assert findings(document) == [(code, path)]


@pytest.mark.parametrize(("code", "document"), NEARLY)
def test_a_program_just_short_of_a_finding_has_none(code: str, document: dict) -> None:
    assert code not in [found for found, _ in findings(document)]
