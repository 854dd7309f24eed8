"""The progress bar, where there is a terminal to show it on and `rich` to draw it. The extra `cli` brings `rich`."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Advance", "bar", "terminal"]

Advance: TypeAlias = Callable[[int], object]


def terminal() -> "Console | None":
    """Give the console of standard error; None where that is no terminal, or where `rich` is not installed."""
    if not sys.stderr.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(stderr=True)


@contextlib.contextmanager
def bar(console: "Console | None", description: str, total: int | None) -> Iterator[Advance]:
    """Show a bar while the block runs, and give the function that moves it on; without a console, show nothing."""
    if console is None:
        yield lambda _: None
        return
    from rich.progress import Progress

    # Standard output is the caller's: what goes there must not be drawn above the bar.
    with Progress(console=console, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(description, total=total)
        yield lambda amount: progress.advance(task, amount)
