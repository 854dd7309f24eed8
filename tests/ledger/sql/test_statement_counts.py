"""The statements of one sale with a cap and a tracker: each is a turn to the database. Source: ledger 3."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import event

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.testing.ledgers.facts.till import SERIALS, Till, earn, fixed, shop

STATEMENTS = [
    "INSERT INTO loyalty_batches",  # the claim, on PostgreSQL with all locks
    "SELECT loyalty_mergers",
    "SELECT loyalty_counters",
    "SELECT loyalty_shortfalls",
    "INSERT INTO loyalty_lots",
    "INSERT INTO loyalty_counters",
    "INSERT INTO loyalty_entries",
    "INSERT INTO loyalty_draws",
    "SELECT loyalty_receipts",  # the end of the chain
    "INSERT INTO loyalty_receipts",
]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_the_statements_of_a_sale(database: str) -> None:
    with closing(SQLLedger.open(database, serials=SERIALS)) as ledger:
        till = Till(ledger)
        caps = {"total": {"amount": "1000"}}
        trackers = {"spent": {"measure": {"type": "transaction_value"}, "target": "500"}}
        till.runs(shop(earn(fixed("10"), caps=caps), trackers=trackers))
        till.sell("T1")  # which also stores the program
        run: list[str] = []
        event.listen(ledger._bind, "before_cursor_execute", lambda _on, _cursor, text, *_rest: run.append(text))
        till.sell("T2")
    statements = [each for each in run if not each.startswith("BEGIN")]
    assert [each for each, start in zip(statements, STATEMENTS, strict=True) if not each.startswith(start)] == []
