"""Interleaved timing: medians of many rounds in which each contestant has a turn, so that load affects all alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

__all__ = ["Turn", "interleaved", "shown", "table"]

Turn: TypeAlias = Callable[[int], object]
"""One contestant: a function of the number of a piece of work, which is the same for all contestants."""

_MAX_ROUND = 0.25  # seconds: a contestant that takes longer has fewer pieces of work a round


def interleaved(turns: Mapping[str, Turn], pieces: int, rounds: int = 31) -> dict[str, float]:
    """Return the median time of a piece of work in microseconds, by contestant."""
    share = {name: _pieces_for(turn, pieces) for name, turn in turns.items()}
    taken: dict[str, list[float]] = {name: [] for name in turns}
    gc.collect()
    for number in range(rounds):
        for name, turn in turns.items():
            if share[name] < pieces and number >= 3:
                continue  # three rounds are enough for a contestant that is a thousand times slower
            taken[name].append(_once(turn, share[name]) / share[name])
    return {name: statistics.median(times) * 1e6 for name, times in taken.items()}


def _pieces_for(turn: Turn, pieces: int) -> int:
    turn(0)  # fill the caches
    return max(1, min(pieces, int(_MAX_ROUND / max(_once(turn, 1), 1e-9))))


def _once(turn: Turn, pieces: int) -> float:
    started = time.thread_time()
    for piece in range(pieces):
        turn(piece)
    return time.thread_time() - started


def shown(value: float) -> str:
    """Format a measured number with its significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
