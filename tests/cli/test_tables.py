"""Tables for people, as plain text and drawn by `rich`."""

from __future__ import annotations

import io

import pytest

from loyalty_rules.cli.tables import Table, plain_text, show

from .documents import lines, program, sale
from .running import Capture, Write, run_command, run_without

COUNTS = Table(("name", "number"), [("a", "1"), ("longer", "1,000")])
PLAIN = """\
name    number
a            1
longer   1,000"""


def test_texts_are_aligned_to_the_left_and_numbers_to_the_right() -> None:
    assert plain_text([COUNTS]) == PLAIN


def test_the_number_of_text_columns_can_be_given() -> None:
    table = Table(("name", "unit", "number"), [("a", "kg", "10")], texts=2)

    assert plain_text([table]) == "name  unit  number\na     kg        10"


def test_an_empty_line_separates_tables() -> None:
    assert plain_text([COUNTS, COUNTS]) == f"{PLAIN}\n\n{PLAIN}"
    assert plain_text([]) == ""


def test_without_a_console_tables_are_plain_text_on_standard_error(capsys: Capture) -> None:
    show([COUNTS], None)

    assert capsys.readouterr() == ("", f"{PLAIN}\n")


def test_a_console_draws_tables_and_reads_no_markup() -> None:
    console = pytest.importorskip("rich.console").Console(file=io.StringIO(), width=60)

    show([Table(("name", "number"), [("[red]a", "1,000")])], console)

    drawn = console.file.getvalue()
    assert "─" in drawn
    assert ["[red]a", "1,000"] in [line.split() for line in drawn.splitlines()]


def test_without_rich_a_pipe_gets_the_same_table_as_with_it(write: Write) -> None:
    names = [write("program.json", program()), write("sales.jsonl", lines(sale(1, "01-01", "12.5")))]

    with_rich = run_command("run", "--ledger", "none", *names)
    without = run_without("rich", "run", "--ledger", "none", *names)

    assert with_rich.stdout == without.stdout
    assert without.stderr.startswith(b"events ")
    assert [line for line in with_rich.stderr.splitlines() if b"a second" not in line] == [
        line for line in without.stderr.splitlines() if b"a second" not in line
    ]
