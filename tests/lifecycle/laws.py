"""Laws: a law holds on drawn cases, and fails with a planted mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from properties.examples import examples


def holds(law: Callable[..., None], *cases: SearchStrategy[Any], tries: int) -> None:
    """Check a law on `tries` drawn cases; ``LOYALTY_EXAMPLES`` sets another number."""
    examples(tries)(given(*cases)(law))()


ROUNDS = 20


def is_broken(law: Callable[..., None], *cases: SearchStrategy[Any], tries: int) -> None:
    """Check that a law fails on one of the drawn cases, with a mistake planted.

    Hypothesis also draws the constants of the loaded modules, so one seed finds different cases in another selection of
    tests. A round of `tries` cases that finds nothing is therefore followed by a round with another seed.
    """
    once = settings(
        max_examples=tries,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )

    def all_rounds() -> None:
        for number in range(ROUNDS):
            seed(number)(once(given(*cases)(law)))()

    with pytest.raises(AssertionError):
        all_rounds()
