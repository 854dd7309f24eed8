"""How many examples a law is tried on, and which."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WANTED = os.environ.get("LOYALTY_EXAMPLES")
SEED = int(os.environ.get("LOYALTY_SEED", 0))
SAME_EVERY_TIME = not {"LOYALTY_EXAMPLES", "LOYALTY_SEED"} & {*os.environ}


def examples(in_ci: int) -> settings:
    """So many examples, or as many as ``LOYALTY_EXAMPLES`` says; the same ones unless it or ``LOYALTY_SEED`` is set."""
    return settings(
        max_examples=int(WANTED) if WANTED else in_ci,
        derandomize=SAME_EVERY_TIME,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def drawn(strategy: st.SearchStrategy[Any], count: int = 60) -> list[Any]:
    """Return `count` examples of a strategy, the same ones every time."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=SAME_EVERY_TIME,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found
