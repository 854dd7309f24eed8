"""Tests of conditions. Source: semantics 7."""

from __future__ import annotations

import hashlib
import operator
from enum import Enum
from fractions import Fraction

from .amounts import given, number, text
from .dates import is_anniversary, parsed_date
from .facts import Facts, Skip, line_value

OPERATORS = (
    "is",
    "is_not",
    "in",
    "not_in",
    "at_least",
    "more_than",
    "at_most",
    "less_than",
    "exists",
    "has",
    "starts_with",
    "between",
)
EQUALITY = {"is": operator.eq, "is_not": operator.ne}
ORDER = {
    "at_least": operator.ge,
    "more_than": operator.gt,
    "at_most": operator.le,
    "less_than": operator.lt,
}
MEASURES = ("quantity", "value", "count")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVENT_NUMBERS = ("amount", "tax", "shipping", "tip")
DATE_NUMBERS = ("day_of_month", "month")
LINE_NUMBERS = ("unit_price", "discount", "quantity", "value")
IN_MONEY = ("amount", "value", "unit_price", "discount")


class Kind(Enum):
    """Return the result of a comparison of the value at a path."""

    NUMBER = "number"
    TEXT = "text"
    FREE = "free-form"


def is_numeric(path: str) -> bool:
    """Return whether the path compares as a number.

    "amount, value, unit_price, quantity, tax, shipping, tip and tenders.TYPE compare as numbers".
    """
    named = path in EVENT_NUMBERS or path in LINE_NUMBERS or path in DATE_NUMBERS
    return named or path.startswith(("tenders.", "balances."))


# --- the tree -------------------------------------------------------------------------------------------------


def present(condition: dict) -> dict:
    """Return the condition without its null keys: "In a program null means absent"."""
    return {key: value for key, value in condition.items() if value is not None}


def holds(condition: dict | None, facts: Facts) -> bool:
    """Return whether a condition on the event holds; no condition always does."""
    if condition is None:
        return True
    condition = present(condition)
    if "all" in condition:
        return all(holds(part, facts) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, facts) for part in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], facts)
    if "lines" in condition:
        return line_test_holds(condition, facts)
    if "anniversary" in condition:
        return anniversary_holds(condition, facts)
    if "tracker" in condition:
        return tracker_test_holds(condition, facts)
    if "tier" in condition:
        return tier_test_holds(condition, facts)
    if "sample" in condition:
        return sample_holds(condition, facts)
    if "base" in condition:
        return base_test_holds(condition, facts)
    kind, value = event_field(condition["field"], facts)
    return comparison_holds(condition, kind, value, facts)


def line_matches(condition: dict | None, line: dict, facts: Facts) -> bool:
    """Return whether a line condition holds for a line; no condition selects all lines."""
    if condition is None:
        return True
    condition = present(condition)
    if "all" in condition:
        return all(line_matches(part, line, facts) for part in condition["all"])
    if "any" in condition:
        return any(line_matches(part, line, facts) for part in condition["any"])
    if "not" in condition:
        return not line_matches(condition["not"], line, facts)
    kind, value = line_field(condition["field"], line, facts)
    return comparison_holds(condition, kind, value, facts)


# --- what stands at a path ------------------------------------------------------------------------------------


def event_field(path: str, facts: Facts) -> tuple[Kind, object]:
    """Return the kind and the value at an event path; the value is None if the field is absent or null."""
    event, member = facts.event, facts.member or {}
    if path.startswith("custom_fields."):
        return Kind.FREE, free_form(event.get("custom_fields"), path.removeprefix("custom_fields."))
    if path.startswith("extended_fields."):
        return Kind.FREE, free_form(event.get("extended_fields"), path.removeprefix("extended_fields."))
    if path.startswith("member.extended_fields."):
        name = path.removeprefix("member.extended_fields.")
        return Kind.FREE, free_form(member.get("extended_fields"), name)
    if path.startswith("member."):
        return Kind.TEXT, member.get(path.removeprefix("member."))
    if path.startswith("tenders."):
        # "A type that paid nothing is absent": also one whose tenders are all of zero.
        return Kind.NUMBER, facts.tender(path.removeprefix("tenders.")) or None
    if path.startswith("tiers."):
        return Kind.TEXT, facts.level(path.removeprefix("tiers."))
    if path.startswith("balances."):
        return Kind.NUMBER, facts.balance(path.removeprefix("balances."))
    if path in DATE_NUMBERS:
        return Kind.NUMBER, Fraction(facts.event_date.day if path == "day_of_month" else facts.event_date.month)
    if path in EVENT_NUMBERS:
        return Kind.NUMBER, amount_at(event, path, facts)
    if path == "weekday":
        return Kind.TEXT, WEEKDAYS[facts.event_date.weekday()]
    if path == "local_date":
        return Kind.TEXT, facts.event_date.isoformat()
    if path == "local_time":
        return Kind.TEXT, facts.occurred_at.strftime("%H:%M")
    return Kind.TEXT, event.get(path)


def line_field(path: str, line: dict, facts: Facts) -> tuple[Kind, object]:
    """Return the kind and the value at a line path."""
    if path.startswith("extended_fields."):
        return Kind.FREE, free_form(line.get("extended_fields"), path.removeprefix("extended_fields."))
    if path == "value":
        return Kind.NUMBER, in_program_money(path, line_value(line), facts)
    if path in LINE_NUMBERS:
        return Kind.NUMBER, amount_at(line, path, facts)
    return Kind.TEXT, line.get(path)


def free_form(fields: dict | None, name: str) -> object:
    """Return a free-form field: the rest of the path is one key, dots and all."""
    return (fields or {}).get(name)


def amount_at(document: dict, path: str, facts: Facts) -> Fraction | None:
    if document.get(path) is None:
        return None
    return in_program_money(path, given(document[path]), facts)


def in_program_money(path: str, amount: Fraction, facts: Facts) -> Fraction | None:
    """Return the value in program money.

    "Conditions on amount, value and unit_price compare in program money too" (the others in the event's).
    """
    if path not in IN_MONEY:
        return amount
    return None if facts.rate is None else amount * facts.rate


# --- comparisons ----------------------------------------------------------------------------------------------


def comparison_holds(condition: dict, kind: Kind, value: object, facts: Facts) -> bool:
    """Return whether a comparison holds.

    "A comparison {"field": path, OP: value, …}, all of its operators holding".
    """
    if condition["field"] in IN_MONEY and facts.rate is None:
        return False  # "and are false without a rate": even {"exists": false}
    return all(satisfied(name, condition[name], kind, value) for name in OPERATORS if name in condition)


def satisfied(name: str, operand: object, kind: Kind, value: object) -> bool:
    """Return whether one operator holds."""
    if name == "exists":
        return (value is not None) is operand
    if value is None:
        return False  # "A comparison on an absent or null field is false, is_not and not_in included"
    if name == "has":
        # "has holds where an item of a list equals, and is false on anything else"
        return isinstance(value, list) and any(equal(kind, item, operand) for item in value)
    if name == "between":
        # "both ends included"; kinds are compared with each end
        low, high = operand
        return compared("at_least", kind, value, low) and compared("at_most", kind, value, high)
    if name == "starts_with":
        return kind is not Kind.NUMBER and isinstance(value, str) and value.startswith(operand)
    if name == "in":
        return any(equal(kind, value, item) for item in operand)
    if name == "not_in":
        # "not_in where every item compares and none equals"
        return all(compared("is_not", kind, value, item) for item in operand)
    return compared(name, kind, value, operand)


def equal(kind: Kind, value: object, operand: object) -> bool:
    return compared("is", kind, value, operand)


def compared(name: str, kind: Kind, value: object, operand: object) -> bool:
    """Apply one of the six plain operators; "Kinds that don't compare: false"."""
    sides = same_kind(kind, value, operand)
    if sides is None:
        return False
    if name in EQUALITY:
        return EQUALITY[name](*sides)
    # "Booleans take is, is_not, in, not_in alone."
    return not isinstance(sides[0], bool) and ORDER[name](*sides)


def same_kind(kind: Kind, value: object, operand: object) -> tuple[object, object] | None:
    """Return both sides as numbers, as text or as booleans; None if they do not compare."""
    if kind is Kind.NUMBER:
        return both(value, number(operand))
    if kind is Kind.TEXT:
        return both(as_text(value), as_text(operand))
    if isinstance(value, bool) and isinstance(operand, bool):
        return value, operand
    # "Free-form fields as numbers where both sides are decimals, else as text where both are text"
    return both(number(value), number(operand)) or both(as_text(value), as_text(operand))


def both(left: object, right: object) -> tuple[object, object] | None:
    return None if left is None or right is None else (left, right)


def as_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


# --- tests on lines, anniversaries and trackers ---------------------------------------------------------------


def line_test_holds(condition: dict, facts: Facts) -> bool:
    """Return whether a test on lines holds.

    "Over the lines that match, the sum of quantity, of value, or how many lines (without a measure: at least one
    line)". "Over no lines a sum and a count are 0."
    """
    lines = [line for line in facts.lines if line_matches(condition["lines"], line, facts)]
    measure = next((name for name in MEASURES if name in condition), None)
    if measure is None:
        return bool(lines)
    if measure == "value" and facts.rate is None:
        return False
    if measure == "count":
        total = Fraction(len(lines))
    elif measure == "quantity":
        total = sum((given(line["quantity"]) for line in lines), Fraction(0))
    else:
        total = sum((line_value(line) for line in lines), Fraction(0)) * facts.rate
    operands = present(condition[measure])
    return all(satisfied(name, operand, Kind.NUMBER, total) for name, operand in operands.items())


def anniversary_holds(condition: dict, facts: Facts) -> bool:
    """Return whether an anniversary holds.

    "The date at the path … has the event date's month, and for day its day too"; no date there: false.
    """
    member, path = facts.member or {}, condition["anniversary"]
    if path == "member.registered_on":
        original = parsed_date(member.get("registered_on"))
    else:
        _, value = event_field(path, facts)
        original = parsed_date(value)
    return original is not None and is_anniversary(original, facts.event_date, condition["unit"])


def tracker_test_holds(condition: dict, facts: Facts) -> bool:
    """Return whether a tracker test holds.

    "crossed": this event takes it from below to at or past its target; "reached": with this event it is there.
    """
    if facts.member is None:
        return False  # "every tracker test is false, "crossed": false included"
    tracker = condition["tracker"]
    target = given(facts.program["trackers"][tracker]["target"])
    before = facts.tracked_before(tracker)
    if facts.is_ownerless(tracker):
        return False  # "as a tracker is for an anonymous event"
    after = before + (facts.contributions[tracker] or 0)
    states = {"crossed": crossings(tracker, facts) > 0, "reached": after >= target}
    return all(state is condition[name] for name, state in states.items() if name in condition)


def crossings(tracker: str, facts: Facts) -> int:
    """Return how many milestones are passed.

    "Under the target before the event, at or past it after"; with repeats "every multiple of the target", positive.
    """
    definition = facts.program["trackers"][tracker]
    target = given(definition["target"])
    before = facts.tracked_before(tracker)
    after = before + (facts.contributions[tracker] or 0)
    if not definition.get("repeats"):
        return int(before < target <= after)
    return max(after // target, 0) - max(before // target, 0)


def base_test_holds(condition: dict, facts: Facts) -> bool:
    """Return whether a comparison of a base value holds; "A {"base"} without a value compares false"."""
    from .bases import base_value  # bases select lines by conditions in turn

    try:
        value = base_value(condition["base"], facts, {}).total
    except Skip:
        return False
    return all(satisfied(name, condition[name], Kind.NUMBER, value) for name in OPERATORS if name in condition)


# --- levels and samples ---------------------------------------------------------------------------------------


def tier_test_holds(condition: dict, facts: Facts) -> bool:
    """Return whether a test of a level holds: it "compares levels in the order of the tier's list"."""
    levels, level = facts.program["tiers"][condition["tier"]]["levels"], facts.level(condition["tier"])
    if level is None or level not in levels:
        return False
    place = levels.index(level)
    tests = {"at_least": operator.ge, "at_most": operator.le, "is": operator.eq}
    return all(test(place, levels.index(condition[name])) for name, test in tests.items() if name in condition)


def sample_holds(condition: dict, facts: Facts) -> bool:
    """Return whether a sample holds.

    "SHA-256 of salt, a zero byte and the value, first eight bytes as an unsigned number, modulo 100".
    """
    _, value = event_field(condition["sample"], facts)
    if not isinstance(value, str):
        return False
    digest = hashlib.sha256(f"{condition['salt']}\0{value}".encode()).hexdigest()
    return condition["from"] <= int(digest[:16], 16) % 100 < condition["below"]


# --- the condition of a promise, echoed -----------------------------------------------------------------------


def echoed(condition: dict) -> dict:
    """Return a condition as a promise repeats it: no null keys; numbers for numeric paths in canonical text."""
    return {key: _echoed_part(key, value, condition) for key, value in present(condition).items()}


def _echoed_part(key: str, value: object, condition: dict) -> object:
    if key in ("all", "any"):
        return [echoed(part) for part in value]
    if key in ("not", "lines"):
        return echoed(value)
    if key == "base":
        given_parts = {name: part for name, part in value.items() if part not in (None, [], "total")}
        return {name: echoed(part) if name == "lines" else part for name, part in given_parts.items()}
    if key in MEASURES:
        return {name: canonical_operand(operand) for name, operand in present(value).items()}
    numeric = "base" in condition or ("field" in condition and is_numeric(condition["field"]))
    if key in OPERATORS and key != "starts_with" and numeric:
        return canonical_operand(value)
    return value


def canonical_operand(operand: object) -> object:
    if isinstance(operand, list):
        return [canonical_operand(item) for item in operand]
    value = number(operand)
    return operand if value is None else text(value)
