"""Predicates: each condition, bound once to a function of an event's facts when a program is compiled.

Numbers compare as integers of one scale, ids and names as texts. Free-form fields compare as numbers if both sides
are decimals, as texts if both are texts. Values of different kinds don't compare: the test is false.
Source: semantics 7.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from loyalty_rules.events import Line
from loyalty_rules.rules.conditions import (
    AllOf,
    Anniversary,
    AnyOf,
    Comparison,
    Condition,
    LineTest,
    Measure,
    Not,
    Operand,
    TrackerTest,
)
from loyalty_rules.rules.facts import NO_RATE, Facts, LineFacts
from loyalty_rules.values.amounts import MICRO, RATE_UNIT, micros, number_in
from loyalty_rules.values.dates import anniversary_in, date_in

__all__ = [
    "LinePredicate",
    "Predicate",
    "Selection",
    "Subject",
    "bind",
    "bind_line",
    "bind_selection",
    "bind_to",
    "event_subject",
    "line_subject",
]

Predicate: TypeAlias = Callable[[Facts], bool]
LinePredicate: TypeAlias = Callable[[LineFacts], bool]
Selection: TypeAlias = Callable[[Facts], list[int]]


@attrs.frozen
class Subject:
    """The value at a path: the function that gets it (None if absent), and the kind that it compares as.

    `kind` is `number` (an integer; `unit` of it make one), `text`, `list` or `free`.
    """

    get: Callable[[Any], Any]
    kind: str
    unit: int = MICRO


# -- paths of an event -----------------------------------------------------------------------------------------------

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def event_subject(path: str) -> Subject:
    """Return the subject at a path of an event; the path must exist."""
    if path in _EVENT_SUBJECTS:
        return _EVENT_SUBJECTS[path]
    family, _, name = path.partition("fields.") if "fields." in path else path.partition("tenders.")
    if path.startswith("tenders."):
        return Subject(lambda facts: facts.tenders.get(name), "number")
    if family == "custom_":
        return Subject(lambda facts: facts.event.custom_fields.get(name), "free")
    if family == "extended_":
        return Subject(lambda facts: facts.event.extended_fields.get(name), "free")
    return Subject(lambda facts: facts.member and facts.member.extended_fields.get(name), "free")


def _member(name: str, kind: str = "text") -> Subject:
    get = operator.attrgetter(name)
    return Subject(lambda facts: get(facts.member) if facts.member is not None else None, kind)


def _event(name: str) -> Subject:
    return Subject(operator.attrgetter("event." + name), "text")


def _component(name: str) -> Subject:
    get = operator.attrgetter("event." + name)

    def number(facts: Facts) -> int | None:
        value = get(facts)
        return micros(value) if value is not None else None

    return Subject(number, "number")


_EVENT_SUBJECTS: Mapping[str, Subject] = {
    "type": _event("type"),
    "amount": Subject(operator.attrgetter("priced"), "number", MICRO * RATE_UNIT),
    "currency": _event("currency"),
    "store": _event("store"),
    "brand": _event("brand"),
    "channel": _event("channel"),
    "status": _event("status"),
    "weekday": Subject(lambda facts: _WEEKDAYS[facts.event_on.weekday()], "text"),
    "local_date": Subject(lambda facts: facts.event_on.isoformat(), "text"),
    "local_time": Subject(lambda facts: f"{facts.local.hour:02}:{facts.local.minute:02}", "text"),
    "tax": _component("tax"),
    "shipping": _component("shipping"),
    "tip": _component("tip"),
    "member.id": _member("id"),
    "member.tier": _member("tier"),
    "member.group": _member("group"),
    "member.tags": _member("tags", "list"),
}


# -- paths of a line -------------------------------------------------------------------------------------------------


def line_subject(path: str) -> Subject:
    """Return the subject at a path of a line; the path must exist."""
    if path in _LINE_SUBJECTS:
        return _LINE_SUBJECTS[path]
    name = path.removeprefix("extended_fields.")
    return Subject(lambda facts: facts.line.extended_fields.get(name), "free")


def _line(name: str, kind: str = "text") -> Subject:
    return Subject(operator.attrgetter("line." + name), kind)


def _unit_price(facts: LineFacts) -> Any:
    if facts.rate is None:
        return NO_RATE
    return micros(facts.line.unit_price) * facts.rate if facts.line.unit_price is not None else None


_LINE_TEXTS: Mapping[str, Callable[[Line], Any]] = {
    name: operator.attrgetter(name) for name in ("sku", "category", "brand")
}
_VALUE_UNIT = MICRO * MICRO * RATE_UNIT


def _line_value(facts: LineFacts) -> Any:
    return facts.value * facts.rate if facts.rate is not None else NO_RATE


_LINE_SUBJECTS: Mapping[str, Subject] = {
    "sku": _line("sku"),
    "category": _line("category"),
    "brand": _line("brand"),
    "tags": _line("tags", "list"),
    "unit_price": Subject(_unit_price, "number", MICRO * RATE_UNIT),
    "quantity": Subject(lambda facts: micros(facts.line.quantity), "number"),
    "value": Subject(_line_value, "number", _VALUE_UNIT),
}


# -- comparisons -----------------------------------------------------------------------------------------------------

Test: TypeAlias = Callable[[Any], bool]
"""One operator with its operand, bound to a test of a value that is present."""

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "at_least": operator.ge,
    "more_than": operator.gt,
    "at_most": operator.le,
    "less_than": operator.lt,
}
_FROM_OPERAND: Mapping[str, str] = {
    "is": "__eq__",
    "is_not": "__ne__",
    "at_least": "__le__",
    "more_than": "__lt__",
    "at_most": "__ge__",
    "less_than": "__gt__",
}
"""The same comparisons as methods of the operand: a bound method is a test without a function around it."""

_FOR_FLAGS = {"is", "is_not", "in", "not_in"}


def _never(_value: Any) -> bool:
    return False


def _always(_value: Any) -> bool:
    return True


def _bind_tests(subject: Subject, tests: tuple[tuple[str, Any], ...]) -> tuple[Test, bool]:
    """Bind operators to a subject. Return the test of a value that is present, and the result for an absent value."""
    exists = dict(tests).get("exists")
    others = [(name, operand) for name, operand in tests if name != "exists"]
    if exists is False:
        return _never, not others
    bound = [_BINDERS[subject.kind](name, operand, subject.unit) for name, operand in others]
    if len(bound) == 1:
        return bound[0], False
    return (lambda value: all(test(value) for test in bound)) if bound else _always, False


def _bind_number(name: str, operand: Any, unit: int) -> Test:
    def number(item: Operand) -> int | None:
        value = number_in(item)
        return value * (unit // MICRO) if value is not None else None

    if name in _ORDER:
        wanted = number(operand)
        return getattr(wanted, _FROM_OPERAND[name]) if wanted is not None else _never
    if name in ("in", "not_in"):
        return _bind_membership(name, [number(item) for item in operand])
    return _never


def _bind_text(name: str, operand: Any, _unit: int) -> Test:
    if name in _ORDER:
        return getattr(operand, _FROM_OPERAND[name]) if isinstance(operand, str) else _never
    if name in ("in", "not_in"):
        return _bind_membership(name, [item if isinstance(item, str) else None for item in operand])
    return _never


def _bind_membership(name: str, items: list[Any]) -> Test:
    # `in` holds if one item is equal; `not_in` if every item compares and none is equal.
    members = frozenset(item for item in items if item is not None)
    if name == "in":
        return members.__contains__
    return _never if None in items else lambda value: value not in members


def _bind_list(name: str, operand: Any, _unit: int) -> Test:
    # Tags are names: they compare as texts.
    return (lambda value: operand in value) if name == "has" and isinstance(operand, str) else _never


def _bind_free(name: str, operand: Any, _unit: int) -> Test:
    if name == "in":
        items = [_Free(item) for item in operand]
        return lambda value: any(item.is_equal(value) is True for item in items)
    if name == "not_in":
        items = [_Free(item) for item in operand]
        return lambda value: all(item.is_equal(value) is False for item in items)
    free = _Free(operand)
    if name == "has":
        return lambda value: isinstance(value, list) and any(free.is_equal(item) is True for item in value)
    if isinstance(operand, bool) and name not in _FOR_FLAGS:
        return _never
    compare = _ORDER[name]
    return lambda value: free.compares(value, compare) is True


class _Free:
    """An operand of a comparison with a free-form value, whose kind is known only during the comparison."""

    __slots__ = ("number", "operand")

    def __init__(self, operand: Operand) -> None:
        self.operand = operand
        self.number = number_in(operand)

    def compares(self, value: Any, compare: Callable[[Any, Any], bool]) -> bool | None:
        """Compare as flags, numbers or texts. Return None for kinds that don't compare."""
        if isinstance(value, bool) or isinstance(self.operand, bool):
            both = isinstance(value, bool) and isinstance(self.operand, bool)
            return compare(value, self.operand) if both else None
        if self.number is not None:
            number = number_in(value)
            if number is not None:
                return compare(number, self.number)
        if isinstance(value, str) and isinstance(self.operand, str):
            return compare(value, self.operand)
        return None

    def is_equal(self, value: Any) -> bool | None:
        return self.compares(value, operator.eq)


_BINDERS: Mapping[str, Callable[[str, Any, int], Test]] = {
    "number": _bind_number,
    "text": _bind_text,
    "list": _bind_list,
    "free": _bind_free,
}


def _bind_comparison(comparison: Comparison | Measure, subject: Subject) -> Callable[[Any], bool]:
    get = subject.get
    test, when_absent = _bind_tests(subject, comparison.tests())
    if when_absent:
        return lambda facts: get(facts) is None  # it must be absent, and no other operator is given

    def holds(facts: Any) -> bool:
        value = get(facts)
        return value is not None and value is not NO_RATE and test(value)

    return holds


# -- conditions ------------------------------------------------------------------------------------------------------


def bind_line(condition: Condition | None) -> LinePredicate | None:
    """Bind a line condition. None, which selects every line, stays None."""
    return None if condition is None else _bind(condition, line_subject)


def bind_selection(condition: Condition | None) -> Selection:
    """Bind a line condition to the function that returns the positions of the selected lines; None selects all."""
    if condition is None:
        return lambda facts: [*range(len(facts.event_lines))]
    if isinstance(condition, Comparison):
        text_of, tests = _LINE_TEXTS.get(condition.field), condition.tests()
        if text_of is not None and len(tests) == 1 and isinstance(condition.is_, str):
            wanted = condition.is_  # the shortest path for the most common line condition
            return lambda facts: [i for i, line in enumerate(facts.event_lines) if text_of(line) == wanted]
    matches = _bind(condition, line_subject)
    return lambda facts: [i for i, line in enumerate(facts.lines) if matches(line)]


def bind(condition: Condition) -> Predicate:
    """Bind a condition on an event."""
    return _bind(condition, event_subject)


def bind_to(comparison: Comparison | Measure, subject: Subject) -> Callable[[Any], bool]:
    """Bind a comparison to a subject of the caller; the path of the comparison is not used."""
    return _bind_comparison(comparison, subject)


def _bind(condition: Condition, subject_of: Callable[[str], Subject]) -> Callable[[Any], bool]:
    match condition:
        case Comparison():
            return _bind_comparison(condition, subject_of(condition.field))
        case AllOf(conditions):
            return _bind_all([_bind(each, subject_of) for each in conditions])
        case AnyOf(conditions):
            return _bind_any([_bind(each, subject_of) for each in conditions])
        case Not(inner):
            part = _bind(inner, subject_of)
            return lambda facts: not part(facts)
        case LineTest():
            return _bind_line_test(condition)
        case Anniversary():
            return _bind_anniversary(condition)
        case TrackerTest():
            return _bind_tracker_test(condition)


# Loops, since `all` and `any` would start a generator for each call.


def _bind_all(parts: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if len(parts) == 1:
        return parts[0]

    def holds(facts: Any) -> bool:
        for part in parts:  # noqa: SIM110
            if not part(facts):
                return False
        return True

    return holds


def _bind_any(parts: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    def holds(facts: Any) -> bool:
        for part in parts:  # noqa: SIM110
            if part(facts):
                return True
        return False

    return holds


_MEASURES: Mapping[str, tuple[Callable[[LineFacts], int], int]] = {
    "quantity": (lambda line: micros(line.line.quantity), MICRO),
    "value": (_line_value, _VALUE_UNIT),
    "count": (lambda _line: MICRO, MICRO),
}
"""The number that each measure takes from a line, and how many of its units make one."""


def measure_subject(test: LineTest) -> tuple[Subject, Measure] | None:
    """Return the sum or count that a line test measures, and its comparison; None if one matching line is enough."""
    matches = bind_line(test.lines)
    assert matches is not None
    for name, (take, unit) in _MEASURES.items():
        measure: Measure | None = getattr(test, name)
        if measure is not None:
            return Subject(_bind_total(name, take, matches), "number", unit), measure
    return None


def _bind_total(measure: str, take: Callable[[LineFacts], int], matches: LinePredicate) -> Callable[[Facts], Any]:
    def total(facts: Facts) -> Any:
        if measure == "value" and facts.rate is None:
            return NO_RATE
        return sum(take(line) for line in facts.lines if matches(line))

    return total


def _bind_line_test(test: LineTest) -> Predicate:
    measured = measure_subject(test)
    if measured is not None:
        return _bind_comparison(measured[1], measured[0])
    matches = bind_line(test.lines)
    assert matches is not None
    return lambda facts: any(map(matches, facts.lines))


def _bind_anniversary(test: Anniversary) -> Predicate:
    name = test.anniversary.removeprefix("member.extended_fields.")
    registered = test.anniversary == "member.registered_on"

    def holds(facts: Facts) -> bool:
        if facts.member is None:
            return False
        day = facts.member.registered_on if registered else date_in(facts.member.extended_fields.get(name))
        if day is None:
            return False
        today = facts.event_on
        if test.unit == "month":
            return day.month == today.month
        return anniversary_in(today.year, day.month, day.day) == today

    return holds


def _bind_tracker_test(test: TrackerTest) -> Predicate:
    crossed = test.crossed is not None
    wanted = test.crossed if crossed else test.reached

    def holds(facts: Facts) -> bool:
        if facts.member is None:
            return False
        standing = facts.standing(test.tracker)
        reached = standing.after >= standing.target
        return (reached and not (crossed and standing.before >= standing.target)) is wanted

    return holds
