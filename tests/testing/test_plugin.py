"""The pytest plugin: the program of a test, and failures in the form of till receipts."""

from __future__ import annotations

import json

import pytest

from shop import earn, fixed, program, proportional, sale

pytest_plugins = ["pytester"]

HEAD = f"import pytest\nimport loyalty_rules as lr\nSALE = lr.load_event({sale('50')})\n"


def run(pytester: pytest.Pytester, test: str, **documents: dict) -> pytest.RunResult:
    """Run a file of tests in a folder with documents, in a process that loads the plugin as a host does."""
    for name, document in documents.items():
        (pytester.path / f"{name}.json").write_text(json.dumps(document))
    pytester.makepyfile(HEAD + test)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error", "--strict-markers")


@pytest.mark.slow
def test_a_marker_names_the_program_of_a_test_beside_its_file(pytester: pytest.Pytester) -> None:
    ran = run(
        pytester,
        """
@pytest.mark.program("shop.json")
def test_it_earns(program):
    assert [str(intent.amount) for intent in program.evaluate(SALE).intents] == ["5"]

@pytest.mark.program(
    {"format": "loyalty-rules/1", "id": "inline", "time_zone": "UTC", "currencies": {}, "promotions": []}
)
def test_a_mapping_is_a_program_too(program):
    assert program.id == "inline"
""",
        shop=program(earn(proportional("10"))),
    )
    ran.assert_outcomes(passed=2)


@pytest.mark.slow
def test_the_problems_of_a_program_are_reported_in_words(pytester: pytest.Pytester) -> None:
    ran = run(
        pytester,
        """
@pytest.mark.program("shop.json")
def test_it_earns(program): ...

def test_without_a_marker(program): ...
""",
        shop={**program(earn(fixed("5"))), "time_zone": "Mars"},
    )

    ran.assert_outcomes(errors=2)
    ran.stdout.fnmatch_lines(["shop.json: this program has a problem:", "  $.time_zone: expected an IANA time zone *"])
    ran.stdout.fnmatch_lines(['the fixture `program` needs a marker: @pytest.mark.program("program.toml")'])


@pytest.mark.slow
def test_different_intents_are_shown_as_rows_of_a_receipt(pytester: pytest.Pytester) -> None:
    ran = run(
        pytester,
        """
def test_it_earns_the_same():
    before, after = (lr.load_program(f"{name}.json").evaluate(SALE) for name in ("before", "after"))
    assert after.intents == before.intents
""",
        before=program(earn(proportional("10")), earn(fixed("3"), "gift")),
        after=program(earn(proportional("20")), earn(fixed("3"), "gift")),
    )

    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(
        [
            "E *assert the found intents == the expected intents",
            "E * - + 5 points *p/earn",
            "E * + + 10 points *p/earn",
            "E *   + 3 points *p/gift",
        ]
    )
    ran.stdout.no_fnmatch_line("*IssueCurrency(key=*")


@pytest.mark.slow
def test_a_broken_law_is_shown_as_receipts_alone(pytester: pytest.Pytester) -> None:
    ran = run(
        pytester,
        """
from loyalty_rules.testing.laws import assert_laws

@pytest.mark.program("shop.json")
def test_it_keeps_the_laws(program):
    assert_laws(program, laws=["splitting"])
""",
        shop=program(earn(proportional("10"), rounding={"currency": "nearest"})),
    )

    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(
        [
            "the program acme breaks a law",
            "splitting: two receipts of 5 earn 1 point more than one of 10",
            "T1  sale  2025-01-01T12:00:00Z                M1",
            "+ 1 points                                p/earn",
            "as documents:",
        ]
    )
    ran.stdout.no_fnmatch_line("*def assert_laws*")
    ran.stdout.no_fnmatch_line("*Counterexample(*")


@pytest.mark.slow
def test_a_failed_contract_shows_the_processed_events(pytester: pytest.Pytester) -> None:
    ran = run(
        pytester,
        """
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.ledgers.contract import LedgerContract

class Forgetful(MemoryLedger):
    def balance(self, program, account, currency, at):
        import attrs
        from decimal import Decimal
        return attrs.evolve(super().balance(program, account, currency, at), available=Decimal(0))

class TestForgetful(LedgerContract):
    @pytest.fixture
    def ledger(self):
        return Forgetful()
""",
    )

    assert ran.parseoutcomes()["failed"] > 5
    ran.stdout.fnmatch_lines(
        [
            "*test_a_sale_earns_the_decided_amount*",
            "*processed events*",
            "T1  sale  2025-01-15T10:00:00*anna",
            "  amount                                     120",
            "+ 12 points                               p/earn",
        ]
    )


@pytest.mark.slow
def test_a_passing_test_shows_no_receipt(pytester: pytest.Pytester) -> None:
    ran = run(pytester, "def test_it():\n    assert [1] == [1]\n")

    ran.assert_outcomes(passed=1)
    ran.stdout.no_fnmatch_line("*till*")


@pytest.mark.slow
def test_other_lists_than_intents_are_shown_as_usual(pytester: pytest.Pytester) -> None:
    ran = run(pytester, "def test_it():\n    assert [1, 2] == [1, 3]\n")

    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["E *assert [[]1, 2[]] == [[]1, 3[]]"])
