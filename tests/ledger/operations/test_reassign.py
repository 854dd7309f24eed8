"""Reassign: the identity and the locks of a coupon's change of member."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Reassign
from loyalty_rules.ledger.service import LedgerService

from .by_hand import UNREADABLE, WHY, named_by_error
from .steps import SHOP, bill, refusal_of, steps_of

COUPON = "acme/T-1/p/gift/1"
REASSIGN = Reassign(coupon=COUPON, member="M2", **WHY)


def test_the_identity_has_every_input_of_the_host(storage: MemoryStorage) -> None:
    identity = REASSIGN.identity(storage)

    assert identity.key == f"acme/E-1#reassign/{COUPON}"
    assert identity.inputs == {"coupon": COUPON, "member": "M2", "reason": "typed by mistake", "by": "desk-3"}


def test_the_sale_is_locked_before_the_coupon_is_read(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    steps = steps_of(REASSIGN, storage)

    assert steps.index("lock acme/T-1") < steps.index("coupon")


def test_an_unknown_coupon_is_refused(storage: MemoryStorage) -> None:
    assert refusal_of(REASSIGN.decide(storage))[0] == ("unknown",)


@pytest.mark.parametrize(("parts", "name"), [*UNREADABLE, ({"member": ""}, "member"), ({"coupon": 7}, "coupon")])
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    assert named_by_error(Reassign, **{"coupon": COUPON, "member": "M2", **parts}) == name
