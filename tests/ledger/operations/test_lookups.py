"""Look-ups of decisions: rows are locked before they are read, and belong to the program."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import attrs
import pytest

from loyalty_rules.ledger.locks import account_lock, counter_lock
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations.lookups import (
    accounts_of,
    locked_coupon,
    locked_lot,
    locked_sale,
    read_balance,
    read_snapshot,
    sale_locks,
)
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Account
from shop import earn

from .steps import ANNA, AT, SHOP, NotedStorage, bill, shop, without_searches

LOT = "acme/T-1/p/earn"
COUPON = "acme/T-1/p/gift/1"
FAMILY = {"id": "M1", "group": "family"}


@pytest.fixture
def noted(service: LedgerService, storage: MemoryStorage) -> Any:
    """Return a storage with one sale, which notes its steps."""
    service.process(SHOP, bill(member=FAMILY))
    return cast(Any, NotedStorage(storage))


def test_a_sale_is_locked_before_it_is_read_and_then_its_accounts(noted: Any) -> None:
    sale = locked_sale(noted, SHOP, "T-1")

    assert sale is not None
    assert sale.event.id == "T-1"
    assert without_searches(noted.steps) == ["lock acme/T-1", "sale", "lock acme/member/M1", "lock acme/group/family"]


def test_a_sale_that_was_not_recorded_is_none(noted: Any) -> None:
    assert locked_sale(noted, SHOP, "T-9") is None
    assert without_searches(noted.steps) == ["lock acme/T-9", "sale"]


def test_a_lot_is_read_after_its_sale_and_its_accounts_are_locked(noted: Any) -> None:
    found = locked_lot(noted, SHOP, LOT)

    assert found is not None
    assert (found[0].event.id, found[1].key) == ("T-1", LOT)
    assert without_searches(noted.steps) == [
        "lock acme/T-1",
        "sale",
        "lock acme/member/M1",
        "lock acme/group/family",
        "lot",
    ]


def test_a_coupon_is_read_after_its_sale_is_locked(noted: Any) -> None:
    coupon = locked_coupon(noted, SHOP, COUPON)

    assert coupon is not None
    assert coupon.key == COUPON
    assert without_searches(noted.steps) == ["lock acme/T-1", "coupon"]


def test_the_sale_of_a_key_is_locked_under_its_escaped_id(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill(id="7/100%"))
    noted: Any = NotedStorage(storage)

    assert locked_lot(noted, SHOP, "acme/7%2F100%25/p/earn") is not None
    assert without_searches(noted.steps)[0] == "lock acme/7%2F100%25"


@pytest.mark.parametrize("look_up", [locked_lot, locked_coupon])
@pytest.mark.parametrize("key", ["acme/T-1/p/none", "acme/T-9/p/earn", "acme/", "acme"])
def test_an_unknown_key_is_none(noted: Any, look_up: Any, key: str) -> None:
    assert look_up(noted, SHOP, key) is None


@pytest.mark.parametrize("look_up", [locked_lot, locked_coupon])
def test_a_key_of_another_program_is_none_without_a_lock(noted: Any, look_up: Any) -> None:
    assert look_up(noted, SHOP, "other/T-1/p/earn") is None
    assert without_searches(noted.steps) == []


def test_the_counters_of_a_snapshot_are_read_in_one_batch(noted: Any) -> None:
    event = bill(id="T-2")

    snapshot = read_snapshot(noted, SHOP, event, SHOP.counters(event))

    assert snapshot.limits == {"most": 10}
    assert without_searches(noted.steps).count("read_counters") == 1
    assert without_searches(noted.steps)[0] == "read_counters"


def test_the_locks_of_a_sale_are_its_accounts_and_then_its_counters() -> None:
    event = bill(member=FAMILY)

    assert [*sale_locks(SHOP, event, SHOP.counters(event))] == [
        account_lock("acme", ANNA),
        account_lock("acme", Account("group", "family")),
        counter_lock("acme", "limit/most/M1/lifetime"),
    ]


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (None, []),
        ({"id": "M1"}, [ANNA]),
        (FAMILY, [ANNA, Account("group", "family")]),
    ],
)
def test_the_accounts_of_an_event_are_its_members_and_the_groups(member: Any, expected: list[Account]) -> None:
    assert [*accounts_of(SHOP, bill(member=member))] == expected


# -- balances ----------------------------------------------------------------------------------------------------------

READING = shop(earn({"type": "proportional", "percent": "100", "of": {"type": "balance", "currency": "points"}}))


def test_a_balance_is_read_only_if_the_program_reads_it(noted: Any) -> None:
    event = bill()
    assert read_snapshot(noted, SHOP, event, SHOP.counters(event)).balances == {}
    assert read_snapshot(noted, READING, event, READING.counters(event)).balances == {"points": 10}
    anonymous = attrs.evolve(event, member=None)
    assert read_snapshot(noted, READING, anonymous, READING.counters(anonymous)).balances == {}


def test_a_balance_is_as_of_an_instant(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())
    account = Account("member", "M1")
    assert read_balance(storage, SHOP.id, account, "points", AT).available == 10
    assert read_balance(storage, SHOP.id, account, "points", AT - timedelta(days=30)).available == 0
