"""Predicates of lines: line conditions, bound once to a function of a line's facts. Source: semantics 7."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from loyalty_rules.events import Line
from loyalty_rules.rules.comparisons import Subject, bind_all, bind_any, bind_not, bind_to
from loyalty_rules.rules.conditions import AllOf, AnyOf, Comparison, Condition, Not
from loyalty_rules.rules.facts import NO_RATE, Facts, LineFacts
from loyalty_rules.values.amounts import MICRO, RATE_UNIT, micros

__all__ = ["VALUE_UNIT", "LinePredicate", "Selection", "bind_line", "bind_selection", "line_subject", "line_value"]

LinePredicate: TypeAlias = Callable[[LineFacts], bool]
Selection: TypeAlias = Callable[[Facts], list[int]]


# -- paths of a line -------------------------------------------------------------------------------------------------


def line_subject(path: str) -> Subject:
    """Return the subject at a path of a line; the path must exist."""
    if path in _LINE_SUBJECTS:
        return _LINE_SUBJECTS[path]
    name = path.removeprefix("extended_fields.")
    return Subject(lambda facts: facts.line.extended_fields.get(name), "free")


def _line(name: str, kind: str = "text") -> Subject:
    return Subject(operator.attrgetter("line." + name), kind)


def _price(name: str) -> Subject:
    get = operator.attrgetter("line." + name)

    def price(facts: LineFacts) -> Any:
        if facts.rate is None:
            return NO_RATE
        value = get(facts)
        return micros(value) * facts.rate if value is not None else None

    return Subject(price, "number", MICRO * RATE_UNIT)


_LINE_TEXTS: Mapping[str, Callable[[Line], Any]] = {
    name: operator.attrgetter(name) for name in ("sku", "category", "brand")
}
VALUE_UNIT = MICRO * MICRO * RATE_UNIT


def line_value(facts: LineFacts) -> Any:
    """Return the value of a line in the program's money, in `VALUE_UNIT`; `NO_RATE` if the rate is missing."""
    return facts.value * facts.rate if facts.rate is not None else NO_RATE


_LINE_SUBJECTS: Mapping[str, Subject] = {
    "sku": _line("sku"),
    "category": _line("category"),
    "brand": _line("brand"),
    "tags": _line("tags", "list"),
    "unit_price": _price("unit_price"),
    "discount": _price("discount"),
    "quantity": Subject(lambda facts: micros(facts.line.quantity), "number"),
    "value": Subject(line_value, "number", VALUE_UNIT),
}


def bind_line(condition: Condition | None) -> LinePredicate | None:
    """Bind a line condition. None, which selects every line, stays None."""
    return None if condition is None else _bind(condition)


def bind_selection(condition: Condition | None) -> Selection:
    """Bind a line condition to the function that returns the positions of the selected lines; None selects all."""
    if condition is None:
        return lambda facts: [*range(len(facts.event_lines))]
    if isinstance(condition, Comparison):
        text_of, tests = _LINE_TEXTS.get(condition.field), condition.tests()
        if text_of is not None and len(tests) == 1 and isinstance(condition.is_, str):
            wanted = condition.is_  # the shortest path for the most common line condition
            return lambda facts: [i for i, line in enumerate(facts.event_lines) if text_of(line) == wanted]
    matches = _bind(condition)
    return lambda facts: [i for i, line in enumerate(facts.lines) if matches(line)]


def _bind(condition: Condition) -> LinePredicate:
    match condition:
        case Comparison():
            return bind_to(condition, line_subject(condition.field))
        case AllOf(conditions):
            return bind_all(list(map(_bind, conditions)))
        case AnyOf(conditions):
            return bind_any(list(map(_bind, conditions)))
        case Not(inner):
            return bind_not(_bind(inner))
        case _:
            raise AssertionError(f"no test of a line: {condition}")  # the references of a program refuse it
