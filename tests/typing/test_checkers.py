"""The types of the library, as mypy and pyright see them in the code of a user. Both are strict."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bakery
import pytest

from loyalty_rules.ledger import MemoryLedger

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHOP, VIOLATIONS = HERE / "bakery.py", HERE / "violations.py"
SAFETY_NET = 600  # seconds until a checker that does not end is killed

Errors = dict[str, dict[int, str]]


def run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SAFETY_NET, check=False)
    assert done.stderr == "", done.stderr
    return done.stdout


def errors_of_mypy() -> Errors:
    found: Errors = {SHOP.name: {}, VIOLATIONS.name: {}}
    options = ["--strict", "--strict-equality", "--no-error-summary", "--hide-error-context"]
    for line in run(sys.executable, "-m", "mypy", *options, SHOP, VIOLATIONS).splitlines():
        file, number, kind, message = line.split(":", 3)
        if kind == " error":
            found[Path(file).name][int(number)] = message
    return found


def errors_of_pyright() -> Errors:
    found: Errors = {SHOP.name: {}, VIOLATIONS.name: {}}
    options = ["--project", HERE / "pyrightconfig.json", "--pythonpath", sys.executable, "--outputjson"]
    for each in json.loads(run(sys.executable, "-m", "basedpyright", *options))["generalDiagnostics"]:
        found[Path(each["file"]).name][each["range"]["start"]["line"] + 1] = each["message"]
    return found


CHECKERS: dict[str, tuple[Callable[[], Errors], str]] = {
    "mypy": (errors_of_mypy, r"# refused( by mypy)?: "),
    "pyright": (errors_of_pyright, r"# refused: "),
}


@pytest.fixture(scope="module", params=CHECKERS)
def checked(request: pytest.FixtureRequest) -> tuple[Errors, str]:
    """Return the errors that a checker reports, and the comment of the mistakes that it must report."""
    check, comment = CHECKERS[request.param]
    return check(), comment


@pytest.mark.slow
def test_a_shop_in_the_idiom_of_the_documentation_has_no_error(checked: tuple[Errors, str]) -> None:
    errors, _ = checked
    assert errors[SHOP.name] == {}


@pytest.mark.slow
def test_every_mistake_is_reported_and_nothing_else(checked: tuple[Errors, str]) -> None:
    errors, comment = checked
    lines = VIOLATIONS.read_text(encoding="utf-8").splitlines()
    planted = {number: line.strip() for number, line in enumerate(lines, start=1) if re.search("  " + comment, line)}
    reported = errors[VIOLATIONS.name]

    assert len(planted) > 10
    assert {number: line for number, line in planted.items() if number not in reported} == {}
    assert {number: message for number, message in reported.items() if number not in planted} == {}


def test_the_shop_runs() -> None:
    assert bakery.a_day(MemoryLedger()) == 4  # 10 % of 42.50, rounded down; the spend is undone
    assert "crumbs" in bakery.evaluated(bakery.sale("T-1", "42.50"))[0]


def test_the_shop_needs_no_cast_and_ignores_no_error() -> None:
    text = SHOP.read_text(encoding="utf-8")

    assert [word for word in ("cast(", "type: ignore", "pyright:", "Any") if word in text] == []
