"""The compiled program: its look-ups and its description, pickling, threads and memory."""

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
from loyalty_rules.ledger import MemoryLedger
from shop import Serials, earn, lines, program, proportional, sale

CATEGORIES = 60
FIRST_DAY = date(2025, 1, 1)


def crowd() -> dict[str, Any]:
    """Build a program of many promotions with trackers, limits, coupons, windows and every kind of key of the index."""
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
    """Build a sale of three lines; the number determines the categories, the store and the day."""
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


def test_a_pickled_program_and_its_plan_evaluate_to_the_same() -> None:
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


def test_a_pickled_program_evaluates_to_the_same_in_another_process() -> None:
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


def test_threads_may_share_a_program_before_it_is_compiled() -> None:
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
    """Return the bytes allocated after some rounds of work, less those after the first two."""
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


MAX_BYTES = 8
"""The maximum of bytes per evaluation: an object that each of them left behind would be more.

The caches of time zones of the standard library are less, over thousands of evaluations."""


def bytes_kept_by(evaluate: Any) -> float:
    """Return the bytes that remain allocated after an evaluation, on average."""
    events = [lr.load_event(basket(number)) for number in range(400)]  # all days, stores and promotions

    def work() -> None:
        for each in events:
            evaluate(each)

    return growth(work, rounds=10) / (10 * len(events))


@pytest.mark.slow
def test_evaluations_leave_no_memory_allocated() -> None:
    loaded, serials = lr.load_program(crowd()), Serials()
    assert bytes_kept_by(lambda event: loaded.evaluate(event, serials=serials)) < MAX_BYTES


@pytest.mark.slow
def test_one_object_per_evaluation_is_detected() -> None:
    loaded, serials, kept = lr.load_program(crowd()), Serials(), []

    def evaluate(event: lr.Event) -> None:
        loaded.evaluate(event, serials=serials)
        kept.append(object())

    assert bytes_kept_by(evaluate) > MAX_BYTES


@pytest.mark.slow
def test_the_cache_of_days_does_not_grow_without_a_limit() -> None:
    plan = lr.load_program(crowd()).plan
    days = [date(1970, 1, 1) + timedelta(days=number) for number in range(12_000)]
    assert growth(lambda: [plan.end_of(day) for day in days], rounds=2) < 2_000_000
    assert plan.end_of(days[0]).isoformat() == "1970-01-02T00:00:00-05:00"


# -- look-ups ----------------------------------------------------------------------------------------------------------


def test_an_action_is_found_by_its_key() -> None:
    plan = lr.load_program(crowd()).plan
    action = plan.action("p7/steps")
    assert (action.key, action.action.id) == ("p7/steps", "steps")
    assert action is plan.action("p7/steps")
    assert action is plan.promotions[7].actions[1]


@pytest.mark.parametrize("key", ["p7/unknown", "unknown/steps", "p7", ""])
def test_an_unknown_action_is_a_look_up_error(key: str) -> None:
    with pytest.raises(LookupError, match=f"the program has no action {key}"):
        lr.load_program(crowd()).plan.action(key)


class UniterablePromotions(tuple):
    """The promotions of a plan, which are looked up by position; an iteration over all of them is an error."""

    def __iter__(self) -> Any:
        raise AssertionError("an iteration over all promotions")


def test_a_return_does_not_iterate_over_all_promotions() -> None:
    document = program(coupon_types={"gift": {"benefit": {"type": "percent_off", "percent": "10"}}})
    give = {"type": "issue_coupon", "id": "give", "coupon_type": "gift"}
    document["promotions"] = [
        {
            "id": f"p{number}",
            "when": {"field": "store", "is": f"S{number}"},
            "actions": [earn(proportional("10")), give],
        }
        for number in range(1_000)
    ]
    loaded, ledger = lr.load_program(document), MemoryLedger()
    ledger.process(loaded, lr.load_event(sale("50", store="S999")), serials=Serials())
    back = {"type": "return", "id": "R-1", "occurred_at": "2025-01-16T10:00:00Z", "of": "T-1", "amount": "50"}

    loaded.plan.promotions = UniterablePromotions(loaded.plan.promotions)
    receipt = ledger.process(loaded, lr.load_event(back))

    assert [intent.type for intent in receipt.intents] == ["reverse_currency", "void_coupon"]
    with pytest.raises(AssertionError, match="an iteration"):
        list(loaded.plan.promotions)


def test_promotions_fire_in_the_order_of_the_document() -> None:
    """The sale has lines of the categories 0, 1 and 2, and so reaches p1, which requires another store too."""
    plan = lr.load_program(crowd()).plan
    facts = plan.facts(BASKETS[0], lr.Snapshot())
    assert [bound.promotion.id for bound in plan.fired(facts)] == ["p0", "p2"]
    assert [bound.promotion.id for bound in plan.reached(facts)] == ["p0", "p1", "p2"]


def test_an_event_of_another_type_reaches_no_promotion() -> None:
    plan = lr.load_program(crowd()).plan
    visit = lr.load_event({"type": "visit", "id": "V-1", "occurred_at": "2025-01-15T10:00:00Z"})
    facts = plan.facts(visit, lr.Snapshot())
    assert (plan.reached(facts), plan.fired(facts)) == ([], [])


def test_the_counters_of_an_event_are_of_trackers_and_reached_promotions_without_repetition() -> None:
    plan = lr.load_program(crowd()).plan
    names = [counter.name for counter in plan.counters(plan.facts(BASKETS[0], lr.Snapshot()))]
    assert names == ["tracker/spend/M1/lifetime", "limit/daily/M1/lifetime"]


def test_a_day_begins_and_ends_at_midnight_of_the_programs_zone() -> None:
    plan = lr.load_program(crowd()).plan
    assert plan.start_of(date(2025, 3, 9)).isoformat() == "2025-03-09T00:00:00-05:00"
    assert plan.end_of(date(2025, 3, 9)).isoformat() == "2025-03-10T00:00:00-04:00"


def test_equal_policies_of_different_promotions_are_bound_once() -> None:
    plan = lr.load_program(crowd()).plan
    first, last = plan.action("p0/steps"), plan.action("p59/steps")
    assert first.award is last.award
    assert first.until is last.until


def test_an_award_over_other_lines_has_the_same_calculation_and_other_parts() -> None:
    def of(sku: str) -> dict[str, Any]:
        return proportional("10", {"type": "line_item_value", "lines": {"field": "sku", "is": sku}})

    plan = lr.load_program(program(earn(of("TEA"), "tea"), earn(of("MUG"), "mug"))).plan
    tea, mug = plan.action("p/tea").award, plan.action("p/mug").award
    assert tea.amount_of is mug.amount_of
    assert tea.parts is not mug.parts


# -- the description ---------------------------------------------------------------------------------------------------

REQUIREMENTS = {
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


@pytest.mark.parametrize("words", list(REQUIREMENTS))
def test_the_remaining_tests_are_described_in_words(words: str) -> None:
    document = {
        **crowd(),
        "promotions": [{"id": "p", "when": REQUIREMENTS[words], "actions": [earn(proportional("5"))]}],
    }
    assert lr.load_program(document).plan.describe().split("\n")[:2] == ["transaction:", f"  p if {words}"]


def test_the_paths_through_the_index_are_described_in_words() -> None:
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
    paths = lr.load_program({**crowd(), "promotions": promotions}).plan.describe().partition("\nactions:")[0]
    assert (
        paths
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


def test_the_calculations_of_actions_are_described_in_words() -> None:
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
    described = lr.load_program({**crowd(), "promotions": [{"id": "p", "actions": actions}]}).plan.describe()
    assert described.partition("actions:\n")[2].split("\n") == [
        "  p/fixed: a fixed 1.5 in points; immediate; never",
        "  p/steps: 5 for each whole 150 of transaction value in points; immediate; never",
        "  p/lines: 10 % of line item value (line by line), rounded (nearest), rounded (up) in points; "
        "immediate; never",
        "  p/less: 10 % of transaction value less tip in points; external; never",
        "  p/one: 1 × coupon gift; never",
        "  p/some: 1 % of transaction value rounded (nearest) × coupon gift; never",
    ]
