"""Conditions on events and on lines."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from loyalty_rules.testing.strategies.scalars import Document, amounts, days

__all__ = ["comparisons", "conditions", "line_conditions", "line_tests"]

TEXTS = {
    "store": ("S1", "S2"),
    "brand": ("acme",),
    "channel": ("web", "pos"),
    "status": ("Shipped", "placed"),
    "currency": ("USD", "EUR"),
    "member.tier": ("gold", "silver"),
    "member.group": ("G1",),
    "member.id": ("M1", "M2"),
    "weekday": ("sat", "sun", "mon"),
    "local_time": ("12:00", "17:00"),
}
LINE_TEXTS = {"sku": ("MUG", "TEA"), "category": ("FOOD", "DRINK"), "brand": ("acme",)}
NUMBERS = ("amount", "tax", "shipping", "tip", "tenders.card", "day_of_month", "month")
LINE_NUMBERS = ("value", "quantity", "unit_price", "discount")
FIELDS = ("custom_fields.tip", "extended_fields.fee", "member.extended_fields.level")
ORDER = ("at_least", "more_than", "at_most", "less_than", "is", "is_not")


def conditions(
    trackers: Sequence[str] = (),
    *,
    levels: Mapping[str, Sequence[str]] = MappingProxyType({}),
    currencies: Sequence[str] = (),
    depth: int = 2,
) -> st.SearchStrategy[Document]:
    """Draw conditions on an event with at most `depth` levels of all, any and not.

    Tracker tests are on `trackers`, tests of levels on the tiers of `levels`, balances in `currencies`.
    """
    tiers = tuple((tier, tuple(each)) for tier, each in levels.items())
    return _conditions(tuple(trackers), tiers, tuple(currencies), depth)


@cache
def _conditions(
    trackers: tuple[str, ...], tiers: tuple[tuple[str, tuple[str, ...]], ...], currencies: tuple[str, ...], depth: int
) -> st.SearchStrategy[Document]:
    leaves = [comparisons(), line_tests(), _anniversaries(), _samples(), _base_tests()]
    if tiers:
        leaves += 2 * [st.sampled_from(tiers).flatmap(_level_tests)]  # few programs have tiers
    if currencies:
        leaves.append(_numbers([f"balances.{currency}" for currency in currencies]))
    if trackers:
        test = st.sampled_from(["crossed", "reached"])
        leaves.append(st.builds(lambda name, test: {"tracker": name, test: True}, st.sampled_from(trackers), test))
    return _nested(st.one_of(leaves), depth)


@cache
def line_conditions(*, depth: int = 1) -> st.SearchStrategy[Document]:
    """Draw conditions on a line with at most `depth` levels of all, any and not."""
    leaves = [
        _texts(LINE_TEXTS),
        _numbers(LINE_NUMBERS),
        st.just({"field": "tags", "has": "sale"}),
        st.builds(lambda value: {"field": "extended_fields.nights", "at_least": value}, amounts(most=9, places=0)),
    ]
    return _nested(st.one_of(leaves), depth)


@cache
def comparisons() -> st.SearchStrategy[Document]:
    """Draw comparisons of the value at a path: texts, numbers, tags, dates, free-form fields."""
    free = st.sampled_from(FIELDS)
    return st.one_of(
        _texts(TEXTS),
        _numbers(NUMBERS),
        st.just({"field": "member.tags", "has": "staff"}),
        st.builds(lambda day: {"field": "local_date", "at_least": day.isoformat()}, days()),
        st.builds(lambda path, value: {"field": path, "at_least": value}, free, amounts(most=20)),
        st.builds(lambda path, there: {"field": path, "exists": there}, free, st.booleans()),
    )


@st.composite
def line_tests(draw: st.DrawFn) -> Document:
    """Draw tests on the matching lines: at least one, or a comparison of their quantity, value or count."""
    document: Document = {"lines": draw(line_conditions(depth=0))}
    measure = draw(st.sampled_from(["", "count", "quantity", "value"]))
    if measure:
        document[measure] = {draw(st.sampled_from(ORDER[:2])): draw(amounts(1, 9, places=0))}
    return document


def _texts(paths: dict[str, tuple[str, ...]]) -> st.SearchStrategy[Document]:
    def of_path(path: str) -> st.SearchStrategy[Document]:
        one, many = st.sampled_from(paths[path]), st.lists(st.sampled_from(paths[path]), min_size=1, unique=True)
        return st.one_of(
            st.builds(lambda text: {"field": path, "is": text}, one),
            st.builds(lambda text: {"field": path, "is_not": text}, one),
            st.builds(lambda texts: {"field": path, "in": texts}, many),
            st.builds(lambda texts: {"field": path, "not_in": texts}, many),
            st.builds(lambda text: {"field": path, "starts_with": text[0]}, one),
            st.builds(lambda one, other: {"field": path, "between": sorted((one, other))}, one, one),
        )

    return st.sampled_from(sorted(paths)).flatmap(of_path)


def _numbers(paths: Sequence[str]) -> st.SearchStrategy[Document]:
    make: Callable[[str, str, str], Document] = lambda path, operator, number: {"field": path, operator: number}  # noqa: E731
    number = amounts(most=100)
    compared = st.builds(make, st.sampled_from(paths), st.sampled_from(ORDER), number)
    ends = st.lists(number, min_size=2, max_size=2).map(lambda ends: sorted(ends, key=Decimal))
    return compared | st.builds(lambda path, ends: {"field": path, "between": ends}, st.sampled_from(paths), ends)


def _samples() -> st.SearchStrategy[Document]:
    """Draw samples of half of the members or stores."""
    paths, first = st.sampled_from(["member.id", "store"]), st.sampled_from([0, 50])
    return st.builds(lambda path, low: {"sample": path, "salt": "s", "from": low, "below": low + 50}, paths, first)


def _base_tests() -> st.SearchStrategy[Document]:
    """Draw comparisons of the bill or its lines less parts of the bill."""
    parts = st.lists(st.sampled_from(["tax", "shipping", "tenders.card"]), min_size=1, unique=True)
    kind = st.sampled_from(["transaction_value", "line_item_value"])
    base = st.builds(lambda kind, less: {"type": kind, "less": less}, kind, parts)
    return st.builds(
        lambda base, operator, number: {"base": base, operator: number},
        base,
        st.sampled_from(ORDER),
        amounts(most=100),
    )


def _level_tests(tier: tuple[str, tuple[str, ...]]) -> st.SearchStrategy[Document]:
    """Draw tests of a level of a tier, by its order or as a text."""
    name, levels = tier
    level = st.sampled_from(levels)
    return st.one_of(
        st.builds(
            lambda test, level: {"tier": name, test: level}, st.sampled_from(["at_least", "at_most", "is"]), level
        ),
        st.builds(lambda level: {"field": f"tiers.{name}", "is": level}, level),
    )


def _anniversaries() -> st.SearchStrategy[Document]:
    return st.sampled_from(["day", "month"]).map(lambda unit: {"anniversary": "member.registered_on", "unit": unit})


def _nested(leaves: st.SearchStrategy[Document], depth: int) -> st.SearchStrategy[Document]:
    if depth == 0:
        return leaves
    inner = _nested(leaves, depth - 1)
    several = st.lists(inner, min_size=1, max_size=2)
    parts: list[st.SearchStrategy[Any]] = [
        leaves,
        several.map(lambda parts: {"all": parts}),
        several.map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ]
    return st.one_of(parts)
