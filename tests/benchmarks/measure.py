"""Interleaved timing: medians of many rounds in which everybody has a turn, so that a busy machine is busy for all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

__all__ = ["Turn", "interleaved", "shown", "table"]

Turn: TypeAlias = Callable[[int], object]
"""One contestant: does the piece of work of that number, which is the same for all contestants."""

_MAX_ROUND = 0.25  # seconds: a contestant that takes longer has fewer pieces of work a round


def interleaved(turns: Mapping[str, Turn], pieces: int, rounds: int = 31) -> dict[str, float]:
    """Give the median of microseconds a piece of work, by contestant."""
    share = {name: _pieces_for(turn, pieces) for name, turn in turns.items()}
    taken: dict[str, list[float]] = {name: [] for name in turns}
    gc.collect()
    for number in range(rounds):
        for name, turn in turns.items():
            if share[name] < pieces and number >= 3:
                continue  # three rounds of what takes a thousand times as long are enough
            taken[name].append(_once(turn, share[name]) / share[name])
    return {name: statistics.median(times) * 1e6 for name, times in taken.items()}


def _pieces_for(turn: Turn, pieces: int) -> int:
    turn(0)  # whatever is made when first asked for
    return max(1, min(pieces, int(_MAX_ROUND / max(_once(turn, 1), 1e-9))))


def _once(turn: Turn, pieces: int) -> float:
    started = time.thread_time()
    for piece in range(pieces):
        turn(piece)
    return time.thread_time() - started


def shown(value: float) -> str:
    """Write a measured number with as many digits as mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table; all columns but the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
