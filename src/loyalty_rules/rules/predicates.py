"""Predicates: each condition on an event, bound once to a function of its facts when a program is compiled.

`comparisons` binds the operators, `line_predicates` the conditions on lines. Source: semantics 7.
"""

import hashlib
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from loyalty_rules.rules.base_values import bind_comparable
from loyalty_rules.rules.comparisons import Subject, bind_all, bind_any, bind_not, bind_to
from loyalty_rules.rules.conditions import (
    AllOf,
    Anniversary,
    AnyOf,
    BaseTest,
    Comparison,
    Condition,
    LineTest,
    Measure,
    Not,
    Sample,
    TierTest,
    TrackerTest,
)
from loyalty_rules.rules.facts import NO_RATE, Facts, LineFacts
from loyalty_rules.rules.line_predicates import VALUE_UNIT, LinePredicate, bind_line, line_value
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import MICRO, RATE_UNIT, micros
from loyalty_rules.values.dates import anniversary_in, date_in

__all__ = ["Predicate", "base_subject", "bind", "bind_line", "event_subject", "measure_subject", "sample_number"]

Predicate: TypeAlias = Callable[[Facts], bool]


# -- paths of an event -----------------------------------------------------------------------------------------------

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def event_subject(path: str) -> Subject:
    """Return the subject at a path of an event; the path must exist."""
    if path in _EVENT_SUBJECTS:
        return _EVENT_SUBJECTS[path]
    family = next(family for family in _EVENT_FAMILIES if path.startswith(family))
    return _EVENT_FAMILIES[family](path.removeprefix(family))


def _tender(name: str) -> Subject:
    return Subject(lambda facts: facts.tenders.get(name), "number")


def _custom_field(name: str) -> Subject:
    return Subject(lambda facts: facts.event.custom_fields.get(name), "free")


def _extended_field(name: str) -> Subject:
    return Subject(lambda facts: facts.event.extended_fields.get(name), "free")


def _member_field(name: str) -> Subject:
    return Subject(lambda facts: facts.member and facts.member.extended_fields.get(name), "free")


def _level(tier: str) -> Subject:
    return Subject(lambda facts: facts.level(tier), "text")


def _balance(currency: str) -> Subject:
    return Subject(lambda facts: facts.balance(currency), "number")


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
    "day_of_month": Subject(lambda facts: facts.event_on.day * MICRO, "number"),
    "month": Subject(lambda facts: facts.event_on.month * MICRO, "number"),
    "tax": _component("tax"),
    "shipping": _component("shipping"),
    "tip": _component("tip"),
    "member.id": _member("id"),
    "member.tier": _member("tier"),
    "member.group": _member("group"),
    "member.tags": _member("tags", "list"),
}

_EVENT_FAMILIES: Mapping[str, Callable[[str], Subject]] = {
    "custom_fields.": _custom_field,
    "extended_fields.": _extended_field,
    "member.extended_fields.": _member_field,
    "tenders.": _tender,
    "tiers.": _level,
    "balances.": _balance,
}


# -- conditions ------------------------------------------------------------------------------------------------------


def bind(condition: Condition) -> Predicate:
    """Bind a condition on an event."""
    return _BINDERS[type(condition)](condition)


def _bind_comparison(comparison: Comparison) -> Predicate:
    return bind_to(comparison, event_subject(comparison.field))


_MEASURES: Mapping[str, tuple[Callable[[LineFacts], int], int]] = {
    "quantity": (lambda line: micros(line.line.quantity), MICRO),
    "value": (line_value, VALUE_UNIT),
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
        return bind_to(measured[1], measured[0])
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
        return standing.is_anyones and (standing.crossings > 0 if crossed else standing.is_reached) is wanted

    return holds


_BASE_UNIT = VALUE_UNIT
"""A multiple of the denominator of each base: the value of a line has the most decimals."""


def base_subject(test: BaseTest) -> Subject:
    """Return the base that a test compares, in the program's money; None if the event does not have it."""
    base = bind_comparable(test.base)

    def value(facts: Facts) -> Any:
        try:
            numerator, denominator = base(facts)
        except Skip as skip:
            return NO_RATE if skip.reason == "no_exchange_rate" else None
        return numerator * (_BASE_UNIT // denominator)

    return Subject(value, "number", _BASE_UNIT)


def _bind_base_test(test: BaseTest) -> Predicate:
    return bind_to(test, base_subject(test))


def _bind_tier_test(test: TierTest) -> Predicate:
    tests = test.tests()

    def holds(facts: Facts) -> bool:
        levels, level = facts.levels(test.tier), facts.level(test.tier)
        if level not in levels:  # an anonymous event has no level
            return False
        position = levels.index(level)
        return all(compare(position, levels.index(wanted)) for compare, wanted in tests)

    return holds


def _bind_sample(test: Sample) -> Predicate:
    get, salt = event_subject(test.sample).get, test.salt
    first, end = test.from_, test.below

    def holds(facts: Facts) -> bool:
        value = get(facts)
        return isinstance(value, str) and first <= sample_number(salt, value) < end

    return holds


def sample_number(salt: str, text: str) -> int:
    """Return the number of a text, from 0 to 99, by its hash with the salt of a sample. Source: semantics 7."""
    digest = hashlib.sha256(salt.encode() + b"\0" + text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % 100


_BINDERS: Mapping[type, Callable[[Any], Predicate]] = {
    AllOf: lambda condition: bind_all(list(map(bind, condition.all))),
    AnyOf: lambda condition: bind_any(list(map(bind, condition.any))),
    Not: lambda condition: bind_not(bind(condition.not_)),
    Comparison: _bind_comparison,
    LineTest: _bind_line_test,
    Anniversary: _bind_anniversary,
    TrackerTest: _bind_tracker_test,
    BaseTest: _bind_base_test,
    TierTest: _bind_tier_test,
    Sample: _bind_sample,
}
"""The function that binds each kind of condition."""
