"""How many examples a law is tried on."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

WANTED = os.environ.get("LOYALTY_EXAMPLES")


def examples(in_ci: int) -> settings:
    """So many examples, or as many as ``LOYALTY_EXAMPLES`` says; always the same ones unless it is set."""
    return settings(
        max_examples=int(WANTED) if WANTED else in_ci,
        derandomize=WANTED is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
