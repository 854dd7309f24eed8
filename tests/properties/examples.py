"""The number of examples that a law is tried on."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WANTED = os.environ.get("LOYALTY_EXAMPLES")
SEED = int(os.environ.get("LOYALTY_SEED", 0))
SAME_EVERY_TIME = not {"LOYALTY_EXAMPLES", "LOYALTY_SEED"} & {*os.environ}
SCALE = settings.default.max_examples / 100  # the profiles are in conftest.py at the root


def examples(in_ci: int) -> settings:
    """Return settings with the number of examples in the profile `ci`, scaled to the current profile.

    `LOYALTY_EXAMPLES` replaces the number. The examples are the same each time unless it or `LOYALTY_SEED` is set.
    """
    return settings(
        max_examples=int(WANTED) if WANTED else max(10, round(in_ci * SCALE)),
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
