"""Drawn programs, sales and returns.

In the programs of ``monotone`` a smaller sale never earns more. In those of ``dependent`` promotions exclude each
other, share a limit, and may start only when goods come back.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
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
        "currencies": {
            "points": {"decimals": draw(st.sampled_from((0, 0, 2))), "redeem": {"points": "100", "value": "1"}}
        },
        "shortfall": draw(st.sampled_from(("write_off", "carry"))),
        "trackers": {
            "spend": {"measure": {"type": "transaction_value"}, "target": "50"},
            "visits": {"measure": {"type": "count"}, "target": "3"},
        },
        "coupon_types": {"gift": {"benefit": {"type": "amount_off", "amount": "5"}}},
        "promotions": promotions,
    }


STEPS_OF_15 = {"type": "stepped", "step_size": "15", "points_per_step": "1"}
# Conditions that a smaller sale may fulfil although a larger one does not.
NEGATED: tuple[dict, ...] = (
    {"field": "amount", "less_than": "20"},
    {"field": "amount", "at_most": "40"},
    {"not": {"lines": {"field": "category", "is": "A"}}},
    {"not": {"lines": {"field": "category", "is": "B"}, "quantity": {"at_least": "2"}}},
    {"tracker": "spend", "reached": False},
)


@st.composite
def dependent(draw: Callable) -> dict:
    """A program whose promotions exclude each other, share a limit, and may start only when goods come back."""
    document = draw(monotone())
    thanks = {**_coupons(draw), "quantity": STEPS_OF_15, "on_return": "void_if_unredeemed"}
    document["promotions"].append({"id": "thanks", "actions": [thanks]})
    for promotion in document["promotions"]:
        if draw(st.booleans()):
            promotion["when"] = draw(st.sampled_from(NEGATED))
        if draw(st.booleans()):
            promotion |= {"exclusive": draw(st.sampled_from(("one", "two"))), "priority": draw(st.integers(0, 2))}
    if draw(st.booleans()):
        amount = draw(st.sampled_from(("3", "8.5", "20")))
        document["limits"] = {"shared": {"currency": "points", "per": "member", "amount": amount}}
    return document


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
    quantity = draw(st.sampled_from((1, 3, STEPS_OF_15)))
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
    """Draw up to `most` returns: cents and quantities, together no more than was bought."""
    left = {line["id"]: int(line["quantity"]) for line in sale["lines"]}
    unpaid = cents(sale["amount"])
    returns = []
    for _ in range(draw(st.integers(1, most))):
        lines = {}
        for line, quantity in left.items():
            back = draw(st.integers(0, quantity))
            if back:
                lines[line] = back
                left[line] -= back
        amount = draw(st.integers(0, min(unpaid, cents(sale["amount"]) // 2)))
        unpaid -= amount
        returns.append((amount, lines))
    return returns


@st.composite
def returned_sales(draw: Callable, programs: Callable = monotone) -> tuple[dict, dict, dict, list]:
    """Draw a program, a sale with its snapshot, and returns."""
    document, snapshot = draw(sales())
    return draw(programs()), document, snapshot, draw(goods_back(document))


@st.composite
def alike_returns(draw: Callable) -> tuple[dict, dict, dict, list]:
    """Draw a program, a sale, and returns that all have lines, or none.

    A return without lines brings back a part of each line. Together with one that has lines it would be another one.
    """
    program, document, snapshot, back = draw(returned_sales())
    with_lines = [each for each in back if each[1]]
    if with_lines and draw(st.booleans()):
        return program, document, snapshot, with_lines
    return program, document, snapshot, [(amount, {}) for amount, _ in back]


def together(returns: list[tuple[int, dict[str, int]]]) -> tuple[int, dict[str, int]]:
    """The same goods in one return."""
    lines: dict[str, int] = {}
    for _, part in returns:
        for line, quantity in part.items():
            lines[line] = lines.get(line, 0) + quantity
    return sum(amount for amount, _ in returns), lines


def everything_else(sale: dict, returns: list[tuple[int, dict[str, int]]]) -> tuple[int, dict[str, int]]:
    """The amount and the goods that have not come back yet."""
    amount, lines = together(returns)
    left = {line["id"]: int(line["quantity"]) - lines.get(line["id"], 0) for line in sale["lines"]}
    return cents(sale["amount"]) - amount, {line: quantity for line, quantity in left.items() if quantity}


def rest_of(sale: dict, returns: list[tuple[int, dict[str, int]]]) -> dict | None:
    """The rest of a sale of ``sales``, in fractions, by the words of the rules; None if it has wholly come back."""
    amount, goods = together(returns)
    bill = cents(sale["amount"])
    by_amount = Fraction(sum(cents for cents, lines in returns if not lines), bill)
    lines = []
    for line in sale["lines"]:
        portion = min(Fraction(goods.get(line["id"], 0), int(line["quantity"])) + by_amount, Fraction(1))
        quantity, value = (less(Fraction(line[name]), portion) for name in ("quantity", "value"))
        if quantity or value:
            lines.append({**line, "quantity": decimal(quantity), "value": decimal(value)})
    if amount == bill or not any(Fraction(line["quantity"]) for line in lines):
        return None
    rest = Fraction(bill - amount, 100)
    tax = less(Fraction(sale["tax"]), Fraction(amount, bill))
    return {**sale, "amount": decimal(rest), "tax": decimal(tax), "lines": lines}


def less(whole: Fraction, portion: Fraction) -> Fraction:
    """A number without a portion of it, which is rounded half up at the sixth decimal."""
    return whole - Fraction(int(whole * portion * 10**6 + Fraction(1, 2)), 10**6)


def decimal(number: Fraction) -> str:
    """Write a number of at most 6 decimals."""
    units = number * 10**6
    assert units.denominator == 1
    return f"{units.numerator // 10**6}.{units.numerator % 10**6:06}"


def money(amount: int) -> str:
    """Write cents."""
    return f"{amount // 100}.{amount % 100:02}"


def cents(amount: Any) -> int:
    """Read cents."""
    whole, _, part = str(amount).partition(".")
    return int(whole) * 100 + int(f"{part}00"[:2])
