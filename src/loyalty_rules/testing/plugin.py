"""A small pytest plugin: a program for each test, and failures that read as till receipts.

    @pytest.mark.program("program.toml")
    def test_a_coffee_earns_a_bean(program):
        ...

The marker takes a path, from the folder of the test's file on, or a mapping; the fixture `program` gives the program,
loaded once. Where two lots of intents are not equal, the difference is shown as a till prints them; a broken law is
shown by its receipts alone; and a test of the ledger's contract that fails shows what went through the till.
Named in the entry-point group `pytest11`: with the extra `testing` it is there with nothing imported.
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
    """Tell pytest of the marker."""
    config.addinivalue_line("markers", MARKER)


# -- the program -----------------------------------------------------------------------------------------------------


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Program:
    """Give the program that the nearest marker `program` names; what is wrong with it fails the test, in words."""
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


# -- what is shown of a failure --------------------------------------------------------------------------------------

_INTENTS: tuple[type, ...] = get_args(Intent)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Show how two evaluations, or two lots of intents, differ: as rows of a receipt, where these tell them apart."""
    if op != "==":
        return None
    first, second = _rows(left), _rows(right)
    if first is None or second is None or first == second:
        return None
    return ["what is earned == what is expected", *difflib.ndiff(second, first)]


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
    """Show a broken law by its receipts, and what went through the till of a contract."""
    report = yield
    if report.failed and call.excinfo is not None:
        if _is_law(call.excinfo.value):
            report.longrepr = str(call.excinfo.value)
        slips = _till_slips(item)
        if slips:
            report.sections.append(("what went through the till", "\n\n".join(slips)))
    return report


def _is_law(error: BaseException) -> bool:
    """Say whether a law is broken; the laws are imported by whoever tries one, never here."""
    laws = sys.modules.get("loyalty_rules.testing.laws")
    return laws is not None and isinstance(error, laws.LawBroken)


def _till_slips(item: pytest.Item) -> Sequence[str]:
    contract = sys.modules.get("loyalty_rules.testing.ledgers.facts.till")
    till = getattr(item, "funcargs", {}).get("till")
    if contract is None or not isinstance(till, contract.Till):
        return []
    return [till_receipt(document, receipt.intents) for document, receipt in till.journal]
