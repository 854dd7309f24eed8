"""Reads as of an instant: from the row if it has not changed since, otherwise from the history."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import history
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


@pytest.fixture
def busy(ledger: SQLLedger) -> Till:
    """Return a till with a sale of ten points on day 0, a spend of four on day 2 and a sale on day 4."""
    till = Till(ledger)
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    till.on(2)
    till.spend("4")
    till.on(4)
    till.sell("T2")
    return till


def test_an_unchanged_lot_is_read_without_its_history(busy: Till, engine: Engine) -> None:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    lots = SQLLedger(engine).lots("acme", ANNA, "points", moment(4))
    assert [lot.outstanding for lot in lots] == [6, 10]
    assert not any("loyalty_entries" in each for each in statements)


@pytest.mark.parametrize(
    ("day", "outstanding", "spent"),
    [(-1, [], []), (0, [10], [0]), (1, [10], [0]), (2, [6], [4]), (3, [6], [4]), (4, [6, 10], [4, 0])],
)
def test_lots_are_read_as_of_an_instant(busy: Till, day: int, outstanding: list[int], spent: list[int]) -> None:
    lots = busy.ledger.lots("acme", ANNA, "points", moment(day))
    assert [lot.outstanding for lot in lots] == outstanding
    assert [lot.spent for lot in lots] == spent


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_report_is_the_same_in_chunks_of_any_size(busy: Till, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    busy.sell("T3")
    whole = busy.ledger.report_rows("acme", moment(3))
    assert [lot.lot.outstanding for lot in whole.lots] == [6]
    monkeypatch.setattr(history, "_CHUNK_SIZE", size)
    assert busy.ledger.report_rows("acme", moment(3)) == whole


@pytest.mark.parametrize(("day", "states"), [(-1, []), (0, ["issued"]), (1, ["issued"]), (2, ["redeemed"])])
def test_coupons_are_read_as_of_an_instant(engine: Engine, ledger: SQLLedger, day: int, states: list[str]) -> None:
    till = Till(SQLLedger(engine, serials=SERIALS))
    till.runs(shop(hand_out(), coupon_types=coupon_type()))
    receipt = till.sell("T1")
    till.on(2)
    till.redeem(serial_of(receipt), "T2")
    with engine.connect() as connection:
        reader: Any = SQLLedger(connection)._storage(connection, read_only=True)
        assert [coupon.state for coupon in reader.coupons_at("acme", moment(day))] == states
