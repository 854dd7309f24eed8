"""A program of one promotion in New York, its sales, and JSON lines."""

from __future__ import annotations

import json
from typing import Any

from .running import Document


def program(*actions: Document, when: Document | None = None, **parts: Any) -> str:
    """Return a program of one promotion, `earn`, in the zone of New York."""
    return json.dumps(
        {
            "format": "loyalty-rules/1",
            "id": "shop",
            "time_zone": "America/New_York",
            "currencies": {"points": {}},
            "promotions": [{"id": "earn", "when": when, "actions": actions or [earn()]}],
            **parts,
        }
    )


def earn(**parts: Any) -> Document:
    """Return an action that issues one point for each unit of money, to the last digit."""
    return {
        "type": "issue_currency",
        "id": "points",
        "currency": "points",
        "proration": {"type": "multiplier", "percent": "100"},
        "expiry": {"type": "never"},
        **parts,
    }


def fixed(amount: str) -> Document:
    """Return an action that issues a fixed number of points."""
    return earn(proration={"type": "fixed", "amount": amount})


def coupon(quantity: int = 1) -> Document:
    """Return an action that issues coupons of the type `thanks`."""
    return {"type": "issue_coupon", "id": "coupon", "coupon_type": "thanks", "quantity": quantity}


def coupon_type(**caps: int) -> Document:
    """Return the coupon type `thanks`, with a shared code and these caps."""
    return {"thanks": {"serial_managed": False, "code": "THANKS", "caps": caps}}


def sale(number: int, at: str, amount: str, member: str | None = "M1", **parts: Any) -> Document:
    """Return a sale on a day of 2025 at noon in New York's winter, or at a full instant."""
    instant = at if "T" in at else f"2025-{at}T12:00:00-05:00"
    who = {"id": member} if member is not None else None
    return {"type": "transaction", "id": f"T{number}", "occurred_at": instant, "amount": amount, "member": who, **parts}


def lines(*documents: Document) -> str:
    """Return documents as JSON lines."""
    return "".join(json.dumps(document) + "\n" for document in documents)
