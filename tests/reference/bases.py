"""Base values, trackers and prorations. Source: semantics 3, 4 and 7."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from .amounts import given, held, number, rounded
from .conditions import free_form, holds, line_matches
from .facts import Facts, Skip, line_value

ZERO = Fraction(0)
LINE_BASES = ("line_item_value", "line_item_quantity", "line_item_extended_field")
TRACKER_BASES = ("gap_before", "event_value", "gap_after", "surplus")
# "rounding.value … applies to every base but line_item_quantity and awarded."
NEVER_ROUNDED = ("line_item_quantity", "awarded")


@dataclass
class Base:
    """A base's parts (one, or one for each line) and, for a line base, the contribution of each selected line."""

    parts: list[Fraction]
    lines: list[tuple[str, Fraction]] | None = None

    @property
    def total(self) -> Fraction:
        return sum(self.parts, ZERO)


def base_value(of: dict, facts: Facts, awarded: dict[str, Fraction]) -> Base:
    """Return the base that ``of`` names, exact and not below zero; raise Skip if the event does not have it."""
    kind = of["type"]
    if kind in LINE_BASES:
        return line_base(of, facts)
    if kind in TRACKER_BASES:
        return Base([tracker_base(kind, of["tracker"], facts)])
    if kind == "awarded":
        # "What earlier issue_currency actions issued or promised in this evaluation, after their caps"
        return Base([sum((awarded.get(action, ZERO) for action in of["actions"]), ZERO)])
    if kind == "transaction_value":
        return Base([at_least_zero(transaction_value(of, facts))])
    fields = facts.event.get("extended_fields" if kind == "transaction_extended_field" else "custom_fields")
    return Base([at_least_zero(numeric_field(fields, of["field"]))])


def at_least_zero(value: Fraction) -> Fraction:
    """Return the value, or zero if it is below.
    "A base, or a line's part of it with each_line, never is [below zero]: it stops at zero".
    """
    return max(value, ZERO)


def transaction_value(of: dict, facts: Facts) -> Fraction:
    """Return the bill amount less its excluded parts, converted once: "Likewise less is in the event's currency"."""
    if facts.event.get("amount") is None:
        raise Skip("missing_field")
    if facts.rate is None:
        raise Skip("no_exchange_rate")
    less = sum((bill_component(name, facts) for name in of.get("less") or []), ZERO)
    return (given(facts.event["amount"]) - less) * facts.rate


def bill_component(name: str, facts: Facts) -> Fraction:
    """A part of the bill; "A part below zero (change given) counts as 0"."""
    if name.startswith("tenders."):
        return at_least_zero(facts.tender(name.removeprefix("tenders.")))
    # "the sum of the lines' tax, where all lines carry it": all lines of the bill, of which there is at least one.
    if name == "tax" and facts.lines and all(line.get("tax") is not None for line in facts.lines):
        return sum((given(line["tax"]) for line in facts.lines), ZERO)
    return given(facts.event.get(name))


def numeric_field(fields: dict | None, name: str) -> Fraction:
    """Return the number in a field; "absent, null, or not a number": missing_field or invalid_field."""
    value = free_form(fields, name)
    if value is None:
        raise Skip("missing_field")
    amount = number(value)
    if amount is None:
        raise Skip("invalid_field")
    return amount


# --- lines ----------------------------------------------------------------------------------------------------


def line_base(of: dict, facts: Facts) -> Base:
    """Return the parts. Total: "sum, then round and prorate once"; each_line: every line a part of its own."""
    selected = [line for line in facts.lines if line_matches(of.get("lines"), line, facts)]
    if not selected:
        raise Skip("no_matching_lines")
    gives = line_gives(of, selected, facts)
    # "When a receipt's amount is below zero, its line bases are zero too."
    if given(facts.event["amount"]) < 0:
        gives = [ZERO for _ in gives]
    if (of.get("aggregate") or "total") == "each_line":
        parts = [at_least_zero(value) for value in gives]
    else:
        parts = [at_least_zero(sum(gives, ZERO))]
    return Base(parts, [(line["id"], value) for line, value in zip(selected, gives, strict=True)])


def line_gives(of: dict, selected: list[dict], facts: Facts) -> list[Fraction]:
    """Return the contribution of each selected line to the base, before any rounding."""
    if of["type"] == "line_item_quantity":
        return [given(line["quantity"]) for line in selected]
    if of["type"] == "line_item_value":
        if facts.rate is None:
            raise Skip("no_exchange_rate")
        return [line_value(line) * facts.rate for line in selected]
    values = [free_form(line.get("extended_fields"), of["field"]) for line in selected]
    # "A selected line without the field … gives nothing; where no selected line has it, missing_field; where one
    # holds no number, invalid_field."
    if all(value is None for value in values):
        raise Skip("missing_field")
    numbers = [ZERO if value is None else number(value) for value in values]
    if any(value is None for value in numbers):
        raise Skip("invalid_field")
    return numbers


# --- trackers -------------------------------------------------------------------------------------------------


def contribution(tracker: dict, facts: Facts) -> Fraction | None:
    """Return the contribution of the event to a tracker (E); None for money without an exchange rate.

    "What an event lacks (a field, a matching line), or a false when, contributes nothing: E is 0 then (without a
    rate, too), and for activities and anonymous events."
    """
    if not facts.is_transaction or facts.member is None or not holds(tracker.get("when"), facts):
        return ZERO
    if tracker["measure"]["type"] == "count":
        return Fraction(1)
    try:
        return held(base_value(tracker["measure"], facts, {}).total)
    except Skip as skip:
        return None if skip.reason == "no_exchange_rate" else ZERO


def tracker_base(kind: str, tracker: str, facts: Facts) -> Fraction:
    """Return the base of a kind: "gap_before … event_value … gap_after … surplus"; "gap_before needs [no rate]"."""
    if facts.member is None:
        raise Skip("no_member")
    target = given(facts.program["trackers"][tracker]["target"])
    current, event_value = facts.tracked_before(tracker), facts.contributions[tracker]
    gap = at_least_zero(target - current)
    if kind == "gap_before":
        return gap
    if event_value is None:
        raise Skip("no_exchange_rate")
    if kind == "event_value":
        return event_value
    if kind == "gap_after":
        return at_least_zero(target - (current + event_value))
    return at_least_zero(event_value - gap)


# --- proration ------------------------------------------------------------------------------------------------


@dataclass
class Award:
    """The amount before caps and, for a line base, the contribution of each selected line."""

    amount: Fraction
    lines: list[tuple[str, Fraction]] | None = None


def award(
    proration: dict,
    facts: Facts,
    awarded: dict[str, Fraction],
    round_value: str,
    round_result: Callable[[Fraction], Fraction],
) -> Award:
    """Return the award: "base → round the base → prorate → round the currency"."""
    if proration["type"] == "fixed":
        return Award(round_result(given(proration["amount"])))
    of = proration.get("of") or {"type": "transaction_value"}
    base = base_value(of, facts, awarded)
    mode = "actual" if of["type"] in NEVER_ROUNDED else round_value
    results = [round_result(prorated(proration, rounded(part, mode))) for part in base.parts]
    return Award(sum(results, ZERO), base.lines)


def prorated(proration: dict, base: Fraction) -> Fraction:
    """Prorate a base.
    Multiplier and proportional: base × percent ÷ 100; stepped: ⌊base ÷ step_size⌋ × points_per_step.
    """
    if proration["type"] == "stepped":
        steps = math.floor(base / given(proration["step_size"]))
        return steps * given(proration["points_per_step"])
    return base * given(proration["percent"]) / 100
