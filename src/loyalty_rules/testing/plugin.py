"""A small pytest plugin: a program for each test, and failures shown as till receipts.

    @pytest.mark.program("program.toml")
    def test_a_coffee_earns_a_bean(program):
        ...

The marker takes a path relative to the folder of the test's file, or a mapping; the fixture `program` is the loaded
program. A failed comparison of intents shows the difference as rows of a receipt. A broken law shows only its receipts.
A failed test of the ledger contract shows the processed events. The entry-point group `pytest11` names the plugin, so
that the extra `testing` needs no import.
"""

import difflib
import sys
from collections.abc import Generator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, get_args

import pytest

from loyalty_rules.errors import DocumentError
from loyalty_rules.intents import Intent
from loyalty_rules.loading import load_program
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.testing.till_receipts import intent_rows, till_receipt

__all__ = ["program", "pytest_assertrepr_compare", "pytest_configure", "pytest_runtest_makereport"]

MARKER = "program(source): the program that the fixture `program` loads: a path beside the test's file, or a mapping"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker with pytest."""
    config.addinivalue_line("markers", MARKER)


# -- the program -----------------------------------------------------------------------------------------------------


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Program:
    """Return the program of the nearest marker `program`; fail the test if it is invalid, with its problems."""
    marker = request.node.get_closest_marker("program")
    if marker is None or len(marker.args) != 1:
        pytest.fail('the fixture `program` needs a marker: @pytest.mark.program("program.toml")', pytrace=False)
    [source] = marker.args
    try:
        return load_program(source) if isinstance(source, dict) else _loaded(request.path.parent / source)
    except DocumentError as error:
        pytest.fail(f"{source if not isinstance(source, dict) else ''}: {error}".lstrip(": "), pytrace=False)


@cache
def _loaded(path: Path) -> Program:
    return load_program(path)


# -- failures --------------------------------------------------------------------------------------------------------

_INTENTS: tuple[type, ...] = get_args(Intent)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Show the difference of two evaluations or lists of intents as rows of a receipt, if the rows differ."""
    if op != "==":
        return None
    first, second = _rows(left), _rows(right)
    if first is None or second is None or first == second:
        return None
    return ["the found intents == the expected intents", *difflib.ndiff(second, first)]


def _rows(value: Any) -> list[str] | None:
    if isinstance(value, Evaluation):
        return intent_rows(value.intents)
    intents: Any = [value] if isinstance(value, _INTENTS) else value
    if isinstance(intents, (list, tuple)) and intents and all(isinstance(each, _INTENTS) for each in intents):
        return intent_rows(intents)
    return None


_Reporting: TypeAlias = Generator[None, pytest.TestReport, pytest.TestReport]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[None]") -> "_Reporting":
    """Show a broken law by its receipts, and the processed events of a failed contract test."""
    report = yield
    if report.failed and call.excinfo is not None:
        if _is_law(call.excinfo.value):
            report.longrepr = str(call.excinfo.value)
        slips = _till_slips(item)
        if slips:
            report.sections.append(("processed events", "\n\n".join(slips)))
    return report


def _is_law(error: BaseException) -> bool:
    """Return True for a broken law; this module never imports the laws itself."""
    laws = sys.modules.get("loyalty_rules.testing.laws")
    return laws is not None and isinstance(error, laws.LawBroken)


def _till_slips(item: pytest.Item) -> Sequence[str]:
    contract = sys.modules.get("loyalty_rules.testing.ledgers.facts.till")
    till = getattr(item, "funcargs", {}).get("till")
    if contract is None or not isinstance(till, contract.Till):
        return []
    return [till_receipt(document, receipt.intents) for document, receipt in till.journal]
