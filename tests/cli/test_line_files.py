"""Files of lines: gzip, standard input, and the limit of a line."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest

from loyalty_rules.cli import line_files
from loyalty_rules.cli.line_files import open_lines, shown


def lines(name: str) -> tuple[list[bytes], int]:
    read: list[int] = []
    with open_lines(name, read.append) as found:
        return list(found), sum(read)


def test_a_file_is_read_line_by_line_and_its_bytes_are_counted(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a", tmp_path / "b"
    plain.write_bytes(b"1\n22\n333")
    packed.write_bytes(gzip.compress(b"1\n22\n333"))

    assert lines(str(plain)) == ([b"1\n", b"22\n", b"333"], 8)
    assert lines(str(packed))[0] == [b"1\n", b"22\n", b"333"]


def test_a_hyphen_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1\n")))

    assert lines("-")[0] == [b"1\n"]
    assert (shown("-"), shown("a")) == ("<stdin>", "a")


def test_a_line_beyond_the_limit_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_files, "MAX_BYTES", 4)
    (tmp_path / "a").write_bytes(b"123456789012\n22\n")

    assert lines(str(tmp_path / "a"))[0] == [b"12345", b"22\n"]
