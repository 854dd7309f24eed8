"""A program with pending points and coupons, its sales and returns, and files of them to record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .documents import lines
from .running import Document

PROGRAM = {
    "format": "loyalty-rules/1",
    "id": "shop",
    "time_zone": "UTC",
    "currencies": {"points": {"redeem": {"points": "100", "value": "1"}}},
    "coupon_types": {
        "tenner": {"serial_managed": False, "code": "TEN", "benefit": {"type": "amount_off", "amount": "10"}},
    },
    "promotions": [
        {
            "id": "stay",
            "actions": [
                {
                    "type": "issue_currency",
                    "id": "points",
                    "currency": "points",
                    "proration": {"type": "multiplier", "percent": "100"},
                    "expiry": {"type": "fixed_period", "after": {"days": 90}},
                    "timing": {"type": "delayed", "days": 14},
                }
            ],
        },
        {
            "id": "big",
            "when": {"field": "amount", "at_least": "80"},
            "actions": [{"type": "issue_coupon", "id": "coupon", "coupon_type": "tenner"}],
        },
    ],
}  # fmt: skip


def sale(number: int, at: str, amount: str) -> Document:
    """Return a sale to the member M1 at an instant of UTC."""
    return {
        "type": "transaction",
        "id": f"T{number}",
        "occurred_at": f"{at}Z",
        "amount": amount,
        "member": {"id": "M1"},
    }


def back(number: int, at: str, of: int, amount: str) -> Document:
    """Return the return of a part of a sale."""
    return {
        "type": "return",
        "id": f"R{number}",
        "occurred_at": f"{at}Z",
        "of": f"T{of}",
        "amount": amount,
        "lines": [],
    }


def files(folder: Path, events: list[Document], program: dict[str, Any] = PROGRAM) -> list[str]:
    """Write a program and its events to a folder, and return the names of both files."""
    (folder / "program.json").write_text(json.dumps(program))
    (folder / "events.jsonl").write_text(lines(*events))
    return [str(folder / "program.json"), str(folder / "events.jsonl")]


def url_in(folder: Path) -> str:
    """Return the URL of the SQLite ledger in a folder."""
    return f"sqlite:///{folder / 'shop.db'}"
