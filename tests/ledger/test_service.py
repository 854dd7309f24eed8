"""The service of a ledger: operations and queries inside one transaction, with locks and serials of the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.errors import MissingSerialsError
from loyalty_rules.events import Transaction
from loyalty_rules.ledger import IdempotencyConflict
from loyalty_rules.ledger.locks import LockKey, account_lock, counter_lock, sale_lock
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Sell, Spend
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Account
from shop import Serials, earn, fixed, program, sale

AT = datetime(2025, 1, 20, 12, tzinfo=UTC)
ANNA = Account("member", "M1")
GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
SHARED = {"serial_managed": False, "code": "GIFT", "benefit": {"type": "amount_off", "amount": 5}}
LIMITS = {"most": {"currency": "points", "per": "member", "amount": 100, "window": {"type": "lifetime"}}}
SHOP = lr.load_program(program(earn(fixed(10)), GIFT, coupon_types={"gift": SHARED}, limits=LIMITS))


class LockingStorage(MemoryStorage):
    """A storage that notes every lock in the order in which it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.locked: list[LockKey] = []

    def lock(self, keys: Any) -> None:
        self.locked += keys

    def claim_batch(self, identity: Any, locks: Any = ()) -> Any:
        self.locked += locks
        return super().claim_batch(identity)


@pytest.fixture
def storage() -> LockingStorage:
    return LockingStorage()


@pytest.fixture
def service(storage: LockingStorage) -> LedgerService:
    return LedgerService(storage, Serials())


def bill(**parts: Any) -> Transaction:
    event = lr.load_event(sale(**parts))
    assert isinstance(event, Transaction)
    return event


def late(kind: str, **parts: Any) -> Any:
    return lr.load_event({"type": kind, "id": "E-1", "occurred_at": AT.isoformat(), **parts})


# -- locks -----------------------------------------------------------------------------------------------------------


def test_a_sale_locks_its_accounts_and_its_counters(service: LedgerService, storage: LockingStorage) -> None:
    service.process(SHOP, bill(member={"id": "M1", "group": "family"}))

    expected = {
        account_lock("acme", ANNA),
        account_lock("acme", Account("group", "family")),
        counter_lock("acme", "limit/most/M1/lifetime"),
    }
    assert expected <= set(storage.locked)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda s: s.spend(SHOP, ANNA, "M1", "points", Decimal(1), event="S-1", at=AT), account_lock("acme", ANNA)),
        (lambda s: s.redeem(SHOP, "GIFT", bill(id="T-2")), sale_lock("acme", "T-1")),
        (lambda s: s.void(SHOP, "acme/T-1/p/gift/1", event="V-1", at=AT), sale_lock("acme", "T-1")),
        (lambda s: s.process(SHOP, late("return", of="T-1", amount="1")), sale_lock("acme", "T-1")),
        (lambda s: s.process(SHOP, late("update", of="T-1", status="paid")), sale_lock("acme", "T-1")),
    ],
)
def test_an_operation_locks_its_subject(
    service: LedgerService, storage: LockingStorage, call: Callable[[Any], Any], expected: LockKey
) -> None:
    service.process(SHOP, bill())
    storage.locked.clear()

    call(service)

    assert expected in storage.locked
    assert storage.locked == sorted(storage.locked)


def test_the_snapshot_of_a_decision_locks_its_accounts_and_its_counters(
    service: LedgerService, storage: LockingStorage
) -> None:
    snapshot = service.snapshot(SHOP, bill())

    assert snapshot.limits.get("most", 0) == 0
    assert storage.locked == [account_lock("acme", ANNA), counter_lock("acme", "limit/most/M1/lifetime")]


def test_a_query_takes_no_lock(service: LedgerService, storage: LockingStorage) -> None:
    service.read(lambda queries: queries.snapshot(SHOP, bill()))
    service.balance("acme", ANNA, "points", AT)

    assert storage.locked == []


# -- serials ---------------------------------------------------------------------------------------------------------

SERIAL_MANAGED = lr.load_program(program(GIFT, coupon_types={"gift": {}}))


def test_the_generator_of_the_ledger_is_taken_if_an_operation_has_none(storage: LockingStorage) -> None:
    receipt = LedgerService(storage, Serials()).execute(Sell(SERIAL_MANAGED, bill(), AT))

    assert [each.serial for each in receipt.coupons] == ["S:acme/T-1/p/gift/1"]


def test_a_coupon_with_a_serial_needs_a_generator(storage: LockingStorage) -> None:
    with pytest.raises(MissingSerialsError):
        LedgerService(storage).execute(Sell(SERIAL_MANAGED, bill(), AT))

    assert storage.batches == {}


# -- transactions ----------------------------------------------------------------------------------------------------

SWEPT = lr.load_program(
    program(
        earn(fixed(10), expiry={"type": "fixed_period", "after": {"days": 1}}),
        earn(fixed(5), "second", expiry={"type": "fixed_period", "after": {"days": 1}}),
        earn(fixed(7), "later", timing={"type": "delayed", "days": 1}),
        earn(fixed(3), "latest", timing={"type": "delayed", "days": 2}),
    )
)


@pytest.mark.parametrize("sweep", ["settle", "expire"])
def test_a_sweep_is_recorded_as_a_whole_or_not_at_all(
    service: LedgerService, storage: LockingStorage, monkeypatch: pytest.MonkeyPatch, sweep: str
) -> None:
    service.process(SWEPT, bill())
    batches, entries = dict(storage.batches), [*storage.entries()]
    commit = storage.commit_batch
    receipts: list[Any] = []

    def fail_at_the_second(receipt: Any) -> None:
        receipts.append(receipt)
        if len(receipts) == 2:
            raise OSError("the disk is full")
        commit(receipt)

    monkeypatch.setattr(storage, "commit_batch", fail_at_the_second)
    with pytest.raises(OSError, match="the disk is full"):
        getattr(service, sweep)(SWEPT, AT)

    assert len(receipts) == 2
    assert (storage.batches, [*storage.entries()]) == (batches, entries)


def test_a_refusal_and_an_error_roll_back_their_operation_alone(
    service: LedgerService, storage: LockingStorage
) -> None:
    with storage.atomic():
        service.process(SHOP, bill())
        refused = service.execute(Spend(SHOP, ANNA, "M1", "points", Decimal(11), "S-1", AT))
        with pytest.raises(IdempotencyConflict):
            service.process(SHOP, bill(amount="101"))
        service.execute(Spend(SHOP, ANNA, "M1", "points", Decimal(4), "S-1", AT))

    assert refused.status == "refused"
    assert [*storage.batches] == ["acme/T-1#event", "acme/S-1#spend/points"]
    assert service.balance("acme", ANNA, "points", AT).available == 6
