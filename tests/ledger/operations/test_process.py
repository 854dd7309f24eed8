"""Process: each type of event has its operation."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.ledger.operations import Confirm, Sell, TakeBack, UpdateSale, event_operation
from shop import Serials

from .steps import AT, SHOP, bill, later

SERIALS = Serials()
ACTIVITY = lr.load_event({"type": "visit", "id": "A-1", "occurred_at": "2025-01-15T10:00:00Z", "member": {"id": "M1"}})
BACK = later("return", of="T-1", amount="1")
PAID = later("update", of="T-1", status="paid")
CONFIRMED = later("confirmation", promise="acme/T-1/p/earn", outcome="issue")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (bill(), Sell(SHOP, bill(), AT, SERIALS)),
        (ACTIVITY, Sell(SHOP, ACTIVITY, AT, SERIALS)),  # type: ignore[arg-type]
        (BACK, TakeBack(SHOP, BACK, AT)),
        (PAID, UpdateSale(SHOP, PAID, AT)),
        (CONFIRMED, Confirm(SHOP, CONFIRMED, AT)),
    ],
    ids=["a transaction", "an activity", "a return", "an update", "a confirmation"],
)
def test_an_event_has_the_operation_of_its_type(event: Any, expected: Any) -> None:
    assert event_operation(SHOP, event, SERIALS, AT) == expected
