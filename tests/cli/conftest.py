"""Fixtures that several tests of the command share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.cli import main

from .documents import lines
from .running import Capture, Document, Outcome, RunReceipts, Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write bytes, a text or a JSON document to a file, and return its name."""

    def write(name: str, content: Any) -> str:
        path = tmp_path / name
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


@pytest.fixture
def run_receipts(write: Write, capsys: Capture) -> RunReceipts:
    """Run a program over sales, or over files of them, in this process and without a ledger."""

    def run(program: str, *receipts: Document | str, options: tuple[str, ...] = ()) -> Outcome:
        names = [each for each in receipts if isinstance(each, str)]
        sales = [each for each in receipts if isinstance(each, dict)]
        if sales:
            names.append(write("sales.jsonl", lines(*sales)))
        status = main(["run", write("program.json", program), *names, "--ledger", "none", *options])
        return Outcome(status, *capsys.readouterr())

    return run
