"""Update: a new state of a sale releases the promises that wait for it, and is kept with the sale."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import ReleasePromise
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import UpdateSale
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.loading import dump
from shop import earn, fixed

from .steps import AT, NAIVE, bill, later, refusal_of, shop, steps_of

WHEN_PAID = {"type": "transaction_update", "when": {"field": "status", "is": "paid"}}
SHOP = shop(earn(fixed(7), timing=WHEN_PAID))
PAID = later("update", of="T-1", status="paid")
PACKED = later("update", of="T-1", status="packed")


def test_the_identity_is_the_document_of_the_update(storage: MemoryStorage) -> None:
    identity = UpdateSale(SHOP, PAID, AT).identity(storage)

    assert identity.key == "acme/E-1#event"
    assert identity.inputs == {"event": dump(PAID)}
    assert (identity.at, identity.recorded_at, identity.of) == (AT, AT, "T-1")


def test_the_sale_is_locked_before_it_is_read(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    assert [*UpdateSale(SHOP, PAID, AT).locks()] == []
    assert steps_of(UpdateSale(SHOP, PAID, AT), storage) == [
        "lock acme/T-1", "sale", "lock acme/member/M1", "lots_of_sale", "save_sale",
    ]  # fmt: skip


def test_a_promise_that_waits_for_the_state_is_released(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    (release,) = UpdateSale(SHOP, PAID, AT).decide(storage)  # type: ignore[misc]

    assert isinstance(release, ReleasePromise)
    assert (release.promise, release.amount) == ("acme/T-1/p/earn", 7)


def test_another_state_releases_no_promise_and_is_kept(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    assert UpdateSale(SHOP, PACKED, AT).decide(storage) == ()
    sale = storage.sale("acme", "T-1")
    assert sale is not None
    assert sale.updates == (PACKED,)


def test_an_update_of_an_unknown_sale_is_refused(storage: MemoryStorage) -> None:
    refused = UpdateSale(SHOP, PAID, AT).decide(storage)

    assert refusal_of(refused) == (("unknown_sale",), "no sale T-1 has been recorded")


@pytest.mark.parametrize(("arguments", "name"), [({"event": bill()}, "event"), ({"recorded_at": NAIVE}, "recorded_at")])
def test_an_argument_that_cannot_be_read_is_named(arguments: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        UpdateSale(**{"program": SHOP, "event": PAID, "recorded_at": AT, **arguments})

    assert error.value.name == name
