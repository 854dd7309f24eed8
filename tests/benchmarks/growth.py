"""The memory of the process during ten million evaluations, which must not grow."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import workload
from measure import table

__all__ = ["report"]

EVALUATIONS = 10_000_000
REPORTED = 1_000_000
_PAGE = 4_096


def report() -> str:
    """Evaluate ten million times, which takes minutes; return memory and objects at each million, in Markdown."""
    return table(["evaluations", "resident, MB", "blocks of memory", "objects"], list(_rows()))


def _rows() -> Iterator[list[str]]:
    sales = workload.sales_of(10, 1_000)
    program = workload.program_of(workload.rules_of(10))
    for done in range(0, EVALUATIONS + 1, REPORTED):
        for _ in range((REPORTED if done else len(sales)) // len(sales)):  # the first round only fills the caches
            for sale in sales:
                program.evaluate(sale)
        gc.collect()
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
        blocks, objects = sys.getallocatedblocks(), len(gc.get_objects())
        yield [f"{done:,}", f"{resident / 1e6:.1f}", f"{blocks:,}", f"{objects:,}"]
