"""Drawn programs, sales and returns. In the programs of ``monotone`` a smaller sale never earns more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from shop import NEVER, sale

MODES = ("actual", "up", "down", "nearest", "half_even", "half_down")
POLICIES = ("recompute", "recompute", "recompute", "proportional", "reverse", "keep")
BASES: tuple[dict, ...] = (
    {"type": "transaction_value"},
    {"type": "transaction_value", "less": ["tax"]},
    {"type": "line_item_value"},
    {"type": "line_item_value", "aggregate": "each_line"},
    {"type": "line_item_quantity", "lines": {"field": "category", "is": "A"}},
    {"type": "event_value", "tracker": "spend"},
    {"type": "surplus", "tracker": "spend"},
)
# Conditions that a smaller sale does not fulfil unless a larger one does.
CONDITIONS: tuple[dict | None, ...] = (
    None,
    None,
    {"field": "amount", "at_least": "20"},
    {"lines": {"field": "category", "is": "A"}, "quantity": {"at_least": "2"}},
    {"lines": {"field": "category", "is": "A"}},
    {"tracker": "spend", "crossed": True},
    {"tracker": "spend", "reached": True},
)


@st.composite
def monotone(draw: Callable) -> dict:
    """A program whose awards all grow with the sale, alone: no limits that actions share, no exclusive groups."""
    promotions = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        promotions.append({"id": f"p{number}", "when": draw(st.sampled_from(CONDITIONS)), "actions": [_action(draw)]})
    if draw(st.booleans()):
        double = {"type": "proportional", "percent": "100", "of": {"type": "awarded", "actions": ["p1/a"]}}
        promotions.append({"id": "again", "actions": [_action(draw, double)]})
    promotions.append({"id": "gift", "actions": [_coupons(draw)]})
    return {
        "format": "loyalty-rules/1",
        "id": "acme",
        "time_zone": "UTC",
        "currencies": {"points": {"decimals": draw(st.sampled_from((0, 0, 2)))}},
        "shortfall": draw(st.sampled_from(("write_off", "carry"))),
        "trackers": {
            "spend": {"measure": {"type": "transaction_value"}, "target": "50"},
            "visits": {"measure": {"type": "count"}, "target": "3"},
        },
        "coupon_types": {"gift": {"benefit": {"type": "amount_off", "amount": "5"}}},
        "promotions": promotions,
    }


def _action(draw: Callable, proration: dict | None = None) -> dict:
    of = draw(st.sampled_from(BASES))
    document = {
        "type": "issue_currency",
        "id": "a",
        "currency": "points",
        "proration": proration
        or draw(
            st.sampled_from(
                (
                    {"type": "stepped", "step_size": "10", "points_per_step": "1", "of": of},
                    {"type": "stepped", "step_size": "2.5", "points_per_step": "3", "of": of},
                    {"type": "proportional", "percent": "10", "of": of},
                    {"type": "proportional", "percent": "33.3", "of": of},
                    {"type": "fixed", "amount": "7"},
                )
            )
        ),
        "rounding": {"value": draw(st.sampled_from(MODES)), "currency": draw(st.sampled_from(MODES))},
        "expiry": NEVER,
        "timing": draw(st.sampled_from(({"type": "immediate"}, {"type": "delayed", "days": 14}))),
        "on_return": draw(st.sampled_from(POLICIES)),
    }
    if draw(st.integers(0, 4)) == 0:
        document["caps"] = {"per_event": draw(st.sampled_from(("2", "5.5")))}
    return document


def _coupons(draw: Callable) -> dict:
    quantity = draw(st.sampled_from((1, 3, {"type": "stepped", "step_size": "15", "points_per_step": "1"})))
    policy = draw(st.sampled_from(("void_if_unredeemed", "void_if_unredeemed", "reverse", "keep")))
    return {"type": "issue_coupon", "id": "c", "coupon_type": "gift", "quantity": quantity, "on_return": policy}


@st.composite
def sales(draw: Callable) -> tuple[dict, dict]:
    """A sale of one to four lines, none of them below zero, and a snapshot for it."""
    lines = [
        {
            "id": str(number),
            "quantity": str(draw(st.integers(1, 3))),
            "value": money(draw(st.integers(0, 3_000))),
            "category": draw(st.sampled_from(("A", "B"))),
        }
        for number in range(1, draw(st.integers(1, 4)) + 1)
    ]
    extra = draw(st.sampled_from((0, 0, 495)))  # for example delivery, which is on no line
    amount = sum(cents(line["value"]) for line in lines) + extra + 1
    document = sale(money(amount), lines=lines, tax=money(draw(st.integers(0, amount))))
    return document, {"trackers": {"spend": money(draw(st.integers(0, 6_000)))}}


@st.composite
def goods_back(draw: Callable, sale: dict, most: int = 4) -> list[tuple[int, dict[str, int]]]:
    """Draw up to `most` returns: cents and quantities, of no line more than was bought."""
    left = {line["id"]: int(line["quantity"]) for line in sale["lines"]}
    returns = []
    for _ in range(draw(st.integers(1, most))):
        lines = {}
        for line, quantity in left.items():
            back = draw(st.integers(0, quantity))
            if back:
                lines[line] = back
                left[line] -= back
        returns.append((draw(st.integers(0, cents(sale["amount"]) // 2)), lines))
    return returns


@st.composite
def returned_sales(draw: Callable) -> tuple[dict, dict, dict, list]:
    """Draw a program, a sale with its snapshot, and returns."""
    document, snapshot = draw(sales())
    return draw(monotone()), document, snapshot, draw(goods_back(document))


def together(returns: list[tuple[int, dict[str, int]]]) -> tuple[int, dict[str, int]]:
    """The same goods in one return."""
    lines: dict[str, int] = {}
    for _, part in returns:
        for line, quantity in part.items():
            lines[line] = lines.get(line, 0) + quantity
    return sum(amount for amount, _ in returns), lines


def everything(sale: dict) -> tuple[int, dict[str, int]]:
    """All that was bought."""
    return cents(sale["amount"]), {line["id"]: int(line["quantity"]) for line in sale["lines"]}


def money(amount: int) -> str:
    """Write cents."""
    return f"{amount // 100}.{amount % 100:02}"


def cents(amount: Any) -> int:
    """Read cents."""
    whole, _, part = str(amount).partition(".")
    return int(whole) * 100 + int(f"{part}00"[:2])
