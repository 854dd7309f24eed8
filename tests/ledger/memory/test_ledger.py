"""The ledger in memory keeps the contract, and equals the reference model after any operations."""

from __future__ import annotations

import pytest

from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.ledgers.contract import LedgerContract
from loyalty_rules.testing.ledgers.state_machine import ledger_state_machine


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def ledger(self) -> MemoryLedger:
        return MemoryLedger()


TestMemoryLedgerAgainstTheModel = pytest.mark.slow(ledger_state_machine(MemoryLedger).TestCase)
