"""The expectations of the state of a ledger: each finds a difference, and none if there is none."""

from __future__ import annotations

from typing import Any

import pytest

from .small_cases import AT, SELL, wrong

ANNA = {"member": "anna", "currency": "points", "at": AT}
COUPON = "shop/T1/p/give/1"


@pytest.mark.parametrize(
    ("key", "row", "spoiled"),
    [
        ("balances", {**ANNA, "available": "100", "debt": "0"}, {"available": "99"}),
        ("lots", {**ANNA, "by_day": {"never": "100"}}, {"by_day": {"2025-01-15": "100"}}),
        ("coupons", {"key": COUPON, "at": AT, "state": "issued", "coupon_type": "gift"}, {"state": "voided"}),
        ("coupons", {"key": COUPON, "at": AT}, {"key": "shop/T1/p/give/2"}),
        ("coupon_states", {"coupon_type": "gift", "at": AT, "issued": 1, "voided": 0}, {"issued": 2}),
        ("liability", {"at": AT, "total": "15"}, {"total": "10"}),
        (
            "issuance",
            {"at": AT, "rows": [{"of": "points", "issued": "100"}]},
            {"rows": [{"of": "points", "issued": "1"}]},
        ),
        ("statement", {**ANNA, "has": {"amount": "100", "target": "available"}}, {"has": {"amount": "1"}}),
    ],
)
def test_each_expectation_finds_a_difference_and_none_if_there_is_none(
    key: str, row: dict[str, Any], spoiled: dict[str, Any]
) -> None:
    assert wrong(SELL, **{key: [row]}) == []
    assert len(wrong(SELL, **{key: [{**row, **spoiled}]})) >= 1


def test_an_unknown_part_of_the_state_is_said() -> None:
    (difference,) = wrong(SELL, stamps=[])
    assert "a state has no 'stamps'" in difference
