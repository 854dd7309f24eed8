"""Evaluations in the words of the Universal Commerce Protocol; every amount is worked out by hand."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

import loyalty_rules as lr
from loyalty_rules.adapters import ucp
from loyalty_rules.errors import InvalidValueError

from .ucp_schema import LOYALTY

PROGRAM: dict[str, Any] = {
    "format": "loyalty-rules/1",
    "id": "acme",
    "time_zone": "America/New_York",
    "currencies": {"points": {"title": "Acme points"}, "cash": {"decimals": 2}},
    "trackers": {"spend": {"measure": {"type": "transaction_value"}, "target": "1000"}},
    "tiers": {
        "status": {"levels": ["basic", "gold"], "by": "spend", "from": {"gold": "1000"}, "lasts": {"type": "never"}}
    },
    "promotions": [
        {
            "id": "base",
            "title": "1 point for each dollar",
            "actions": [
                {
                    "type": "issue_currency",
                    "id": "earn",
                    "currency": "points",
                    "proration": {"type": "multiplier", "percent": "100"},
                    "rounding": {"currency": "down"},
                    "expiry": {"type": "never"},
                },
                {
                    "type": "issue_currency",
                    "id": "later",
                    "currency": "cash",
                    "proration": {"type": "proportional", "percent": "1.5", "of": {"type": "transaction_value"}},
                    "expiry": {"type": "never"},
                    "timing": {"type": "delayed", "days": 14},
                },
                {
                    "type": "issue_currency",
                    "id": "friend",
                    "currency": "points",
                    "recipient": {"field": "custom_fields.friend"},
                    "proration": {"type": "fixed", "amount": "50"},
                    "expiry": {"type": "never"},
                },
            ],
        },
        {
            "id": "bonus",
            "actions": [
                {
                    "type": "issue_currency",
                    "id": "ten",
                    "currency": "points",
                    "proration": {"type": "fixed", "amount": "10"},
                    "expiry": {"type": "never"},
                }
            ],
        },
    ],
}
EVENT: dict[str, Any] = {
    "type": "transaction",
    "id": "C1",
    "occurred_at": "2026-01-15T10:00:00-05:00",
    "amount": "82.50",
    "member": {"id": "M1"},
    "custom_fields": {"friend": "M2"},
}


def evaluated(snapshot: dict[str, Any] | None = None, **changes: Any) -> lr.Evaluation:
    read = lr.load_snapshot(snapshot) if snapshot is not None else None
    return lr.load_program(PROGRAM).evaluate(lr.load_event({**EVENT, **changes}), read)


def test_the_forecast_has_a_row_for_each_action_and_leaves_other_members_out() -> None:
    assert ucp.earning_forecast(evaluated(), "points") == {
        "amount": 92,
        "breakdown": [
            {"id": "base/earn", "amount": 82, "description": "1 point for each dollar"},
            {"id": "bonus/ten", "amount": 10, "description": "bonus"},
        ],
    }


def test_pending_units_count_in_minor_units_with_as_many_decimals_as_they_have() -> None:
    points, cash = ucp.rewards(evaluated())  # 1.5 % of 82.50 is 1.2375

    assert points["currency"] == {"name": "Acme points", "code": "points", "decimal_places": 0}
    assert cash["currency"] == {"name": "cash", "code": "cash", "decimal_places": 4}
    assert cash["earning_forecast"]["amount"] == 12_375
    assert ucp.rewards(evaluated(amount="80"))[1]["currency"]["decimal_places"] == 2
    assert ucp.earning_forecast(evaluated(amount="80"), "cash")["amount"] == 120


def test_an_anonymous_purchase_earns_nothing_and_has_no_level() -> None:
    evaluation = evaluated(member=None)

    assert ucp.earning_forecast(evaluation, "points") == {"amount": 0, "breakdown": []}
    assert "tiers" not in ucp.membership(evaluation, membership_id="1", name="Acme", provisional=True)


@pytest.mark.parametrize(
    ("snapshot", "level"), [(None, "basic"), ({"tiers": {"status": {"level": "gold", "until": None}}}, "gold")]
)
def test_a_membership_has_the_level_before_the_purchase_and_fits_the_schema(
    snapshot: dict[str, Any] | None, level: str
) -> None:
    found = ucp.membership(
        evaluated(snapshot),
        membership_id="membership-1",
        name="Acme Rewards",
        provisional=False,
        display_id="****1",
        names={"gold": "Gold"},
    )

    assert found["tiers"] == [{"id": level, "name": "Gold" if level == "gold" else "basic"}]
    jsonschema.validate(ucp.loyalty("com.acme.rewards", found), LOYALTY)


def test_a_provisional_membership_shows_no_id() -> None:
    with pytest.raises(InvalidValueError, match="a membership that is not verified has no display_id"):
        ucp.membership(evaluated(), membership_id="1", name="Acme", provisional=True, display_id="****1")


@pytest.mark.parametrize("claim", ["acme", "Com.Acme", "com..acme", "com.acme-", "", "com.acme\n", "com." + "a" * 300])
def test_a_claim_is_a_reversed_domain_name(claim: str) -> None:
    with pytest.raises(InvalidValueError, match=r"expected a name such as 'com\.example\.loyalty'"):
        ucp.loyalty(claim, {})


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="the program has points, cash; found the text 'miles'"):
        ucp.earning_forecast(evaluated(), "miles")


def test_the_restated_schema_sees_a_mistake() -> None:
    wrong = ucp.loyalty(
        "com.acme.rewards", ucp.membership(evaluated(), membership_id="1", name="Acme", provisional=False)
    )
    wrong["com.acme.rewards"]["rewards"][0]["earning_forecast"]["amount"] = "92"

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, LOYALTY)
