"""Undo a redemption: the coupon is reinstated, once."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import UndoRedemption
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import UndoRedemptionOf
from loyalty_rules.ledger.service import LedgerService

from .steps import AT, NAIVE, SHOP, bill, refusal_of, steps_of

REDEMPTION = "acme/T-2/redeem/T-1/p/gift/1"
UNDO = UndoRedemptionOf(SHOP, REDEMPTION, "U-1", AT)


@pytest.fixture
def _redeemed(service: LedgerService) -> None:
    """Redeem the coupon of T-1 in T-2."""
    service.process(SHOP, bill())
    service.redeem(SHOP, "GIFT", bill(id="T-2"))


def test_the_identity_is_the_key_of_the_redemption(storage: MemoryStorage) -> None:
    identity = UNDO.identity(storage)

    assert identity.key == "acme/U-1#undo_redemption/acme/T-2/redeem/T-1/p/gift/1"
    assert identity.inputs == {"redemption": REDEMPTION}
    assert (identity.at, identity.recorded_at, identity.of) == (AT, AT, None)


@pytest.mark.usefixtures("_redeemed")
def test_the_sale_of_the_coupon_is_locked_before_the_coupon_is_read(storage: MemoryStorage) -> None:
    assert [*UNDO.locks()] == []
    steps = ["record", "lock acme/T-1", "coupon", "record", "sale", "coupons_of_sale"]
    assert steps_of(UNDO, storage) == steps


@pytest.mark.usefixtures("_redeemed")
def test_the_coupon_is_reinstated(storage: MemoryStorage) -> None:
    (undo,) = UNDO.decide(storage)  # type: ignore[misc]

    assert isinstance(undo, UndoRedemption)
    assert (undo.key, undo.coupon) == (f"{REDEMPTION}/undo", "acme/T-1/p/gift/1")


@pytest.mark.usefixtures("_redeemed")
def test_a_redemption_cannot_be_undone_twice_under_different_ids(
    service: LedgerService, storage: MemoryStorage
) -> None:
    assert service.execute(UNDO).status == "recorded"

    refused = UndoRedemptionOf(SHOP, REDEMPTION, "U-2", AT).decide(storage)

    assert refusal_of(refused) == (("already_undone",), f"{REDEMPTION} has been undone already")


@pytest.mark.usefixtures("_redeemed")
@pytest.mark.parametrize("redemption", ["acme/T-9/redeem/x", "other/T-2/redeem/T-1/p/gift/1"])
def test_an_unknown_redemption_is_refused(storage: MemoryStorage, redemption: str) -> None:
    refused = UndoRedemptionOf(SHOP, redemption, "U-1", AT).decide(storage)

    assert refusal_of(refused) == (("unknown_redemption",), f"no redemption {redemption} has been recorded")


@pytest.mark.parametrize(
    ("parts", "name"), [({"redemption": 7}, "redemption"), ({"event": ""}, "event"), ({"at": NAIVE}, "at")]
)
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        UndoRedemptionOf(**{"program": SHOP, "redemption": REDEMPTION, "event": "U-1", "at": AT, **parts})

    assert error.value.name == name
