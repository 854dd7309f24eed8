"""The progress bar of a terminal, with `rich` and without it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from loyalty_rules.cli.progress import bar, terminal

from .running import GROCER, RECEIPTS, Capture, without


def on_terminal(command: list[str]) -> Iterator[bytes]:
    """Run a command with a terminal for its standard error, and yield the bytes shown there."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"}):
        os.close(theirs)
        try:
            while shown := os.read(ours, 4096):
                yield shown
        except OSError:  # Linux raises it when the other end has closed
            pass
        finally:
            os.close(ours)


@pytest.mark.slow
def test_a_terminal_gets_a_bar_and_a_drawn_table() -> None:
    shown = b"".join(
        on_terminal([sys.executable, "-m", "loyalty_rules", "run", "--ledger", "none", GROCER, RECEIPTS])
    ).decode()

    assert "reading" in shown
    assert "evaluating" in shown
    assert "53,630" in shown
    assert "─" in shown


@pytest.mark.slow
def test_without_rich_a_terminal_gets_the_plain_table() -> None:
    shown = b"".join(on_terminal(without("rich", "run", "--ledger", "none", GROCER, RECEIPTS))).decode()

    assert shown.startswith("events ")
    assert "together               points     2,507  53,630         0" in shown
    assert "\x1b" not in shown


def test_a_pipe_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)

    assert terminal() is None


def test_a_terminal_without_rich_has_no_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setitem(sys.modules, "rich.console", None)

    assert terminal() is None


def test_without_a_console_no_bar_is_shown(capsys: Capture) -> None:
    with bar(None, "reading", 10) as advance:
        advance(5)

    assert capsys.readouterr() == ("", "")
