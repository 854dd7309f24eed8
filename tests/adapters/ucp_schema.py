"""The constraints of the loyalty extension of the Universal Commerce Protocol, restated.

The published schema is https://ucp.dev/schemas/common/loyalty.json (`dev.ucp.common.loyalty`, as of August 2026).
Keys, types and limits are the same; keys that it does not know are refused here, so that a misspelt one is seen.
"""

from __future__ import annotations

from typing import Any


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


TEXT = {"type": "string"}
UNITS = {"type": "integer", "minimum": 0}
BREAKDOWN = _object(["id", "amount", "description"], id=TEXT, amount=UNITS, description=TEXT, benefit_id=TEXT)
FORECAST = _object(["amount"], amount=UNITS, breakdown={"type": "array", "items": BREAKDOWN})
CURRENCY = _object(["name", "code"], name=TEXT, code=TEXT, decimal_places=UNITS)
REWARD = _object(["currency"], currency=CURRENCY, earning_forecast=FORECAST)
TIER = _object(["id", "name"], id=TEXT, name=TEXT, benefits={"type": "array"})
MEMBERSHIP = _object(
    ["id", "name", "provisional"],
    id=TEXT,
    name=TEXT,
    display_id=TEXT,
    tiers={"type": "array", "items": TIER},
    rewards={"type": "array", "items": REWARD},
    provisional={"type": "boolean"},
)
LOYALTY = {
    "type": "object",
    "propertyNames": {"pattern": r"^[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9_])?)+$"},
    "additionalProperties": MEMBERSHIP,
}
