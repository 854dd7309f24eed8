"""Late events: the units that an event may use as of its own instant, worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.intents import IssueCurrency
from loyalty_rules.ledger.late import available_since, usable_from, usable_lots
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.records import Entry, ExpiryVersion, LotHistory
from loyalty_rules.lifecycle.records import Account, Lot
from shop import earn, fixed, program, sale


def day(number: int) -> datetime:
    return datetime(2025, 1, number, tzinfo=UTC)


def history(*moves: tuple[int, str, str, int], released: int | None = None) -> LotHistory:
    """Return the history of a lot of 100 that lives until the 12th; a move is a day, two buckets and an amount."""
    (issue,) = lr.load_program(program(earn(fixed("100")))).evaluate(lr.load_event(sale("100"))).intents
    assert isinstance(issue, IssueCurrency)
    account = Account("member", "M1")
    entries = [
        Entry("b", "acme", account, "points", issue.key, source, target, Decimal(amount), day(on), day(on), "r")
        for on, source, target, amount in moves
    ]
    expiry = ExpiryVersion(day(1), date(2025, 1, 11), day(12))
    release = (day(released), date(2025, 1, released)) if released is not None else None
    return LotHistory(issue, "acme", 0, False, tuple(entries), (expiry,), release)


def usable(of: LotHistory, on: int) -> tuple[Any, ...]:
    """Return the promised, the outstanding and the expired units that an event of a day finds."""
    now = of.lot()
    assert now is not None
    lot = usable_from(of, now, day(on))
    return lot.promised, lot.outstanding, lot.expired


ISSUED = (1, "issued", "available", 100)
PROMISED = (1, "issued", "promised", 100)
SWEPT = (12, "available", "expired", 100)


@pytest.mark.parametrize(
    ("moves", "on", "found"),
    [
        ([ISSUED], 5, (0, 100, 0)),
        ([ISSUED, (10, "available", "spent", 90)], 5, (0, 10, 0)),  # 100 at the instant, 10 ever since
        ([ISSUED, (3, "available", "spent", 90), (10, "spent", "available", 90)], 5, (0, 10, 0)),  # 10 at the instant
        ([ISSUED, SWEPT], 5, (0, 100, 0)),  # as if no sweep had run
        ([ISSUED, SWEPT], 13, (0, 0, 100)),  # the sweep's instant is earlier
        ([ISSUED, (10, "available", "spent", 60), (12, "available", "expired", 40)], 5, (0, 40, 0)),
        ([ISSUED, SWEPT, (5, "available", "reversed", 30), (12, "expired", "available", 30)], 4, (0, 70, 0)),
    ],
)
def test_an_event_uses_what_was_there_at_its_instant_and_ever_since(
    moves: list[Any], on: int, found: tuple[int, ...]
) -> None:
    assert usable(history(*moves), on) == found


def test_a_lot_that_did_not_exist_yet_is_of_no_use() -> None:
    assert usable(history((8, "issued", "available", 100)), 5) == (0, 0, 0)


def test_a_promise_that_was_released_since_is_still_promised() -> None:
    released = history(PROMISED, (6, "promised", "available", 100), SWEPT, released=6)

    assert usable(released, 3) == (100, 0, 0)
    assert usable(released, 7) == (0, 100, 0)


def test_the_units_of_a_lot_are_available_since_its_issue_or_release() -> None:
    assert available_since(history(ISSUED)) == day(1)
    assert available_since(history(PROMISED, (6, "promised", "available", 100), released=6)) == day(6)
    assert available_since(history(PROMISED)) is None


def test_a_lot_without_later_changes_is_used_as_it_is() -> None:
    storage, of = MemoryStorage(), history(ISSUED, (10, "available", "spent", 90))
    issued, spent = of.entries
    storage.add_lot(Lot(of.issue, 0), issued)
    lot = storage.lot(of.issue.key)
    assert lot is not None

    assert usable_lots(storage, [lot], day(5)) == [lot]
    storage.add_entry(spent)
    assert [each.outstanding for each in usable_lots(storage, [lot], day(5))] == [10]
