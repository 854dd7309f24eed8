"""The two protocols of a ledger have the same operations, and the ledgers of the library conform to them."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.ledger import AsyncLedger, Ledger, MemoryLedger

ROOT = Path(__file__).parents[2]


def operations(cls: type) -> Mapping[str, Callable[..., Any]]:
    """Return the public methods that a class itself defines, by name."""
    return {name: each for name, each in vars(cls).items() if inspect.isfunction(each) and not name.startswith("_")}


def shape(function: Callable[..., Any]) -> list[tuple[str, Any, Any, Any]]:
    """Return the name, kind, default and type of every parameter, and the type of the result."""
    signature = inspect.signature(function, eval_str=True)
    parameters = [(each.name, each.kind, each.default, each.annotation) for each in signature.parameters.values()]
    return [*parameters, ("return", None, None, signature.return_annotation)]


BLOCK = "transaction"
"""A block in the host's thread; a ledger for asyncio runs a function in the transaction of a connection instead."""

METHODS = [name for name in operations(Ledger) if name != BLOCK]


def test_both_protocols_have_the_same_operations_in_the_same_order() -> None:
    assert list(operations(AsyncLedger)) == METHODS
    assert len(operations(Ledger)) > 15


@pytest.mark.parametrize("name", METHODS)
def test_each_operation_has_the_same_signature_awaited_or_not(name: str) -> None:
    one, other = operations(Ledger)[name], operations(AsyncLedger)[name]
    assert shape(one) == shape(other)
    assert not inspect.iscoroutinefunction(one)
    assert inspect.iscoroutinefunction(other)


@pytest.mark.parametrize("name", METHODS)
def test_the_ledger_in_memory_has_the_signatures_of_the_protocol(name: str) -> None:
    assert shape(getattr(MemoryLedger, name)) == shape(operations(Ledger)[name])


@pytest.mark.parametrize("name", operations(Ledger))
def test_each_operation_has_a_docstring(name: str) -> None:
    assert inspect.getdoc(operations(Ledger)[name])


TYPED = """
from loyalty_rules.ledger import AsyncLedger, Ledger, MemoryLedger

ledger: Ledger = MemoryLedger()
"""
EXAMPLE = """
from pathlib import Path
from journal_ledger import JournalLedger

journal: Ledger = JournalLedger(Path("journal.jsonl"))
"""
WRONG = """
awaited: AsyncLedger = MemoryLedger()
"""


def mypy(snippet: Path, text: str) -> str:
    """Return the output of mypy for a snippet, with the settings of the project."""
    snippet.write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", str(snippet)]
    path = {**os.environ, "MYPYPATH": str(ROOT / "examples" / "custom_ledger")}
    return subprocess.run(command, cwd=ROOT, env=path, capture_output=True, text=True, timeout=600, check=False).stdout


@pytest.mark.slow
def test_a_type_checker_accepts_the_ledgers_as_synchronous_ones_only(tmp_path: Path) -> None:
    right = mypy(tmp_path / "right.py", TYPED + EXAMPLE)
    assert "no issues found" in right, right
    wrong = mypy(tmp_path / "wrong.py", TYPED + WRONG)
    assert "Incompatible types in assignment" in wrong
    assert "Found 1 error" in wrong
