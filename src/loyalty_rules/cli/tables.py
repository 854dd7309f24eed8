"""What a run came to, as tables: of `rich` on a terminal where that is installed, else of plain text."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from loyalty_rules.cli.running import Amounts, Totals
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import micros_text

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Table", "plain_text", "show", "tables_of"]


@attrs.frozen
class Table:
    """Rows under headings. The first `texts` columns are texts, the others numbers."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    texts: int = 1


def show(tables: Iterable[Table], console: "Console | None") -> None:
    """Print tables on standard error, by `rich` where a console of it is given."""
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
    """Write tables as plain text, an empty line between them."""
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


# -- a run's tables --------------------------------------------------------------------------------------------------


def tables_of(totals: Totals, malformed: int, program: Program, seconds: float) -> list[Table]:
    """Tell what became of the events of a run, and what each promotion, coupon type and reason to skip came to."""
    tables = [_events(totals, malformed, seconds)]
    if totals.amounts:
        tables.append(_amounts(totals.amounts, [promotion.id for promotion in program.promotions]))
    if totals.coupons:
        tables.append(Table(("coupons", "number"), _counted(totals.coupons)))
    if totals.skipped:
        tables.append(Table(("skipped", "times"), _counted(totals.skipped)))
    return tables


def _events(totals: Totals, malformed: int, seconds: float) -> Table:
    others = totals.not_evaluated.total() + totals.later.total() + totals.conflicts
    read = totals.evaluated + totals.seen_before + totals.undecided + others + malformed
    counts = {
        "evaluated": totals.evaluated,
        "of these without effect": totals.without_effect,
        "seen before": totals.seen_before,
        "malformed": malformed,
        **{f"recorded: {kind}": count for kind, count in sorted(totals.later.items())},
        **{f"refused: {reason}": count for reason, count in sorted(totals.refused.items())},
        **({"of an id that had come with another content": totals.conflicts} if totals.conflicts else {}),
        **{f"not evaluated: {reason}": count for reason, count in sorted(totals.not_evaluated.items())},
        **({"not evaluated: counters past 15 digits": totals.undecided} if totals.undecided else {}),
    }
    rows = [(name, f"{count:,}") for name, count in counts.items()]
    return Table(("events", "number"), [*rows, ("a second", f"{read / max(seconds, 1e-9):,.0f}")])


def _amounts(amounts: Mapping[tuple[str, str], Amounts], promotions: Sequence[str]) -> Table:
    """Give the amounts by promotion, in the order of the program, and their sums by currency."""
    in_order = sorted(amounts, key=lambda each: (promotions.index(each[0]), each[1]))
    rows = [_amounts_row(promotion, currency, [amounts[promotion, currency]]) for promotion, currency in in_order]
    for currency in sorted({currency for _, currency in amounts}):
        of_currency = [each for (_, other), each in amounts.items() if other == currency]
        rows.append(_amounts_row("together", currency, of_currency))
    return Table(("promotion", "currency", "issues", "issued", "promised"), rows, texts=2)


def _amounts_row(name: str, currency: str, amounts: Sequence[Amounts]) -> tuple[str, ...]:
    return (
        name,
        currency,
        f"{sum(each.issues for each in amounts):,}",
        _number(sum(each.issued for each in amounts)),
        _number(sum(each.promised for each in amounts)),
    )


def _counted(counts: Mapping[str, int]) -> list[tuple[str, ...]]:
    return [(name, f"{count:,}") for name, count in sorted(counts.items())]


def _number(amount: int) -> str:
    """Write millionths with commas between the thousands."""
    whole, point, fraction = micros_text(amount).partition(".")
    return f"{int(whole):,}{point}{fraction}"
