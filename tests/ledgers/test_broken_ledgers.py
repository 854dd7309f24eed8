"""The tests of ledgers prove something: each planted bug fails the fact that it breaks, and the machine finds most."""

from __future__ import annotations

import pytest
from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.ledger_machine import ledger_state_machine

from .bugs import BUGS, Bug

pytest_plugins = ["pytester"]

CONTRACT = """
    import pytest
    from loyalty_rules.ledger import MemoryLedger
    from loyalty_rules.testing.ledger_contract import LedgerContract

    class TestLedger(LedgerContract):
        @pytest.fixture
        def ledger(self):
            return MemoryLedger()
"""


def outcomes(pytester: pytest.Pytester, facts: str) -> tuple[int, int]:
    """How many of the tests that state these facts pass, and how many fail."""
    path = pytester.makepyfile(CONTRACT)
    passed, _, failed = pytester.inline_run(path, "-q", "-p", "no:cacheprovider", "-k", facts).listoutcomes()
    return len(passed), len({report.nodeid for report in failed})


def machine_finds_something() -> bool:
    machine = ledger_state_machine(MemoryLedger, max_examples=RUNS, derandomize=True, phases=[Phase.generate])
    try:
        run_state_machine_as_test(machine, settings=machine.TestCase.settings)
    except Exception:  # noqa: BLE001  (a broken ledger may fail in any way)
        return True
    return False


RUNS = 60


def test_every_bug_has_a_name_of_its_own() -> None:
    assert len({str(bug) for bug in BUGS}) == len(BUGS) >= 15


def test_the_facts_hold_of_the_ledger_without_a_bug(pytester: pytest.Pytester) -> None:
    passed, failed = outcomes(pytester, " or ".join(bug.breaks for bug in BUGS))
    assert (passed >= len(BUGS), failed) == (True, 0)


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_the_contract_catches(bug: Bug, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        bug.plant(patch)
        _, failed = outcomes(pytester, bug.breaks)
    assert failed > 0


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.found_by_machine], ids=str)
def test_the_machine_finds(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        bug.plant(patch)
        found = machine_finds_something()
    assert found
