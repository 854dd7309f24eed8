"""The flush writes every change on the condition that the row has not changed since it was read."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import ConcurrentChangeError
from loyalty_rules.ledger.sql.flush import Flush
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.testing.ledgers.facts.till import (
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    serial_of,
    shop,
)


@pytest.mark.parametrize("statement", ["UPDATE loyalty_lots SET version = version + 1", "DELETE FROM loyalty_lots"])
def test_a_lot_that_changes_between_read_and_write_stops_the_spend(
    till: Till, ledger: SQLLedger, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """A writer that does not follow the ledger's locks, here on the same connection."""
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    read = SQLStorage.lots_of

    def with_other_writer(self: SQLStorage, *of: Any) -> Any:
        found = read(self, *of)
        self._connection.execute(text(statement))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(SQLStorage, "lots_of", with_other_writer)
        with pytest.raises(ConcurrentChangeError, match="a lot"):
            till.spend("4", "S1")
    assert till.points() == 10
    assert till.spend("4", "S1").status == "recorded"


def test_a_coupon_that_changes_between_read_and_write_stops_the_redemption(
    till: Till, ledger: SQLLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.runs(shop(hand_out(), coupon_types=coupon_type()))
    serial = serial_of(till.sell("T1"))
    write = Flush._write_coupons

    def with_other_writer(self: Flush) -> None:
        self._connection.execute(text("UPDATE loyalty_coupons SET version = version + 1"))
        write(self)

    with monkeypatch.context() as patch:
        patch.setattr(Flush, "_write_coupons", with_other_writer)
        with pytest.raises(ConcurrentChangeError, match="a coupon"):
            till.redeem(serial, "T2")
    assert till.redeem(serial, "T2").status == "recorded"


def test_a_counter_that_fills_between_read_and_write_stops_the_issue(
    till: Till, ledger: SQLLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.runs(shop(earn(fixed("10"), caps={"total": {"amount": "15"}})))
    till.sell("T1")
    write = Flush._write_counters

    def with_other_writer(self: Flush) -> None:
        self._connection.execute(text("UPDATE loyalty_counters SET value = 11000000"))
        write(self)

    with monkeypatch.context() as patch:
        patch.setattr(Flush, "_write_counters", with_other_writer)
        with pytest.raises(ConcurrentChangeError, match="a counter"):
            till.sell("T2")
    assert till.points() == 10
    assert [str(each.amount) for each in till.sell("T2").intents] == ["5"]  # type: ignore[union-attr]
