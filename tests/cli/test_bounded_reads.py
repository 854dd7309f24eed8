"""Bounded reads: no line, key or document makes the command read without end. Each has its control."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import tracemalloc
from pathlib import Path

import pytest

from loyalty_rules.cli import line_files, loading
from loyalty_rules.cli.loading import Loading, source_of
from loyalty_rules.cli.receipts import read_receipts
from loyalty_rules.cli.streams import complain
from loyalty_rules.documents import sources

from .documents import lines, program, sale
from .running import Capture, RunReceipts, Write

LIMIT, BOMB = 2**16, 2**23  # bytes; the bomb is one line


def peak_of(names: list[str]) -> int:
    """Return the most bytes that are held while files are read."""
    tracemalloc.start()
    try:
        read_receipts(names, lambda _: None)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def bomb(write: Write, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a small gzip of a very long line, between two sales; the limit of a document is small."""
    for module in (line_files, sources):
        monkeypatch.setattr(module, "MAX_BYTES", LIMIT)
    first, last = lines(sale(1, "01-01", "1")), lines(sale(2, "01-02", "1"))
    return write("bomb.gz", gzip.compress(first.encode() + b"x" * BOMB + b"\n" + last.encode(), 1))


def test_a_long_line_is_one_complaint_and_is_never_held(bomb: str, capsys: Capture) -> None:
    assert peak_of([bomb]) < BOMB // 4

    assert capsys.readouterr().err.splitlines() == [
        f"{bomb}:2: $: a JSON text is at most {LIMIT:,} bytes, found {LIMIT + 1:,} [too_large]"
    ]


def test_a_file_that_is_read_by_whole_lines_would_be_held(bomb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_files, "_lines", iter)

    assert peak_of([bomb]) > BOMB


def test_the_lines_after_a_long_one_are_read(bomb: str, run_receipts: RunReceipts) -> None:
    assert run_receipts(program(), bomb).events == ["T1", "T2"]


def test_a_key_without_end_is_a_complaint() -> None:
    found = Loading()

    assert found.serials("/dev/zero") is None
    assert found.complaints == ["/dev/zero: expected a key of at most 65,536 bytes"]


def test_a_key_of_zeros_is_a_complaint(write: Write) -> None:
    found, name = Loading(), write("zeros.key", bytes(33))

    assert found.serials(name) is None
    assert found.complaints == [f"{name}: zeros are no key: expected random bytes"]


def test_standard_input_is_read_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MAX_BYTES", 10)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 1_000)))

    assert source_of("-") == b"x" * 11  # one more than the limit, so that it is found to be too large


def test_a_new_file_of_intents_is_private(write: Write, run_receipts: RunReceipts, tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    old.write_text("")
    old.chmod(0o640)
    for name in ("new.jsonl", "old.jsonl"):
        run_receipts(program(), sale(1, "01-01", "1"), options=("--output", str(tmp_path / name)))

    modes = [stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("new.jsonl", "old.jsonl")]
    assert modes == [0o600, 0o640]


def test_a_terminal_never_obeys_a_name_of_a_file(capsys: Capture) -> None:
    complain(["\x1b]0;owned\x07\x1b[2Jé.json: can't be read\x9b"])

    assert capsys.readouterr().err == "\\x1b]0;owned\\x07\\x1b[2Jé.json: can't be read\\x9b\n"
