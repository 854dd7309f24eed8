"""Constructors: what they accept, how they keep it, and which error they raise."""

import subprocess
import sys
from pathlib import Path

import pytest

CONSTRUCTORS = Path(__file__).with_name("constructors.py")


@pytest.mark.slow
def test_a_type_checker_accepts_lists_and_numbers_and_refuses_other_types() -> None:
    # In a process of its own: mypy raises the recursion limit of the process that it runs in.
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", CONSTRUCTORS]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CONSTRUCTORS.parents[2])
    lines = CONSTRUCTORS.read_text(encoding="utf-8").splitlines()
    refused = {number for number, line in enumerate(lines, start=1) if "# refused: " in line}
    reported = {int(line.split(":")[1]) for line in run.stdout.splitlines() if ": error: " in line}
    assert run.stderr == ""
    assert reported == refused, run.stdout
