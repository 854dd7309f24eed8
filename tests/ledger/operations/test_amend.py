"""The operation of an amendment: its identity, its locks, and the terms that it keeps."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.ledger import AmendmentReceipt, MemoryLedger
from loyalty_rules.ledger.kinds import AMENDED_TERMS
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Amend
from loyalty_rules.ledger.service import LedgerService
from shop import Serials, earn, program, proportional, sale

from .steps import steps_of

SHOP = lr.load_program(program(earn(proportional("100"))))
AT = "2025-01-20T10:00:00Z"


def amendment(**parts: Any) -> lr.Amendment:
    event = lr.load_event({"type": "amendment", "id": "A-1", "occurred_at": AT, "of": "T-1", **parts})
    assert isinstance(event, lr.Amendment)
    return event


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def service(storage: MemoryStorage) -> LedgerService:
    return LedgerService(storage, Serials())


def test_the_identity_is_that_of_the_event(storage: MemoryStorage) -> None:
    event = amendment(amount="120")
    identity = Amend(SHOP, event, event.occurred_at).identity(storage)
    assert (identity.key, identity.of) == ("acme/A-1#event", "T-1")
    assert identity.inputs == {"event": lr.dump(event)}


def test_the_sale_and_both_members_are_locked_before_the_lots_are_read(
    service: LedgerService, storage: MemoryStorage
) -> None:
    service.process(SHOP, lr.load_event(sale()))
    event = amendment(member={"id": "M2"})
    steps = steps_of(Amend(SHOP, event, event.occurred_at), storage)
    first_read = steps.index("coupons_of_sale")
    assert {"lock acme/T-1", "lock acme/member/M1", "lock acme/member/M2"} <= {*steps[:first_read]}


def test_the_terms_of_the_other_member_are_kept_and_an_edit_keeps_those_of_the_sale(
    service: LedgerService, storage: MemoryStorage
) -> None:
    service.process(SHOP, lr.load_event(sale(member=None)))
    service.process(SHOP, amendment(amount="120"))
    assert storage.record(AMENDED_TERMS, "acme/T-1") is None
    trackers = {"spend": {"measure": {"type": "transaction_value"}, "target": "1000"}}
    tracked = lr.load_program(program(earn(proportional("100")), trackers=trackers))
    service.process(tracked, lr.load_event(sale(id="T-0")))
    service.process(tracked, lr.load_event(sale(id="T-2", member=None)))
    claim = lr.load_event({**lr.dump(amendment(member={"id": "M1"})), "id": "A-2", "of": "T-2"})
    service.process(tracked, claim)
    terms = storage.record(AMENDED_TERMS, "acme/T-2")
    assert terms is not None
    assert terms.snapshot["trackers"] == {"spend": "100"}


def test_the_receipt_has_the_issues_and_the_reversals() -> None:
    ledger = MemoryLedger()
    ledger.process(SHOP, lr.load_event(sale()))
    up = ledger.process(SHOP, amendment(amount="120"))
    down = ledger.process(SHOP, lr.load_event({**lr.dump(amendment(amount="90")), "id": "A-2"}))
    assert isinstance(up, AmendmentReceipt)
    assert isinstance(down, AmendmentReceipt)
    assert ([each.amount for each in up.issued], [each.amount for each in down.reversals]) == ([20], [10, 20])
