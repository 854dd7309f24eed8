"""The receipts that differ most under two programs."""

from __future__ import annotations

from loyalty_rules.program import Evaluation, Program
from loyalty_rules.reporting.largest import LargestChanges

from .histories import bought, version

TEN, TWENTY = version("10"), version("20")


def evaluated(program: Program, amount: str, day: int = 1) -> Evaluation:
    return program.evaluate(bought(day, "anna", amount))


def test_the_ten_largest_changes_are_kept_in_their_order() -> None:
    largest = LargestChanges()
    amounts = [20, 120, 30, 110, 40, 100, 50, 90, 60, 80, 70, 130]
    for day, amount in enumerate(amounts, 1):
        largest.add(evaluated(TEN, str(amount), day), evaluated(TWENTY, str(amount), day))
    bills = [int(each.old * 1000) for each in largest.receipts()]  # 10 % in points, 100 of which are 1.00
    assert bills == [130, 120, 110, 100, 90, 80, 70, 60, 50, 40]


def test_a_receipt_has_both_explanations() -> None:
    largest = LargestChanges()
    largest.add(evaluated(TEN, "120"), evaluated(TWENTY, "120"))
    [receipt] = largest.receipts()
    assert (receipt.event, receipt.member, str(receipt.old), str(receipt.new)) == ("T-1", "anna", "0.12", "0.24")
    assert "10 % of 120 is 12" in receipt.old_explanation
    assert "20 % of 120 is 24" in receipt.new_explanation


def test_a_receipt_without_a_change_or_not_recorded_under_both_is_left_out() -> None:
    largest = LargestChanges()
    largest.add(evaluated(TEN, "120"), evaluated(TEN, "120"))
    largest.add(None, evaluated(TEN, "120"))
    largest.add(evaluated(TEN, "120"), None)
    assert largest.receipts() == ()


def test_units_without_a_rate_count_if_no_money_changes() -> None:
    ten, twenty = (version(percent, currencies={"points": {}}) for percent in ("10", "20"))
    largest = LargestChanges()
    for amount in ("100", "200"):
        largest.add(evaluated(ten, amount), evaluated(twenty, amount))
    assert ["200" in each.old_explanation for each in largest.receipts()] == [True, False]
    assert [(each.old, each.new) for each in largest.receipts()] == [(0, 0), (0, 0)]
