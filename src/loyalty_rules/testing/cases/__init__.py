"""Cases of several steps as data: a program, operations on a ledger, and the expected results of each.

    from loyalty_rules.testing.cases import differences, load_cases

    @pytest.mark.parametrize("case", load_cases("cases/"), ids=str)
    def test_our_returns_have_the_agreed_results(case):
        assert differences(case, MemoryLedger(case.serials())) == []

The format is described in docs/testing.md.
"""

from loyalty_rules.testing.cases.files import Case, load_cases
from loyalty_rules.testing.cases.replay import differences

__all__ = ["Case", "differences", "load_cases"]
