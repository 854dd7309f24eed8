"""The contract of a ledger, run on ledgers that lack a capability or violate an invariant."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.ledgers.contract import LedgerContract, check_invariants

pytest_plugins = ["pytester"]

SUBJECT = """
import pytest
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.ledgers.contract import LedgerContract

class Contract(LedgerContract):
    @pytest.fixture
    def ledger(self):
        return MemoryLedger()
"""


class Violated(MemoryLedger):
    """A ledger that reports two violations."""

    def check_invariants(self) -> Sequence[str]:
        return ["the buckets of a lot differ from its issue", "a counter is below zero"]


def test_a_consistent_ledger_passes() -> None:
    check_invariants(MemoryLedger())


def test_violations_are_reported_a_line_each() -> None:
    with pytest.raises(AssertionError) as caught:
        check_invariants(Violated())

    assert str(caught.value) == "the buckets of a lot differ from its issue\na counter is below zero"


def test_the_contract_has_a_fact_for_every_operation_of_a_ledger() -> None:
    facts = [name for name in dir(LedgerContract) if name.startswith("test_")]

    assert len(facts) > 100
    for word in ("sale", "return", "spend", "coupon", "promise", "expire", "retry", "transaction"):
        assert any(word in fact for fact in facts), word


@pytest.mark.parametrize("capability", ["supports_transactions", "supports_as_of"])
def test_every_capability_is_assumed(capability: str) -> None:
    assert getattr(LedgerContract, capability) is True


def test_a_contract_without_a_ledger_names_the_missing_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUBJECT.split("    @pytest.fixture")[0] + "    pass\nclass TestLedger(Contract): ...\n")

    run = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "test_a_sale_earns_the_decided_amount")

    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines(["*a subclass of LedgerContract provides the fixture `ledger`"])


@pytest.mark.parametrize(
    ("capability", "fixture", "reason"),
    [
        ("supports_transactions", "transactions", "this ledger has no transactions"),
        ("supports_as_of", "as_of", "this ledger has no reads as of an earlier instant"),
    ],
)
def test_facts_about_a_missing_capability_are_skipped_with_a_reason(
    pytester: pytest.Pytester, capability: str, fixture: str, reason: str
) -> None:
    pytester.makepyfile(
        f"{SUBJECT}\nclass TestWithout(Contract):\n    {capability} = False\n"
        f"    def test_it(self, {fixture}): raise AssertionError('not skipped')\n"
        f"class TestWith(Contract):\n    def test_it(self, {fixture}): pass\n"
    )

    run = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "test_it", "-rs")

    run.assert_outcomes(passed=1, skipped=1)
    run.stdout.fnmatch_lines([f"SKIPPED*{reason}"])


def test_a_violated_invariant_fails_the_fact_before_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        SUBJECT.replace("return MemoryLedger()", "return Violated()").replace(
            "class Contract",
            "class Violated(MemoryLedger):\n    def check_invariants(self): return ['a lot differs']\n\nclass Contract",
        )
        + "\nclass TestLedger(Contract):\n    def test_it(self): pass\n"
    )

    run = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "test_it")

    run.assert_outcomes(passed=1, errors=1)
    run.stdout.fnmatch_lines(["*AssertionError: a lot differs"])
