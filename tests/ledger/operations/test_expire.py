"""Expire: the expiry of a lot or a coupon is recorded, unless it has changed meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import ExpireCoupon, ExpireCurrency
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Expire
from loyalty_rules.ledger.operations.expire import expiry_of
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import CouponRecord, Lot
from shop import earn, fixed

from .steps import ANNA, AT, GIFT, NAIVE, SHARED, SOLD_AT, bill, refusal_of, shop, steps_of

ONE_DAY = {"type": "fixed_period", "after": {"days": 1}}
SHOP = shop(earn(fixed(10), expiry=ONE_DAY), GIFT, coupon_types={"gift": {**SHARED, "validity": {"expiry": ONE_DAY}}})
FOR_EVER = shop(earn(fixed(10)))
EXPIRED_AT = datetime(2025, 1, 17, tzinfo=UTC)  # valid until 16 January, inclusive


@pytest.fixture
def lot(service: LedgerService, storage: MemoryStorage) -> Lot:
    """Return a lot of ten points that expires on the day after its sale."""
    service.process(SHOP, bill())
    lot = storage.lot("acme/T-1/p/earn")
    assert lot is not None
    return lot


@pytest.fixture
def coupon(lot: Lot, storage: MemoryStorage) -> CouponRecord:  # of the same sale
    """Return a coupon that expires on the day after its sale."""
    coupon = storage.coupon("acme/T-1/p/gift/1")
    assert coupon is not None
    return coupon


def test_the_identity_of_a_lot_is_the_key_and_the_instant_of_its_expiry(storage: MemoryStorage, lot: Lot) -> None:
    identity = Expire(SHOP, lot, AT).identity(storage)

    assert identity.key == "acme/acme%2FT-1%2Fp%2Fearn%2Fexpire%2F2025-01-16#expire"
    assert identity.inputs == {"key": "acme/T-1/p/earn/expire/2025-01-16"}
    assert (identity.at, identity.recorded_at, identity.of) == (EXPIRED_AT, AT, None)


def test_the_identity_of_a_coupon_is_the_key_and_the_instant_of_its_expiry(
    storage: MemoryStorage, coupon: CouponRecord
) -> None:
    identity = Expire(SHOP, coupon, AT).identity(storage)

    assert identity.key == "acme/acme%2FT-1%2Fp%2Fgift%2F1%2Fexpire#expire"
    assert identity.inputs == {"key": "acme/T-1/p/gift/1/expire"}
    assert (identity.at, identity.recorded_at, identity.of) == (EXPIRED_AT, AT, None)


def test_the_sale_is_locked_before_the_lot_or_the_coupon_is_read(
    storage: MemoryStorage, lot: Lot, coupon: CouponRecord
) -> None:
    assert [*Expire(SHOP, lot, AT).locks()] == []
    assert steps_of(Expire(SHOP, lot, AT), storage) == ["lock acme/T-1", "sale", "lock acme/member/M1", "lot"]
    assert steps_of(Expire(SHOP, coupon, AT), storage) == ["lock acme/T-1", "coupon"]


def test_the_outstanding_units_of_a_lot_expire(storage: MemoryStorage, lot: Lot) -> None:
    assert Expire(SHOP, lot, AT).decide(storage) == (
        ExpireCurrency("acme/T-1/p/earn/expire/2025-01-16", "acme/T-1/p/earn", Decimal(10), EXPIRED_AT),
    )


def test_a_coupon_expires(storage: MemoryStorage, coupon: CouponRecord) -> None:
    assert Expire(SHOP, coupon, AT).decide(storage) == (
        ExpireCoupon("acme/T-1/p/gift/1/expire", "acme/T-1/p/gift/1", EXPIRED_AT),
    )


def test_a_lot_that_was_spent_meanwhile_is_not_expired(service: LedgerService, lot: Lot) -> None:
    service.spend(SHOP, ANNA, "M1", "points", Decimal(10), event="S-1", at=SOLD_AT)

    receipt = service.execute(Expire(SHOP, lot, AT))

    assert receipt.refusal is not None
    assert receipt.refusal.reasons == ("not_expired",)


def test_a_coupon_that_was_redeemed_meanwhile_is_not_expired(service: LedgerService, coupon: CouponRecord) -> None:
    service.redeem(SHOP, "GIFT", bill(id="T-2"))

    receipt = service.execute(Expire(SHOP, coupon, AT))

    assert receipt.refusal is not None
    assert receipt.refusal.reasons == ("not_expired",)


def test_a_lot_or_a_coupon_that_has_not_expired_is_refused(
    service: LedgerService, lot: Lot, coupon: CouponRecord
) -> None:
    for each in (lot, coupon):
        refusal = service.execute(Expire(SHOP, each, SOLD_AT)).refusal
        assert refusal is not None
        assert refusal.reasons == ("not_expired",)


def test_a_lot_that_never_expires_is_refused(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(FOR_EVER, bill())
    lot = storage.lot("acme/T-1/p/earn")
    assert lot is not None

    refusal = service.execute(Expire(FOR_EVER, lot, AT)).refusal

    assert refusal is not None
    assert refusal.reasons == ("not_expired",)


def test_a_lot_of_another_ledger_is_refused(lot: Lot) -> None:
    assert refusal_of(Expire(SHOP, lot, AT).decide(MemoryStorage())) == (
        ("not_expired",),
        "acme/T-1/p/earn has changed meanwhile",
    )


def test_an_expiry_begins_with_its_instant(lot: Lot, coupon: CouponRecord) -> None:
    just_before = datetime(2025, 1, 16, 23, 59, 59, 999_999, tzinfo=UTC)

    assert [*expiry_of(lot, just_before), *expiry_of(coupon, just_before)] == []
    assert [each.expired_at for each in (*expiry_of(lot, EXPIRED_AT), *expiry_of(coupon, EXPIRED_AT))] == [
        EXPIRED_AT,
        EXPIRED_AT,
    ]


@pytest.mark.parametrize(("parts", "name"), [({"expired": "acme/T-1/p/earn"}, "expired"), ({"at": NAIVE}, "at")])
def test_an_argument_that_cannot_be_read_is_named(lot: Lot, parts: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Expire(**{"program": SHOP, "expired": lot, "at": AT, **parts})

    assert error.value.name == name
