"""A plan is a value like any other to its host: pickled, shared between threads, and no larger after a day's sales."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import threading
import tracemalloc
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import loyalty_rules as lr
from shop import Serials, earn, lines, program, proportional, sale

CATEGORIES = 60
FIRST_DAY = date(2025, 1, 1)


def crowd() -> dict[str, Any]:
    """A program of many promotions with trackers, limits, coupons, windows and every way to file a promotion."""
    document = program(
        time_zone="America/New_York",
        trackers={"spend": {"measure": {"type": "transaction_value"}, "target": "1000"}},
        limits={"daily": {"currency": "points", "per": "member", "amount": "500"}},
        coupon_types={"gift": {"benefit": {"type": "percent_off", "percent": "10"}}},
    )
    document["promotions"] = [
        {
            "id": f"p{number}",
            "when": {
                "all": [
                    {"lines": {"field": "category", "is": f"C{number}"}},
                    {"field": "amount", "at_least": str(number % 5)},
                    *([{"field": "store", "in": ["S1", "S2"]}] if number % 2 else []),
                ]
            },
            **({"starts_at": "2025-01-01T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"} if number % 3 else {}),
            "actions": [
                earn(proportional("1.5"), rounding={"currency": "up"}),
                earn(
                    {"type": "stepped", "step_size": "7", "points_per_step": "1", "of": {"type": "line_item_value"}},
                    "steps",
                    expiry={"type": "rolling", "after": {"months": 12}},
                    timing={"type": "delayed", "days": 14},
                ),
                {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"},
            ],
        }
        for number in range(CATEGORIES)
    ]
    return document


def basket(number: int, **parts: Any) -> dict[str, Any]:
    """A sale of three lines: other categories, another store, another day for each number."""
    day = FIRST_DAY + timedelta(days=number % 400)
    return sale(
        "77.70",
        id=f"T{number}",
        occurred_at=f"{day}T10:00:00-05:00",
        store=f"S{number % 4}",
        lines=[
            {**line, "category": f"C{(number * 3 + place) % CATEGORIES}"}
            for place, line in enumerate(lines("12.30", "45.40", "20"))
        ],
        **parts,
    )


BASKETS = [lr.load_event(basket(number)) for number in range(50)]


def decided(given: lr.Program) -> list[dict[str, Any]]:
    return [lr.dump(given.evaluate(each, serials=Serials())) for each in BASKETS]


def test_a_pickled_program_and_its_plan_decide_the_same() -> None:
    loaded = lr.load_program(crowd())
    before = decided(loaded)  # which has compiled the plan
    assert sum(len(each["intents"]) for each in before) > len(BASKETS)

    again = pickle.loads(pickle.dumps(loaded))
    assert again == loaded
    assert decided(again) == before

    plan = pickle.loads(pickle.dumps(loaded.plan))
    assert plan.describe() == loaded.plan.describe()
    for each in BASKETS:
        seen = loaded.plan.facts(each, lr.Snapshot())
        assert [bound.promotion for bound in plan.fired(seen)] == [bound.promotion for bound in loaded.plan.fired(seen)]


def test_a_pickled_program_decides_the_same_in_another_process() -> None:
    loaded = lr.load_program(crowd())
    code = """
import pickle, sys
from shop import Serials
program, events = pickle.load(sys.stdin.buffer)
print([program.evaluate(each, serials=Serials()).intents for each in events])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps((loaded, BASKETS[:10])),
        cwd=Path(__file__).parents[1],
        capture_output=True,
        check=True,
    )
    here = [loaded.evaluate(each, serials=Serials()).intents for each in BASKETS[:10]]
    assert done.stdout.decode().rstrip() == str(here)


def test_threads_share_a_plan_that_none_of_them_has_compiled_yet() -> None:
    document = crowd()
    expected = decided(lr.load_program(document))
    shared = lr.load_program(document)
    start, found = threading.Barrier(8), []

    def work() -> None:
        start.wait()
        found.append([decided(shared) for _ in range(3)])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert found == [[expected] * 3] * 8


def growth(work: Any, rounds: int) -> int:
    """How many bytes more are held after some rounds of work than after the first two."""
    tracemalloc.start()
    work()
    work()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(rounds):
        work()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return after - before


LEAST = 8
"""Bytes an evaluation: any object that each of them left behind is more.

What the standard library keeps of zones, in the first thousands of evaluations, is less."""


def kept_by(evaluate: Any) -> float:
    """How many bytes are kept of each evaluation."""
    events = [lr.load_event(basket(number)) for number in range(400)]  # all days, stores and promotions

    def work() -> None:
        for each in events:
            evaluate(each)

    return growth(work, rounds=10) / (10 * len(events))


def test_evaluations_leave_memory_where_it_was() -> None:
    loaded, serials = lr.load_program(crowd()), Serials()
    assert kept_by(lambda event: loaded.evaluate(event, serials=serials)) < LEAST


def test_the_least_that_could_be_kept_is_seen() -> None:
    loaded, serials, kept = lr.load_program(crowd()), Serials(), []

    def evaluate(event: lr.Event) -> None:
        loaded.evaluate(event, serials=serials)
        kept.append(object())

    assert kept_by(evaluate) > LEAST


def test_a_plan_forgets_days_rather_than_grow() -> None:
    plan = lr.load_program(crowd()).plan
    days = [date(1970, 1, 1) + timedelta(days=number) for number in range(12_000)]
    assert growth(lambda: [plan.end_of(day) for day in days], rounds=2) < 2_000_000
    assert plan.end_of(days[0]).isoformat() == "1970-01-02T00:00:00-05:00"


# -- what is told of it -----------------------------------------------------------------------------------------------

ASKED = {
    "amount is at least 50 and is less than 100": {"field": "amount", "at_least": "50", "less_than": "100"},
    "channel is not 'web'": {"field": "channel", "is_not": "web"},
    "not (member.tags has 'staff')": {"not": {"field": "member.tags", "has": "staff"}},
    "(tip is present or tax is absent)": {"any": [{"field": "tip", "exists": True}, {"field": "tax", "exists": False}]},
    "the count of the lines where sku is 'A' must be at most 2": {
        "lines": {"field": "sku", "is": "A"},
        "count": {"at_most": 2},
    },
    "tracker spend is crossed": {"tracker": "spend", "crossed": True},
    "tracker spend is not reached": {"tracker": "spend", "reached": False},
    "member.registered_on has its anniversary (month)": {"anniversary": "member.registered_on", "unit": "month"},
}


@pytest.mark.parametrize("words", list(ASKED))
def test_what_is_asked_is_told_in_words(words: str) -> None:
    document = {**crowd(), "promotions": [{"id": "p", "when": ASKED[words], "actions": [earn(proportional("5"))]}]}
    assert lr.load_program(document).plan.describe().split("\n")[:2] == ["transaction:", f"  p if {words}"]


def test_ways_are_told_in_words() -> None:
    linen = {"lines": {"field": "tags", "has": "linen"}}
    promotions = [
        {"id": "a", "when": linen},
        {"id": "b", "when": {"all": [linen, {"field": "member.tier", "is": "gold"}]}},
        {"id": "c", "when": {"field": "member.tags", "has": "staff"}},
        {"id": "d", "starts_at": "2025-11-28T00:00:00Z", "ends_at": "2025-11-30T00:00:00Z"},
        {
            "id": "e",
            "starts_at": "2025-11-28T00:00:00Z",
            "when": {"all": [linen, {"field": "member.tier", "is": "new"}]},
        },
        {"id": "f", "when": {"field": "store", "is": 7}},
    ]
    for each in promotions:
        each["actions"] = [earn(proportional("5"))]
    ways = lr.load_program({**crowd(), "promotions": promotions}).plan.describe().partition("\nactions:")[0]
    assert (
        ways
        == """transaction:
  where a line's tags have linen:
    a
  where member.tags have staff:
    c
  where member.tier is gold:
    b if a line where tags has 'linen'
  where member.tier is new:
    e if it is 2025-11-28T00:00:00+00:00 or later and a line where tags has 'linen'
  where it is 2025-11 in UTC:
    d if it is 2025-11-28T00:00:00+00:00 or later and it is before 2025-11-30T00:00:00+00:00
  never, because no event can meet their conditions:
    f"""
    )


def test_what_actions_reckon_is_told_in_words() -> None:
    of_lines = {"type": "line_item_value", "lines": {"field": "sku", "is": "A"}, "aggregate": "each_line"}
    less = {"type": "transaction_value", "less": ["tip"]}
    actions = [
        earn({"type": "fixed", "amount": "1.50"}, "fixed"),
        earn({"type": "stepped", "step_size": "150", "points_per_step": "5"}, "steps"),
        earn(proportional("10", of_lines), "lines", rounding={"value": "nearest", "currency": "up"}),
        earn(proportional("10", less), "less", timing={"type": "external"}),
        {"type": "issue_coupon", "id": "one", "coupon_type": "gift"},
        {"type": "issue_coupon", "id": "some", "coupon_type": "gift", "quantity": proportional("1")},
    ]
    told = lr.load_program({**crowd(), "promotions": [{"id": "p", "actions": actions}]}).plan.describe()
    assert told.partition("actions:\n")[2].split("\n") == [
        "  p/fixed: a fixed 1.5 in points; immediate; never",
        "  p/steps: 5 for each whole 150 of transaction value in points; immediate; never",
        "  p/lines: 10 % of line item value (line by line), rounded (nearest), rounded (up) in points; "
        "immediate; never",
        "  p/less: 10 % of transaction value less tip in points; external; never",
        "  p/one: 1 × coupon gift; never",
        "  p/some: 1 % of transaction value rounded (nearest) × coupon gift; never",
    ]
