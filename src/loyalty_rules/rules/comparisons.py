"""Comparisons: operators with their operands, bound once to a test of the value at a path.

Numbers compare as integers of one scale, ids and names as texts. Free-form fields compare as numbers if both sides
are decimals, as texts if both are texts. Values of different kinds don't compare: the test is false.
Source: semantics 7.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from loyalty_rules.rules.conditions import Operand, Operators
from loyalty_rules.rules.facts import NO_RATE
from loyalty_rules.values.amounts import MICRO, number_in

__all__ = ["Subject", "bind_all", "bind_any", "bind_not", "bind_to"]


@attrs.frozen
class Subject:
    """The value at a path: the function that gets it (None if absent), and the kind that it compares as.

    `kind` is `number` (an integer; `unit` of it make one), `text`, `list` or `free`.
    """

    get: Callable[[Any], Any]
    kind: str
    unit: int = MICRO


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
    if name == "between":
        return _bind_range(*[number(item) for item in operand])
    return _never


def _bind_text(name: str, operand: Any, _unit: int) -> Test:
    if name in _ORDER:
        return getattr(operand, _FROM_OPERAND[name]) if isinstance(operand, str) else _never
    if name in ("in", "not_in"):
        return _bind_membership(name, [item if isinstance(item, str) else None for item in operand])
    if name == "between":
        return _bind_range(*[item if isinstance(item, str) else None for item in operand])
    return (lambda value: value.startswith(operand)) if name == "starts_with" else _never


def _bind_range(low: Any, high: Any) -> Test:
    return _never if low is None or high is None else lambda value: low <= value <= high


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
    if name in ("in", "not_in"):
        items = _FreeItems(operand)
        return items.have if name == "in" else lambda value: items.compare_with(value) and not items.have(value)
    if name == "between":
        return _bind_free_range(*operand)
    if name == "starts_with":
        return lambda value: isinstance(value, str) and value.startswith(operand)
    free = _Free(operand)
    if name == "has":
        return lambda value: isinstance(value, list) and any(free.is_equal(item) is True for item in value)
    if isinstance(operand, bool) and name not in _FOR_FLAGS:
        return _never
    compare = _ORDER[name]
    return lambda value: free.compares(value, compare) is True


def _bind_free_range(low: Operand, high: Operand) -> Test:
    if isinstance(low, bool) or isinstance(high, bool):
        return _never
    first, last = _Free(low), _Free(high)
    return lambda value: first.compares(value, operator.ge) is True and last.compares(value, operator.le) is True


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


class _FreeItems:
    """The items of a list that a free-form value is compared with, in sets: one look-up, however many there are."""

    def __init__(self, operand: Sequence[Operand]) -> None:
        others = [item for item in operand if not isinstance(item, bool)]
        numbers = [(item, number_in(item)) for item in others]
        self.flags = frozenset(item for item in operand if isinstance(item, bool))
        self.numbers = frozenset(number for _, number in numbers if number is not None)
        self.texts = frozenset(item for item in others if isinstance(item, str))
        self.is_empty = not operand
        self.all_flags = not others
        self.all_numbers = not self.flags and all(number is not None for _, number in numbers)
        self.all_texts = not self.flags and all(isinstance(item, str) for item in others)
        self.all_either = not self.flags and all(
            isinstance(item, str) or number is not None for item, number in numbers
        )

    def have(self, value: Any) -> bool:
        """Return whether one item is equal to a value: as flags, numbers or texts."""
        if isinstance(value, bool):
            return value in self.flags
        if isinstance(value, str) and value in self.texts:
            return True
        number = number_in(value)
        return number is not None and number in self.numbers

    def compare_with(self, value: Any) -> bool:
        """Return whether every item compares with a value."""
        if isinstance(value, bool) or self.is_empty:
            return self.all_flags
        has_number = number_in(value) is not None
        if isinstance(value, str):
            return self.all_either if has_number else self.all_texts
        return has_number and self.all_numbers


_BINDERS: Mapping[str, Callable[[str, Any, int], Test]] = {
    "number": _bind_number,
    "text": _bind_text,
    "list": _bind_list,
    "free": _bind_free,
}


def bind_to(comparison: Operators, subject: Subject) -> Callable[[Any], bool]:
    """Bind the operators of a comparison to a subject: a function of its facts, false if the value is absent."""
    get = subject.get
    test, when_absent = _bind_tests(subject, comparison.tests())
    if when_absent:
        return lambda facts: get(facts) is None  # it must be absent, and no other operator is given

    def holds(facts: Any) -> bool:
        value = get(facts)
        return value is not None and value is not NO_RATE and test(value)

    return holds


# -- combinations ----------------------------------------------------------------------------------------------------

# Loops, since `all` and `any` would start a generator for each call.


def bind_all(parts: Sequence[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    """Return the predicate that holds if all parts hold."""
    if len(parts) == 1:
        return parts[0]

    def holds(facts: Any) -> bool:
        for part in parts:  # noqa: SIM110
            if not part(facts):
                return False
        return True

    return holds


def bind_any(parts: Sequence[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    """Return the predicate that holds if one of the parts holds."""

    def holds(facts: Any) -> bool:
        for part in parts:  # noqa: SIM110
            if part(facts):
                return True
        return False

    return holds


def bind_not(part: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return the predicate that holds if a part does not."""
    return lambda facts: not part(facts)
