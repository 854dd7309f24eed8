"""The work of the interpreter for a piece of code: its instructions and its calls into C, without a clock.

The counts are the same on any machine under any load. They differ between versions of Python, for the library and for
the hand-written code alike. So `test_effort` records one as a multiple of the other.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["TooMuchWork", "calls_into_c", "instructions"]


class TooMuchWork(BaseException):
    """A piece of work that was stopped at its limit. Not an `Exception`, so that the work cannot catch it."""


def instructions(work: Callable[[], object], limit: int | None = None) -> Counter[str]:
    """Count the instructions that a piece of work takes, by the functions that it calls.

    A call into C (arithmetic, dictionaries, dates) counts as the one instruction that makes the call. Raises
    `TooMuchWork` after `limit` instructions, so that work without an end is stopped, too.
    """
    counted: Counter[str] = Counter()
    left = -1 if limit is None else limit

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal left
        if event == "opcode":
            counted[frame.f_code.co_qualname] += 1
            left -= 1
            if left == 0:
                raise TooMuchWork(counted.most_common(3))
            return trace
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted


def calls_into_c(work: Callable[[], object]) -> Counter[str]:
    """Count the functions in C that a piece of work calls from Python, by name."""
    counted: Counter[str] = Counter()

    def profile(_frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call":
            counted[called.__qualname__] += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted
