"""The lots of the storage in memory: the current state agrees with the history, whatever is rolled back."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest

from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.ledgers.facts.till import ANNA, Till, earn, fixed, moment, shop

ROLLING = {"type": "rolling", "after": {"days": 30}}


@pytest.fixture
def till() -> Till:
    """Return a till that has recorded a sale on day 0, and runs a program whose points last 30 days after a visit."""
    till = Till(MemoryLedger())
    till.runs(shop(earn(fixed("10"), expiry=ROLLING)))
    till.sell("T1")
    return till


def test_a_visit_writes_no_lot_but_its_own(till: Till) -> None:
    storage = till.ledger._storage  # type: ignore[attr-defined]
    before = storage.written["acme/T1/p/earn"]
    till.on(20)
    till.sell("T2")
    assert storage.written["acme/T1/p/earn"] is before
    assert str(storage.lot("acme/T1/p/earn").expires_on) == "2025-03-06"
    assert str(storage.history("acme/T1/p/earn").lot(moment(19)).expires_on) == "2025-02-14"
    assert till.ledger.check_invariants() == []


def test_a_visit_that_is_rolled_back_extends_nothing(till: Till) -> None:
    till.on(20)
    with suppress(RuntimeError), till.ledger.transaction():  # type: ignore[attr-defined]
        till.sell("T2")
        raise RuntimeError
    lots = till.ledger.lots(till.program, ANNA, "points", moment(20))
    assert [str(lot.expires_on) for lot in lots] == ["2025-02-14"]
    till.on(25)
    till.sell("T3")
    lots = till.ledger.lots(till.program, ANNA, "points", moment(25))
    assert [str(lot.expires_on) for lot in lots] == ["2025-03-11", "2025-03-11"]


def test_spent_lots_are_not_read_for_a_balance(till: Till) -> None:
    storage = till.ledger._storage  # type: ignore[attr-defined]
    till.spend("10")
    till.sell("T2")
    assert [lot.key for lot in storage.balance_lots_at("acme", ANNA, "points", moment(0))] == ["acme/T2/p/earn"]
    assert [lot.key for lot in storage.lots_of("acme", ANNA)] == ["acme/T2/p/earn"]
    assert till.ledger.balance(till.program, ANNA, "points", moment(-1)).available == 0
    assert till.ledger.balance(till.program, ANNA, "points", moment(0)).available == Decimal(10)
