"""The fold of movements to a report: columns, dimensions and periods by hand. Source: ledger 4."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.reports.issuance import Movement, fields_of, issuance_of

SALE: dict[str, Any] = {"issued_on": date(2025, 1, 31), "store": "S1", "promotion": "p"}


def moved(source: str, target: str, units: int, on: date, **parts: Any) -> Movement:
    return Movement("currency", "points", source, target, units * 10**6, on=on, **{**SALE, **parts})


MOVEMENTS = [
    moved("issued", "promised", 100, date(2025, 1, 31)),
    moved("promised", "available", 100, date(2025, 2, 3)),
    moved("available", "spent", 30, date(2025, 2, 4), redeemed_store="S9"),
    moved("available", "reversed", 20, date(2025, 2, 4)),
    moved("available", "expired", 5, date(2025, 3, 1)),
    moved("available", "moved", 7, date(2025, 3, 1)),
    moved("moved", "available", 7, date(2025, 3, 1)),
    moved("available", "held", 8, date(2025, 3, 1)),
]


def table(by: list[Any]) -> dict[tuple[Any, ...], str]:
    """Return issued, redeemed, expired, reversed, voided and outstanding by group."""
    columns = ("issued", "redeemed", "expired", "reversed", "voided", "outstanding")
    return {
        (*row.group.values(),): " ".join(str(getattr(row, column)) for column in columns)
        for row in issuance_of(MOVEMENTS, by)
    }


def test_a_row_of_an_issue_has_its_present_states() -> None:
    assert table([]) == {(): "100 30 5 20 0 45"}
    assert table(["issued_month", "store"]) == {("2025-01", "S1"): "100 30 5 20 0 45"}
    assert table(["issued_week"]) == {("2025-W05",): "100 30 5 20 0 45"}


def test_a_row_of_a_period_has_its_movements_and_no_balance() -> None:
    assert table(["month"]) == {
        ("2025-01",): "100 0 0 0 0 None",
        ("2025-02",): "0 30 0 20 0 None",
        ("2025-03",): "0 0 5 0 0 None",
    }


def test_redemptions_of_a_currency_have_their_store_and_no_balance() -> None:
    assert table(["redeemed_store"]) == {("S9",): "0 30 0 0 0 None", (None,): "100 0 5 20 0 None"}


def test_a_coupon_is_in_one_row_whole() -> None:
    coupons = [
        Movement("coupon", "gift", "issued", "available", 2_000_000, redeemed_store="S9"),
        Movement("coupon", "gift", "available", "spent", 2_000_000, redeemed_store="S9"),
    ]
    (row,) = issuance_of(coupons, ["redeemed_store"])
    assert (row.issued, row.redeemed, row.outstanding) == (2, 2, Decimal(0))


def test_a_storage_sums_by_no_field_that_no_dimension_reads() -> None:
    assert fields_of(["month", "issued_day", "redeemed_store"]) == {"on", "issued_on", "redeemed_store"}


def test_a_dimension_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="expected some of promotion, store"):
        issuance_of([], ["colour"])  # type: ignore[list-item]
