"""Void: a coupon is taken out of circulation, unless it is redeemed."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import VoidCoupon
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Void
from loyalty_rules.ledger.service import LedgerService

from .steps import AT, NAIVE, SHOP, bill, refusal_of, steps_of

COUPON = "acme/T-1/p/gift/1"
VOID = Void(SHOP, COUPON, "V-1", AT)


def test_the_identity_is_the_key_of_the_coupon(storage: MemoryStorage) -> None:
    identity = VOID.identity(storage)

    assert identity.key == "acme/V-1#void/acme/T-1/p/gift/1"
    assert identity.inputs == {"coupon": COUPON}
    assert (identity.at, identity.recorded_at, identity.of) == (AT, AT, None)


def test_the_sale_of_the_coupon_is_locked_before_the_coupon_is_read(
    service: LedgerService, storage: MemoryStorage
) -> None:
    service.process(SHOP, bill())

    assert [*VOID.locks()] == []
    assert steps_of(VOID, storage) == ["lock acme/T-1", "coupon", "sale"]


def test_a_coupon_is_voided(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    (void,) = VOID.decide(storage)  # type: ignore[misc]

    assert isinstance(void, VoidCoupon)
    assert (void.key, void.coupon) == ("acme/V-1/void/T-1/p/gift/1", COUPON)


@pytest.mark.parametrize("coupon", ["acme/none", "acme/T-1/p/none/1", "other/T-1/p/gift/1"])
def test_an_unknown_coupon_is_refused(service: LedgerService, storage: MemoryStorage, coupon: str) -> None:
    service.process(SHOP, bill())

    refused = Void(SHOP, coupon, "V-1", AT).decide(storage)

    assert refusal_of(refused) == (("unknown",), "there is no such coupon")


def test_a_redeemed_coupon_is_not_voided(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())
    service.redeem(SHOP, "GIFT", bill(id="T-2"))

    reasons, detail = refusal_of(VOID.decide(storage))

    assert (reasons, detail) == (("already_redeemed",), f"{COUPON} is redeemed")


@pytest.mark.parametrize(
    ("parts", "name"), [({"coupon": 7}, "coupon"), ({"event": ""}, "event"), ({"at": NAIVE}, "at")]
)
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Void(**{"program": SHOP, "coupon": COUPON, "event": "V-1", "at": AT, **parts})

    assert error.value.name == name
