"""The ledger in an SQLite file keeps the contract, and does what the model does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.testing.contract.till import SERIALS
from loyalty_rules.testing.ledger_contract import LedgerContract
from loyalty_rules.testing.ledger_machine import SERIALS as MACHINE_SERIALS
from loyalty_rules.testing.ledger_machine import ledger_state_machine


class TestSQLiteLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[SQLLedger]:
        ledger = SQLLedger.open(f"sqlite:///{tmp_path}/shop.db", serials=SERIALS)
        yield ledger
        ledger.close()


FOLDER = tempfile.TemporaryDirectory()


def new_file() -> SQLLedger:
    """A ledger in a file of its own."""
    path = tempfile.mkstemp(".db", dir=FOLDER.name)[1]
    return SQLLedger.open(f"sqlite:///{path}", serials=MACHINE_SERIALS)


TestSQLiteLedgerAgainstTheModel = ledger_state_machine(new_file, max_examples=15).TestCase
