"""Sale operations: the parts that a processed sale and a recorded evaluation share."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.ledger import SaleReceipt
from loyalty_rules.ledger.operations import Record, Sell
from loyalty_rules.ledger.operations.sale import SaleOperation
from shop import Serials

from .steps import AT, SHOP, bill

BOTH: list[Any] = [Sell(SHOP, bill(), AT), Record(SHOP.evaluate(bill()), AT)]


@pytest.mark.parametrize("operation", BOTH, ids=["sell", "record"])
def test_both_have_the_same_counters_locks_and_receipt(operation: SaleOperation) -> None:
    assert [each.name for each in operation.counters] == ["limit/most/M1/lifetime"]
    assert [name for _, name in operation.locks()] == ["acme/member/M1", "acme/limit/most/M1/lifetime"]
    assert operation.receipt_class() is SaleReceipt


@pytest.mark.parametrize("operation", BOTH, ids=["sell", "record"])
def test_a_generator_of_serials_is_taken_once(operation: SaleOperation) -> None:
    first = Serials()
    given = operation.with_serials(first)

    assert type(given) is type(operation)
    assert given.serial_generator() is first
    assert given.with_serials(Serials()) is given
