"""How many examples a law is tried on, and which."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

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
