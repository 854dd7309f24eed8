"""The index of promotions: a discrimination network, through which an event finds the promotions that may fire.

A condition on the store S1, or on a line of the category Wine, holds for few events. The index keeps the promotion
under that text, so that an event looks up its own texts and does not test every promotion. Each promotion is placed
by its most selective key; a large bucket is divided again by the next key. An active window is a key too: the months
that it touches. A promotion without such a key is tested for every event.

Tests already implied by the path through the index are not repeated. The remaining tests are bound once for all
promotions with equal remaining tests, and evaluated once per event.
"""

import operator
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import attrs

from loyalty_rules.engine.condition_report import describe_condition
from loyalty_rules.rules.conditions import AllOf, Comparison, Condition, LineTest, Measure
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.predicates import Predicate, bind, event_subject
from loyalty_rules.rules.promotions import Promotion
from loyalty_rules.values.amounts import number_in
from loyalty_rules.values.dates import instant_text

__all__ = ["ActiveWindow", "Candidate", "Index", "Key", "Part", "keys_of"]


@attrs.frozen
class ActiveWindow:
    """When a promotion is active: `starts_at` ≤ t < `ends_at`."""

    starts_at: datetime | None
    ends_at: datetime | None


Part: TypeAlias = Condition | ActiveWindow
"""One of the requirements that must all hold for a promotion to fire."""

Candidate: TypeAlias = tuple[int, int | None]
"""A promotion in the index: its position in the program and the number of its remaining test, None if none remains.

A tuple of two numbers contains no object that the garbage collector has to follow."""

Bucket: TypeAlias = "Node | tuple[Candidate, ...]"

Texts: TypeAlias = Collection[str | None]
"""The different texts at a path of an event; None for an absent one."""

_LINE = "lines."
_MONTH = "month in UTC"
_EVENT_TEXTS = frozenset(
    {
        *("store", "brand", "channel", "status", "currency", "weekday", "local_date"),
        *("member.id", "member.tier", "member.group"),
    }
)
_LINE_TEXTS = frozenset(["sku", "category", "brand"])
_MAX_UNDIVIDED = 2
"""A bucket of at most so many promotions is not divided further."""

_SELECTIVE = 3
"""A key with several texts must have at most one in so many of the texts at its path.

Most events reach a less selective key, and its copies save nothing."""

_MAX_COPIES = 64
"""The maximum number of buckets that contain one promotion: it has a copy for each text of its keys."""

_MAX_DEPTH = 8
_MAX_MONTHS = 36


# -- keys of a condition -----------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Key:
    """A path, and the texts of which the event must have one there; on a path of lines, at least one line must.

    `implies` is the part of the condition that such a text proves, None if that part requires more.
    """

    path: str
    texts: frozenset[str]
    implies: Condition | None = None


def keys_of(parts: Sequence[Part]) -> Iterator[Key]:
    """Yield the keys without which a promotion cannot fire, from the parts that must all hold."""
    for part in parts:
        match part:
            case ActiveWindow(starts_at, ends_at) if starts_at is not None and ends_at is not None:
                yield from _months(starts_at, ends_at)
            case Comparison():
                yield from _texts(part, "", _EVENT_TEXTS, "member.tags", part)
            case LineTest() if _requires_line(part):
                of_line = _parts(part.lines)
                alone = part if len(of_line) == 1 and _measure(part) is None else None
                for each in of_line:
                    if isinstance(each, Comparison):
                        yield from _texts(each, _LINE, _LINE_TEXTS, "tags", alone)


def _parts_of(promotion: Promotion) -> list[Part]:
    """Return the parts that must all hold for a promotion to fire, apart from its trigger."""
    starts_at, ends_at = promotion.starts_at, promotion.ends_at
    window = [ActiveWindow(starts_at, ends_at)] if starts_at is not None or ends_at is not None else []
    return [*window, *(_parts(promotion.when) if promotion.when is not None else ())]


def _parts(condition: Condition) -> list[Condition]:
    """Split a condition into the parts that must all hold."""
    if isinstance(condition, AllOf):
        return [part for each in condition.all for part in _parts(each)]
    return [condition]


def _texts(test: Comparison, prefix: str, texts: frozenset[str], tags: str, implies: Condition | None) -> Iterator[Key]:
    wanted: tuple[Any, ...] | None = None
    if test.field in texts:
        wanted = (test.is_,) if test.is_ is not None else test.in_
    elif test.field == tags and test.has is not None:
        wanted = (test.has,)
    if wanted is not None:
        only = implies if len(test.tests()) == 1 else None
        yield Key(prefix + test.field, frozenset(each for each in wanted if isinstance(each, str)), only)


def _measure(test: LineTest) -> Measure | None:
    return test.quantity or test.count or test.value


def _requires_line(test: LineTest) -> bool:
    """Return whether a line test needs a selected line: it has no measure, or one that must be more than zero."""
    measure = _measure(test)
    if measure is None:
        return True
    return _is_positive(measure.at_least) or _is_not_negative(measure.more_than)


def _is_positive(operand: Any) -> bool:
    number = number_in(operand)
    return number is not None and number > 0


def _is_not_negative(operand: Any) -> bool:
    number = number_in(operand)
    return number is not None and number >= 0


def _months(starts_at: datetime, ends_at: datetime) -> Iterator[Key]:
    """Yield the key of the UTC months that an active window touches; no key for a long window."""
    first, last = _month_number(starts_at), _month_number(ends_at)
    if last - first < _MAX_MONTHS:
        yield Key(_MONTH, frozenset(map(str, range(first, last + 1))))


def _month_number(at: datetime) -> int:
    at = at.astimezone(UTC)
    return at.year * 12 + at.month


# -- texts of an event -------------------------------------------------------------------------------------------------


def _texts_at(path: str) -> Callable[[Facts], Texts]:
    """Return a function from an event to its different texts at a path."""
    if path == _MONTH:
        return lambda facts: (str(_month_number(facts.event.occurred_at)),)
    if path == "member.tags":
        return lambda facts: set((facts.member.tags or ()) if facts.member is not None else ())
    if path == _LINE + "tags":
        return lambda facts: {tag for line in facts.event_lines for tag in line.tags or ()}
    if path.startswith(_LINE):
        name = path.removeprefix(_LINE)
        text_of = operator.attrgetter(name)
        return lambda facts: set(map(text_of, facts.event_lines))
    get = event_subject(path).get
    return lambda facts: (get(facts),)


_PATHS = (_MONTH, "member.tags", *_EVENT_TEXTS, *(_LINE + name for name in (*_LINE_TEXTS, "tags")))
_TEXTS: Mapping[str, Callable[[Facts], Texts]] = {path: _texts_at(path) for path in _PATHS}


# -- the index ---------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Node:
    """A node of the index: the candidates of every event that reaches it, and the buckets by path and text."""

    candidates: tuple[Candidate, ...]
    tables: tuple[tuple[str, Mapping[str | None, Bucket]], ...]


@attrs.frozen(eq=False)
class Index:
    """The index of the promotions of one trigger: from texts of an event to the candidates and their remaining tests.

    `parts` are the requirements of each test. `never` are the positions of promotions that no event can reach, such
    as one that requires a store that is the number 7.
    """

    root: Node
    tests: tuple[Predicate, ...]
    parts: tuple[tuple[Part, ...], ...]
    never: tuple[int, ...]

    @classmethod
    def of(cls, promotions: Sequence[tuple[int, Promotion]]) -> "Index":
        """Build the index of promotions, each with its position in the program."""
        builder = _Builder()
        unplaced = [_Unplaced.of(*each) for each in promotions]
        bucket = builder.bucket([each for each in unplaced if each.is_possible])
        root = bucket if isinstance(bucket, Node) else Node(bucket, ())
        tests = tuple(map(_bind_all, builder.tests))
        return cls(
            root, tests, tuple(builder.tests), tuple([each.position for each in unplaced if not each.is_possible])
        )

    def describe(self, names: Sequence[str]) -> Iterator[str]:
        """Yield the lines that describe the index; `names` are the names of the promotions by position."""
        yield from self._describe_node(self.root, names, "  ")
        if self.never:
            yield "  never, because no event can meet their conditions:"
            yield from (f"    {names[position]}" for position in self.never)

    def _describe_node(self, node: Node, names: Sequence[str], indent: str) -> Iterator[str]:
        yield from self._describe_candidates(node.candidates, names, indent)
        for path, table in node.tables:
            for text, below in sorted(table.items(), key=lambda item: str(item[0])):
                yield f"{indent}where {_describe_path(path, str(text))}:"
                if isinstance(below, Node):
                    yield from self._describe_node(below, names, indent + "  ")
                else:
                    yield from self._describe_candidates(below, names, indent + "  ")

    def _describe_candidates(self, candidates: Sequence[Candidate], names: Sequence[str], indent: str) -> Iterator[str]:
        for position, test in candidates:
            remaining = f" if {' and '.join(map(_describe_part, self.parts[test]))}" if test is not None else ""
            yield f"{indent}{names[position]}{remaining}"

    def reached(self, facts: Facts) -> list[Candidate]:
        """Return the candidates that the event reaches, in no order, possibly more than once; the facts keep them."""
        if facts.candidates is None:
            facts.candidates = self._reached(facts)
        return facts.candidates

    def _reached(self, facts: Facts) -> list[Candidate]:
        found: list[Candidate] = []
        known: dict[str, Texts] = {}
        waiting = [self.root]
        for node in waiting:  # the loop appends to the list
            found += node.candidates
            for path, table in node.tables:
                if path in known:
                    texts = known[path]
                else:
                    texts = known[path] = _TEXTS[path](facts)
                for text in texts:
                    if text in table:
                        below = table[text]
                        if isinstance(below, Node):
                            waiting.append(below)
                        else:
                            found += below
        return found

    def fired(self, facts: Facts) -> list[int]:
        """Return the sorted positions of the promotions whose active window and condition match the event."""
        tests = self.tests
        results: dict[int, bool] = {}
        fired: set[int] = set()
        for position, test in self.reached(facts):
            if test is None:
                fired.add(position)
                continue
            holds = results.get(test)
            if holds is None:
                holds = results[test] = tests[test](facts)
            if holds:
                fired.add(position)
        return sorted(fired)


# -- the builder -------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class _Unplaced:
    """A promotion before it is in a bucket: the keys that can still divide it, and the parts that are still to test."""

    position: int
    keys: tuple[Key, ...]
    untested: tuple[Part, ...]
    copies: int = 1

    @classmethod
    def of(cls, position: int, promotion: Promotion) -> "_Unplaced":
        parts = _parts_of(promotion)
        return cls(position, tuple(keys_of(parts)), tuple(parts))

    @property
    def is_possible(self) -> bool:
        """Return whether an event can have a text of each key."""
        return all(key.texts for key in self.keys)

    def under(self, key: Key) -> "_Unplaced":
        """Return the promotion below a key: without the key, and without the part that the key implies."""
        return _Unplaced(
            self.position,
            tuple(each for each in self.keys if each is not key),
            tuple(each for each in self.untested if each is not key.implies),
            self.copies * len(key.texts),
        )


class _Builder:
    """The builder of an index: it places promotions into buckets and numbers the remaining tests.

    Equal tests have one number.
    """

    def __init__(self) -> None:
        self.tests: dict[tuple[Part, ...], int] = {}

    def bucket(self, unplaced: Sequence[_Unplaced], depth: int = 0) -> Bucket:
        """Divide promotions by their most selective keys, until few enough are together or none has a key."""
        if len(unplaced) <= _MAX_UNDIVIDED or depth == _MAX_DEPTH:
            return tuple(map(self.candidate, unplaced))
        spread = _spread(unplaced)
        always: list[Candidate] = []
        tables: dict[str, dict[str, list[_Unplaced]]] = {}
        for each in unplaced:
            best = _best(each, spread)
            if best is None:
                always.append(self.candidate(each))
                continue
            below = each.under(best)
            for text in best.texts:
                tables.setdefault(best.path, {}).setdefault(text, []).append(below)
        if not tables:
            return tuple(always)
        return Node(
            tuple(always),
            tuple(
                (path, {text: self.bucket(bucket, depth + 1) for text, bucket in table.items()})
                for path, table in sorted(tables.items())
            ),
        )

    def candidate(self, unplaced: _Unplaced) -> Candidate:
        test = self.tests.setdefault(unplaced.untested, len(self.tests)) if unplaced.untested else None
        return unplaced.position, test


def _bind_all(parts: tuple[Part, ...]) -> Predicate:
    windows = [_bind_window(part) for part in parts if isinstance(part, ActiveWindow)]
    conditions = [part for part in parts if not isinstance(part, ActiveWindow)]
    if not conditions:
        return windows[0]
    condition = bind(conditions[0] if len(conditions) == 1 else AllOf(conditions))
    if not windows:
        return condition
    is_active = windows[0]
    return lambda facts: is_active(facts) and condition(facts)


def _describe_path(path: str, text: str) -> str:
    if path == _MONTH:
        year, month = divmod(int(text) - 1, 12)
        return f"it is {year}-{month + 1:02} in UTC"
    if path.startswith(_LINE):
        return f"a line's {path.removeprefix(_LINE)} {'have' if path.endswith('tags') else 'is'} {text}"
    return f"{path} {'have' if path.endswith('tags') else 'is'} {text}"


def _describe_part(part: Part) -> str:
    if not isinstance(part, ActiveWindow):
        return describe_condition(part)
    starts = f"it is {instant_text(part.starts_at)} or later" if part.starts_at is not None else ""
    ends = f"it is before {instant_text(part.ends_at)}" if part.ends_at is not None else ""
    return " and ".join(filter(None, (starts, ends)))


def _bind_window(window: ActiveWindow) -> Predicate:
    starts_at, ends_at = window.starts_at, window.ends_at

    def is_active(facts: Facts) -> bool:
        at = facts.event.occurred_at
        return (starts_at is None or starts_at <= at) and (ends_at is None or at < ends_at)

    return is_active


def _spread(unplaced: Sequence[_Unplaced]) -> Mapping[str, int]:
    """Count the texts of all keys at each path: the more there are, the fewer events reach each of them."""
    texts: dict[str, set[str]] = {}
    for each in unplaced:
        for key in each.keys:
            texts.setdefault(key.path, set()).update(key.texts)
    return {path: len(different) for path, different in texts.items()}


def _best(unplaced: _Unplaced, spread: Mapping[str, int]) -> Key | None:
    """Return the key that the fewest events have, among those worth their copies; None if there is none."""

    def selectivity(key: Key) -> tuple[float, str]:
        return spread[key.path] / max(len(key.texts), 1), key.path

    usable = [key for key in unplaced.keys if _is_worth_copies(len(key.texts), unplaced.copies, spread[key.path])]
    return max(usable, key=selectivity, default=None)


def _is_worth_copies(count: int, copies: int, spread: int) -> bool:
    return count <= 1 or (count * copies <= _MAX_COPIES and count * _SELECTIVE <= spread)
