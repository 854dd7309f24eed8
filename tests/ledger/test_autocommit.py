"""Autocommit: each operation runs in a transaction of its own, and queries run apart from operations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import pytest

import loyalty_rules as lr
from loyalty_rules.ledger import Ledger, Queries
from loyalty_rules.ledger.autocommit import AutocommitLedger
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Account
from shop import Serials, earn, fixed, program, sale

T = TypeVar("T")

AT = datetime(2025, 6, 1, tzinfo=UTC)
ANNA = Account("member", "M1")
SHORT = {"type": "fixed_period", "after": {"days": 3}}
SHOP = lr.load_program(
    program(
        earn(fixed(10), expiry=SHORT),
        earn(fixed(5), "second", expiry=SHORT),
        earn(fixed(7), "later", timing={"type": "delayed", "days": 1}),
        earn(fixed(3), "latest", timing={"type": "delayed", "days": 2}),
    )
)


class CountingLedger(AutocommitLedger):
    """A ledger that counts its transactions and its queries."""

    def __init__(self) -> None:
        self.service = LedgerService(MemoryStorage(), Serials())
        self.transactions = self.queries = 0

    def _write(self, work: Callable[[LedgerService], T]) -> T:
        self.transactions += 1
        return work(self.service)

    def read(self, query: Callable[[Queries], T]) -> T:
        self.queries += 1
        return query(self.service.queries)


@pytest.fixture
def ledger() -> CountingLedger:
    return CountingLedger()


def test_an_operation_runs_in_one_transaction(ledger: CountingLedger) -> None:
    ledger.process(SHOP, lr.load_event(sale()))
    ledger.spend(SHOP, ANNA, "M1", "points", Decimal(1), event="S-1", at=datetime(2025, 1, 16, tzinfo=UTC))

    assert (ledger.transactions, ledger.queries) == (2, 0)


@pytest.mark.parametrize(
    "query",
    [
        lambda ledger: ledger.snapshot(SHOP, lr.load_event(sale())),
        lambda ledger: ledger.balance("acme", ANNA, "points", AT),
        lambda ledger: ledger.lots("acme", ANNA, "points", AT),
        lambda ledger: ledger.promises("acme", AT),
        lambda ledger: ledger.statement("acme", ANNA, AT),
        lambda ledger: ledger.coupon("acme", "GIFT"),
        lambda ledger: ledger.coupons("acme", "M1"),
        lambda ledger: ledger.report_rows("acme", AT),
    ],
)
def test_a_query_runs_outside_the_transactions(ledger: CountingLedger, query: Callable[[Any], Any]) -> None:
    query(ledger)

    assert (ledger.transactions, ledger.queries) == (0, 1)


@pytest.mark.parametrize("operation", ["settle", "expire"])
def test_each_promise_or_expiry_has_a_transaction_of_its_own(ledger: CountingLedger, operation: str) -> None:
    ledger.process(SHOP, lr.load_event(sale()))
    ledger.transactions = 0

    receipts = getattr(ledger, operation)(SHOP, AT)

    assert [receipt.status for receipt in receipts] == ["recorded", "recorded"]
    assert (ledger.transactions, ledger.queries) == (2, 1)


def test_a_subclass_must_provide_the_transactions() -> None:
    assert AutocommitLedger.__abstractmethods__ == {"_write"}


def test_a_query_without_a_read_of_its_own_runs_in_a_transaction() -> None:
    class Plain(AutocommitLedger):
        """A ledger that reads as it writes."""

        def _write(self, work: Callable[[LedgerService], T]) -> T:
            return work(LedgerService(MemoryStorage()))

    assert Plain().balance("acme", ANNA, "points", AT).available == 0


def test_a_ledger_inherits_every_method_of_the_protocol_but_its_transactions_and_invariants() -> None:
    missing = {name for name in vars(Ledger) if not name.startswith("_")} - {*dir(AutocommitLedger)}

    assert missing == {"transaction", "check_invariants"}
