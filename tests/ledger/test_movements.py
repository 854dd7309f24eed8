"""Movements of lots and coupons for reports: the store of a payment, the origin of a lot. Source: ledger 4."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from lifecycle.till import Till, instant
from loyalty_rules.keys import part_undo_key, undo_key, undone_keys
from loyalty_rules.ledger.movements import movement_of, movements_until, origin_of, payments_of
from loyalty_rules.ledger.records import Entry
from loyalty_rules.lifecycle.records import Account
from shop import earn, fixed, program, sale

SPEND = "acme/T-2/spend/points"
AT = datetime(2025, 1, 15, 23, 30, tzinfo=UTC)


def entry(source: str, target: str, reason: str) -> Entry:
    return Entry("b", "acme", Account("member", "M1"), "points", "lot", source, target, Decimal(3), AT, AT, reason)


@pytest.mark.parametrize("reason", [SPEND, undo_key(SPEND), part_undo_key("acme", "R-1", SPEND)])
def test_a_spend_and_its_undoings_have_the_store_of_the_payment(reason: str) -> None:
    moved = movement_of(entry("spent", "available", reason), {}, {SPEND: "S9"}, UTC)
    assert (moved.redeemed_store, moved.redeemed_member, moved.amount) == ("S9", "M1", 3_000_000)
    assert SPEND in payments_of([entry("available", "spent", reason)])


def test_any_other_entry_has_no_redemption() -> None:
    moved = movement_of(entry("available", "expired", SPEND), {}, {SPEND: "S9"}, UTC)
    assert (moved.redeemed_store, moved.redeemed_member, moved.on) == (None, None, date(2025, 1, 15))
    assert [*payments_of([entry("available", "expired", SPEND)])] == []


def test_the_keys_that_an_undo_may_have_undone() -> None:
    assert undone_keys("acme/E/undo/T-2/spend/points") == ("acme/T-2/spend/points",)
    assert undone_keys("acme/T-2/spend/points/undo") == ("acme/T-2/spend/points",)
    assert undone_keys("acme/T-2/spend/points") == ()


def test_time_expires_a_lot_without_a_sweep() -> None:
    till = Till(program(earn(fixed("9"), expiry={"type": "fixed_period", "after": {"days": 1}})))
    till.sell(sale())
    storage, at = till.ledger._storage, instant("2025-01-20T00:00:00Z")
    movements = [
        (each.target, each.amount, each.on) for each in movements_until(storage, till.program, at, frozenset())
    ]
    assert movements == [
        ("available", 9_000_000, date(2025, 1, 15)),
        ("expired", 9_000_000, date(2025, 1, 17)),  # at midnight after its last day
    ]
    (row,) = till.ledger.report_rows("acme", at).lots
    assert origin_of(row, UTC)["member"] == "M1"
