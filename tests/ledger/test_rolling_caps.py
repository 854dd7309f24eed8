"""Rolling caps: the fullest of the windows that contain the day of an event. Source: ledger 2."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from loyalty_rules.intents import IssueCurrency
from loyalty_rules.ledger import MemoryLedger, batch_writer
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import lookups
from loyalty_rules.ledger.rolling_caps import capped_value, overfull, windows_to_read
from loyalty_rules.testing.ledgers.facts.till import Till, earn, fixed, shop

DAYS_30 = {"type": "rolling", "days": 30}


def january(day: int) -> date:
    return date(2025, 1, day)


def counted(**days: int) -> MemoryStorage:
    storage = MemoryStorage()
    for day, amount in days.items():
        storage.add_to_counter("acme", "cap", january(int(day.removeprefix("on_"))), amount)
    return storage


@pytest.mark.parametrize(
    ("last", "value"),
    [
        (10, 7),  # 8 to 10 has 1, 9 to 11 has 3, 10 to 12 has 7
        (12, 7),  # 10 to 12 has 7, 12 to 14 has 4
        (8, 3),  # 6 to 8 has 3, 8 to 10 has 1
        (16, 16),
        (20, 0),
    ],
)
def test_the_fullest_window_that_contains_the_day_counts(last: int, value: int) -> None:
    storage = counted(on_7=3, on_10=1, on_11=2, on_12=4, on_16=16)
    assert capped_value(storage, "acme", ("cap", january(last - 2), january(last))) == value


def test_a_window_of_one_day_and_a_counter_without_days_have_one_value() -> None:
    storage = counted(on_7=3, on_8=9)
    storage.add_to_counter("acme", "all", None, 5)
    assert capped_value(storage, "acme", ("cap", january(7), january(7))) == 3
    assert capped_value(storage, "acme", ("all", None, None)) == 5


def test_the_days_after_a_window_are_read_with_it() -> None:
    windows: list[Any] = [("all", None, None), ("cap", january(8), january(10)), ("day", january(8), january(8))]
    later = ("cap", january(11), january(12))
    assert [*windows_to_read(windows)] == [windows[0], windows[1], later, windows[2]]


def sold_newest_first() -> MemoryLedger:
    ledger = MemoryLedger()
    till = Till(ledger)
    limit = {"currency": "points", "per": "member", "amount": "100", "window": DAYS_30}
    till.runs(shop(earn(fixed("100")), limits={"monthly": limit}))
    for day in (19, 18, 17, 16):
        till.on(day)
        till.sell(f"T{day}")
    return ledger


def issued(ledger: MemoryLedger) -> list[Any]:
    recorded = [intent for batch in ledger._storage.batches.values() for intent in batch.receipt.intents]
    return [intent.amount for intent in recorded if isinstance(intent, IssueCurrency)]


def test_sales_that_are_uploaded_newest_first_share_one_limit() -> None:
    ledger = sold_newest_first()
    assert issued(ledger) == [100]
    assert ledger.check_invariants() == []


def test_without_the_later_windows_the_limit_would_be_passed_and_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: each sale looks back from its own day alone."""
    for module in (batch_writer, lookups):
        monkeypatch.setattr(module, "capped_value", lambda storage, *of: storage.counter_value(*of))
    ledger = sold_newest_first()
    assert issued(ledger) == [100, 100, 100, 100]
    assert any("is 400 in one window, above its limit 100" in each for each in ledger.check_invariants())


def test_no_batch_is_overfull_without_claims() -> None:
    assert [*overfull([("acme", ())])] == []
