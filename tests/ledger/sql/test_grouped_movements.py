"""Sums of movements in SQL: bounded rows and memory, local days, and the same report as from all rows."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.reports import DIMENSIONS, issuance
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    SERIALS,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    moment,
    serial_of,
    shop,
)

DAYS_30 = {"type": "fixed_period", "after": {"days": 30}}


@pytest.fixture
def busy(bind: Engine) -> Till:
    """Sales in two stores, a spend in S9 and a part of it undone, coupons, an ended hold, lots that have expired."""
    ledger = SQLLedger(bind, serials=SERIALS)
    ledger.create_all()
    till = Till(ledger)
    actions = earn(fixed("10.5"), expiry=DAYS_30), hand_out()
    till.runs(shop(*actions, coupon_types=coupon_type(), time_zone="Europe/Berlin"))
    sold = [till.sell(f"T{number}", store=f"S{number % 2}", channel="pos") for number in range(4)]
    till.on(1, 23, 30)  # the 17th of January in Berlin
    bill = till.bill("P1", store="S9")
    spent = ledger.spend(till.program, ANNA, "anna", "points", Decimal(8), event="P1", at=till.now, bill=bill)
    till.undo_spend(spent, amount="3")
    till.redeem(serial_of(sold[0]), "P2", store="S8")
    ledger.hold(till.program, ANNA, "points", Decimal(4), moment(20), event="H1", at=till.now)
    till.on(40)
    return till


def test_a_report_from_sums_is_the_report_from_all_rows(busy: Till) -> None:
    each_by_itself: list[list[Any]] = [[each] for each in DIMENSIONS]
    for at in (moment(0), moment(2), moment(19), moment(25), busy.now):
        rows = busy.ledger.report_rows("acme", at)
        for by in ([], *each_by_itself, ["store", "month", "redeemed_store"]):
            assert busy.ledger.issuance(busy.program, at, by) == issuance(busy.program, rows, by), (at, by)


def test_a_spend_and_its_undoing_are_in_the_store_of_the_spend(busy: Till) -> None:
    rows = busy.ledger.issuance(busy.program, moment(2), ["redeemed_store"])
    assert {row.group["redeemed_store"]: row.redeemed for row in rows if row.kind == "currency"} == {
        "S9": Decimal(5),
        None: Decimal(0),
    }


def test_days_are_local(busy: Till) -> None:
    rows = busy.ledger.issuance(busy.program, moment(2), ["day"])
    days = {row.group["day"]: (row.issued, row.redeemed) for row in rows if row.kind == "currency"}
    assert days == {"2025-01-15": (42, 0), "2025-01-17": (0, 5)}


# -- bounds ------------------------------------------------------------------------------------------------------------


def many(engine: Engine, sales: int) -> None:
    """Fill the tables of an empty ledger with sales of one point on two days, as a ledger would have written them."""
    number = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {sales})"
    day = "1736899200000000 + (i % 2) * 86400000000"  # 15 January 2025, or the day after
    lot = "'acme/' || i || '/p/earn'"
    with engine.begin() as connection:
        connection.execute(
            text(
                f"{number} INSERT INTO loyalty_entries (batch, program, kind, account, currency, lot, source, target, "
                f"amount, at, recorded_at, reason) SELECT 1, 'acme', 'member', 'm' || i, 'points', {lot}, 'issued', "
                f"'available', 1000000, {day}, {day}, {lot} FROM n"
            )
        )
        connection.execute(
            text(
                f"{number} INSERT INTO loyalty_lots (batch, key, program, kind, account, currency, event, store, "
                "promotion, issued_to, issued_at, issue, rolling, issued, promised, outstanding, held, spent, "
                "expired, reversed, "
                f"voided, moved_on, taken_back, latest_at, version) SELECT 1, {lot}, 'acme', 'member', 'm' || i, "
                f"'points', 'E' || i, 'S' || (i % 3), 'p', 'm' || i, {day}, '{{}}', 0, 1000000, 0, 1000000, 0, 0, 0, "
                f"0, 0, 0, 0, {day}, 0 FROM n"
            )
        )


def cost(sales: int) -> tuple[int, int]:
    """Return the number of rows that a report by store and day fetches, and its peak of memory in bytes."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        ledger = SQLLedger(connection)
        ledger.create_all()
        connection.commit()
        connection.execute(text("PRAGMA foreign_keys = OFF"))
        connection.commit()
    many(engine, sales)
    with engine.connect() as connection:
        fetched = 0
        raw = connection.connection.dbapi_connection
        assert raw is not None

        def counted(cursor: Any, row: Any) -> Any:
            nonlocal fetched
            fetched += 1
            return row

        raw.row_factory = counted  # type: ignore[attr-defined]
        ledger = SQLLedger(connection)
        ledger.issuance(shop(), moment(9), ["store", "day"])  # compiled statements are kept
        fetched = 0
        tracemalloc.start()
        rows = ledger.issuance(shop(), moment(9), ["store", "day"])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sum(row.issued for row in rows) == sales
        assert len(rows) == 6
    engine.dispose()
    return fetched, peak


def test_a_report_fetches_sums_and_its_memory_does_not_grow_with_the_entries() -> None:
    (few_rows, few_bytes), (many_rows, many_bytes) = cost(300), cost(9_000)
    assert few_rows == many_rows < 20  # six sums, and a row for each bound of time
    assert many_bytes < 2 * few_bytes
