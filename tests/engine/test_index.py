"""The index of promotions: keys of conditions, and the promotions that an event reaches and fires."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.engine.index import ActiveWindow, Index, Key, keys_of
from loyalty_rules.rules.facts import Facts
from shop import earn, fixed, lines, program, sale


def promotions(*parts: dict[str, Any]) -> tuple:
    document = program()
    document["promotions"] = [
        {"id": f"p{number}", **each, "actions": [earn(fixed("1"))]} for number, each in enumerate(parts)
    ]
    return lr.load_program(document).promotions


def condition(document: dict[str, Any]):
    return promotions({"when": document})[0].when


def index_of(*parts: dict[str, Any]) -> Index:
    return Index.of(list(enumerate(promotions(*parts))))


def facts_of(**event: Any) -> Facts:
    return lr.load_program(program()).plan.facts(lr.load_event(sale(**event)), lr.Snapshot())


def keys(document: dict[str, Any]) -> list[tuple[str, set[str], bool]]:
    """Return the keys of a condition: path, texts, and whether they imply a part of it."""
    return [(key.path, set(key.texts), key.implies is not None) for key in keys_of([condition(document)])]


def line_test(**measure: Any) -> dict[str, Any]:
    return {"lines": {"field": "sku", "is": "TEA"}, **measure}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"field": "store", "is": "S1"}, [("store", {"S1"}, True)]),
        ({"field": "store", "in": ["S1", "S2"]}, [("store", {"S1", "S2"}, True)]),
        ({"field": "store", "in": ["S1", "S2"], "is_not": "S2"}, [("store", {"S1", "S2"}, False)]),
        ({"field": "store", "is_not": "S1"}, []),
        ({"field": "store", "is": 7}, [("store", set(), True)]),
        ({"field": "amount", "is": "5"}, []),
        ({"field": "member.tags", "has": "staff"}, [("member.tags", {"staff"}, True)]),
        ({"not": {"field": "store", "is": "S1"}}, []),
        ({"any": [{"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]}, []),
        (line_test(), [("lines.sku", {"TEA"}, True)]),
        ({"lines": {"field": "tags", "has": "bio"}}, [("lines.tags", {"bio"}, True)]),
        (line_test(count={"at_least": 1}), [("lines.sku", {"TEA"}, False)]),
        (line_test(count={"at_least": 0}), []),
        (line_test(count={"more_than": 0}), [("lines.sku", {"TEA"}, False)]),
        (line_test(value={"at_least": "0.01"}), [("lines.sku", {"TEA"}, False)]),
        (line_test(value={"more_than": "-1"}), []),
        (line_test(quantity={"at_most": 3}), []),
        (
            {"lines": {"all": [{"field": "sku", "is": "TEA"}, {"field": "brand", "is": "acme"}]}},
            [("lines.sku", {"TEA"}, False), ("lines.brand", {"acme"}, False)],
        ),
    ],
)
def test_the_keys_of_a_condition(document: dict[str, Any], expected: list) -> None:
    assert keys(document) == expected


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "months"),
    [
        (datetime(2025, 11, 28, tzinfo=UTC), datetime(2025, 11, 30, tzinfo=UTC), {"2025-11"}),
        (datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), {"2025-12", "2026-01"}),
        (datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC), 36),
        (datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC), None),
        (datetime(2025, 1, 1, tzinfo=UTC), None, None),
        (None, datetime(2025, 1, 1, tzinfo=UTC), None),
    ],
)
def test_an_active_window_of_up_to_36_months_is_a_key(
    starts_at: datetime | None, ends_at: datetime | None, months: Any
) -> None:
    found = list(keys_of([ActiveWindow(starts_at, ends_at)]))
    if months is None:
        assert found == []
        return
    (key,) = found
    assert (key.path, key.implies) == ("month in UTC", None)
    if isinstance(months, int):
        assert len(key.texts) == months
    else:
        years_and_months = [each.split("-") for each in months]
        assert key.texts == {str(int(year) * 12 + int(month)) for year, month in years_and_months}


def test_an_event_reaches_only_the_promotions_of_its_own_texts() -> None:
    index = index_of(*({"when": {"field": "store", "is": f"S{number}"}} for number in range(100)))
    assert index.reached(facts_of(store="S42")) == [(42, None)]
    assert index.fired(facts_of(store="S42")) == [42]
    assert index.reached(facts_of(store="elsewhere")) == []
    assert index.reached(facts_of()) == []


def test_a_promotion_without_a_key_is_a_candidate_of_every_event() -> None:
    index = index_of({}, *({"when": {"field": "store", "is": f"S{number}"}} for number in range(3)))
    assert index.fired(facts_of()) == [0]
    assert index.fired(facts_of(store="S1")) == [0, 2]


def test_a_promotion_that_several_lines_reach_fires_once() -> None:
    tea = {"when": {"lines": {"field": "sku", "in": ["TEA", "MUG"]}}}
    others = [{"when": {"lines": {"field": "sku", "is": f"X{number}"}}} for number in range(9)]
    basket = [{**line, "sku": sku} for line, sku in zip(lines("5", "5"), ("TEA", "MUG"), strict=True)]
    assert index_of(tea, *others).fired(facts_of(lines=basket)) == [0]


def test_equal_remaining_tests_are_bound_once() -> None:
    large = {"field": "amount", "at_least": "50"}
    index = index_of(*({"when": {"all": [{"field": "store", "is": f"S{n}"}, large]}} for n in range(10)))
    assert len(index.tests) == 1
    assert index.fired(facts_of(amount="50", store="S3")) == [3]
    assert index.fired(facts_of(amount="49.99", store="S3")) == []


def test_a_remaining_test_is_evaluated_once_for_an_event() -> None:
    index = index_of(*({"when": {"field": "amount", "at_least": "50"}} for _ in range(10)))
    evaluated = []

    def counted(facts: Facts) -> bool:
        evaluated.append(facts)
        return True

    object.__setattr__(index, "tests", (counted,))
    assert index.fired(facts_of()) == list(range(10))
    assert len(evaluated) == 1


def test_a_promotion_that_no_event_can_meet_is_listed_as_such() -> None:
    index = index_of({"when": {"field": "store", "is": 7}}, {})
    assert index.never == (0,)
    assert index.fired(facts_of(store="7")) == [1]
    assert list(index.describe(["seven", "all"])) == [
        "  all",
        "  never, because no event can meet their conditions:",
        "    seven",
    ]


@pytest.mark.parametrize(
    ("at", "fired"),
    [
        ("2025-11-28T00:00:00Z", [0]),
        ("2025-11-27T23:59:59Z", []),
        ("2025-11-29T23:59:59Z", [0]),
        ("2025-11-30T00:00:00Z", []),
        ("2025-11-30T00:30:00+01:00", [0]),
    ],
)
def test_a_window_contains_its_start_and_not_its_end(at: str, fired: list[int]) -> None:
    index = index_of({"starts_at": "2025-11-28T00:00:00Z", "ends_at": "2025-11-30T00:00:00Z"})
    assert index.fired(facts_of(occurred_at=at)) == fired


def test_a_key_of_many_texts_among_few_is_not_used() -> None:
    """Of three stores, a promotion in two of them is reached by most events; a copy for each store saves nothing."""
    stores = [{"when": {"field": "store", "is": f"S{n}"}} for n in range(3)]
    index = index_of({"when": {"field": "store", "in": ["S0", "S1"]}}, *stores)
    assert (0, 0) in index.reached(facts_of(store="S2"))
    assert index.fired(facts_of(store="S2")) == [3]
    assert index.fired(facts_of(store="S1")) == [0, 2]


def test_keys_are_equal_by_identity() -> None:
    assert Key("store", frozenset(["S1"])) != Key("store", frozenset(["S1"]))
