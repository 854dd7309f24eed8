"""The command `diff`: two programs over the same receipts, and a limit for the change of the cost."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from loyalty_rules import dump
from loyalty_rules.cli import main
from loyalty_rules.cli.commands.diff import Limit
from reporting.histories import HISTORY, version

from ..running import Capture, Write


@pytest.fixture
def names(write: Write) -> list[str]:
    """Write two versions of a program and a history: 10 % and 20 % in points, 0.12 and 0.24 in money."""
    old, new = (write(f"{percent}.json", dump(version(percent))) for percent in ("10", "20"))
    receipts = "".join(json.dumps(dump(event)) + "\n" for event in HISTORY)
    return [old, new, write("receipts.jsonl", receipts)]


def test_the_difference_is_printed_in_words_and_tables(capsys: Capture, names: list[str]) -> None:
    assert main(["diff", *names]) == 0

    out = capsys.readouterr().out
    assert '$.promotions[p].actions[earn].proration.percent: "10" → "20"' in out
    assert "points      16    32     +16" in out
    assert "receipt T-1 of member anna: 0.1 → 0.2" in out
    assert out.rstrip().endswith("the cost changes by +0.12 (+100.0 %)")


def test_the_document_has_the_same_figures(capsys: Capture, names: list[str]) -> None:
    assert main(["diff", *names, "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert (document["old_cost"], document["new_cost"], document["cost_change"]) == ("0.12", "0.24", "0.12")
    assert document["totals"][0]["new"]["issued"] == "32"


@pytest.mark.parametrize(
    ("limit", "status"), [("0.12", 0), ("0.119999", 1), ("100 %", 0), ("99.999999 %", 1), ("0", 1), ("0 %", 1)]
)
def test_a_change_beyond_the_limit_ends_with_status_1(
    capsys: Capture, names: list[str], limit: str, status: int
) -> None:
    assert main(["diff", *names, "--at-most", limit]) == status

    complaint = f"loyalty-rules: the cost changes by +0.12 (+100.0 %); the limit is {limit}\n"
    assert capsys.readouterr().err == (complaint if status else "")


def test_a_limit_binds_in_both_directions(names: list[str]) -> None:
    assert main(["diff", names[1], names[0], names[2], "--at-most", "0.1"]) == 1
    assert main(["diff", names[1], names[0], names[2], "--at-most", "0.12"]) == 0


def test_a_sample_prints_its_interval(capsys: Capture, names: list[str]) -> None:
    assert main(["diff", *names, "--members", "100 %"]) == 0

    assert "in a sample of 100 % of the members; for all members by about +0.12 (95 %: +0.12 to +0.12)" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--at-most", "two"], "expected an amount or a percentage, such as 500 or '2 %', found 'two'"),
        (["--at-most=-1"], "expected an amount or a percentage"),
        (["--members", "0"], "expected a percentage above 0 and at most 100, found '0'"),
        (["--members", "101 %"], "expected a percentage above 0 and at most 100"),
    ],
)
def test_other_arguments_are_refused(capsys: Capture, names: list[str], arguments: list[str], complaint: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["diff", *names, *arguments])

    assert complaint in capsys.readouterr().err


def test_the_problems_of_both_programs_are_reported(capsys: Capture, write: Write) -> None:
    wrong = write("wrong.json", {"format": "loyalty-rules/1"})

    assert main(["diff", wrong, wrong, "none.jsonl"]) == 2

    assert capsys.readouterr().err.count("$.id: is missing") == 2


def test_a_file_that_cannot_be_read_ends_with_status_2(capsys: Capture, names: list[str]) -> None:
    assert main(["diff", *names, "missing.jsonl"]) == 2
    assert "missing.jsonl: can't be read" in capsys.readouterr().err


def test_malformed_lines_end_with_status_1(names: list[str], write: Write) -> None:
    assert main(["diff", *names, write("bad.jsonl", "{}\n")]) == 1


def test_no_events_have_no_difference(capsys: Capture, names: list[str], write: Write) -> None:
    assert main(["diff", *names[:2], write("empty.jsonl", "")]) == 0
    assert capsys.readouterr().out == "no events\n"


def test_a_limit_is_written_as_it_is_read() -> None:
    assert [str(Limit(Decimal(2), True)), str(Limit(Decimal("1.50"), False))] == ["2 %", "1.5"]
