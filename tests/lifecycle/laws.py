"""Trying a law on drawn cases, and showing that the law would catch the mistake that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from properties.examples import examples


def holds(law: Callable[..., None], *cases: SearchStrategy[Any], tries: int) -> None:
    """Try a law on so many cases, always the same ones unless ``LOYALTY_EXAMPLES`` says how many."""
    examples(tries)(given(*cases)(law))()


def is_broken(law: Callable[..., None], *cases: SearchStrategy[Any], tries: int) -> None:
    """The control: with the mistake in place the law must fail on one of so many cases."""
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
