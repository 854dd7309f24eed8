"""Redemption and breakage rates of cohorts, by hand. Source: ledger 4."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.reports.cohorts import rates_of
from loyalty_rules.reports.issuance import Issuance


def cohort(**columns: int) -> Issuance:
    empty: dict[str, Any] = dict.fromkeys(("redeemed", "expired", "reversed", "voided"), Decimal(0))
    amounts = {**empty, **{name: Decimal(each) for name, each in columns.items()}}
    amounts["outstanding"] = amounts["issued"] - sum(amounts[each] for each in empty)
    return Issuance("currency", "points", {"issued_month": "2025-01"}, **amounts)


def test_units_that_were_taken_back_or_voided_are_not_counted() -> None:
    # 1,000 issued, 100 taken back, 200 voided: of 700 counted, 350 were redeemed and 100 expired.
    (rates,) = rates_of([cohort(issued=1000, redeemed=350, expired=100, reversed=100, voided=200)])
    assert (rates.counted, rates.outstanding) == (700, 250)
    assert (rates.redemption_rate, rates.breakage_rate) == (Decimal("0.5"), Decimal("0.1429"))
    assert rates.group == {"issued_month": "2025-01"}


@pytest.mark.parametrize(("digits", "rate"), [(0, "0"), (2, "0.33"), (6, "0.333333")])
def test_rates_are_rounded_half_up(digits: int, rate: str) -> None:
    (rates,) = rates_of([cohort(issued=3, expired=1)], digits=digits)
    assert rates.breakage_rate == Decimal(rate)


def test_an_empty_cohort_has_no_rates() -> None:
    (rates,) = rates_of([cohort(issued=5, voided=5)])
    assert (rates.redemption_rate, rates.breakage_rate) == (None, None)
