"""Laws: a law holds on drawn cases, and fails with a planted mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from properties.examples import examples


def holds(law: Callable[..., None], *cases: SearchStrategy[Any], tries: int) -> None:
    """Check a law on `tries` drawn cases; ``LOYALTY_EXAMPLES`` sets another number."""
    examples(tries)(given(*cases)(law))()


def is_broken(law: Callable[..., None], *cases: SearchStrategy[Any], tries: int) -> None:
    """Check that a law fails on one of `tries` cases, with a mistake planted."""
    once = settings(
        max_examples=tries,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises(AssertionError):
        once(given(*cases)(law))()
