"""Balances, spends, extensions and recipients: programs with a finding, and programs just short of one."""

from __future__ import annotations

from typing import Any

import pytest

from linting.small_programs import ON, findings, promoted
from shop import earn, fixed, program, stepped

FRIEND = {"field": "custom_fields.friend"}
PERIOD = {"type": "fixed_period", "after": {"days": 30}}
OF_BALANCE = stepped("500", "1", {"type": "balance", "currency": "points"})
GIFT = {"gift": {"benefit": {"type": "amount_off", "amount": "5"}}}
COUPON = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift", "quantity": OF_BALANCE}
LONGER = {"type": "extend_expiry", "id": "longer", "currency": "points", "after": {"days": 30}}


def spend(**parts: Any) -> dict:
    return {"type": "spend_currency", "id": "price", "currency": "points", "amount": "500", **parts}


def to_a_friend(**parts: Any) -> dict:
    return program(earn(fixed("1"), recipient=FRIEND, **parts))


def rolling(months: int) -> dict:
    return program(earn(fixed("1"), expiry={"type": "rolling", "after": {"years": 1}, "most": {"months": months}}))


def redeemed(**parts: Any) -> dict:
    """Currencies of which points are extended by a spend."""
    return {"points": {"redeem": {"points": "1", "value": "1", "extends": {"after": {"days": 30}}, **parts}}}


HAVE: list[tuple[str, str, dict]] = [
    ("balance_not_spent", "$.promotions[0].actions[0].quantity.of", program(COUPON, coupon_types=GIFT)),
    ("pays_for_nothing", ON, program(spend())),
    ("pays_for_nothing", f"{ON}.for", program(spend(**{"for": []}), earn(fixed("1")))),
    ("never_extended", f"{ON}.expiry.most", rolling(12)),
    ("nothing_to_extend", "$.promotions[0].actions[1]", program(earn(fixed("1")), LONGER)),
    ("nothing_to_extend", "$.currencies.points.redeem.extends", program(earn(fixed("1")), currencies=redeemed())),
    ("channels_unused", f"{ON}.communication", to_a_friend(communication={"template": "t", "mandatory": ["email"]})),
    ("issues_nothing", f"{ON}.recipient.field", program(earn(fixed("1"), recipient={"field": "member.id"}))),
    ("issues_nothing", f"{ON}.expiry", to_a_friend(expiry={"type": "customer_field", "field": "until"})),
    (
        "issues_nothing",
        f"{ON}.expiry",
        to_a_friend(expiry={"type": "registration_anniversary"}, timing={"type": "delayed", "days": 3}),
    ),
]

NEARLY: list[tuple[str, dict]] = [
    ("balance_not_spent", program(spend(), COUPON, coupon_types=GIFT)),
    ("balance_not_spent", program(spend(amount=OF_BALANCE), earn(fixed("1")))),
    ("pays_for_nothing", program(spend(), earn(fixed("1")))),
    ("never_extended", rolling(13)),
    ("nothing_to_extend", program(earn(fixed("1"), expiry=PERIOD), LONGER)),
    ("nothing_to_extend", program(earn(fixed("1"), expiry=PERIOD), currencies=redeemed())),
    ("channels_unused", to_a_friend(communication={"template": "t"})),
    ("issues_nothing", to_a_friend(expiry={"type": "transaction_field", "field": "until"})),
    ("issues_nothing", to_a_friend(expiry={"type": "registration_anniversary"}, timing={"type": "external"})),
    ("issues_nothing", promoted({})),
]


@pytest.mark.parametrize(("code", "path", "document"), HAVE)
def test_a_program_has_a_finding_at_this_path(code: str, path: str, document: dict) -> None:
    assert findings(document) == [(code, path)]


@pytest.mark.parametrize(("code", "document"), NEARLY)
def test_a_program_just_short_of_a_finding_has_none(code: str, document: dict) -> None:
    assert code not in [found for found, _ in findings(document)]
