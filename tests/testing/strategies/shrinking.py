"""The simplest example of a strategy: the one that Hypothesis shows for a test that always fails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from properties.examples import SAME_EVERY_TIME


def shrunk(strategy: st.SearchStrategy[Any]) -> Any:
    """Return the example that a test which always fails is shrunk to."""
    last: list[Any] = []

    @settings(max_examples=200, derandomize=SAME_EVERY_TIME, database=None, deadline=None, report_multiple_bugs=False)
    @given(strategy)
    def fail(example: Any) -> None:
        last.append(example)
        raise AssertionError

    with pytest.raises(AssertionError):
        fail()
    return last[-1]
