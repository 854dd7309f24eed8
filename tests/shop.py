"""A small shop: programs, sales and evaluations for tests."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import loyalty_rules as lr

NEVER = {"type": "never"}
MODES = ("actual", "up", "down", "nearest", "half_even", "half_down")


class Serials:
    """A generator of serials that name their event and action."""

    def serial(self, request: Any) -> str:
        event = request.event.replace("%", "%25").replace("/", "%2F")
        return f"S:{request.program}/{event}/{request.promotion}/{request.action}/{request.ordinal}"


def program(*actions: dict, **parts: Any) -> dict:
    """Return a program of one currency and one promotion with these actions; `parts` replaces its keys."""
    promotions = [{"id": "p", "actions": list(actions)}] if actions else []
    return {
        "format": "loyalty-rules/1",
        "id": "acme",
        "time_zone": "UTC",
        "currencies": {"points": {"redeem": {"points": "100", "value": "1.00"}}},
        "promotions": promotions,
        **parts,
    }


def earn(proration: dict, name: str = "earn", **parts: Any) -> dict:
    """Return an action that issues points without expiry."""
    return {
        "type": "issue_currency",
        "id": name,
        "currency": "points",
        "proration": proration,
        "expiry": NEVER,
        **parts,
    }


def fixed(amount: Any) -> dict:
    return {"type": "fixed", "amount": amount}


def proportional(percent: Any, of: dict | None = None) -> dict:
    return {"type": "proportional", "percent": percent, "of": of or {"type": "transaction_value"}}


def stepped(size: Any, points: Any, of: dict | None = None) -> dict:
    base = {"of": of} if of else {}
    return {"type": "stepped", "step_size": size, "points_per_step": points, **base}


def sale(amount: Any = "100", **parts: Any) -> dict:
    """Return a sale to the member M1 on the morning of 15 January 2025."""
    return {
        "type": "transaction",
        "id": "T-1",
        "occurred_at": "2025-01-15T10:00:00Z",
        "amount": amount,
        "member": {"id": "M1"},
        **parts,
    }


def lines(*values: Any) -> list[dict]:
    """Return lines of one piece each with these values, numbered from 1."""
    return [{"id": str(number), "quantity": "1", "value": value} for number, value in enumerate(values, 1)]


def evaluate(program: dict, event: dict, snapshot: dict | None = None) -> dict:
    """Evaluate documents, and return the evaluation as a document."""
    known = lr.load_snapshot(snapshot) if snapshot is not None else None
    return lr.dump(lr.load_program(program).evaluate(lr.load_event(event), known, serials=Serials()))


def issued(program: dict, event: dict, snapshot: dict | None = None) -> list[dict]:
    """Return the issues of currency for an event, in order."""
    intents = evaluate(program, event, snapshot)["intents"]
    return [intent for intent in intents if intent["type"] == "issue_currency"]


def points(program: dict, event: dict, snapshot: dict | None = None) -> Fraction:
    """Return the total amount of currency issued for an event."""
    return sum((Fraction(intent["amount"]) for intent in issued(program, event, snapshot)), Fraction(0))


def text(millionths: int) -> str:
    """Return millionths as decimal text."""
    sign = "-" if millionths < 0 else ""
    whole, rest = divmod(abs(millionths), 10**6)
    return f"{sign}{whole}.{rest:06}"
