"""The state is computed again from the log alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.testing.ledgers.facts.till import (
    Till,
)

from .sqlite_files import busy_week, execute


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE loyalty_lots SET spent = spent + 1, expired = expired - 1 WHERE number = 1", "sum of its"),
        ("UPDATE loyalty_lots SET taken_back = 0", "not the sum of the claims"),
        ("UPDATE loyalty_counters SET value = value + 1", "sum of its draws"),
        ("UPDATE loyalty_coupons SET state = 'voided' WHERE state = 'redeemed'", "not in its last recorded state"),
        ("DELETE FROM loyalty_lots WHERE number = 1", "is missing"),
    ],
)
def test_a_state_that_differs_from_the_log_is_found_and_rebuilt(
    till: Till, ledger: SQLLedger, path: Path, change: str, sentence: str
) -> None:
    busy_week(till)
    before = till.everything(), ledger.report_rows("acme", till.now)
    execute(path, change)
    assert any(sentence in each for each in ledger.check_invariants())
    ledger.rebuild()
    assert ledger.check_invariants() == []
    assert (till.everything(), ledger.report_rows("acme", till.now)) == before
