"""The service of a ledger: arguments are read, operations are recorded once, refusals leave no record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Transaction
from loyalty_rules.ledger.locks import LockKey, account_lock, counter_lock, sale_lock
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Expire, Settle
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


# -- arguments -------------------------------------------------------------------------------------------------------

NAIVE = datetime(2025, 1, 20, 12)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda s: s.settle(SHOP, NAIVE), "at"),
        (lambda s: s.expire(SHOP, NAIVE), "at"),
        (lambda s: s.balance("acme", ANNA, "points", NAIVE), "at"),
        (lambda s: s.process(SHOP, bill(), recorded_at=NAIVE), "recorded_at"),
        (lambda s: s.spend(SHOP, ANNA, "M1", "points", Decimal(1), event="S-1", at=NAIVE), "at"),
        (lambda s: s.spend(SHOP, ANNA, "M1", "points", 0.5, event="S-1", at=AT), "amount"),
        (lambda s: s.spend(SHOP, ANNA, "", "points", Decimal(1), event="S-1", at=AT), "member"),
        (lambda s: s.spend(SHOP, ANNA, "M1", "points", Decimal(1), event=" S-1", at=AT), "event"),
        (lambda s: s.undo_spend(SHOP, 7, event="S-1", at=AT), "spend"),
        (lambda s: s.redeem(SHOP, None, bill()), "code"),
        (lambda s: s.undo_redemption(SHOP, 7, event="S-1", at=AT), "redemption"),
        (lambda s: s.void(SHOP, 7, event="V-1", at=AT), "coupon"),
        (lambda s: s.coupon("acme", 7), "code"),
    ],
)
def test_an_argument_that_cannot_be_read_is_named(
    service: LedgerService, call: Callable[[Any], Any], argument: str
) -> None:
    with pytest.raises(InvalidValueError) as error:
        call(service)

    assert error.value.name == argument


def test_an_unprintable_phase_is_an_error_and_is_not_recorded(service: LedgerService, storage: LockingStorage) -> None:
    with pytest.raises(InvalidValueError, match="printable"):
        service.undo_spend(SHOP, "a\x00b", event="S-1", at=AT)

    assert storage.batches == {}


# -- refusals --------------------------------------------------------------------------------------------------------


def late(kind: str, **parts: Any) -> Any:
    return lr.load_event({"type": kind, "id": "E-1", "occurred_at": AT.isoformat(), **parts})


@pytest.mark.parametrize(
    ("call", "reason", "detail"),
    [
        (lambda s: s.process(SHOP, late("return", of="T-9", amount="1")), "unknown_sale",
         "no sale T-9 has been recorded"),
        (lambda s: s.process(SHOP, late("update", of="T-9", status="paid")), "unknown_sale",
         "no sale T-9 has been recorded"),
        (lambda s: s.process(SHOP, late("confirmation", promise="acme/T-9/p/earn", outcome="issue")), "unknown_promise",
         "no promise acme/T-9/p/earn has been recorded"),
        (lambda s: s.undo_spend(SHOP, "acme/S-9/spend/points", event="S-1", at=AT), "unknown_spend",
         "no spend acme/S-9/spend/points has been recorded"),
        (lambda s: s.undo_redemption(SHOP, "acme/T-9/redeem/x", event="S-1", at=AT), "unknown_redemption",
         "no redemption acme/T-9/redeem/x has been recorded"),
        (lambda s: s.redeem(SHOP, "NONE", bill()), "unknown", "there is no such coupon"),
        (lambda s: s.void(SHOP, "acme/none", event="V-1", at=AT), "unknown", "there is no such coupon"),
        (lambda s: s.void(SHOP, "other/T-1/p/gift/1", event="V-1", at=AT), "unknown", "there is no such coupon"),
    ],
)  # fmt: skip
def test_an_unknown_subject_is_refused_and_leaves_no_record(
    service: LedgerService, storage: LockingStorage, call: Callable[[Any], Any], reason: str, detail: str
) -> None:
    refused = call(service)

    assert (refused.status, refused.intents) == ("refused", ())
    assert (refused.refusal.reasons, refused.refusal.detail) == ((reason,), detail)
    assert storage.batches == {}


def test_a_refused_operation_can_be_repeated_under_the_same_id(service: LedgerService) -> None:
    assert service.spend(SHOP, ANNA, "M1", "points", Decimal(4), event="S-1", at=AT).status == "refused"
    service.process(SHOP, bill())

    assert service.spend(SHOP, ANNA, "M1", "points", Decimal(5), event="S-1", at=AT).status == "recorded"


def test_a_spend_cannot_be_undone_twice_under_different_ids(service: LedgerService) -> None:
    service.process(SHOP, bill())
    spent = service.spend(SHOP, ANNA, "M1", "points", Decimal(4), event="S-1", at=AT)
    assert spent.spend is not None
    assert service.undo_spend(SHOP, spent.spend.key, event="S-2", at=AT).status == "recorded"

    again = service.undo_spend(SHOP, spent.spend.key, event="S-3", at=AT)

    assert again.refusal is not None
    assert again.refusal.reasons == ("already_undone",)


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


# -- coupons of a shared code ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holders", "redeeming", "redeemed"),
    [
        (["anna", "ben"], "ben", "acme/T-2/p/gift/1"),
        (["anna", None], "ben", "acme/T-2/p/gift/1"),
        ([None, "ben"], "ben", "acme/T-2/p/gift/1"),
        (["anna"], "ben", None),
    ],
)
def test_a_shared_code_redeems_the_members_own_coupon_or_one_without_a_member(
    service: LedgerService, holders: list[str | None], redeeming: str, redeemed: str | None
) -> None:
    for number, holder in enumerate(holders, 1):
        member = {"id": holder} if holder is not None else None
        service.process(SHOP, bill(id=f"T-{number}", member=member))

    receipt = service.redeem(SHOP, "GIFT", bill(id="T-9", member={"id": redeeming}))

    assert (receipt.redemption.coupon if receipt.redemption is not None else None) == redeemed


# -- expiry and settlement -------------------------------------------------------------------------------------------


def test_a_promise_that_was_settled_meanwhile_is_refused(service: LedgerService) -> None:
    shop = lr.load_program(program(earn(fixed(10), timing={"type": "delayed", "days": 1})))
    service.process(shop, bill())
    (due,) = service.queries.due(shop, AT)
    service.process(shop, late("return", of="T-1", amount="100"))

    receipt = service.execute(Settle(shop, due, AT))

    assert receipt.refusal is not None
    assert receipt.refusal.reasons == ("already_resolved",)


def test_a_lot_that_was_spent_meanwhile_is_not_expired(service: LedgerService) -> None:
    shop = lr.load_program(program(earn(fixed(10), expiry={"type": "fixed_period", "after": {"days": 1}})))
    service.process(shop, bill())
    (expired,) = service.queries.expired(shop, AT)
    before = datetime(2025, 1, 15, 12, tzinfo=UTC)
    service.spend(shop, ANNA, "M1", "points", Decimal(10), event="S-1", at=before)

    receipt = service.execute(Expire(shop, expired, AT))

    assert receipt.refusal is not None
    assert receipt.refusal.reasons == ("not_expired",)
