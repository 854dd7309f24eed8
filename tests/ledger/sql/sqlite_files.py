"""A ledger's file of SQLite, read and changed without the ledger, and a busy week to fill it with."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from loyalty_rules.testing.ledgers.facts.till import (
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    proportional,
    serial_of,
    shop,
)

__all__ = ["busy_week", "drop_triggers", "dump", "execute"]

DAYS_30 = {"type": "fixed_period", "after": {"days": 30}}


def busy_week(till: Till) -> None:
    """Record sales, a promise, coupons, a return, a spend and its undoing, a redemption, and an expiry."""
    till.runs(
        shop(
            earn(proportional("10"), expiry=DAYS_30, caps={"total": {"amount": "1000"}}),
            earn(fixed("5"), "later", timing={"type": "external"}),
            hand_out(quantity=2),
            coupon_types=coupon_type(caps={"total": 9}),
            trackers={"spent": {"measure": {"type": "transaction_value"}, "target": "500"}},
        )
    )
    first = till.sell("T1", "100", store="S1")
    till.sell("T2", "250")
    till.confirm("acme/T1/p/later")
    till.take_back("T2", "100")
    spend = till.spend("12")
    till.undo_spend(spend)
    till.spend("3")
    till.redeem(serial_of(first), "T3", "40")
    till.on(60)
    till.expire()


def execute(path: Path, statement: str, *given: Any) -> list[Any]:
    """Run a statement on the file, outside of the ledger and its locks."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(statement, given).fetchall()
        connection.commit()
    finally:
        connection.close()
    return rows


def drop_triggers(path: Path) -> None:
    """Drop all triggers, so that the log can be changed."""
    for (name,) in execute(path, "SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        execute(path, f"DROP TRIGGER {name}")


def dump(path: Path) -> list[str]:
    """Return the whole file as statements."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()
