"""The core has no clock, no randomness, no input, no output and no global state."""

from __future__ import annotations

import ast

import pytest

from .source import PACKAGE, Module, control, modules, top_packages

# These wings read files, write to a terminal, store data, test programs, or describe documents.
OUTSIDE = {"cli", "ledger", "testing", "schema", "__main__"}
OUTSIDE_MODULES = {"documents.sources"}

IMPURE_MODULES = {
    *("time", "random", "secrets", "uuid", "os", "io", "pathlib", "tempfile", "shutil", "glob", "sys", "subprocess"),
    *("logging", "warnings", "locale", "gettext", "socket", "ssl", "urllib", "http", "select", "signal", "asyncio"),
    *("threading", "multiprocessing", "concurrent", "contextvars", "sqlite3", "platform", "getpass", "tomllib"),
}
IMPURE_CALLS = {"open", "print", "input", "eval", "exec", "breakpoint", "id"}
IMPURE_METHODS = {"now", "utcnow", "today", "getenv", "read_text", "read_bytes", "write_text", "write_bytes"}


def impurities(module: Module) -> list[str]:
    """Return the parts of a module that could change the result of the same call, or leave a trace."""
    found = [f"imports {each}" for each in sorted(top_packages(module) & IMPURE_MODULES)]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id in IMPURE_CALLS and isinstance(node.ctx, ast.Load):
            found.append(f"line {node.lineno}: {node.id}")
        elif isinstance(node, ast.Attribute) and node.attr in IMPURE_METHODS:
            found.append(f"line {node.lineno}: .{node.attr}")
        elif isinstance(node, ast.Global):
            found.append(f"line {node.lineno}: global {', '.join(node.names)}")
    return found


@pytest.mark.parametrize(
    "module",
    [module for module in modules().values() if module.wing not in OUTSIDE and module.name not in OUTSIDE_MODULES],
    ids=lambda m: m.name or PACKAGE,
)
def test_the_core_uses_no_clock_no_randomness_and_no_input_or_output(module: Module) -> None:
    assert impurities(module) == []


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from time import monotonic",
        "import random",
        "from secrets import token_hex",
        "import os",
        "from os import environ",
        "import os.path as p",
        "import io",
        "import logging",
        "import locale",
        "import socket",
        "import subprocess",
        "import threading",
        "def f():\n    import time",
        "from datetime import datetime\nat = datetime.now()",
        "from datetime import datetime\nat = datetime.utcnow()",
        "from datetime import date\nday = date.today()",
        "import datetime\nclock = datetime.datetime.now",
        "def f(path):\n    return open(path)",
        "def f(path):\n    return path.read_text()",
        "print(5)",
        "say = print",
        "def f():\n    global seen\n    seen = 1",
    ],
)
def test_an_impurity_is_seen(text: str) -> None:
    assert len(impurities(control(text))) == 1


def test_pure_code_is_allowed() -> None:
    text = "from datetime import UTC, datetime\nimport json\nimport hmac\nat = datetime(2025, 1, 15, tzinfo=UTC)"
    assert impurities(control(text)) == []
