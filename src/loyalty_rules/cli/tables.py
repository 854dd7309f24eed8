"""Tables for people: drawn by `rich` on a terminal if it is installed, else as plain text."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Table", "plain_text", "show"]


@attrs.frozen
class Table:
    """Rows under headings; the first `texts` columns hold texts, the others numbers."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    texts: int = 1


def show(tables: Iterable[Table], console: "Console | None") -> None:
    """Print tables on standard error, with `rich` if a console is given."""
    if console is None:
        print(plain_text(tables), file=sys.stderr)
        return
    from rich import box
    from rich.table import Column
    from rich.table import Table as RichTable

    for table in tables:
        columns = [
            Column(heading, justify="left" if place < table.texts else "right", no_wrap=True)
            for place, heading in enumerate(table.headings)
        ]
        grid = RichTable(*columns, box=box.SIMPLE_HEAD)
        for row in table.rows:
            grid.add_row(*row)
        console.print(grid, markup=False, highlight=False)


def plain_text(tables: Iterable[Table]) -> str:
    """Format tables as plain text, with an empty line between them."""
    return "\n\n".join(_plain_table(table) for table in tables)


def _plain_table(table: Table) -> str:
    lines = [table.headings, *table.rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(table.headings))]
    return "\n".join(_plain_row(line, widths, table.texts) for line in lines)


def _plain_row(cells: tuple[str, ...], widths: list[int], texts: int) -> str:
    aligned = [
        cell.ljust(width) if place < texts else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(aligned).rstrip()
