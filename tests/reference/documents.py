"""Hypothesis strategies for random valid documents over the whole format.

``programs()``, ``events(program)`` and ``snapshots(program)`` draw a document each; ``cases()`` draws a program with
an event and, most of the time, a snapshot for it.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from . import drawn_events, drawn_programs
from .pools import Drawer


@st.composite
def programs(draw: Callable) -> dict:
    """Draw a random program."""
    return drawn_programs.program(Drawer(draw))


@st.composite
def events(draw: Callable, program: dict) -> dict:
    """Draw a random transaction or activity for a program."""
    return drawn_events.event(Drawer(draw), program)


@st.composite
def snapshots(draw: Callable, program: dict) -> dict:
    """Draw a random snapshot for a program."""
    return drawn_events.snapshot(Drawer(draw), program)


@st.composite
def cases(draw: Callable) -> tuple[dict, dict, dict | None]:
    """Draw a program, an event and a snapshot (or none)."""
    program = draw(programs())
    event = draw(events(program))
    snapshot = draw(snapshots(program)) if Drawer(draw).chance(80) else None
    return program, event, snapshot
