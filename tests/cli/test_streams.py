"""Standard input as bytes, and standard output and error as lines."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from loyalty_rules.cli.streams import complain, print_text, standard_input

from .running import Capture


@pytest.mark.parametrize("buffered", [True, False])
def test_standard_input_is_read_as_bytes(monkeypatch: pytest.MonkeyPatch, buffered: bool) -> None:
    text = io.TextIOWrapper(io.BytesIO("é\n".encode())) if buffered else io.StringIO("é\n")
    monkeypatch.setattr(sys, "stdin", text)

    assert standard_input().read() == b"\xc3\xa9\n"


def test_a_text_is_printed_on_standard_output(capsys: Capture) -> None:
    print_text("two\nlines")

    assert capsys.readouterr() == ("two\nlines\n", "")


def test_each_complaint_is_one_line_of_standard_error(capsys: Capture) -> None:
    complain(["first\nin two lines", "second"])

    assert capsys.readouterr() == ("", "first in two lines\nsecond\n")


def test_a_character_outside_the_encoding_of_the_terminal_is_escaped() -> None:
    imports = "import sys; from loyalty_rules.cli.streams import print_text"
    code = f"{imports}; sys.stdout.reconfigure(encoding='ascii'); print_text('→')"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True)

    assert (done.stdout, done.stderr) == (b"\\u2192\n", b"")
