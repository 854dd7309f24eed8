"""Ways to run the command in a test, and the outcome of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
GROCER = str(EXAMPLES / "programs" / "grocer.toml")
RECEIPTS = str(EXAMPLES / "data" / "grocery-receipts.jsonl.gz")

Capture: TypeAlias = pytest.CaptureFixture[str]
Document: TypeAlias = dict[str, Any]
Write: TypeAlias = Callable[[str, Any], str]


def run_command(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "loyalty_rules", *arguments], input=stdin, capture_output=True)


def run_without(module: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process in which a module is not installed."""
    return subprocess.run(without(module, *arguments), capture_output=True)


def without(module: str, *arguments: str) -> list[str]:
    """Return the command line of a process in which a module is not installed."""
    code = (
        f"import sys; sys.modules[{module!r}] = None; from loyalty_rules.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    return [sys.executable, "-c", code, *arguments]


class Outcome:
    """The outcome of a run in this process: its status, intents, complaints and table."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.intents = [json.loads(line) for line in out.splitlines()]
        self.err = err.splitlines()

    @property
    def points(self) -> list[tuple[str, str]]:
        """The event and the amount of each issue of points."""
        return [(each["event"], each["amount"]) for each in self.intents if each["type"] == "issue_currency"]

    @property
    def events(self) -> list[str]:
        """The events that earned points, in the order in which they were evaluated."""
        return [event for event, _ in self.points]

    def row(self, name: str) -> list[str]:
        """Return the cells of a row of the table that follow its name."""
        row = next(line for line in self.err if line.startswith(f"{name}  "))
        return row.removeprefix(name).split()


RunReceipts: TypeAlias = Callable[..., Outcome]
