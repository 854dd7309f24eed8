"""The time of a basket by its number of lines: ten promotions that all match, two of them on lines of a category."""

from __future__ import annotations

import functools
import random

import workload
from measure import interleaved, shown, table

import loyalty_rules as lr

__all__ = ["report"]

LINES = (1, 10, 100, 1_000)
SALES = 20


def report() -> str:
    """Evaluate baskets of several lengths under one program, interleaved, and return a Markdown table."""
    program = workload.program_of(workload.rules_of(workload.ALL_MATCH))
    categories, stores = workload.SHOPS[workload.ALL_MATCH]
    draw = random.Random(1)
    baskets = {
        lines: [workload.sale_of(f"T{each}", draw, categories, stores, lines) for each in range(SALES)]
        for lines in LINES
    }
    turns = {str(lines): functools.partial(_evaluate, program, sales) for lines, sales in baskets.items()}
    times = interleaved(turns, SALES)
    rows = [[f"{int(name):,}", shown(time), f"{time / times['10']:.1f}"] for name, time in times.items()]
    return table(["lines", "µs a sale", "against 10 lines"], rows)


def _evaluate(program: lr.Program, sales: list[lr.Transaction], piece: int) -> object:
    return program.evaluate(sales[piece])
