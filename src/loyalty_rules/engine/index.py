"""Which promotions fire: a discrimination net over what their conditions cannot hold without, and what is left to test.

A condition that keys_of the store to be S1, or a line of category Wine, is met by few events; the net files it under
that value, so that an event looks up its own values and visits what it finds there instead of every promotion. A
promotion goes in by its most selective key, and a crowded bucket is divided again by the next one. An active window
is a key too: the months that it touches. What keys_of nothing of the kind is visited always.

What the way to a promotion has decided is not tested again. What is left of its condition is bound once for all
promotions that are left with the same, and describe_condition once an event.
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
"""One of the things that must all hold for a promotion to fire."""

Candidate: TypeAlias = tuple[int, int | None]
"""What is found in the net: a promotion's position, and which test is left, if any.

Plain tuples that name the test by its number: they hold nothing that the garbage collector has to follow."""

Bucket: TypeAlias = "Node | tuple[Candidate, ...]"

Texts: TypeAlias = Collection[str | None]
"""What stands at a path of an event: different texts, or nothing."""

_LINE = "lines."
_MONTH = "month"
_EVENT_TEXTS = frozenset(
    {
        *("store", "brand", "channel", "status", "currency", "weekday", "local_date"),
        *("member.id", "member.tier", "member.group"),
    }
)
_LINE_TEXTS = frozenset(["sku", "category", "brand"])
_CROWDED = 2
"""So many promotions are visited rather than divided."""

_SELECTIVE = 3
"""A key of several values must want at most one in so many: else most events reach it, and copies are in vain."""

_MAX_COPIES = 64
"""In so many buckets one promotion may stand: a key of many values is a copy in each."""

_MAX_DEPTH = 8
_MAX_MONTHS = 36


# -- what a condition cannot hold without ------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Key:
    """A path and the texts of which one must stand there (of a line's path: on at least one line).

    `settles` is the part of the condition that holds wherever one of them does, None where more is describe_condition.
    """

    path: str
    texts: frozenset[str]
    settles: Condition | None = None


def keys_of(parts: Sequence[Part]) -> Iterator[Key]:
    """Tell what a promotion, given by the parts that must all hold, cannot fire without: what the net can look up."""
    for part in parts:
        match part:
            case ActiveWindow(starts_at, ends_at) if starts_at is not None and ends_at is not None:
                yield from _months(starts_at, ends_at)
            case Comparison():
                yield from _texts(part, "", _EVENT_TEXTS, "member.tags", part)
            case LineTest() if _wants_a_line(part):
                of_line = _parts(part.lines)
                alone = part if len(of_line) == 1 and _measure(part) is None else None
                for each in of_line:
                    if isinstance(each, Comparison):
                        yield from _texts(each, _LINE, _LINE_TEXTS, "tags", alone)


def _parts_of(promotion: Promotion) -> list[Part]:
    """Take apart what it takes for a promotion to fire, but for its trigger."""
    starts_at, ends_at = promotion.starts_at, promotion.ends_at
    window = [ActiveWindow(starts_at, ends_at)] if starts_at is not None or ends_at is not None else []
    return [*window, *(_parts(promotion.when) if promotion.when is not None else ())]


def _parts(condition: Condition) -> list[Condition]:
    """Take a condition apart into what must all hold."""
    if isinstance(condition, AllOf):
        return [part for each in condition.all for part in _parts(each)]
    return [condition]


def _texts(test: Comparison, prefix: str, texts: frozenset[str], tags: str, settles: Condition | None) -> Iterator[Key]:
    wanted: tuple[Any, ...] | None = None
    if test.field in texts:
        wanted = (test.is_,) if test.is_ is not None else test.in_
    elif test.field == tags and test.has is not None:
        wanted = (test.has,)
    if wanted is not None:
        only = settles if len(test.tests()) == 1 else None
        yield Key(prefix + test.field, frozenset(each for each in wanted if isinstance(each, str)), only)


def _measure(test: LineTest) -> Measure | None:
    return test.quantity or test.count or test.value


def _wants_a_line(test: LineTest) -> bool:
    """Say whether a line test cannot hold over no lines: it has no measure, or one that must be more than zero."""
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
    """Tell the months (of UTC) that an active window touches, where it is not too long."""
    first, last = _month_number(starts_at), _month_number(ends_at)
    if last - first < _MAX_MONTHS:
        yield Key(_MONTH, frozenset(map(str, range(first, last + 1))))


def _month_number(at: datetime) -> int:
    at = at.astimezone(UTC)
    return at.year * 12 + at.month


# -- what an event has -------------------------------------------------------------------------------------------------


def _texts_at(path: str) -> Callable[[Facts], Texts]:
    """Bind a path to the different texts that an event has there."""
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


# -- the net -----------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Node:
    """A place in the net: what is visited by everybody who comes here, and by path and text what lies below."""

    entries: tuple[Candidate, ...]
    tables: tuple[tuple[str, Mapping[str | None, Bucket]], ...]


@attrs.frozen(eq=False)
class Index:
    """The net of the promotions of one trigger, and the tests that are left at its ends, each as what it asks.

    `never` are the positions of those that ask for what no event can have, a store that is the number 7.
    """

    root: Node
    tests: tuple[Predicate, ...]
    describe_condition: tuple[tuple[Part, ...], ...]
    never: tuple[int, ...]

    @classmethod
    def of(cls, promotions: Sequence[tuple[int, Promotion]]) -> "Index":
        """Build the net of promotions, each with its position."""
        builder = _Builder()
        filed = [_Filed.of(*each) for each in promotions]
        bucket = builder.bucket([each for each in filed if each.is_possible])
        root = bucket if isinstance(bucket, Node) else Node(bucket, ())
        tests = tuple(map(_bind_all, builder.tests))
        return cls(root, tests, tuple(builder.tests), tuple([each.position for each in filed if not each.is_possible]))

    def describe(self, names: Sequence[str]) -> Iterator[str]:
        """Yield the way to each promotion and what is still tested there; `names` are those of the positions."""
        yield from self._describe_node(self.root, names, "  ")
        if self.never:
            yield "  never, for no event has what they ask for:"
            yield from (f"    {names[position]}" for position in self.never)

    def _describe_node(self, node: Node, names: Sequence[str], indent: str) -> Iterator[str]:
        yield from self._describe_entries(node.entries, names, indent)
        for path, table in node.tables:
            for text, below in sorted(table.items(), key=lambda item: str(item[0])):
                yield f"{indent}where {_way(path, str(text))}:"
                if isinstance(below, Node):
                    yield from self._describe_node(below, names, indent + "  ")
                else:
                    yield from self._describe_entries(below, names, indent + "  ")

    def _describe_entries(self, entries: Sequence[Candidate], names: Sequence[str], indent: str) -> Iterator[str]:
        for position, test in entries:
            left = f" if {' and '.join(map(_asked, self.describe_condition[test]))}" if test is not None else ""
            yield f"{indent}{names[position]}{left}"

    def reached(self, facts: Facts) -> list[Candidate]:
        """Look up the event's values: give what stands there, and what is visited always; in no order."""
        found: list[Candidate] = []
        known: dict[str, Texts] = {}
        waiting = [self.root]
        for node in waiting:  # which grows
            found += node.entries
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
        """Give the positions of the promotions whose active window holds the event and whose condition holds."""
        tests = self.tests
        answers: dict[int, bool] = {}
        fired: set[int] = set()
        for position, test in self.reached(facts):
            if test is None:
                fired.add(position)
                continue
            holds = answers.get(test)
            if holds is None:
                holds = answers[test] = tests[test](facts)
            if holds:
                fired.add(position)
        return sorted(fired)


# -- building it -------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class _Filed:
    """A promotion on its way to its bucket: by what it can still be filed, and what is still to be tested."""

    position: int
    keys_of: tuple[Key, ...]
    untested: tuple[Part, ...]
    copies: int = 1

    @classmethod
    def of(cls, position: int, promotion: Promotion) -> "_Filed":
        parts = _parts_of(promotion)
        return cls(position, tuple(keys_of(parts)), tuple(parts))

    @property
    def is_possible(self) -> bool:
        """Say whether an event can have what it keys_of."""
        return all(need.texts for need in self.keys_of)

    def under(self, need: Key) -> "_Filed":
        """Give what is left once one of the texts of a need is known to be there."""
        return _Filed(
            self.position,
            tuple(each for each in self.keys_of if each is not need),
            tuple(each for each in self.untested if each is not need.settles),
            self.copies * len(need.texts),
        )


class _Builder:
    """Files promotions, and numbers the tests that are left: the same conditions are one test."""

    def __init__(self) -> None:
        self.tests: dict[tuple[Part, ...], int] = {}

    def bucket(self, filed: Sequence[_Filed], depth: int = 0) -> Bucket:
        """Divide promotions by their most selective keys, as long as they are a crowd."""
        if len(filed) <= _CROWDED or depth == _MAX_DEPTH:
            return tuple(map(self.entry, filed))
        spread = _spread(filed)
        always: list[Candidate] = []
        tables: dict[str, dict[str, list[_Filed]]] = {}
        for each in filed:
            best = _best(each, spread)
            if best is None:
                always.append(self.entry(each))
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

    def entry(self, filed: _Filed) -> Candidate:
        test = self.tests.setdefault(filed.untested, len(self.tests)) if filed.untested else None
        return filed.position, test


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


def _way(path: str, text: str) -> str:
    if path == _MONTH:
        year, month = divmod(int(text) - 1, 12)
        return f"it is {year}-{month + 1:02} in UTC"
    if path.startswith(_LINE):
        return f"a line's {path.removeprefix(_LINE)} {'have' if path.endswith('tags') else 'is'} {text}"
    return f"{path} {'have' if path.endswith('tags') else 'is'} {text}"


def _asked(part: Part) -> str:
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


def _spread(filed: Sequence[_Filed]) -> Mapping[str, int]:
    """Count the texts that stand at each path: the more there are, the fewer events reach one of them."""
    texts: dict[str, set[str]] = {}
    for each in filed:
        for need in each.keys_of:
            texts.setdefault(need.path, set()).update(need.texts)
    return {path: len(different) for path, different in texts.items()}


def _best(filed: _Filed, spread: Mapping[str, int]) -> Key | None:
    """Choose the need that the fewest events meet, of those that are worth their copies."""

    def selectivity(need: Key) -> tuple[float, str]:
        return spread[need.path] / max(len(need.texts), 1), need.path

    usable = [need for need in filed.keys_of if _is_worth_copies(len(need.texts), filed.copies, spread[need.path])]
    return max(usable, key=selectivity, default=None)


def _is_worth_copies(count: int, copies: int, spread: int) -> bool:
    return count <= 1 or (count * copies <= _MAX_COPIES and count * _SELECTIVE <= spread)
