"""A plan finds the same promotions as a test of each one, in programs with many of them.

The other laws draw programs of three or four promotions, which hardly divide a bucket of the index. Here there are
dozens, and their conditions use the keys of the index. The bugs below are planted in the index; the law finds each.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from lifecycle.laws import is_broken
from loyalty_rules.engine import index
from loyalty_rules.rules.facts import Facts
from reference import documents, drawn_conditions, drawn_programs, facts, interpreter
from reference.pools import BRANDS, CATEGORIES, GROUPS, LINE_TAGS, SKUS, STORES, TAGS, TIERS, Drawer

from .examples import examples

TEXTS = {"store": STORES, "brand": BRANDS, "member.tier": TIERS, "member.group": GROUPS}
LINE_TEXTS = {"sku": SKUS, "category": CATEGORIES, "brand": BRANDS}
WINDOWS = (
    {"starts_at": "2025-01-01T00:00:00Z", "ends_at": "2025-03-01T00:00:00-05:00"},
    *drawn_programs.ACTIVE_WINDOWS,
)
EARN = {
    "type": "issue_currency",
    "id": "earn",
    "currency": "points",
    "proration": {"type": "fixed", "amount": "1"},
    "expiry": {"type": "never"},
}


@st.composite
def crowds(draw: Callable) -> tuple[dict, dict]:
    """Draw a program of three to forty promotions, and an event."""
    d = Drawer(draw)
    program = drawn_programs.program(d)
    trackers = tuple(program.get("trackers") or ())
    program["currencies"] = {"points": {}, **program["currencies"]}  # a limit in money needs its rate
    program["promotions"] = [
        {
            "id": f"p{number}",
            "actions": [EARN],
            **({"trigger": "check_in"} if d.chance(10) else {}),
            **({"when": wanted(d, trackers)} if d.chance(90) else {}),
            **(d.pick(WINDOWS) if d.chance(30) else {}),
        }
        for number in range(d.pick((3, 9, 40)))
    ]
    return program, draw(documents.events(program))


def wanted(d: Drawer, trackers: tuple[str, ...]) -> dict:
    """Draw a condition on texts, on lines with texts, on other fields, or on several of these."""
    kinds = (
        lambda: one_of(d, TEXTS),
        lambda: {"field": "member.tags", "has": d.pick(TAGS)},
        lambda: line_test(d),
        lambda: drawn_conditions.condition(d, trackers, depth=1),
    )
    parts = [d.pick(kinds)() for _ in range(d.number(1, 3))]
    return parts[0] if len(parts) == 1 else {"all": parts}


def one_of(d: Drawer, paths: dict) -> dict:
    path = d.pick(tuple(paths))
    if d.chance(30):
        return {"field": path, "in": d.some(paths[path], 1, 3), **({"is_not": "x"} if d.chance(30) else {})}
    return {"field": path, "is": d.pick(paths[path])}


def line_test(d: Drawer) -> dict:
    line = {"field": "tags", "has": d.pick(LINE_TAGS)} if d.chance(20) else one_of(d, LINE_TEXTS)
    if d.chance(30):
        line = {"all": [line, one_of(d, LINE_TEXTS)]}
    measure = {d.pick(("count", "value", "quantity")): {d.pick(("at_least", "at_most")): d.pick((0, 1, 2))}}
    return {"lines": line, **(measure if d.chance(40) else {})}


def check(case: tuple[dict, dict]) -> None:
    program, event = case
    plan = lr.load_program(program).plan
    seen = facts.gather(program, event, None)
    seen.contributions = {
        name: interpreter.contribution(tracker, seen) for name, tracker in (program.get("trackers") or {}).items()
    }
    fired = plan.fired(plan.facts(lr.load_event(event), lr.Snapshot()))
    expected = [each["id"] for each in program["promotions"] if interpreter.fires(each, seen)]
    assert [each.promotion.id for each in fired] == expected


@examples(300)
@given(crowds())
@pytest.mark.slow
def test_the_plan_finds_the_same_promotions_as_a_test_of_each(case: tuple[dict, dict]) -> None:
    check(case)


@examples(100)
@given(crowds())
@pytest.mark.slow
def test_a_description_lists_the_path_to_each_promotion_and_each_action(case: tuple[dict, dict]) -> None:
    program = lr.load_program(case[0])
    paths, _, actions = program.plan.describe().partition("\nactions:\n")
    listed = {line.split()[0] for line in paths.split("\n") if line.startswith("  ") and not line.endswith(":")}
    assert listed == {each.id for each in program.promotions}
    assert [line.split(":")[0].strip() for line in actions.split("\n")] == [
        f"{each.id}/earn" for each in program.promotions
    ]


# -- planted bugs --------------------------------------------------------------------------------------------------


def one_of_several_texts_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    keys_of = index.keys_of

    def losing(parts: object) -> object:
        for key in keys_of(parts):
            yield attrs.evolve(key, texts=frozenset(sorted(key.texts)[:1]))

    monkeypatch.setattr(index, "keys_of", losing)


def too_much_is_implied(monkeypatch: pytest.MonkeyPatch) -> None:
    keys_of = index.keys_of
    monkeypatch.setattr(
        index, "keys_of", lambda parts: (attrs.evolve(key, implies=key.implies or parts[-1]) for key in keys_of(parts))
    )


def a_line_test_that_holds_without_lines_is_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_requires_line", lambda _test: True)


def one_of_many_promotions_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = index.Index.reached
    monkeypatch.setattr(index.Index, "reached", lambda promotions, seen: reached(promotions, seen)[:4])


def only_the_first_line_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    def texts_at(name: str) -> Callable[[Facts], set]:
        return lambda seen: {getattr(line, name) for line in seen.event_lines[:1]}

    for name in LINE_TEXTS:
        monkeypatch.setitem(index._TEXTS, f"lines.{name}", texts_at(name))


def windows_are_not_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_bind_window", lambda _window: lambda _facts: True)


@pytest.mark.parametrize(
    "plant",
    [
        one_of_several_texts_is_lost,
        too_much_is_implied,
        a_line_test_that_holds_without_lines_is_indexed,
        one_of_many_promotions_is_dropped,
        only_the_first_line_is_tested,
        windows_are_not_tested,
    ],
    ids=lambda plant: plant.__name__,
)
@pytest.mark.slow
def test_the_law_finds_a_bug_of_the_index(plant: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    is_broken(check, crowds(), tries=500)
