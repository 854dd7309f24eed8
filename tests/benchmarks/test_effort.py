"""A guard against slower evaluation that counts work and reads no clock: multiples of hand-written code.

The recorded figures are those of the present engine. A change that costs more than the margin fails here. A change that
saves more must record its new figure, so that a later loss is seen.
"""

from __future__ import annotations

from collections.abc import Callable

import effort
import hand_written
import pytest
import workload

import loyalty_rules as lr
from loyalty_rules import program as programs
from loyalty_rules.engine import explanation, index
from loyalty_rules.engine import plan as plans

RECORDED = {10: (1.58, 2.50), workload.ALL_MATCH: (1.53, 2.94)}
"""By size: Python instructions and calls into C, as multiples of the hand-written code.

CPython 3.11 to 3.13 differ by 3 % in the first, and not at all in the second."""

MARGIN = 1.03
GROWTH = 0.9
"""The maximum ratio of instructions: a sale under 1,000 promotions to a sale under 10; about three match in each."""


def effort_of(evaluate: Callable[[lr.Transaction], object], size: int) -> tuple[int, int]:
    """Count instructions and calls into C for thirty sales, after a first round that fills the caches."""
    sales = workload.sales_of(size, 30)

    def work() -> None:
        for sale in sales:
            evaluate(sale)

    work()
    effort.instructions(work)  # a Python that has not traced before may miss the first calls
    return effort.instructions(work).total(), effort.calls_into_c(work).total()


def multiples(size: int) -> tuple[float, float]:
    """Return the work of the engine as multiples of the hand-written code: instructions, and calls into C."""
    rules = workload.rules_of(size)
    ours = effort_of(workload.program_of(rules).evaluate, size)
    by_hand = effort_of(hand_written.indexed(rules), size)
    return ours[0] / by_hand[0], ours[1] / by_hand[1]


def growth() -> float:
    """Return the instructions for a sale under 1,000 promotions, as a multiple of those under 10."""
    few, many = (effort_of(workload.program_of(workload.rules_of(size)).evaluate, size)[0] for size in (10, 1_000))
    return many / few


@pytest.mark.parametrize("size", list(RECORDED))
def test_a_sale_takes_the_recorded_work(size: int) -> None:
    for found, recorded in zip(multiples(size), RECORDED[size], strict=True):
        assert recorded / MARGIN < found < recorded * MARGIN, (
            f"found {found:.3f}, expected {recorded} within {MARGIN}; record it if the change is intended"
        )


def test_a_hundred_times_as_many_promotions_take_no_more_work() -> None:
    assert growth() < GROWTH


# -- controls: the guard detects extra work ----------------------------------------------------------------------------


def every_step_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "Evaluator", explanation._TracedEvaluator)


def ends_of_days_are_not_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans.Plan, "end_of", lambda plan, day: plans.day_after(day, plan.zone))


def an_award_is_calculated_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def stepwise(*terms: object) -> Callable[[int, int], int]:
        steps = plans.bind_steps(*terms)
        return lambda numerator, denominator: hold(steps((numerator, denominator)))

    def hold(amount: tuple[int, int]) -> int:
        return (2_000_000 * amount[0] + amount[1]) // (2 * amount[1])

    monkeypatch.setattr(plans, "bind_amount", stepwise)


@pytest.mark.parametrize(
    "plant",
    [every_step_is_traced, ends_of_days_are_not_cached, an_award_is_calculated_step_by_step],
    ids=lambda plant: plant.__name__,
)
def test_the_guard_detects(plant: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    found, recorded = multiples(workload.ALL_MATCH), RECORDED[workload.ALL_MATCH]
    assert found[0] > recorded[0] * MARGIN or found[1] > recorded[1] * MARGIN


@pytest.mark.slow
def test_the_guard_detects_an_index_that_divides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_MAX_UNDIVIDED", 10**9)
    assert growth() > 2 * GROWTH
