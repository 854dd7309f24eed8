"""The cost of loading a program by its size: time to validate and to compile, memory, objects."""

from __future__ import annotations

import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator

import workload
from measure import table

import loyalty_rules as lr

__all__ = ["report"]

SIZES = (1, 10, 100, 1_000, 10_000)
ROUNDS = 3


def report() -> str:
    """Load programs from their JSON texts; return seconds, megabytes and objects in Markdown."""
    head = ["promotions", "load, s", "compile, s", "held, MB", "at most, MB", "objects for the garbage collector"]
    return table(head, list(_rows()))


def _rows() -> Iterator[list[str]]:
    lr.load_program(workload.document_of(workload.rules_of(1)))  # the first load fills the caches
    for size in SIZES:
        text = json.dumps(workload.document_of(workload.rules_of(size)))
        times = [_seconds(text) for _ in range(ROUNDS)]
        held, maximum = _megabytes(text)
        loads, compiles = (statistics.median(each) for each in zip(*times, strict=True))
        yield [f"{size:,}", f"{loads:.3f}", f"{compiles:.3f}", f"{held:.1f}", f"{maximum:.1f}", f"{_objects(text):,}"]


def _compiled(text: str) -> lr.Program:
    program = lr.load_program(text)
    assert program.plan
    return program


def _seconds(text: str) -> tuple[float, float]:
    started = time.thread_time()
    program = lr.load_program(text)
    loaded = time.thread_time()
    assert program.plan
    return loaded - started, time.thread_time() - loaded


def _megabytes(text: str) -> tuple[float, float]:
    """Return the megabytes of a loaded program, and the maximum during the load."""
    tracemalloc.start()
    kept = _compiled(text)
    gc.collect()
    held, maximum = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return held / 1e6, maximum / 1e6


def _objects(text: str) -> int:
    return _more(lambda: len(gc.get_objects()), lambda: _compiled(text))


def _more(count: Callable[[], int], make: Callable[[], object]) -> int:
    gc.collect()
    before = count()
    kept = make()
    gc.collect()
    more = count() - before
    del kept
    return more
