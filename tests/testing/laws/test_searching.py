"""A search ends after its examples or its time, is repeatable, and ends at the simplest counterexample."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.testing import laws
from loyalty_rules.testing.laws import Counterexample, LawBroken, assert_laws, searching
from loyalty_rules.testing.laws.searching import Effort, search, search_narrowing
from shop import earn, program, proportional

from .proofs import DOWN, ROUNDED_UP, broken


def found_at(amount: int) -> Counterexample:
    return Counterexample("splitting", f"broken at {amount}", ({"amount": str(amount)},))


def test_a_search_ends_at_the_simplest_counterexample() -> None:
    found = search(st.integers(0, 1000), lambda number: found_at(number) if number >= 17 else None, Effort(200))

    assert found == found_at(17)


def test_a_search_without_a_counterexample_returns_none_after_its_examples() -> None:
    tried: list[int] = []

    assert search(st.integers(0, 10**12), tried.append, Effort(30)) is None
    assert len(tried) == 30


def test_an_error_ends_a_search() -> None:
    def fail(_example: int) -> Counterexample | None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        search(st.integers(), fail, Effort(30), shrink=False)


def test_a_search_without_shrinking_returns_a_counterexample_as_it_was_drawn() -> None:
    seen: list[Counterexample] = []

    def broken(number: int) -> Counterexample | None:
        if number >= 17:
            seen.append(found_at(number))
        return seen[-1] if number >= 17 else None

    found = search(st.integers(0, 1000), broken, Effort(200), shrink=False)

    assert found is not None
    assert found in seen


def test_a_narrowing_search_goes_below_a_gap_between_broken_amounts() -> None:
    """Only 3 and 900 break the law, and no example lies between 4 and 900."""

    def amounts_up_to(most: Decimal) -> st.SearchStrategy[int]:
        return st.sampled_from([900] if most >= 900 else [number for number in (1, 2, 3, 4) if number <= most])

    found = search_narrowing(amounts_up_to, lambda number: found_at(number) if number in (3, 900) else None, Effort(20))

    assert found == found_at(3)


@pytest.mark.slow
def test_a_search_finds_the_same_receipts_every_time() -> None:
    assert broken(ROUNDED_UP, "splitting") == broken(ROUNDED_UP, "splitting")


def numbers_tried(seed: int) -> list[int]:
    tried: list[int] = []
    search(st.integers(0, 10**12), tried.append, laws.Effort(30, seed=seed))
    return tried


def test_another_seed_tries_other_examples() -> None:
    assert numbers_tried(0) == numbers_tried(0) != numbers_tried(1)


# -- time ------------------------------------------------------------------------------------------------------------


class Clock:
    """A clock that advances by a step at each reading, and fails at the reading of a limit."""

    def __init__(self, step: float, limit: int = 1_000) -> None:
        self.step, self.limit, self.readings = step, limit, 0

    def monotonic(self) -> float:
        self.readings += 1
        assert self.readings < self.limit, "the search does not end"
        return self.readings * self.step


@pytest.mark.slow
def test_a_search_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(0.01)
    monkeypatch.setattr(searching, "time", clock)
    shop = lr.load_program(program(earn(proportional("10"), rounding=DOWN)))

    assert_laws(shop, laws=["splitting", "more"], seconds=0.6)

    assert 60 <= clock.readings <= 66  # 0.3 seconds for each of the two laws


def test_a_search_does_not_end_while_its_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "time", Clock(0, limit=200))  # three times the readings above
    shop = lr.load_program(program(earn(proportional("10"), rounding=DOWN)))

    with pytest.raises(AssertionError, match="the search does not end"):
        assert_laws(shop, laws=["splitting"], seconds=0.6)


def test_a_search_by_time_finds_a_counterexample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "time", Clock(0.01))

    with pytest.raises(LawBroken):
        assert_laws(lr.load_program(ROUNDED_UP), laws=["splitting"], seconds=5)


# -- effort ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effort", [{"examples": 0}, {"seconds": 0}, {"seconds": -1.5}, {"seconds": float("inf")}])
def test_an_effort_without_examples_or_without_an_end_is_refused(effort: dict) -> None:
    with pytest.raises(lr.InvalidValueError, match="expected"):
        assert_laws(lr.load_program(ROUNDED_UP), **effort)


def test_laws_share_the_time_and_each_has_all_the_examples() -> None:
    assert Effort(100, seconds=6.0, seed=1).shared_by(4) == Effort(100, seconds=1.5, seed=1)


@pytest.mark.parametrize(("effort", "count"), [(Effort(100), 4), (Effort(100, seconds=6.0), 0)])
def test_an_effort_without_a_time_or_without_laws_is_not_divided(effort: Effort, count: int) -> None:
    assert effort.shared_by(count) == effort


def test_a_day_is_the_longest_search() -> None:
    Effort(seconds=86_400).check()
    with pytest.raises(lr.InvalidValueError, match="at most 86,400, found 86401"):
        Effort(seconds=86_401).check()
