"""The mapping of amounts, instants, dates, documents and lots to rows and back."""

from __future__ import annotations

import pytest

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import AmountOutOfRangeError
from loyalty_rules.testing.ledgers.facts.till import (
    Till,
    earn,
    fixed,
    shop,
)


def test_an_amount_beyond_64_bits_is_refused_and_not_recorded(till: Till, ledger: SQLLedger) -> None:
    till.runs(shop(earn(fixed("999999999999999"))))
    with pytest.raises(AmountOutOfRangeError, match="acme/T1/p/earn"):
        till.sell("T1")
    assert ledger.reconcile("acme", ["T1"]) == ["T1"]
    assert till.points() == 0
