"""A small history: two members in two stores, a return, and versions of a program."""

from __future__ import annotations

from typing import Any

import loyalty_rules as lr
from loyalty_rules.events import Event
from shop import earn, program, proportional, sale


def version(percent: str, **parts: Any) -> lr.Program:
    """Return a program that issues points for a percentage of each bill; 100 points are 1.00."""
    return lr.load_program(program(earn(proportional(percent), rounding={"currency": "down"}), **parts))


def bought(day: int, member: str | None, amount: str, store: str = "A", month: int = 1) -> Event:
    """Return the sale `T-day` of a member in 2025."""
    document = sale(amount, id=f"T-{day}", occurred_at=f"2025-{month:02}-{day:02}T10:00:00Z", store=store)
    document["member"] = {"id": member} if member is not None else None
    return lr.load_event(document)


def returned(day: int, of: int, amount: str) -> Event:
    """Return the return `R-day` of the sale `T-of`, in January."""
    at = f"2025-01-{day:02}T18:00:00Z"
    return lr.load_event({"type": "return", "id": f"R-{day}", "of": f"T-{of}", "occurred_at": at, "amount": amount})


HISTORY = (
    bought(1, "anna", "100"),
    bought(2, "ben", "50.50", store="B"),
    returned(3, 1, "40"),
    bought(4, "anna", "10", month=2),
)
"""At 10 %: 10 points less 4, 5 points, 1 point. At 20 %: 20 points less 8, 10 points, 2 points."""
