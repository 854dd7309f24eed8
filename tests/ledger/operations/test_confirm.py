"""Confirm: a confirmation releases or cancels the promise that it names."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import CancelPromise, ReleasePromise
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Confirm
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.loading import dump
from shop import earn, fixed

from .steps import AT, NAIVE, bill, later, refusal_of, shop, steps_of

SHOP = shop(earn(fixed(7), timing={"type": "external"}), earn(fixed(10), "at-once"))
PROMISE = "acme/T-1/p/earn"


def confirmed(promise: str = PROMISE, outcome: str = "issue") -> Confirm:
    return Confirm(SHOP, later("confirmation", promise=promise, outcome=outcome), AT)


def test_the_identity_is_the_document_of_the_confirmation(storage: MemoryStorage) -> None:
    identity = confirmed().identity(storage)

    assert identity.key == "acme/E-1#event"
    assert identity.inputs == {"event": dump(confirmed().event)}
    assert (identity.at, identity.recorded_at, identity.of) == (AT, AT, "T-1")


def test_the_sale_and_its_accounts_are_locked_before_the_promise_is_read(
    service: LedgerService, storage: MemoryStorage
) -> None:
    service.process(SHOP, bill())

    assert [*confirmed().locks()] == []
    assert steps_of(confirmed(), storage) == ["lock acme/T-1", "sale", "lock acme/member/M1", "lot", "changed_since"]


@pytest.mark.parametrize(("outcome", "kind"), [("issue", ReleasePromise), ("cancel", CancelPromise)])
def test_a_promise_is_released_or_cancelled(
    service: LedgerService, storage: MemoryStorage, outcome: str, kind: type
) -> None:
    service.process(SHOP, bill())

    (intent,) = confirmed(outcome=outcome).decide(storage)  # type: ignore[misc]

    assert type(intent) is kind
    assert intent.promise == PROMISE  # type: ignore[union-attr]


@pytest.mark.parametrize("promise", ["acme/T-9/p/earn", "acme/T-1/p/none", "other/T-1/p/earn"])
def test_an_unknown_promise_is_refused(service: LedgerService, storage: MemoryStorage, promise: str) -> None:
    service.process(SHOP, bill())

    refused = confirmed(promise).decide(storage)

    assert refusal_of(refused) == (("unknown_promise",), f"no promise {promise} has been recorded")


def test_a_promise_is_confirmed_once(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())
    service.execute(confirmed())

    reasons, _ = refusal_of(confirmed().decide(storage))

    assert reasons == ("already_resolved",)


@pytest.mark.parametrize(("arguments", "name"), [({"event": bill()}, "event"), ({"recorded_at": NAIVE}, "recorded_at")])
def test_an_argument_that_cannot_be_read_is_named(arguments: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Confirm(**{"program": SHOP, "event": confirmed().event, "recorded_at": AT, **arguments})

    assert error.value.name == name
