"""The difference of two programs as text: changes of the documents, tables, and receipts side by side."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from loyalty_rules.cli.tables import Table, plain_text
from loyalty_rules.reporting import AccountChange, DiffRow, ProgramDiff, ReceiptChange
from loyalty_rules.values.amounts import micros, text_of
from loyalty_rules.values.dates import instant_text

__all__ = ["cost_text", "diff_text"]

_COLUMNS = ("issued", "promised", "outstanding", "redeemed", "expired", "reversed", "value", "liability")
_SHOWN_ACCOUNTS = 5
_WIDEST = 72


def diff_text(difference: ProgramDiff, money: str | None) -> str:
    """Format a difference as text; `money` is the ISO 4217 code of the program's money."""
    if difference.at is None:
        return "no events"
    tables = [
        _figures_table(difference.totals, None),
        *(_figures_table(rows, name) for name, rows in difference.by.items()),
        _accounts_table("who gains", difference.gains, money),
        _accounts_table("who loses", difference.losses, money),
    ]
    parts = [
        _list("the documents differ in", difference.documents),
        plain_text(table for table in tables if table.rows),
        *(_side_by_side(each) for each in difference.receipts),
        _list("events that changed nothing", (f"{name}: {n:,}" for name, n in sorted(difference.not_counted.items()))),
        f"as of {instant_text(difference.at)}: {cost_text(difference, money)}",
    ]
    return "\n\n".join(part for part in parts if part)


def cost_text(difference: ProgramDiff, money: str | None) -> str:
    """Return the change of the cost as a clause, with its interval and the currencies without a value."""
    unit = f" {money}" if money is not None else ""
    text = f"the cost changes by {_signed(difference.cost_change)}{unit}{_percentage(difference)}"
    estimate = difference.estimate
    if estimate is not None:
        text += (
            f" in a sample of {text_of(estimate.percent)} % of the members; for all members by about "
            f"{_signed(estimate.total)}{unit} (95 %: {_signed(estimate.low)} to {_signed(estimate.high)})"
        )
    if difference.unvalued:
        text += f"; without {', '.join(difference.unvalued)}, since a currency without a redeem rate has no cost"
    return text


def _percentage(difference: ProgramDiff) -> str:
    old = micros(difference.old_cost)
    if not old:
        return ""
    tenths, rest = divmod(abs(micros(difference.cost_change)) * 1000, abs(old))
    tenths += 2 * rest >= abs(old)
    return f" ({'-' if difference.cost_change < 0 else '+'}{tenths // 10}.{tenths % 10} %)"


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{text_of(amount)}"


def _list(heading: str, lines: Iterable[str]) -> str:
    shown = [f"  {line}" for line in lines]
    return "\n".join([f"{heading}:", *shown]) if shown else ""


# -- tables ------------------------------------------------------------------------------------------------------------


def _figures_table(rows: Sequence[DiffRow], dimension: str | None) -> Table:
    """Build a table of the figures that differ; the totals are complete."""
    columns = [column for column in _COLUMNS if any(_differs(row, column) for row in rows)]
    shown = [row for row in rows if dimension is None or any(_differs(row, column) for column in columns)]
    texts = ("of",) if dimension is None else ("of", dimension)
    return Table(
        (*texts, *(heading for column in columns for heading in (column, "then", "change"))),
        [(*_names(row, dimension), *(cell for column in columns for cell in _cells(row, column))) for row in shown],
        texts=len(texts),
    )


def _differs(row: DiffRow, column: str) -> bool:
    return bool(getattr(row.old, column) != getattr(row.new, column))


def _names(row: DiffRow, dimension: str | None) -> tuple[str, ...]:
    return (row.of,) if dimension is None else (row.of, row.group if row.group is not None else "-")


def _cells(row: DiffRow, column: str) -> tuple[str, ...]:
    old, new, change = (getattr(figures, column) for figures in (row.old, row.new, row.change))
    known = ("-" if figure is None else text_of(figure) for figure in (old, new))
    return (*known, "-" if change is None else _signed(change))


def _accounts_table(heading: str, changes: Sequence[AccountChange], money: str | None) -> Table:
    """Build the table of the largest changes; its first row has the sum of all."""
    whole = sum(micros(each.change) for each in changes)
    rows = [(f"{each.account.kind} {each.account.id}", *_old_new(each)) for each in changes[:_SHOWN_ACCOUNTS]]
    total = [(f"all {len(changes):,}", "", "", f"{'+' if whole > 0 else ''}{whole / 1_000_000:,.2f}")]
    return Table((heading, money or "value", "then", "change"), [*total, *rows] if changes else [])


def _old_new(each: AccountChange) -> tuple[str, ...]:
    return text_of(each.old), text_of(each.new), _signed(each.change)


# -- receipts side by side ---------------------------------------------------------------------------------------------


def _side_by_side(receipt: ReceiptChange) -> str:
    old, new = receipt.old_explanation.splitlines(), receipt.new_explanation.splitlines()
    width = min(_WIDEST, max(map(len, old)))
    lines = (f"{_cut(left).ljust(width)} {mark} {_cut(right)}".rstrip() for left, mark, right in _paired(old, new))
    member = f" of member {receipt.member}" if receipt.member is not None else ""
    return "\n".join([f"receipt {receipt.event}{member}: {text_of(receipt.old)} → {text_of(receipt.new)}", *lines])


def _cut(line: str) -> str:
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"


def _paired(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the lines of two texts in pairs; `|` marks the pairs that differ."""
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for place in range(max(i2 - i1, j2 - j1)):
            left = old[i1 + place] if i1 + place < i2 else ""
            right = new[j1 + place] if j1 + place < j2 else ""
            yield left, " " if kind == "equal" else "|", right
