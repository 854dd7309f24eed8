"""The program of every contestant and its sales: the same in each run, for each number of promotions.

The program is that of a chain of shops. Categories and stores grow with the promotions, so that about three promotions
match a sale of five lines. Each promotion is for a category and a minimum bill, most for one store too. It issues a
percentage, whole steps, a multiple, or a percentage of the lines of its category, with two roundings. Its points are
immediate or delayed, and expire after days or months.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import attrs

import loyalty_rules as lr

__all__ = ["ALL_MATCH", "SHOPS", "ZONE", "Rule", "document_of", "program_of", "rules_of", "sale_of", "sales_of"]

ZONE = "America/New_York"
KINDS = ("percent", "steps", "multiple", "lines")
THRESHOLDS = ("25", "49.99", "75", "100", "125", "150", "175", "200")
ALL_MATCH = -10
"""The size that means ten promotions that all match."""

SHOPS = {ALL_MATCH: (5, 1), 1: (1, 1), 10: (10, 1), 100: (50, 2), 1_000: (200, 5), 10_000: (400, 25)}
"""The numbers of categories and stores, by number of promotions."""


@attrs.frozen
class Rule:
    """The terms of one promotion. Its points expire after `months`, or after `days` if `months` is 0."""

    id: str
    category: str
    store: str | None
    at_least: str
    kind: str
    rate: str
    value_rounding: str
    currency_rounding: str
    delay: int
    days: int
    months: int


def rules_of(size: int) -> list[Rule]:
    """Draw `size` promotions, of which about three match a sale; or ten that all match."""
    draw = random.Random(size)
    if size == ALL_MATCH:
        rules = [_rule(number, draw, f"C{number % 5}", 0, 1) for number in range(10)]
        return [attrs.evolve(rule, at_least="0.01") for rule in rules]
    categories, stores = SHOPS[size]
    return [
        _rule(number, draw, f"C{draw.randrange(categories)}", draw.randrange(stores), stores) for number in range(size)
    ]


def _rule(number: int, draw: random.Random, category: str, store: int, stores: int) -> Rule:
    kind = KINDS[number % len(KINDS)]
    rate = {
        "percent": draw.choice(("1", "1.5", "5", "10")),
        "steps": draw.choice(("2", "5", "10")),
        "multiple": draw.choice(("100", "200", "300")),
        "lines": draw.choice(("10", "20", "50")),
    }[kind]
    months = draw.choice((0, 0, 12))
    return Rule(
        f"p{number}",
        category,
        f"S{store}" if stores > 1 else None,
        "0.01" if number == 0 else draw.choice(THRESHOLDS),
        kind,
        rate,
        draw.choice(("actual", "nearest", "down")),
        draw.choice(("up", "nearest")),
        draw.choice((0, 0, 0, 14)),
        0 if months else draw.choice((30, 60, 90, 365)),
        months,
    )


# -- for this library --------------------------------------------------------------------------------------------------


def program_of(rules: Sequence[Rule]) -> lr.Program:
    """Load the promotions as a program of this library."""
    return lr.load_program(document_of(rules))


def document_of(rules: Sequence[Rule]) -> dict[str, Any]:
    """Write the promotions as a program of this library."""
    return {
        "format": "loyalty-rules/1",
        "id": "chain",
        "time_zone": ZONE,
        "currencies": {"points": {"decimals": 0}},
        "promotions": [{"id": rule.id, "when": _condition(rule), "actions": [_action(rule)]} for rule in rules],
    }


def _condition(rule: Rule) -> dict[str, Any]:
    store = [{"field": "store", "is": rule.store}] if rule.store is not None else []
    category = {"lines": {"field": "category", "is": rule.category}}
    return {"all": [*store, category, {"field": "amount", "at_least": rule.at_least}]}


def _action(rule: Rule) -> dict[str, Any]:
    lines = {"type": "line_item_value", "lines": {"field": "category", "is": rule.category}}
    proration = {
        "percent": {"type": "multiplier", "percent": rule.rate},
        "steps": {"type": "stepped", "step_size": rule.rate, "points_per_step": "1"},
        "multiple": {"type": "multiplier", "percent": rule.rate},
        "lines": {"type": "proportional", "percent": rule.rate, "of": lines},
    }[rule.kind]
    return {
        "type": "issue_currency",
        "id": "earn",
        "currency": "points",
        "proration": proration,
        "rounding": {"value": rule.value_rounding, "currency": rule.currency_rounding},
        "expiry": {"type": "fixed_period", "after": {"months": rule.months} if rule.months else {"days": rule.days}},
        "timing": {"type": "delayed", "days": rule.delay} if rule.delay else {"type": "immediate"},
    }


# -- the sales ---------------------------------------------------------------------------------------------------------


def sales_of(size: int, number: int = 100) -> list[lr.Transaction]:
    """Draw sales for a program of a size; the same ones each time."""
    draw = random.Random(number)
    categories, stores = SHOPS[size]
    return [sale_of(f"T{each}", draw, categories, stores) for each in range(number)]


def sale_of(name: str, draw: random.Random, categories: int, stores: int, lines: int = 5) -> lr.Transaction:
    """Draw one sale with `lines` lines, each of a category of its own if there are enough categories."""
    prices = [draw.randrange(199, 4_999) for _ in range(lines)]
    few = [draw.randrange(categories) for _ in range(lines)]
    chosen = draw.sample(range(categories), lines) if categories >= lines else few
    month, day, hour = draw.randrange(1, 13), draw.randrange(1, 29), draw.randrange(9, 21)
    event = lr.load_event(
        {
            "type": "transaction",
            "id": name,
            "occurred_at": f"2025-{month:02}-{day:02}T{hour:02}:30:00-05:00",
            "amount": _money(sum(prices)),
            "store": f"S{draw.randrange(stores)}",
            "member": {"id": f"M{draw.randrange(1_000)}"},
            "lines": [
                {"id": str(place + 1), "category": f"C{chosen[place]}", "quantity": "1", "value": _money(price)}
                for place, price in enumerate(prices)
            ],
        }
    )
    assert isinstance(event, lr.Transaction)
    return event


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
