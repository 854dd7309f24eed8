"""The flush writes every change on the condition that the row has not changed since it was read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import ConcurrentChangeError
from loyalty_rules.ledger.sql.flush import Flush
from loyalty_rules.ledger.sql.hash_chain import CHAINS
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

from .sqlite_files import execute


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


def test_the_draws_of_a_batch_on_one_counter_are_one_change(till: Till, ledger: SQLLedger, path: Path) -> None:
    """Two promotions draw on one limit; the statement would find the same row twice otherwise."""
    limit = {"currency": "points", "amount": "100", "per": "total"}
    till.runs(shop(earn(fixed("10")), earn(fixed("5"), "more"), limits={"all": limit}))
    till.sell("T1")
    assert execute(path, "SELECT value FROM loyalty_counters") == [(15_000_000,)]
    assert sorted(execute(path, "SELECT amount FROM loyalty_draws")) == [(5_000_000,), (10_000_000,)]


def test_only_changed_lots_are_written(till: Till, ledger: SQLLedger, path: Path) -> None:
    """A spend reads all lots of an account, and takes from the first one only."""
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    till.sell("T2")
    till.spend("4")
    assert execute(path, "SELECT outstanding, version FROM loyalty_lots ORDER BY number") == [
        (6_000_000, 1),
        (10_000_000, 0),
    ]


def test_a_receipt_follows_the_last_one_of_its_chain(till: Till, ledger: SQLLedger, path: Path) -> None:
    till.runs(shop(earn(fixed("10"))))
    for number in range(2 * CHAINS):
        till.sell(f"T{number}")
    for chain in range(CHAINS):
        positions = execute(path, "SELECT position FROM loyalty_receipts WHERE chain = ? ORDER BY number", chain)
        assert positions == [(position,) for position in range(1, len(positions) + 1)]
    assert execute(path, "SELECT count(*) FROM loyalty_receipts") == [(2 * CHAINS,)]


def test_a_change_between_read_and_write_is_read_again_and_the_operation_is_repeated(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another transaction that commits between the read and the write, once."""
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    changes = iter(["UPDATE loyalty_lots SET version = version + 1"])
    read = SQLStorage.lots_of

    def with_other_writer(self: SQLStorage, *of: Any) -> Any:
        found = read(self, *of)
        for statement in changes:
            self._connection.execute(text(statement))
        return found

    monkeypatch.setattr(SQLStorage, "lots_of", with_other_writer)
    assert till.spend("4", "S1").status == "recorded"
    assert till.points() == 6
