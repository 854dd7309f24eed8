"""Settle: a delayed promise that is due is released, once, as of the instant on which it was due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import ReleasePromise
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Settle
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Lot
from shop import earn, fixed

from .steps import AT, NAIVE, SOLD_AT, bill, later, refusal_of, shop, steps_of

SHOP = shop(earn(fixed(10), timing={"type": "delayed", "days": 1}))
DUE_AT = datetime(2025, 1, 16, 10, tzinfo=UTC)  # a day after the sale, at the same wall time


@pytest.fixture
def promise(service: LedgerService) -> Lot:
    """Return a promise of ten points that is due on the day after its sale."""
    service.process(SHOP, bill())
    (due,) = service.queries.due(SHOP, AT)
    return due


def test_the_identity_is_the_promise_at_the_instant_on_which_it_is_due(storage: MemoryStorage, promise: Lot) -> None:
    identity = Settle(SHOP, promise, AT).identity(storage)

    assert identity.key == "acme/acme%2FT-1%2Fp%2Fearn#settle"
    assert identity.inputs == {"promise": "acme/T-1/p/earn"}
    assert (identity.at, identity.recorded_at, identity.of) == (DUE_AT, AT, "T-1")


def test_the_sale_and_its_accounts_are_locked_before_the_promise_is_read(storage: MemoryStorage, promise: Lot) -> None:
    operation = Settle(SHOP, promise, AT)

    assert [*operation.locks()] == []
    assert steps_of(operation, storage) == ["lock acme/T-1", "sale", "lock acme/member/M1", "lot"]


def test_a_promise_that_is_due_is_released(storage: MemoryStorage, promise: Lot) -> None:
    (release,) = Settle(SHOP, promise, AT).decide(storage)  # type: ignore[misc]

    assert isinstance(release, ReleasePromise)
    assert (release.promise, release.amount) == ("acme/T-1/p/earn", 10)


def test_a_promise_that_is_not_due_yet_is_refused(storage: MemoryStorage, promise: Lot) -> None:
    reasons, _ = refusal_of(Settle(SHOP, promise, SOLD_AT).decide(storage))

    assert reasons == ("not_due",)


def test_a_promise_that_was_settled_meanwhile_is_refused(service: LedgerService, promise: Lot) -> None:
    service.process(SHOP, later("return", of="T-1", amount="100"))

    receipt = service.execute(Settle(SHOP, promise, AT))

    assert receipt.refusal is not None
    assert receipt.refusal.reasons == ("already_resolved",)


def test_a_promise_of_another_ledger_is_refused(promise: Lot) -> None:
    refused = Settle(SHOP, promise, AT).decide(MemoryStorage())

    assert refusal_of(refused) == (("unknown_sale",), "no sale T-1 has been recorded")


@pytest.mark.parametrize(("arguments", "name"), [({"promise": "acme/T-1/p/earn"}, "promise"), ({"at": NAIVE}, "at")])
def test_an_argument_that_cannot_be_read_is_named(promise: Lot, arguments: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Settle(**{"program": SHOP, "promise": promise, "at": AT, **arguments})

    assert error.value.name == name
