"""Conditions in words: their requirements, and their results for one event with the values that they compared.

The predicates that decide an evaluation decide here too; this module only formats their results.
"""

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from loyalty_rules.errors import describe
from loyalty_rules.rules.base_values import describe_base
from loyalty_rules.rules.comparisons import Subject
from loyalty_rules.rules.conditions import (
    AllOf,
    Anniversary,
    AnyOf,
    BaseTest,
    Comparison,
    Condition,
    LineTest,
    Not,
    Operators,
    Sample,
    TierTest,
    TrackerTest,
)
from loyalty_rules.rules.facts import NO_RATE, Facts
from loyalty_rules.rules.predicates import base_subject, bind, event_subject, measure_subject
from loyalty_rules.rules.promotions import Promotion
from loyalty_rules.values.amounts import MICRO, number_in, ratio_text
from loyalty_rules.values.dates import instant_text

__all__ = ["ConditionResult", "condition_result", "describe_condition", "window_result"]


@attrs.frozen
class ConditionResult:
    """The result of one part of a condition, with the reason in words, and the results of its own parts."""

    holds: bool
    text: str
    parts: tuple["ConditionResult", ...] = ()

    def failures(self) -> Iterator[str]:
        """Yield the reasons, in words, why the condition does not hold; no reasons if it holds."""
        if self.holds:
            return
        failed = [part for part in self.parts if not part.holds]
        if not failed:
            yield self.text
        for part in failed:
            yield from part.failures()


def window_result(promotion: Promotion, facts: Facts) -> ConditionResult:
    """Return whether the event is within the promotion's active window, in words."""
    at = facts.event.occurred_at
    if promotion.starts_at is not None and at < promotion.starts_at:
        return ConditionResult(False, f"it starts at {instant_text(promotion.starts_at)}")
    if promotion.ends_at is not None and at >= promotion.ends_at:
        return ConditionResult(False, f"it ended at {instant_text(promotion.ends_at)}")
    return ConditionResult(True, "it is active")


def condition_result(condition: Condition, facts: Facts) -> ConditionResult:
    """Return whether a condition holds for an event, and the reasons."""
    match condition:
        case AllOf(conditions):
            parts = tuple(condition_result(each, facts) for each in conditions)
            return ConditionResult(all(part.holds for part in parts), "all of these must hold", parts)
        case AnyOf(conditions):
            parts = tuple(condition_result(each, facts) for each in conditions)
            return ConditionResult(any(part.holds for part in parts), "one of these must hold", parts)
        case Not(inner):
            part = condition_result(inner, facts)
            return ConditionResult(not part.holds, f"must not hold: {part.text}")
        case _:
            return ConditionResult(bind(condition)(facts), _LEAVES[type(condition)](condition, facts))


def describe_condition(condition: Condition) -> str:
    """Return the requirements of a condition on an event or on a line, in words."""
    match condition:
        case AllOf(conditions):
            return " and ".join(describe_condition(each) for each in conditions) or "anything"
        case AnyOf(conditions):
            return "(" + " or ".join(describe_condition(each) for each in conditions) + ")"
        case Not(inner):
            return f"not ({describe_condition(inner)})"
        case Comparison():
            return f"{condition.field} {_describe_comparison(condition)}"
        case LineTest():
            return _describe_line_test(condition)
        case Anniversary():
            return f"{condition.anniversary} has its anniversary ({condition.unit})"
        case TrackerTest():
            crossed = condition.crossed is not None
            negated = "" if (condition.crossed if crossed else condition.reached) else "not "
            return f"tracker {condition.tracker} is {negated}{'crossed' if crossed else 'reached'}"
        case BaseTest():
            return f"{describe_base(condition.base)} {_describe_comparison(condition)}"
        case TierTest():
            return f"the level of {condition.tier} is {_levels(condition)}"
        case Sample():
            return f"{condition.sample} is {_sampled(condition)}"


def _levels(test: TierTest) -> str:
    bounds = (("at least", test.at_least), ("at most", test.at_most), ("", test.is_))
    return " and ".join(f"{words} {level}".strip() for words, level in bounds if level is not None)


def _sampled(test: Sample) -> str:
    return f"in the sample from {test.from_} to below {test.below} of 100, with the salt {describe(test.salt)}"


def _describe_line_test(test: LineTest) -> str:
    lines = describe_condition(test.lines)
    for name, measure in (("quantity", test.quantity), ("value", test.value), ("count", test.count)):
        if measure is not None:
            return f"the {name} of the lines where {lines} must {_requirements(measure)}"
    return f"a line where {lines}"


def _comparison(test: Comparison, facts: Facts) -> str:
    return _compare(test.field, event_subject(test.field), test, facts)


def _line_test(test: LineTest, facts: Facts) -> str:
    selected = f"the lines where {describe_condition(test.lines)}"
    measured = measure_subject(test)
    if measured is None:
        return f"{'a' if bind(test)(facts) else 'no'} line where {describe_condition(test.lines)}"
    name = next(name for name in ("quantity", "value", "count") if getattr(test, name) is not None)
    return _compare(f"the {name} of {selected}", measured[0], measured[1], facts)


def _anniversary(test: Anniversary, facts: Facts) -> str:
    return f"{test.anniversary} has its anniversary ({test.unit}) on {facts.event_on}"


def _tracker_test(test: TrackerTest, facts: Facts) -> str:
    wanted = "crossed" if test.crossed is not None else "reached"
    negated = "" if (test.crossed if test.crossed is not None else test.reached) else " not"
    if facts.member is None:
        return f"tracker {test.tracker} must{negated} be {wanted}, and the event is anonymous"
    standing = facts.standing(test.tracker)
    if not standing.is_anyones:
        return f"tracker {test.tracker} must{negated} be {wanted}, and the member has no group"
    missing = standing.target - standing.after
    if test.crossed is not None:
        missing = standing.gap_after if standing.crossings == 0 else 0
    more = f": {_number(missing)} more" if missing > 0 else ""
    return (
        f"tracker {test.tracker} must{negated} be {wanted}; it goes from {_number(standing.before)} "
        f"to {_number(standing.after)} of {_number(standing.target)}{more}"
    )


def _base_test(test: BaseTest, facts: Facts) -> str:
    return _compare(describe_base(test.base), base_subject(test), test, facts)


def _tier_test(test: TierTest, facts: Facts) -> str:
    level = facts.level(test.tier)
    if level is None:
        return f"the level of {test.tier} must be {_levels(test)}, and the event is anonymous"
    return f"the level of {test.tier} is {level}, and must be {_levels(test)}"


def _sample(test: Sample, facts: Facts) -> str:
    value = event_subject(test.sample).get(facts)
    if not isinstance(value, str):
        return f"{test.sample} is {'absent' if value is None else 'no text'}, and must be {_sampled(test)}"
    return f"{test.sample} is {_operand(value)}, and must be {_sampled(test)}"


_LEAVES: dict[type, Callable[[Any, Facts], str]] = {
    Comparison: _comparison,
    LineTest: _line_test,
    Anniversary: _anniversary,
    TrackerTest: _tracker_test,
    BaseTest: _base_test,
    TierTest: _tier_test,
    Sample: _sample,
}

_PHRASES = {
    "is": "be {}",
    "is_not": "not be {}",
    "in": "be one of {}",
    "not_in": "be none of {}",
    "at_least": "be at least {}",
    "more_than": "be more than {}",
    "at_most": "be at most {}",
    "less_than": "be less than {}",
    "has": "have {}",
    "starts_with": "begin with {}",
    "between": "be from {}",
}


def _requirements(test: Operators) -> str:
    return " and ".join(
        ("be present" if operand else "be absent")
        if name == "exists"
        else _PHRASES[name].format(_range(operand) if name == "between" else _operand(operand))
        for name, operand in test.tests()
    )


def _describe_comparison(test: Operators) -> str:
    """Return the requirements of a comparison as statements: `is 5` instead of `be 5`."""
    return " and ".join(_statement(words) for words in _requirements(test).split(" and "))


def _statement(words: str) -> str:
    if words.startswith("not be "):
        return "is not " + words.removeprefix("not be ")
    if words.startswith("begin "):
        return "begins " + words.removeprefix("begin ")
    return ("has " + words.removeprefix("have ")) if words.startswith("have ") else "is " + words.removeprefix("be ")


def _range(operands: Any) -> str:
    return " to ".join(map(_operand, operands))


def _operand(operand: Any) -> str:
    if isinstance(operand, tuple):
        return ", ".join(_operand(each) for each in operand[:10]) + (" …" if len(operand) > 10 else "")
    number = number_in(operand)
    if number is not None:
        return _number(number)
    return describe(operand).removeprefix("the text ")


def _compare(name: str, subject: Subject, test: Operators, facts: Facts) -> str:
    value = subject.get(facts)
    if value is NO_RATE:
        return f"{name} must {_requirements(test)}, and the event has no exchange rate"
    if value is None:
        return f"{name} is absent, and must {_requirements(test)}"
    shown = ratio_text((value, subject.unit)) if subject.kind == "number" else _operand(value)
    return f"{name} is {shown}, and must {_requirements(test)}{_gap(value, subject, test)}"


def _gap(value: Any, subject: Subject, test: Operators) -> str:
    """Return the difference between a number and the bound that it misses; empty if it misses none."""
    if subject.kind != "number":
        return ""
    scale = subject.unit // MICRO
    for operand, sign, word in ((test.at_least, 1, "more"), (test.at_most, -1, "less")):
        bound = number_in(operand)
        if bound is not None and (bound * scale - value) * sign > 0:
            return f": {ratio_text(((bound * scale - value) * sign, subject.unit))} {word}"
    return ""


def _number(value: int) -> str:
    return ratio_text((value, MICRO))
