"""Which promotions an event can reach: a discrimination net over what their conditions cannot hold without.

A condition that needs the store to be S1, or a line of category Wine, is met by few events; the net files it under
that value, so that an event looks up its own values and visits what it finds there instead of every promotion. A
promotion goes in by its most selective key, and a crowded bucket is divided again by the next one. What needs
nothing of the kind is visited always. The net only leaves out what cannot hold: whether a promotion that it finds
fires is for its condition to say.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from loyalty_rules.amounts import number_in
from loyalty_rules.conditions import AllOf, Comparison, Condition, LineTest, Measure
from loyalty_rules.facts import Facts
from loyalty_rules.predicates import event_subject

__all__ = ["Index", "needs"]

Need: TypeAlias = tuple[str, frozenset[str]]
"""A path and the texts of which one must stand there: of a line's path, on at least one line."""

_LINE = "lines."
_EVENT_TEXTS = frozenset(
    ["store", "brand", "channel", "status", "currency", "weekday", "member.id", "member.tier", "member.group"]
)
_LINE_TEXTS = frozenset(["sku", "category", "brand"])
_CROWDED = 8


def needs(condition: Condition | None) -> Iterator[Need]:
    """Tell what a condition cannot hold without, as far as the net can look it up."""
    match condition:
        case AllOf(conditions):
            for each in conditions:
                yield from needs(each)
        case Comparison():
            yield from _texts(condition, "", _EVENT_TEXTS, "member.tags")
        case LineTest() if _wants_a_line(condition):
            yield from _line_needs(condition.lines)


def _line_needs(condition: Condition) -> Iterator[Need]:
    match condition:
        case AllOf(conditions):
            for each in conditions:
                yield from _line_needs(each)
        case Comparison():
            yield from _texts(condition, _LINE, _LINE_TEXTS, "tags")


def _texts(test: Comparison, prefix: str, texts: frozenset[str], tags: str) -> Iterator[Need]:
    if test.field in texts:
        wanted = (test.is_,) if test.is_ is not None else test.in_
        if wanted is not None:
            yield prefix + test.field, frozenset(each for each in wanted if isinstance(each, str))
    elif test.field == tags and isinstance(test.has, str):
        yield prefix + test.field, frozenset((test.has,))


def _wants_a_line(test: LineTest) -> bool:
    """Say whether a line test cannot hold over no lines: it has no measure, or one that must be more than zero."""
    measure: Measure | None = test.quantity or test.count or test.value
    if measure is None:
        return True
    return _is_positive(measure.at_least) or _is_not_negative(measure.more_than)


def _is_positive(operand: Any) -> bool:
    number = number_in(operand)
    return number is not None and number > 0


def _is_not_negative(operand: Any) -> bool:
    number = number_in(operand)
    return number is not None and number >= 0


def _values_of(path: str) -> Callable[[Facts], Sequence[str]]:
    """Bind a path to the texts that an event has there."""
    if path == "member.tags":
        return lambda facts: (facts.member.tags or ()) if facts.member is not None else ()
    if path == _LINE + "tags":
        return lambda facts: [tag for line in facts.event_lines for tag in line.tags or ()]
    if path.startswith(_LINE):
        name = path.removeprefix(_LINE)
        return lambda facts: [getattr(line, name) for line in facts.event_lines]
    get = event_subject(path).get
    return lambda facts: (get(facts),)


@attrs.frozen
class Index:
    """A node of the net: what is always visited, and by path and value what is found below."""

    always: tuple[int, ...]
    tables: tuple[tuple[Callable[[Facts], Sequence[str]], Mapping[str, "Index"]], ...]

    @classmethod
    def of(cls, conditions: Sequence[tuple[int, Condition | None]]) -> "Index":
        """Build the net of promotions, each given by its position and its condition."""
        return cls._node([(position, tuple(needs(condition))) for position, condition in conditions])

    @classmethod
    def _node(cls, entries: list[tuple[int, tuple[Need, ...]]]) -> "Index":
        if len(entries) <= _CROWDED:
            return cls(tuple(position for position, _ in entries), ())
        spread = _spread(entries)
        always: list[int] = []
        filed: dict[str, dict[str, list[tuple[int, tuple[Need, ...]]]]] = {}
        for position, wanted in entries:
            if not wanted:
                always.append(position)
                continue
            best = max(wanted, key=lambda need: (spread[need[0]] / max(len(need[1]), 1), need[0]))
            rest = tuple(need for need in wanted if need is not best)
            for value in best[1]:
                filed.setdefault(best[0], {}).setdefault(value, []).append((position, rest))
        tables = tuple(
            (_values_of(path), {value: cls._node(bucket) for value, bucket in table.items()})
            for path, table in sorted(filed.items())
        )
        return cls(tuple(always), tables)

    def reached(self, facts: Facts) -> list[int]:
        """Give the positions of the promotions that the event can reach, in order."""
        if not self.tables:
            return list(self.always)
        positions: set[int] = set()
        self._collect(facts, positions)
        return sorted(positions)

    def _collect(self, facts: Facts, positions: set[int]) -> None:
        positions.update(self.always)
        for values_of, table in self.tables:
            for value in values_of(facts):
                node = table.get(value)
                if node is not None:
                    node._collect(facts, positions)


def _spread(entries: list[tuple[int, tuple[Need, ...]]]) -> dict[str, int]:
    """Count the values that stand at each path: the more there are, the fewer events reach one of them."""
    values: dict[str, set[str]] = {}
    for _, wanted in entries:
        for path, texts in wanted:
            values.setdefault(path, set()).update(texts)
    return {path: len(texts) for path, texts in values.items()}
