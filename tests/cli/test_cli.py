"""The command `loyalty-rules`: its usage, its version, and its exit status after failures of streams."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

import loyalty_rules as lr
from loyalty_rules import cli
from loyalty_rules.cli import main

from .running import GROCER, RECEIPTS, Capture, run_command


def test_without_a_command_the_usage_is_printed(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])

    assert ended.value.code == 2
    assert "usage: loyalty-rules" in capsys.readouterr().err


def test_the_version_is_printed_on_standard_output(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr() == ("loyalty-rules 0.1.0\n", "")
    assert lr.__version__ == "0.1.0"


def test_the_help_lists_every_command_in_order(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    out = capsys.readouterr().out
    commands = [
        "check",
        "evaluate",
        "vector",
        "convert",
        "run",
        "nightly",
        "prove",
        "diff",
        "report",
        "journal",
        "balance",
        "statement",
        "explain",
        "schema",
    ]
    assert ended.value.code == 0
    assert re.findall(r"^ {4}(\w+)", out, re.MULTILINE) == commands
    assert [command.__name__.rsplit(".", 1)[1] for command in cli.COMMANDS] == commands


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141)])
def test_an_interrupted_command_ends_with_the_status_of_its_signal(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int
) -> None:
    def interrupted(arguments: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr("loyalty_rules.cli.commands.schema.schema", interrupted)

    assert main(["schema", "event"]) == status
    assert capsys.readouterr() == ("", "")


def test_the_package_runs_as_a_module() -> None:
    assert run_command("check", GROCER).returncode == 0
    assert run_command("check", "absent.toml").returncode == 2


def test_output_that_cannot_be_written_is_an_error() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs a device that is always full")

    with full.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "loyalty_rules", "schema", "event"], stdout=output, stderr=subprocess.PIPE
        )

    assert done.returncode == 2
    assert done.stderr.startswith(b"loyalty-rules: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_closes_the_pipe_ends_the_run_without_a_message() -> None:
    command = [sys.executable, "-m", "loyalty_rules", "run", "--ledger", "none", GROCER, RECEIPTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith(b'{"type":"issue_currency"')
        running.stdout.close()
        err = running.stderr.read()

    assert err == b""
    assert running.returncode == 141
