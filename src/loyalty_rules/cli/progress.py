"""The progress bar, if standard error is a terminal and `rich` (extra `cli`) is installed."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Advance", "bar", "terminal"]

Advance: TypeAlias = Callable[[int], object]


def terminal() -> "Console | None":
    """Return the console of standard error; None if it is not a terminal or `rich` is missing."""
    if not sys.stderr.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(stderr=True)


@contextlib.contextmanager
def bar(console: "Console | None", description: str, total: int | None) -> Iterator[Advance]:
    """Show a bar while the block runs, and yield the function that advances it; show none without a console."""
    if console is None:
        yield lambda _: None
        return
    from rich.progress import Progress

    # Standard output belongs to the caller; rich must not redraw it above the bar.
    with Progress(console=console, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(description, total=total)
        yield lambda amount: progress.advance(task, amount)
