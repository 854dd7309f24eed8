"""The receipts that differ most under two programs."""

from __future__ import annotations

import pytest

from loyalty_rules.events import Event
from loyalty_rules.program import Program
from loyalty_rules.reporting.history import History
from loyalty_rules.reporting.largest import LargestChanges, ReceiptChange

from .histories import bought, version

TEN, TWENTY = version("10"), version("20")


def largest(old: Program, new: Program, *events: Event) -> tuple[ReceiptChange, ...]:
    before, after = History(old), History(new)
    changes = LargestChanges(before, after)
    for event in events:
        changes.add(event, before.record(event), after.record(event))
    return changes.receipts()


def test_the_ten_largest_changes_are_kept_in_their_order() -> None:
    amounts = [20, 120, 30, 110, 40, 100, 50, 90, 60, 80, 70, 130]
    found = largest(TEN, TWENTY, *(bought(day, "anna", str(amount)) for day, amount in enumerate(amounts, 1)))
    bills = [int(each.old * 1000) for each in found]  # 10 % in points, 100 of which are 1.00
    assert bills == [130, 120, 110, 100, 90, 80, 70, 60, 50, 40]


def test_a_receipt_has_both_explanations() -> None:
    [receipt] = largest(TEN, TWENTY, bought(1, "anna", "120"))
    assert (receipt.event, receipt.member, str(receipt.old), str(receipt.new)) == ("T-1", "anna", "0.12", "0.24")
    assert "10 % of 120 is 12" in receipt.old_explanation
    assert "20 % of 120 is 24" in receipt.new_explanation


def test_a_receipt_without_a_change_is_left_out() -> None:
    assert largest(TEN, TEN, bought(1, "anna", "120")) == ()


@pytest.mark.parametrize("side", [0, 1])
def test_a_receipt_that_one_program_did_not_record_is_left_out(side: int) -> None:
    histories = History(TEN), History(TWENTY)
    sale = bought(1, "anna", "120")
    receipts = [None if place == side else each.record(sale) for place, each in enumerate(histories)]
    changes = LargestChanges(*histories)
    changes.add(sale, *receipts)
    assert changes.receipts() == ()


def test_units_without_a_rate_count_if_no_money_changes() -> None:
    ten, twenty = (version(percent, currencies={"points": {}}) for percent in ("10", "20"))
    found = largest(ten, twenty, bought(1, "anna", "100"), bought(2, "ben", "200"))
    assert [(each.event, each.old, each.new) for each in found] == [("T-2", 0, 0), ("T-1", 0, 0)]
