"""The search for a counterexample: by a number of examples or a time, then shrunk to the simplest."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import attrs
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.values.amounts import MICRO, decimal_of, micros

__all__ = ["EFFORT", "EXAMPLES", "Effort", "search", "search_narrowing"]

Example = TypeVar("Example")

EXAMPLES = 1_000
MAX_SECONDS = 86_400
MAX_AMOUNT = Decimal(1_000)
_BATCH = 250
_MAX_NARROWINGS = 6
_CENT = MICRO // 100


@attrs.frozen
class Effort:
    """The effort of a search: at most `examples`, or `seconds` if given; shrinking takes extra time.

    The same number of examples tries the same ones every time; another `seed` tries others.
    """

    examples: int = EXAMPLES
    seconds: float | None = None
    seed: int = 0

    def check(self) -> None:
        """Raise `InvalidValueError` for an effort out of its range."""
        if self.examples < 1:
            raise InvalidValueError("examples", "out_of_range", f"expected 1 or more, found {self.examples}")
        if self.seconds is not None and not 0 < self.seconds <= MAX_SECONDS:
            most = f"expected more than 0 and at most {MAX_SECONDS:,}"
            raise InvalidValueError("seconds", "out_of_range", f"{most}, found {self.seconds:g}")

    def shared_by(self, count: int) -> "Effort":
        """Return the effort of one of `count` searches: an equal part of the time, and all the examples."""
        return attrs.evolve(self, seconds=self.seconds / count) if self.seconds is not None and count else self


EFFORT = Effort()
_BRIEFLY = 200


class _Broken(Exception):
    def __init__(self, counterexample: Counterexample) -> None:
        self.counterexample = counterexample
        super().__init__(counterexample.sentence)


def search(
    strategy: st.SearchStrategy[Example],
    broken: Callable[[Example], Counterexample | None],
    effort: Effort,
    *,
    shrink: bool = True,
) -> Counterexample | None:
    """Return the simplest counterexample that `broken` finds in examples of the strategy, or None.

    An error that `broken` raises ends the search, at once without `shrink`.
    """
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    if effort.seconds is None:
        return _batch(strategy, broken, phases, effort.examples, effort.seed)
    deadline, number = time.monotonic() + effort.seconds, effort.seed
    while time.monotonic() < deadline:
        counterexample = _batch(strategy, broken, phases, _BATCH, number, deadline)
        if counterexample is not None:
            return counterexample
        number += 1
    return None


def search_narrowing(
    strategy_up_to: Callable[[Decimal], st.SearchStrategy[Example]],
    broken: Callable[[Example], Counterexample | None],
    effort: Effort,
    most: Decimal = MAX_AMOUNT,
) -> Counterexample | None:
    """Search among receipts up to `most`; then search among smaller ones until they keep the law.

    Rounding breaks laws at some amounts only, and shrinking alone stops at the first gap between them.
    """
    found, briefly = search(strategy_up_to(most), broken, effort), Effort(_BRIEFLY, seed=effort.seed)
    for _ in range(_MAX_NARROWINGS):
        amount = _amount(found) if found is not None else 0
        step = _CENT if amount % MICRO else MICRO  # a whole amount is simpler than any with cents
        if amount <= step:
            break
        narrower = search(strategy_up_to(decimal_of(amount - step)), broken, briefly)
        if narrower is None or _amount(narrower) >= amount or _amount(narrower) % step:
            break
        found = narrower
    return found


def _amount(counterexample: Counterexample) -> int:
    """Return the amount of the first receipt of a counterexample, in millionths."""
    return micros(Decimal(counterexample.receipts[0]["amount"]))


class _TimeIsUp(BaseException):
    pass


def _batch(
    strategy: st.SearchStrategy[Example],
    broken: Callable[[Example], Counterexample | None],
    phases: list[Phase],
    examples: int,
    number: int,
    deadline: float | None = None,
) -> Counterexample | None:
    seen = False

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=phases,
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def law(example: Example) -> None:
        nonlocal seen
        if deadline is not None and not seen and time.monotonic() > deadline:
            raise _TimeIsUp
        counterexample = broken(example)
        if counterexample is not None:
            seen = True
            raise _Broken(counterexample)

    try:
        law()
    except _Broken as error:
        return error.counterexample
    except _TimeIsUp:
        return None
    return None
