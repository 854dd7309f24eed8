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
        cwd=Path(__file__).parent,
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
