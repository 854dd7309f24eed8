"""Extend: the identity and the locks of an extension by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Extend
from loyalty_rules.ledger.service import LedgerService

from .by_hand import UNREADABLE, WHY, named_by_error
from .steps import SHOP, bill, refusal_of, steps_of

COUPON, LOT = "acme/T-1/p/gift/1", "acme/T-1/p/earn"
ARGUMENTS: dict[str, Any] = {"expires_on": date(2026, 1, 31), "coupon": COUPON}


def test_the_identity_has_every_input_of_the_host(storage: MemoryStorage) -> None:
    identity = Extend(**ARGUMENTS, **WHY).identity(storage)

    assert identity.key == f"acme/E-1#extend/{COUPON}"
    assert identity.inputs == {
        "lot": None,
        "coupon": COUPON,
        "expires_on": "2026-01-31",
        "reason": "typed by mistake",
        "by": "desk-3",
    }


@pytest.mark.parametrize(("of", "read"), [({"coupon": COUPON}, "coupon"), ({"lot": LOT}, "lot")])
def test_the_sale_is_locked_before_its_rows_are_read(
    service: LedgerService, storage: MemoryStorage, of: Any, read: str
) -> None:
    service.process(SHOP, bill())

    steps = steps_of(Extend(expires_on=date(2026, 1, 31), **of, **WHY), storage)

    assert steps.index("lock acme/T-1") < steps.index(read)


@pytest.mark.parametrize("of", [{"coupon": "acme/T-1/p/gift/9"}, {"lot": "acme/T-1/p/none"}, {"lot": "other/T-1"}])
def test_an_unknown_lot_or_coupon_is_refused(storage: MemoryStorage, of: Any) -> None:
    assert refusal_of(Extend(expires_on=date(2026, 1, 31), **of, **WHY).decide(storage))[0] == ("unknown",)


@pytest.mark.parametrize("of", [{}, {"lot": LOT, "coupon": COUPON}])
def test_exactly_one_of_lot_and_coupon_is_given(of: Any) -> None:
    assert named_by_error(Extend, expires_on=date(2026, 1, 31), **of) == "lot"


@pytest.mark.parametrize(("parts", "name"), [*UNREADABLE, ({"expires_on": "soon"}, "expires_on")])
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    assert named_by_error(Extend, **{**ARGUMENTS, **parts}) == name
