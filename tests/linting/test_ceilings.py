"""Caps and limits: programs with a finding, and programs just short of one."""

from __future__ import annotations

import pytest

from linting.small_programs import ON, UP, action, coupon, findings, limited, window
from shop import earn, fixed, program, proportional, stepped


def public(most: int, together: object) -> dict:
    """A program with a public code of which so many may be redeemed in a transaction."""
    code = {"code": "GIFT", "public": True, "caps": {"per_transaction": most}, "redemption": {"together": together}}
    return program(earn(fixed("1")), coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "1"}, **code}})


HAVE: list[tuple[str, str, dict]] = [
    ("cap_of_zero", f"{ON}.caps.per_event", action(caps={"per_event": "0"})),
    ("cap_of_zero", f"{ON}.caps.total.times", action(caps={"total": {"times": 0}})),
    ("cap_of_zero", "$.limits.l0.amount", limited({"amount": "0"})),
    ("cap_of_zero", "$.coupon_types.gift.caps.per_member", coupon({"caps": {"per_member": 0}})),
    ("cap_reached_at_once", f"{ON}.caps.per_event", action(caps={"per_event": "9"})),
    ("cap_reached_at_once", f"{ON}.caps.per_member.amount", action(caps={"per_member": {"amount": "9"}})),
    ("cap_reached_at_once", f"{ON}.caps.per_event", action(
        proration=stepped("100", "10"), caps={"per_event": "9"}
    )),
    ("cap_reached_at_once", "$.limits.l0.amount", limited({"amount": "9"}, proration=fixed("10"))),
    ("cap_reached_at_once", f"{ON}.caps.per_event", action(
        proration=fixed("9.5"), rounding=UP, caps={"per_event": "9.5"}
    )),
    ("cap_reached_at_once", "$.coupon_types.gift.caps.per_transaction", coupon(
        {"caps": {"per_transaction": 1}}, quantity=2
    )),
    ("cap_out_of_reach", f"{ON}.caps.per_event", action(caps={"per_event": "11"})),
    ("cap_out_of_reach", f"{ON}.caps.per_event", action(
        proration=proportional("10"), caps={"per_event": "100", "per_member": {"amount": "50"}}
    )),
    ("cap_out_of_reach", f"{ON}.caps.per_member.amount", action(proration=proportional("10"), caps={
        "per_member": {"amount": "100", "window": window("month")}, "total": {"amount": "50", "window": window("year")}
    })),
    ("cap_out_of_reach", "$.limits.l0.amount", limited(
        {"amount": "500", "window": window("day")}, {"amount": "400", "window": window("month")}
    )),
    ("cap_out_of_reach", "$.limits.l0.amount", limited(
        {"amount": "500", "window": {"type": "rolling", "days": 7}},
        {"amount": "400", "window": {"type": "rolling", "days": 30}},
    )),
    ("cap_out_of_reach", f"{ON}.caps.per_event", program(
        earn(proportional("10"), caps={"per_event": "600"}),
        limits={"daily": {"currency": "points", "per": "member", "amount": "500", "window": window("day")}},
    )),
    ("cap_out_of_reach", "$.coupon_types.gift.caps.per_member", coupon({"caps": {"per_member": 6, "total": 5}})),
    ("cap_out_of_reach", "$.limits.l0.money", limited(
        {"money": "5", "per": "member_group"}, {"amount": "400", "per": "total"}
    )),
    ("cap_out_of_reach", "$.coupon_types.gift.caps.per_transaction", public(2, "none")),
    ("limit_never_drawn", "$.limits.miles", program(
        earn(fixed("1")),
        currencies={"points": {}, "miles": {}},
        limits={"miles": {"currency": "miles", "per": "member", "amount": "5"}},
    )),
]  # fmt: skip

NEARLY: list[tuple[str, dict]] = [
    ("cap_of_zero", action(caps={"per_event": "0.000001"})),
    ("cap_reached_at_once", action(caps={"per_event": "10"})),
    ("cap_reached_at_once", action(proration=proportional("100"), caps={"per_event": "1"})),
    ("cap_reached_at_once", action(proration=fixed("9.5"), rounding={"currency": "down"}, caps={"per_event": "9"})),
    ("cap_reached_at_once", coupon({"caps": {"per_transaction": 1}})),
    ("cap_reached_at_once", action(caps={"per_member": {"times": 1}})),
    ("cap_out_of_reach", action(caps={"per_event": "10"})),
    ("cap_out_of_reach", action(
        proration=stepped("100", "10"), caps={"per_event": "11", "per_member": {"amount": "11"}}
    )),
    ("cap_out_of_reach", action(caps={
        "per_member": {"amount": "100", "window": window("year")}, "total": {"amount": "50", "window": window("month")}
    })),
    ("cap_out_of_reach", action(caps={"per_member": {"amount": "100"}, "total": {"times": 5}})),
    ("cap_out_of_reach", limited(
        {"amount": "500", "window": window("week")}, {"amount": "400", "window": window("month")}
    )),
    ("cap_out_of_reach", limited({"amount": "500", "per": "member"}, {"amount": "400", "per": "store"})),
    ("cap_out_of_reach", limited(
        {"amount": "500", "window": {"type": "rolling", "days": 31}},
        {"amount": "400", "window": {"type": "rolling", "days": 30}},
    )),
    ("cap_out_of_reach", limited(  # late receipts: a rolling window ends with the day of the sale
        {"amount": "500", "window": window("month")}, {"amount": "400", "window": {"type": "rolling", "days": 90}}
    )),
    ("cap_out_of_reach", limited({"amount": "500", "per": "member"}, {"amount": "400", "per": "member_group"})),
    ("cap_out_of_reach", public(2, ["gift"])),
    ("cap_out_of_reach", public(1, "none")),
    ("limit_never_drawn", limited({"amount": "5"})),
]  # fmt: skip


@pytest.mark.parametrize(("code", "path", "document"), HAVE)
def test_a_program_has_a_finding_at_this_path(code: str, path: str, document: dict) -> None:
    assert findings(document) == [(code, path)]


@pytest.mark.parametrize(("code", "document"), NEARLY)
def test_a_program_just_short_of_a_finding_has_none(code: str, document: dict) -> None:
    assert code not in [found for found, _ in findings(document)]
