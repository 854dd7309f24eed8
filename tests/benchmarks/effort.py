"""How much Python runs for a piece of work: instructions of the interpreter, by function. The same on any machine.

What runs in C (the constructors' checks, arithmetic, dictionaries) counts as the one instruction that calls it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["instructions"]


def instructions(work: Callable[[], object]) -> Counter[str]:
    """Count the instructions that a piece of work takes, by the functions that it calls."""
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
