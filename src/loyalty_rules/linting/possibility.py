"""Satisfiability of conditions, and implication between them.

A condition is expanded into alternatives. Each alternative is a set of leaves that must hold or must not hold. The
leaves of one subject (a path, a tracker, the matching lines) are tested on every value that could distinguish them.
The tests are the predicates that decide sales. Subjects count as independent, and a condition with very many
alternatives counts as one that can hold. So "can't hold" is always correct, and "can hold" may be wrong.
Source: semantics 7.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import date
from itertools import pairwise, product
from typing import Any, TypeAlias

import attrs

from loyalty_rules.paths import LINE, Circumstances
from loyalty_rules.rules.comparisons import Subject, bind_to
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
from loyalty_rules.rules.facts import NO_RATE
from loyalty_rules.rules.line_predicates import line_subject
from loyalty_rules.rules.predicates import event_subject
from loyalty_rules.values.amounts import MICRO, decimal_of, number_in

__all__ = ["Leaf", "can_hold", "clash", "implies"]

_MAX_ALTERNATIVES = 1_000


LeafTest: TypeAlias = Comparison | LineTest | Anniversary | TrackerTest | BaseTest | TierTest | Sample


@attrs.frozen
class Leaf:
    """One test of a condition, which must hold or must not hold."""

    test: LeafTest
    holds: bool


def can_hold(condition: Condition, where: Circumstances) -> bool:
    """Return False if no event can meet the condition; True may be wrong, since only the condition is examined."""
    return _some(_alternatives(condition, True), where)


def implies(condition: Condition | None, other: Condition | None, where: Circumstances) -> bool:
    """Return whether the other condition holds whenever the first does; None always holds."""
    if other is None:
        return True
    against = Not(other) if condition is None else AllOf((condition, Not(other)))
    return not can_hold(against, where)


def clash(condition: Condition, where: Circumstances) -> tuple[Leaf, ...]:
    """Return tests on one subject that can't hold together, from the first alternative; empty if it can hold."""
    for alternative in _alternatives(condition, True) or ():
        for leaves in _by_subject(alternative):
            if not _is_possible(leaves, where):
                return leaves
    return ()


# -- alternatives ----------------------------------------------------------------------------------------------------


def _some(alternatives: "list[tuple[Leaf, ...]] | None", where: Circumstances) -> bool:
    if alternatives is None:
        return True
    return any(all(_is_possible(leaves, where) for leaves in _by_subject(each)) for each in alternatives)


def _alternatives(condition: Condition, wanted: bool) -> "list[tuple[Leaf, ...]] | None":
    """Expand a condition into alternatives; None if there are too many. It holds if every leaf of one does."""
    match condition:
        case Not(inner):
            return _alternatives(inner, not wanted)
        case AllOf(parts) | AnyOf(parts):
            spread = []
            for part in parts:
                alternatives = _alternatives(part, wanted)
                if alternatives is None:
                    return None
                spread.append(alternatives)
            return (
                _joined(spread)
                if isinstance(condition, AllOf) is wanted
                else _bounded([each for part in spread for each in part])
            )
        case _:
            return [(Leaf(condition, wanted),)]


def _joined(spread: "Sequence[list[tuple[Leaf, ...]]]") -> "list[tuple[Leaf, ...]] | None":
    count = 1
    for alternatives in spread:
        count *= len(alternatives)
        if count > _MAX_ALTERNATIVES:
            return None
    return [tuple(leaf for part in parts for leaf in part) for parts in product(*spread)]


def _bounded(alternatives: "list[tuple[Leaf, ...]]") -> "list[tuple[Leaf, ...]] | None":
    return alternatives if len(alternatives) <= _MAX_ALTERNATIVES else None


# -- subjects --------------------------------------------------------------------------------------------------------


def _by_subject(leaves: Sequence[Leaf]) -> Iterator[tuple[Leaf, ...]]:
    groups: dict[Hashable, list[Leaf]] = {}
    for leaf in leaves:
        groups.setdefault(_subject(leaf.test), []).append(leaf)
    for group in groups.values():
        yield tuple(group)


def _subject(test: LeafTest) -> Hashable:
    match test:
        case Comparison():
            return test.field
        case LineTest():
            return "lines", test.lines, _measure(test)[0]
        case Anniversary():
            return test
        case TrackerTest():
            return "tracker", test.tracker
        case BaseTest() | TierTest() | Sample():  # independent of every other test
            return test


def _measure(test: LineTest) -> tuple[str, Measure | None]:
    for name in ("quantity", "value"):
        measure: Measure | None = getattr(test, name)
        if measure is not None:
            return name, measure
    return "count", test.count


def _is_possible(leaves: Sequence[Leaf], where: Circumstances) -> bool:
    """Return whether some value of the subject meets all of these leaves, which share the subject."""
    match leaves[0].test:
        case Comparison(field=field):
            tests = [leaf.test for leaf in leaves if isinstance(leaf.test, Comparison)]
            subject = line_subject(field) if where.of_line else event_subject(field)
            values = _values(field, subject.kind, leaves, where)
            return values is None or _meet(leaves, values, _bound(tests, subject.kind))
        case LineTest():
            sums = _sums([leaf.test for leaf in leaves if isinstance(leaf.test, LineTest)], where)
            return _meet(leaves, sums, [_bind_sum(leaf.test) for leaf in leaves])
        case TrackerTest():
            return _meet(leaves, _STANDINGS, [_bind_standing(leaf.test) for leaf in leaves])
        case _:  # equal tests
            return len({leaf.holds for leaf in leaves}) == 1


def _meet(leaves: Sequence[Leaf], values: Sequence[Any], tests: Sequence[Callable[[Any], bool]]) -> bool:
    return any(all(test(value) is leaf.holds for leaf, test in zip(leaves, tests, strict=True)) for value in values)


# -- values at a path ------------------------------------------------------------------------------------------------

_SCALE = 2  # half millionths, so that there is a number between any two decimals
_UNIT = MICRO * _SCALE
_CLOCK = [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in range(24 * 60)]
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NEVER_NEGATIVE = ("tax", "shipping", "tip")


def _bound(tests: Sequence[Comparison | Measure], kind: str) -> list[Callable[[Any], bool]]:
    return [bind_to(test, Subject(lambda value: value, kind, _UNIT)) for test in tests]


def _values(field: str, kind: str, leaves: Sequence[Leaf], where: Circumstances) -> list[Any] | None:
    """Return values that represent all possible values at a path (None: absent); None if they can't be listed."""
    tests = [leaf.test for leaf in leaves if isinstance(leaf.test, Comparison)]
    items = tuple(leaf.test.has for leaf in leaves if leaf.holds and isinstance(leaf.test, Comparison))
    if field == "amount" and not where.is_sale:
        return [None]
    if kind == "number":
        numbers = _around([number for test in tests for number in _numbers(test)])
        if field in _NEVER_NEGATIVE:
            numbers = [number for number in numbers if number >= 0]
        return [*(() if field in ("amount", "quantity", "value") else (None,)), NO_RATE, *numbers]
    if kind == "list":
        return [None, (), items]
    if kind == "free":
        values = _free_values([operand for test in tests for operand in _operands(test)])
        return [*values, [item for item in items if item is not None]] if values is not None else None
    return _texts(field, [text for test in tests for text in _operands(test) if isinstance(text, str)], where)


def _texts(field: str, operands: Sequence[str], where: Circumstances) -> list[Any]:
    match field:
        case "type":
            return [where.trigger]
        case "weekday":
            return [*_DAYS]
        case "local_time":
            return [*_CLOCK]
        case "local_date":
            return [day for text in _texts_around(operands) for day in _dates_around(text)]
    return [None, *_texts_around(operands)]


def _operands(test: Comparison | Measure) -> Iterator[Any]:
    for name, operand in test.tests():
        if name != "exists":
            yield from operand if isinstance(operand, tuple) else (operand,)


def _numbers(test: Comparison | Measure) -> Iterator[int]:
    for operand in _operands(test):
        number = number_in(operand)
        if number is not None:
            yield number * _SCALE


def _around(numbers: Sequence[int]) -> list[int]:
    """Return each number, one between each two neighbours, and one beyond each end."""
    there = sorted({0, *numbers})
    between = [(low + high) // 2 for low, high in pairwise(there)]
    return [there[0] - _UNIT, *there, *between, there[-1] + _UNIT]


def _texts_around(texts: Sequence[str]) -> list[str]:
    """Return each text, the text after it, the text after all that begin with it, and the text before all others."""
    after = [text[:-1] + chr(ord(text[-1]) + 1) for text in texts if text and text[-1] < "\U0010ffff"]
    return ["", *texts, *(text + "\0" for text in texts), *after]


def _dates_around(text: str) -> Iterator[str]:
    """Yield the dates just before, at and just after the position of a text among the dates."""
    low, high = date(1970, 1, 1).toordinal(), date(9998, 12, 31).toordinal()
    first, last = low, high
    while low < high:
        middle = (low + high) // 2
        if date.fromordinal(middle).isoformat() < text:
            low = middle + 1
        else:
            high = middle
    for day in (low - 1, low, low + 1):
        yield date.fromordinal(min(max(day, first), last)).isoformat()


def _free_values(operands: Sequence[Any]) -> list[Any] | None:
    """Return values for a free-form field, or None for numbers mixed with other texts, which have too many."""
    plain = [operand for operand in operands if not isinstance(operand, bool)]
    numbers = [number for operand in plain if (number := number_in(operand)) is not None]
    if numbers and len(numbers) < len(plain):
        return None
    texts = _texts_around([operand for operand in plain if isinstance(operand, str)])
    near = [decimal_of(number + step) for number in {0, *numbers} for step in (-1, 0, 1)]
    return [None, True, False, [], *near, *texts]


# -- sums of lines, and standings of a tracker -------------------------------------------------------------------------


def _sums(tests: Sequence[LineTest], where: Circumstances) -> list[Any]:
    """Return the possible sums of the matching lines: zero if no line can match, whole numbers for counts."""
    name, _ = _measure(tests[0])
    without_rate = [NO_RATE] if name == "value" else []
    if not where.is_sale or not can_hold(tests[0].lines, LINE):
        return [0, *without_rate]
    numbers = [number for test in tests if (measure := _measure(test)[1]) is not None for number in _numbers(measure)]
    if name == "count":
        steps = {number // _UNIT + step for number in (0, *numbers) for step in (-1, 0, 1, 2)}
        return [step * _UNIT for step in steps if step >= 0]
    return [*_around(numbers), *without_rate]


def _bind_sum(test: Any) -> Callable[[Any], bool]:
    _, measure = _measure(test)
    if measure is None:
        return lambda count: count > 0
    return _bound([measure], "number")[0]


_STANDINGS = (None, "below", "crossing", "past")


def _bind_standing(test: Any) -> Callable[[Any], bool]:
    holding = ("crossing",) if test.crossed is not None else ("crossing", "past")
    wanted = test.crossed if test.crossed is not None else test.reached
    return lambda standing: standing is not None and (standing in holding) is wanted
