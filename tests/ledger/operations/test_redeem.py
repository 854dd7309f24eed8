"""Redeem: a coupon is found by its serial or shared code, and redeemed for its discount."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import RedeemCoupon
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Redeem
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.loading import dump

from .steps import GIFT, SHOP, SOLD_AT, bill, refusal_of, shop, steps_of

REDEEM = Redeem(SHOP, "GIFT", bill(id="T-2"))
SERIAL_MANAGED = shop(GIFT, coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": 5}}})


def test_the_identity_of_a_shared_code_is_the_code_and_the_transaction(
    service: LedgerService, storage: MemoryStorage
) -> None:
    service.process(SHOP, bill())

    identity = REDEEM.identity(storage)

    assert identity.key == "acme/T-2#redeem/gift"
    assert identity.inputs == {"event": dump(bill(id="T-2"))}
    assert (identity.at, identity.recorded_at, identity.of) == (SOLD_AT, SOLD_AT, None)


def test_the_identity_of_a_serial_is_the_key_of_its_coupon(service: LedgerService, storage: MemoryStorage) -> None:
    (coupon,) = service.process(SERIAL_MANAGED, bill()).coupons  # type: ignore[union-attr]
    assert coupon.serial is not None

    identity = Redeem(SERIAL_MANAGED, coupon.serial, bill(id="T-2")).identity(storage)

    assert identity.key == "acme/T-2#redeem/T-1/p/gift/1"
    assert coupon.serial not in str(identity.inputs)


def test_the_identity_of_an_unknown_code_does_not_contain_it(storage: MemoryStorage) -> None:
    assert REDEEM.identity(storage).key == "acme/T-2#redeem"


def test_the_code_the_transaction_and_the_sale_of_the_coupon_are_locked_before_it_is_read_again(
    service: LedgerService, storage: MemoryStorage
) -> None:
    service.process(SHOP, bill())
    service.process(SHOP, bill(id="T-3"))

    assert [*REDEEM.locks()] == []
    steps = steps_of(REDEEM, storage)
    locks = ["lock acme/#code/gift/", "lock acme/#code/gift/M1", "lock acme/T-1", "lock acme/T-2"]
    assert [each for each in steps if each.startswith("lock")][:4] == locks
    assert steps.index("lock acme/T-1") < steps.index("coupon")  # the one that is redeemed is read again


def test_a_coupon_is_redeemed_for_its_discount(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    (redemption,) = REDEEM.decide(storage)  # type: ignore[misc]

    assert isinstance(redemption, RedeemCoupon)
    assert (redemption.key, redemption.coupon) == ("acme/T-2/redeem/T-1/p/gift/1", "acme/T-1/p/gift/1")
    assert redemption.discount == 5


def test_an_unknown_code_is_refused(storage: MemoryStorage) -> None:
    assert refusal_of(REDEEM.decide(storage)) == (("unknown",), "there is no such coupon")


def test_a_coupon_is_redeemed_once(service: LedgerService) -> None:
    service.process(SHOP, bill())
    assert service.execute(REDEEM).status == "recorded"

    again = service.execute(Redeem(SHOP, "GIFT", bill(id="T-3")))

    assert again.refusal is not None
    assert again.refusal.reasons == ("already_redeemed",)


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


def test_of_the_members_coupons_the_first_usable_one_is_redeemed(service: LedgerService) -> None:
    service.process(SHOP, bill())
    service.process(SHOP, bill(id="T-2"))
    service.redeem(SHOP, "GIFT", bill(id="T-8"))

    receipt = service.redeem(SHOP, "GIFT", bill(id="T-9"))

    assert receipt.redemption is not None
    assert receipt.redemption.coupon == "acme/T-2/p/gift/1"


@pytest.mark.parametrize(("parts", "name"), [({"code": None}, "code"), ({"transaction": "T-2"}, "transaction")])
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Redeem(**{"program": SHOP, "code": "GIFT", "transaction": bill(), **parts})

    assert error.value.name == name
