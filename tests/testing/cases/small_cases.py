"""A small shop, its first sale, and cases of them."""

from __future__ import annotations

from typing import Any

from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.cases import Case, differences

SHOP = {
    "format": "loyalty-rules/1",
    "id": "shop",
    "time_zone": "UTC",
    "currencies": {"points": {"redeem": {"points": "10", "value": "1.00"}}},
    "coupon_types": {"gift": {"benefit": {"type": "amount_off", "amount": "5"}}},
    "promotions": [
        {
            "id": "p",
            "actions": [
                {
                    "type": "issue_currency",
                    "id": "earn",
                    "currency": "points",
                    "proration": {"type": "multiplier", "percent": "100"},
                    "expiry": {"type": "never"},
                },
                {"type": "issue_coupon", "id": "give", "coupon_type": "gift"},
            ],
        }
    ],
}
AT = "2025-01-15T10:00:00Z"
SALE = {"type": "transaction", "id": "T1", "occurred_at": AT, "amount": "100", "member": {"id": "anna"}}
SELL = {"do": "process", "event": SALE}


def case(*steps: dict[str, Any], **end: Any) -> Case:
    """Return a case of one shop."""
    return Case("a case", "worked out by hand", {"program": SHOP}, steps, end)


def wrong(*steps: dict[str, Any], **end: Any) -> list[str]:
    """Return the differences of a case on a ledger in memory."""
    one = case(*steps, **end)
    serials = one.serials()
    return differences(one, MemoryLedger(serials), serials)
