"""Forget: the identity, the locks and the refusals of forgetting a member."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Forget, Merge
from loyalty_rules.ledger.service import LedgerService

from .by_hand import UNREADABLE, WHY, named_by_error
from .steps import SHOP, bill, refusal_of, steps_of

FORGET = Forget(member="M1", **WHY)


def test_the_identity_has_every_input_of_the_host(storage: MemoryStorage) -> None:
    identity = FORGET.identity(storage)

    assert identity.key == "acme/E-1#forget"
    assert identity.inputs == {"member": "M1", "reason": "typed by mistake", "by": "desk-3"}


def test_the_sales_of_its_coupons_are_locked_before_the_account(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    steps = steps_of(FORGET, storage)

    assert [each for each in steps if each.startswith("lock ")] == ["lock acme/T-1", "lock acme/member/M1"]


def test_the_members_of_merges_are_forgotten_together(service: LedgerService, storage: MemoryStorage) -> None:
    for old, new in (("M3", "M2"), ("M2", "M1")):
        service.execute(Merge(from_=old, into=new, **{**WHY, "event": f"G-{old}"}))

    (forgotten,) = FORGET.decide(storage)  # type: ignore[misc]

    assert forgotten.members == ("M1", "M2", "M3")


def test_a_forget_before_a_sale_is_refused(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill(occurred_at="2025-02-01T10:00:00Z"))

    reasons, detail = refusal_of(FORGET.decide(storage))

    assert reasons == ("too_early",)
    assert detail.startswith("acme/T-1/p/earn of M1 has changed after 2025-01-20")


def test_a_second_forget_is_refused(service: LedgerService) -> None:
    service.execute(FORGET)

    receipt = service.execute(Forget(member="M1", **{**WHY, "event": "E-2"}))

    assert receipt.forgotten is None
    assert receipt.voided == ()
    assert receipt.refusal is not None
    assert (receipt.refusal.reasons, receipt.refusal.detail) == (("closed_account",), "the account of M1 is closed")


@pytest.mark.parametrize(("parts", "name"), [*UNREADABLE, ({"member": ""}, "member")])
def test_an_unreadable_argument_is_named(parts: dict[str, Any], name: str) -> None:
    assert named_by_error(Forget, **{"member": "M1", **parts}) == name
