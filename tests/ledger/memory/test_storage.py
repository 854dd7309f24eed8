"""The storage in memory: transactions, rollbacks to savepoints, counters, and look-ups of codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest

from loyalty_rules.ledger import ConcurrentChangeError, Receipt
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import PAYMENTS, SHORTFALLS
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.lifecycle.records import Account, Shortfall

AT = datetime(2025, 1, 15, 10, tzinfo=UTC)
ANNA = Account("member", "anna")


class HostError(Exception):
    """An error of the host in the middle of a transaction."""


@contextmanager
def rolled_back(storage: MemoryStorage) -> Iterator[None]:
    """Run a block in a transaction that an error of the host rolls back."""
    with suppress(HostError), storage.atomic():
        yield
        raise HostError


def values(storage: MemoryStorage) -> dict[str, int]:
    return {name: value for (_, name), value in storage.counters.items()}


# -- transactions ----------------------------------------------------------------------------------------------------


def test_a_transaction_without_an_error_is_kept() -> None:
    storage = MemoryStorage()

    with storage.atomic():
        storage.add_to_counter("acme", "a", None, 5)

    assert values(storage) == {"a": 5}


def test_an_error_rolls_back_changed_added_and_removed_rows() -> None:
    storage = MemoryStorage()
    storage.put(storage.serials, "changed", "before")
    storage.put(storage.serials, "removed", "before")

    with rolled_back(storage):
        storage.put(storage.serials, "changed", "after")
        storage.put(storage.serials, "added", "after")
        storage.drop(storage.serials, "removed")
        storage.append(storage.codes, ("acme", "GIFT"), "a key")

    assert storage.serials == {"changed": "before", "removed": "before"}
    assert storage.codes == {}


def test_a_row_that_changed_twice_is_rolled_back_to_its_first_value() -> None:
    storage = MemoryStorage()

    with rolled_back(storage):
        storage.put(storage.serials, "key", "first")
        storage.put(storage.serials, "key", "second")

    assert storage.serials == {}


def test_an_inner_rollback_keeps_the_writes_of_the_outer_transaction() -> None:
    storage = MemoryStorage()

    with storage.atomic():
        storage.add_to_counter("acme", "outer", None, 1)
        with rolled_back(storage):
            storage.add_to_counter("acme", "inner", None, 1)
        storage.add_to_counter("acme", "later", None, 1)

    assert values(storage) == {"outer": 1, "later": 1}


def test_an_outer_rollback_includes_a_committed_inner_transaction() -> None:
    storage = MemoryStorage()

    with rolled_back(storage), storage.atomic():
        storage.add_to_counter("acme", "inner", None, 1)

    assert values(storage) == {}


# -- batches ---------------------------------------------------------------------------------------------------------


def test_a_batch_is_claimed_once_and_then_returned_as_recorded() -> None:
    storage = MemoryStorage()
    identity = IdempotencyRecord("acme", "T-1", "event", {"event": {}}, AT, AT)
    receipt = Receipt("recorded", identity.key)

    assert storage.claim_batch(identity) is None
    storage.commit_batch(receipt)
    recorded = storage.claim_batch(identity)

    assert recorded is not None
    assert (recorded.identity, recorded.receipt) == (identity, receipt)


# -- counters --------------------------------------------------------------------------------------------------------


def test_a_counter_of_a_program_is_separate_from_that_of_another() -> None:
    storage = MemoryStorage()
    storage.add_to_counter("acme", "a", None, 5)
    storage.add_to_counter("other", "a", None, 7)

    assert storage.counter_value("acme", ("a", None, None)) == 5
    assert storage.counter_value("acme", ("b", None, None)) == 0


@pytest.mark.parametrize(
    ("first", "last", "value"), [(1, 31, 7), (10, 20, 7), (11, 20, 4), (10, 19, 3), (11, 19, 0), (21, 31, 0)]
)
def test_a_rolling_counter_is_the_sum_of_its_window_both_days_included(first: int, last: int, value: int) -> None:
    storage = MemoryStorage()
    for day, amount in ((10, 1), (10, 2), (20, 4)):
        storage.add_to_counter("acme", "a", date(2025, 1, day), amount)

    assert storage.counter_value("acme", ("a", date(2025, 1, first), date(2025, 1, last))) == value


def test_an_addition_above_the_maximum_of_a_counter_is_an_error_and_a_release_is_not() -> None:
    storage = MemoryStorage()
    storage.add_to_counter("acme", "a", None, 6, 10)

    storage.add_to_counter("acme", "a", None, 4, 10)
    with pytest.raises(ConcurrentChangeError, match="the counter a has changed"):
        storage.add_to_counter("acme", "a", None, 1, 10)
    storage.add_to_counter("acme", "a", None, -3, 2)

    assert storage.counter_value("acme", ("a", None, None)) == 7


def test_a_contribution_is_kept_by_sale_and_added_to_the_counter() -> None:
    storage = MemoryStorage()
    window = ("tracker/spend/anna/lifetime", None, None)
    for sale, amount in (("T-1", 100), ("T-2", 30), ("T-1", -40)):
        storage.add_contribution("acme", sale, "spend", window, amount)

    assert (storage.contributions("acme", "T-1"), storage.contributions("acme", "T-2")) == (
        {"spend": 60},
        {"spend": 30},
    )
    assert storage.counter_value("acme", window) == 90
    assert storage.contributions("acme", "T-3") == {}


# -- records of a kind -----------------------------------------------------------------------------------------------

REVERSAL, LOT, UNITS = "acme/R-1/p/earn/reverse", "acme/T-1/p/earn", Decimal(40)
OWED = Shortfall(REVERSAL, LOT, ANNA, "points", AT, UNITS, UNITS, carried=True)
PAID = attrs.evolve(OWED, open=Decimal(0))
LATER = AT.replace(day=20)
POINTS = "member/anna/points"


def test_a_record_is_replaced_and_its_earlier_version_is_read_as_of_an_instant() -> None:
    storage = MemoryStorage()
    storage.save_record(SHORTFALLS, "acme", OWED, AT)
    storage.save_record(SHORTFALLS, "acme", PAID, LATER)

    assert storage.record(SHORTFALLS, OWED.key) == PAID
    assert storage.records(SHORTFALLS, "acme", balance=POINTS) == [PAID]
    assert storage.records_at(SHORTFALLS, "acme", AT.replace(day=19), balance=POINTS) == [OWED]
    assert storage.records_at(SHORTFALLS, "acme", AT.replace(day=14), balance=POINTS) == []


def test_a_record_is_found_by_its_present_values_alone() -> None:
    storage = MemoryStorage()
    storage.save_record(SHORTFALLS, "acme", OWED, AT)

    assert storage.records(SHORTFALLS, "acme", debtor=POINTS) == [OWED]
    assert storage.records(SHORTFALLS, "other", debtor=POINTS) == []
    assert storage.records(SHORTFALLS, "acme", debtor="member/anna/miles") == []

    storage.save_record(SHORTFALLS, "acme", PAID, LATER)

    assert storage.records(SHORTFALLS, "acme", debtor=POINTS) == []
    assert storage.record(PAYMENTS, OWED.key) is None


def test_a_version_is_rolled_back_with_its_transaction() -> None:
    storage = MemoryStorage()
    storage.save_record(SHORTFALLS, "acme", OWED, AT)

    with rolled_back(storage):
        storage.save_record(SHORTFALLS, "acme", PAID, LATER)
        assert storage.records(SHORTFALLS, "acme", debtor=POINTS) == []

    assert storage.records(SHORTFALLS, "acme", debtor=POINTS) == [OWED]
