"""How much the interpreter does for a piece of work: its instructions, and the calls that leave it. No clock.

The same on any machine, however busy. Between versions of Python the counts differ, for the library and for the
hand-written code alike: what is held in `test_effort` is one as a multiple of the other.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["calls_into_c", "instructions"]


def instructions(work: Callable[[], object]) -> Counter[str]:
    """Count the instructions that a piece of work takes, by the functions that it calls.

    What runs in C (arithmetic, dictionaries, dates) counts as the one instruction that calls it.
    """
    counted: Counter[str] = Counter()

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "opcode":
            counted[frame.f_code.co_qualname] += 1
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
