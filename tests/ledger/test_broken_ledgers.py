"""The tests of ledgers find bugs: each planted bug fails its facts of the contract, and the machine finds most."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.ledgers.state_machine import ledger_state_machine

from .bugs import BUGS, Bug

pytest_plugins = ["pytester"]

OTHERS = (
    "amend_the_bill", "amend_the_member", "hold", "capture", "release_a_hold", "sell_for_a_set", "reassign", "top_up",
    "extend_a_coupon", "adjust", "transfer", "extend_a_lot", "merge",
)  # fmt: skip
"""Rules of other operations, whose bugs `test_broken_operations` shows step by step."""

RUNS = 150  # the maximum of the machine, which stops at the first failure

SUBJECTS = """
    import pytest
    from ledger.bugs import BUGS
    from loyalty_rules.ledger import MemoryLedger
    from loyalty_rules.testing.ledgers.contract import LedgerContract

    def contract_of(bug):
        class TestLedger(LedgerContract):
            @pytest.fixture
            def ledger(self, monkeypatch):
                PLANT
                return MemoryLedger()

        return TestLedger

    for bug in BUGS:
        globals()[f"Test_{bug}"] = contract_of(bug)
"""


class OnlyTheBrokenFacts:
    """A plugin that collects for each broken ledger only the facts that its bug breaks."""

    def pytest_pycollect_makeitem(self, collector: Any, name: str) -> list[Any] | None:
        broken = next((bug for bug in BUGS if collector.name == f"Test_{bug}"), None)
        skipped = broken is not None and name.startswith("test_") and name.removeprefix("test_") not in broken.breaks
        return [] if skipped else None


def outcomes(pytester: pytest.Pytester, plant: str) -> tuple[set[str], set[str]]:
    """Return the bugs with which every fact holds, and those with which one fails."""
    path = pytester.makepyfile(SUBJECTS.replace("PLANT", plant))
    run = pytester.inline_run(path, "-q", "-p", "no:cacheprovider", plugins=[OnlyTheBrokenFacts()])
    passed, _, failed = ({report.nodeid.split("::")[1] for report in reports} for reports in run.listoutcomes())
    return passed - failed, failed


def test_every_bug_has_a_name_and_facts_that_it_breaks() -> None:
    assert len({str(bug) for bug in BUGS}) == len(BUGS) >= 15
    assert all(bug.breaks for bug in BUGS)


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_every_bug_can_be_planted(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)


def test_the_facts_hold_of_the_ledger_without_the_bugs(pytester: pytest.Pytester) -> None:
    assert outcomes(pytester, "pass") == ({f"Test_{bug}" for bug in BUGS}, set())


@pytest.mark.slow
def test_the_contract_catches_every_bug(pytester: pytest.Pytester) -> None:
    assert outcomes(pytester, "bug.plant(monkeypatch)") == (set(), {f"Test_{bug}" for bug in BUGS})


@pytest.mark.slow
@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.found_by_machine], ids=str)
def test_the_state_machine_finds(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = ledger_state_machine(
        MemoryLedger, without=OTHERS, max_examples=RUNS, derandomize=True, phases=[Phase.generate]
    )
    bug.plant(monkeypatch)
    with pytest.raises(Exception):  # noqa: B017, PT011  (a broken ledger fails in its own way)
        run_state_machine_as_test(machine, settings=machine.TestCase.settings)
