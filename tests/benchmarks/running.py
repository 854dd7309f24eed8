"""The command `run` on a year of receipts, compared with parsing and printing the same JSON lines."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tempfile
from pathlib import Path

from measure import interleaved, table

from loyalty_rules.cli import main

__all__ = ["report"]

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAM = EXAMPLES / "programs" / "grocer.toml"
RECEIPTS = EXAMPLES / "data" / "grocery-receipts.jsonl.gz"
KEY = b"0123456789abcdef0123456789abcdef"


def report() -> str:
    """Run the receipts with and without a ledger, interleaved with the comparison; return a Markdown table."""
    with tempfile.TemporaryDirectory() as folder:
        return _report(Path(folder))


def _report(folder: Path) -> str:
    receipts, key, intents = folder / "receipts.jsonl", folder / "key", folder / "intents.jsonl"
    receipts.write_bytes(gzip.decompress(RECEIPTS.read_bytes()))
    key.write_bytes(KEY)
    arguments = ["run", str(PROGRAM), str(receipts), "--key-file", str(key), "--output", str(intents), "--quiet"]

    def run(ledger: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert main([*arguments, "--ledger", ledger]) == 0

    run("none")
    decided = [json.loads(line) for line in intents.read_text().splitlines()]

    def parse_and_print() -> None:
        with receipts.open() as read, (folder / "alone.jsonl").open("w") as written:
            for line in read:
                json.loads(line)
            written.writelines(f"{json.dumps(intent, separators=(',', ':'))}\n" for intent in decided)

    turns = {
        "run, without a ledger": lambda _piece: run("none"),
        "run, into a ledger in memory": lambda _piece: run("memory"),
        "parse the receipts, print the intents": lambda _piece: parse_and_print(),
    }
    times = interleaved(turns, 1, rounds=7)
    alone, events = times["parse the receipts, print the intents"], len(receipts.read_text().splitlines())
    rows = [[name, f"{events / time * 1e6:,.0f}", f"{time / alone:.1f}"] for name, time in times.items()]
    return table([f"{events:,} receipts", "a second", "times the last"], rows)
