"""Receipts from files: their order in time, their compression, and complaints about malformed lines."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loyalty_rules.cli.receipts import read_receipts, total_bytes

from .documents import lines, program, sale
from .running import Capture, RunReceipts, Write

# -- order -----------------------------------------------------------------------------------------------------------


def test_events_of_all_files_are_evaluated_in_order_of_time(write: Write, run_receipts: RunReceipts) -> None:
    first = write("first.jsonl", lines(sale(1, "01-02", "1"), sale(2, "01-04", "1")))
    second = write("second.jsonl", lines(sale(3, "01-03", "1"), sale(4, "01-01", "1")))

    assert run_receipts(program(), first, second).events == ["T4", "T1", "T3", "T2"]


def test_events_are_in_order_of_their_instants_with_any_offset(run_receipts: RunReceipts) -> None:
    sales = [
        sale(1, "2025-01-15T09:30:00Z", "1"),
        sale(2, "2025-01-15T11:00:00+02:00", "1"),
        sale(3, "2025-01-15T04:15:00-05:00", "1"),
    ]

    assert run_receipts(program(), *sales).events == ["T2", "T3", "T1"]


def test_events_of_one_instant_keep_their_order(run_receipts: RunReceipts) -> None:
    numbers = [3, 1, 2, 5, 4]

    assert run_receipts(program(), *[sale(each, "01-01", "1") for each in numbers]).events == [
        f"T{each}" for each in numbers
    ]


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sales.jsonl.gz", "sales.jsonl"])
def test_gzip_is_detected_by_its_first_bytes_and_not_by_the_name(
    write: Write, run_receipts: RunReceipts, name: str
) -> None:
    text = lines(sale(1, "01-01", "1"), sale(2, "01-02", "1"))
    two_members = gzip.compress(text.encode()) + gzip.compress(lines(sale(3, "01-03", "1")).encode())

    assert run_receipts(program(), write(name, two_members)).events == ["T1", "T2", "T3"]
    assert run_receipts(program(), write(name, text)).events == ["T1", "T2"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_plain_or_gzip(
    monkeypatch: pytest.MonkeyPatch, run_receipts: RunReceipts, pack: Callable[[bytes], bytes]
) -> None:
    stdin = pack(lines(sale(1, "01-03", "1")).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))

    assert run_receipts(program(), "-", sale(2, "01-02", "1")).events == ["T2", "T1"]


def test_blank_lines_are_skipped_and_a_last_line_needs_no_end(write: Write, run_receipts: RunReceipts) -> None:
    text = "\n" + lines(sale(1, "01-01", "1")) + "  \r\n" + lines(sale(2, "01-02", "1")).rstrip("\n")

    outcome = run_receipts(program(), write("gaps.jsonl", text))

    assert (outcome.status, outcome.events) == (0, ["T1", "T2"])


def test_every_problem_of_a_malformed_line_is_reported_with_its_line_number(
    write: Write, run_receipts: RunReceipts
) -> None:
    no_amount = {"type": "transaction", "id": "T3", "occurred_at": "noon", "colour": "red"}
    name = write(
        "mixed.jsonl",
        b"\n".join(
            [
                lines(sale(1, "01-01", "1")).encode(),
                b'{"type": ',
                json.dumps(no_amount).encode(),
                b'{"type": "\xff"}',
                b"[1]",
                lines(sale(2, "01-02", "1")).encode(),
            ]
        ),
    )

    outcome = run_receipts(program(), name)

    places = [line.removeprefix(name).split(" ")[0] for line in outcome.err if line.startswith(name)]
    codes = [line.rsplit(" ", 1)[1] for line in outcome.err if line.startswith(name)]
    assert outcome.status == 1
    assert outcome.events == ["T1", "T2"]
    assert sorted(zip(places, codes, strict=True)) == [
        (":3:", "[not_json]"),
        (":4:", "[not_an_instant]"),
        (":4:", "[required]"),
        (":4:", "[unknown_key]"),
        (":5:", "[not_json]"),
        (":6:", "[not_an_object]"),
    ]
    assert outcome.row("malformed") == ["4"]


def test_every_unreadable_file_is_reported_and_no_event_is_evaluated(
    write: Write, run_receipts: RunReceipts, tmp_path: Path
) -> None:
    packed = gzip.compress(lines(sale(1, "01-01", "1")).encode())
    cut = write("cut.gz", packed[:-9])
    garbled = write("garbled.gz", packed[:10] + b"\xff" * 40)

    outcome = run_receipts(program(), "absent.jsonl", str(tmp_path), cut, garbled, sale(2, "01-02", "1"))

    assert outcome.status == 2
    assert outcome.intents == []
    assert [line.split(": can't be read: ")[0] for line in outcome.err] == ["absent.jsonl", str(tmp_path), cut, garbled]


def test_malformed_lines_and_unreadable_files_are_counted(write: Write, capsys: Capture) -> None:
    name = write("some.jsonl", lines(sale(2, "01-02", "1")) + "{\n[]\n" + lines(sale(1, "01-01", "1")))

    receipts = read_receipts([name, "absent.jsonl"], lambda _: None)

    assert [event.id for event in receipts.events] == ["T1", "T2"]
    assert (receipts.malformed, receipts.unreadable) == (2, 1)
    assert len(capsys.readouterr().err.splitlines()) == 3


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_progress_counts_every_byte_of_the_files(write: Write, pack: Callable[[bytes], bytes]) -> None:
    names = [write(f"{number}.jsonl", pack(lines(sale(number, "01-01", "1")).encode())) for number in (1, 2)]
    advanced: list[int] = []

    read_receipts(names, advanced.append)

    assert sum(advanced) == total_bytes(names) == sum(Path(name).stat().st_size for name in names)


def test_the_number_of_bytes_is_unknown_without_a_file(write: Write) -> None:
    assert total_bytes([write("ten.jsonl", "0123456789"), write("two.jsonl", "01")]) == 12
    assert total_bytes([write("ten.jsonl", "0123456789"), "-"]) is None
    assert total_bytes([write("empty.jsonl", "")]) is None
