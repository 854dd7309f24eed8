"""The reports of a ledger as tables, from rows written by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import attrs

from loyalty_rules.cli.report_tables import (
    conversion_table,
    issuance_table,
    liability_table,
    rates_table,
    total_table,
)
from loyalty_rules.cli.tables import Table
from loyalty_rules.ledger.reports import Conversion, CouponLiability, Issuance, Liability, PointsLiability
from loyalty_rules.reports.cohorts import rates_of

ISSUED = Issuance(
    kind="currency",
    of="points",
    group={"store": None, "issued_month": "2025-01"},
    issued=Decimal("100.50"),
    redeemed=Decimal(40),
    expired=Decimal(30),
    reversed=Decimal(20),
    voided=Decimal(10),
    outstanding=Decimal("0.5"),
)
CONVERTED = Conversion(
    coupon_type="tenner",
    group={"store": "S1"},
    issued=8,
    voided=1,
    expired=2,
    outstanding=3,
    redeemed=2,
    redeemed_in_period=4,
    cohort_rate=Decimal("0.2857"),
    flow_rate=None,
)
OWED = Liability(
    at=datetime(2025, 1, 1, tzinfo=UTC),
    points=(
        PointsLiability("points", "2025-04", Decimal(100), Decimal(50), Decimal(1), Decimal("0.5")),
        PointsLiability("miles", None, Decimal(7), Decimal(0), None, None),
    ),
    coupons=(CouponLiability("tenner", 1, Decimal(10)), CouponLiability("gift", 2, None)),
    total=Decimal("11.5"),
    unvalued=("miles",),
    unbounded=("gift",),
)


def test_issuance_is_a_row_for_each_group_with_a_dash_for_a_missing_name() -> None:
    columns = ("issued", "redeemed", "expired", "reversed", "voided", "outstanding")

    assert issuance_table([ISSUED], ["store", "issued_month"]) == Table(
        ("of", "unit", "store", "issued_month", *columns),
        [("points", "units", "-", "2025-01", "100.5", "40", "30", "20", "10", "0.5")],
        texts=4,
    )


def test_issuance_by_a_period_of_movements_has_no_column_for_a_balance() -> None:
    table = issuance_table([attrs.evolve(ISSUED, outstanding=None)], ["store", "month"])

    assert table.headings[-1] == "voided"
    assert len(table.rows[0]) == len(table.headings)


def test_rates_have_their_denominator() -> None:
    (rates,) = rates_of([ISSUED])

    table = rates_table([rates], ["store", "issued_month"])
    # Of 100.5 units 20 came back and 10 were voided: 70.5 are counted, of which 40 and 30 are 0.5674 and 0.4255.
    assert table.rows == [("points", "units", "-", "2025-01", "100.5", "70.5", "40", "30", "0.5", "0.5674", "0.4255")]


def test_conversion_has_a_dash_for_a_rate_that_is_not_defined() -> None:
    table = conversion_table([CONVERTED], ["store"])

    assert table.headings[:2] == ("coupons", "store")
    assert table.headings[-3:] == ("redeemed in period", "cohort rate", "flow rate")
    assert table.rows == [("tenner", "S1", "8", "1", "2", "3", "2", "4", "0.2857", "-")]
    assert table.texts == 2


def test_liability_lists_points_by_month_of_expiry_and_then_coupons() -> None:
    assert liability_table(OWED, "EUR") == Table(
        ("liability", "unit", "expires in", "available", "promised", "at most EUR"),
        [
            ("points", "units", "2025-04", "100", "50", "1"),
            ("miles", "units", "never", "7", "0", "not known"),
            ("tenner", "coupons", "-", "1", "0", "10"),
            ("gift", "coupons", "-", "2", "0", "not known"),
        ],
        texts=3,
    )


def test_the_total_separates_promises_and_lists_the_items_without_a_value() -> None:
    assert total_table(OWED).rows == [
        ("available", "11"),
        ("promised", "0.5"),
        ("together", "11.5"),
        ("not known: miles", "-"),
        ("not known: gift", "-"),
    ]
