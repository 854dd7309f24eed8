"""Base values, trackers and prorations. Source: semantics 3, 4 and 7."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from .amounts import given, held, number, rounded, split
from .conditions import crossings, event_field, free_form, holds, line_matches
from .facts import Facts, Skip, line_value

ZERO = Fraction(0)
LINE_BASES = ("line_item_value", "line_item_quantity", "line_item_extended_field")
TRACKER_BASES = ("gap_before", "event_value", "gap_after", "surplus", "crossings")
# "rounding.value … applies to every base but line_item_quantity, awarded and balance."
NEVER_ROUNDED = ("line_item_quantity", "awarded", "balance")


@dataclass
class Base:
    """A base's parts (one, or one for each line) and, for a line base, the contribution of each selected line.

    ``times`` are the numbers of units of each part, if a part is one unit.
    """

    parts: list[Fraction]
    lines: list[tuple[str, Fraction]] | None = None
    times: list[int] | None = None

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
    if kind == "balance":
        return Base([balance(of["currency"], facts)])
    if kind == "awarded":
        # "What earlier issue_currency actions issued or promised in this evaluation, after their caps"
        return Base([sum((awarded.get(action, ZERO) for action in of["actions"]), ZERO)])
    if kind == "transaction_value":
        return Base([at_least_zero(transaction_value(of, facts))])
    fields = facts.event.get("extended_fields" if kind == "transaction_extended_field" else "custom_fields")
    return Base([at_least_zero(numeric_field(fields, of["field"]))])


def balance(currency: str, facts: Facts) -> Fraction:
    """Return "what the recipient's account has available: before the event plus what earlier actions … issued at once".

    "balance is the account of the event's own member, for every action"; "Bases of a promotion see the balance before
    that promotion's own spends; the next promotion sees what is left."
    """
    before = facts.balance(currency)
    if before is None:
        raise Skip("no_member")
    return at_least_zero(before + facts.moved.get(currency, ZERO))


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
    aggregate, times = of.get("aggregate") or "total", None
    if aggregate == "each_unit":
        # "one below zero gives nothing"; "A line whose quantity is not a whole number counts as one unit."
        quantities = [given(line["quantity"]) for line in selected]
        gives = [ZERO if quantity < 0 else value for quantity, value in zip(quantities, gives, strict=True)]
        times = [int(each) if each > 0 and each.denominator == 1 else 1 for each in quantities]
        parts = [at_least_zero(value) / count for value, count in zip(gives, times, strict=True)]
    elif aggregate == "each_line":
        parts = [at_least_zero(value) for value in gives]
    else:
        parts = [at_least_zero(sum(gives, ZERO))]
    return Base(parts, [(line["id"], value) for line, value in zip(selected, gives, strict=True)], times)


def less_of_line(names: list[str], chosen: dict, facts: Facts) -> Fraction:
    """Return a line's own part: "The named parts of the bill are spread over all lines by value (largest remainder at
    the 6th decimal, as shares are split)"; "several parts of less are spread each by itself".
    """
    values = [at_least_zero(line_value(line)) for line in facts.lines]
    if not any(values):
        return ZERO  # "if no line is above zero nothing is spread"
    position = next(index for index, line in enumerate(facts.lines) if line is chosen)
    part = ZERO
    for name in names:
        if name == "tax" and all(line.get("tax") is not None for line in facts.lines):
            part += given(chosen["tax"])
        else:
            part += split(bill_component(name, facts), values, 6)[position]
    return part


def net_value(names: list[str], line: dict, facts: Facts) -> Fraction:
    """Return the value less the line's own part.

    "On lines the part takes a line no further than zero; a line that is below zero has no part and keeps its value".
    """
    value = line_value(line)
    return at_least_zero(value - less_of_line(names, line, facts)) if value > 0 and names else value


def line_gives(of: dict, selected: list[dict], facts: Facts) -> list[Fraction]:
    """Return the contribution of each selected line to the base, before any rounding."""
    if of["type"] == "line_item_quantity":
        return [given(line["quantity"]) for line in selected]
    if of["type"] == "line_item_value":
        if facts.rate is None:
            raise Skip("no_exchange_rate")
        return [net_value(of.get("less") or [], line, facts) * facts.rate for line in selected]
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
    if tracker["measure"]["type"] == "awarded" or (tracker.get("per") == "member_group" and facts.group is None):
        return ZERO  # "it is known only after all actions, so E is 0 in conditions and bases of the same event"
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
    if facts.is_ownerless(tracker):
        raise Skip("no_group")
    current, event_value = facts.tracked_before(tracker), facts.contributions[tracker]
    gap = gap_of(tracker, current, facts)
    if kind == "gap_before":
        return gap
    if event_value is None:
        raise Skip("no_exchange_rate")
    if kind == "event_value":
        return event_value
    if kind == "gap_after":
        return gap_of(tracker, current + event_value, facts)
    if kind == "crossings":
        return Fraction(crossings(tracker, facts))
    return at_least_zero(event_value - gap)


def gap_of(tracker: str, value: Fraction, facts: Facts) -> Fraction:
    """Return what is left to the target; with repeats "to the next milestone (after reaching 10 of 10: 10)"."""
    definition = facts.program["trackers"][tracker]
    target = given(definition["target"])
    passed = max(value // target, 0) if definition.get("repeats") else 0
    return at_least_zero((passed + 1) * target - value)


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
    check_owner(of, facts)
    if proration.get("over") is not None:
        check_owner({"type": "gap_before", "tracker": proration["over"]}, facts)
    proration = resolved(proration, facts)
    base = base_value(of, facts, awarded)
    mode = "actual" if of["type"] in NEVER_ROUNDED else round_value
    results = [round_result(prorated(proration, rounded(part, mode), facts)) for part in base.parts]
    times = base.times or [1 for _ in results]
    return Award(sum((result * count for result, count in zip(results, times, strict=True)), ZERO), base.lines)


def check_owner(of: dict, facts: Facts) -> None:
    """Raise Skip without the member or the group of a base: these come before "the percentage's missing_field"."""
    if of["type"] in TRACKER_BASES or of["type"] == "balance":
        if facts.member is None:
            raise Skip("no_member")
        if of["type"] != "balance" and facts.is_ownerless(of["tracker"]):
            raise Skip("no_group")


def resolved(proration: dict, facts: Facts) -> dict:
    """Return the proration with percentages alone: "All percentages of a proration are resolved, before the base"."""
    copy = {**proration}
    if "percent" in copy:
        copy["percent"] = percentage(copy["percent"], facts)
    if "bands" in copy:
        copy["bands"] = [{**band, "percent": percentage(band["percent"], facts)} for band in copy["bands"]]
    return copy


def percentage(percent: object, facts: Facts) -> object:
    """Return "{"by": PATH, "of": {…}, "else"}" for the event; "Without a match and without else … missing_field"."""
    if not isinstance(percent, dict):
        return percent
    _, value = event_field(percent["by"], facts)
    found = percent["of"].get(value) if isinstance(value, str) else None
    found = percent.get("else") if found is None else found
    if found is None:
        raise Skip("missing_field")
    return found


def prorated(proration: dict, base: Fraction, facts: Facts) -> Fraction:
    """Prorate a base.
    Multiplier and proportional: base × percent ÷ 100; stepped: ⌊base ÷ step_size⌋ × points_per_step.
    """
    if proration["type"] == "banded":
        return in_bands(proration, base, facts)
    if proration["type"] == "stepped":
        steps = math.floor(base / given(proration["step_size"]))
        return steps * given(proration["points_per_step"])
    return base * given(proration["percent"]) / 100


def in_bands(proration: dict, base: Fraction, facts: Facts) -> Fraction:
    """Return the marginal award: "each part of the base earns at the rate of the band it lies in. The base is laid from
    0 upward or, with over, from the tracker's value before the event"; "below zero the first band reaches down".
    """
    over = proration.get("over")
    start = ZERO if over is None else facts.tracked_before(over)
    amount, low = ZERO, None
    for band in proration["bands"]:
        first = start if low is None else max(start, low)
        high = band.get("up_to")
        last = start + base if high is None else min(start + base, given(high))
        amount += at_least_zero(last - first) * given(band["percent"]) / 100
        low = None if high is None else given(high)
    return amount
