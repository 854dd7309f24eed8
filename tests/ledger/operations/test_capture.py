"""Capture: held units are spent under the id of the transaction, and the others are released."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Capture
from loyalty_rules.ledger.service import LedgerService
from shop import earn, fixed

from .steps import ANNA, AT, NAIVE, bill, refusal_of, shop, steps_of

HOLD = "acme/H-1/hold/points"
SHOP = shop(earn(fixed(10)), currencies={"points": {"redeem": {"points": "1", "value": "1"}}})
CAPTURE = Capture(SHOP, HOLD, "S-1", AT, Decimal(3))


@pytest.fixture
def _held(service: LedgerService) -> None:
    """Hold four of ten points."""
    service.process(SHOP, bill())
    service.hold(SHOP, ANNA, "points", Decimal(4), AT + timedelta(hours=1), event="H-1", at=AT)


@pytest.mark.usefixtures("_held")
def test_the_identity_is_that_of_a_spend_of_the_currency(storage: MemoryStorage) -> None:
    identity = CAPTURE.identity(storage)

    assert identity.key == "acme/S-1#spend/points"
    assert identity.inputs == {"hold": HOLD, "amount": "3"}


@pytest.mark.usefixtures("_held")
def test_the_account_of_the_hold_is_locked_before_its_lots_are_read(storage: MemoryStorage) -> None:
    steps = steps_of(CAPTURE, storage)

    assert steps[:5] == ["record", "lock acme/member/M1", "record", "lot", "records"]


@pytest.mark.usefixtures("_held")
def test_a_capture_of_a_part_spends_and_releases(storage: MemoryStorage) -> None:
    decided: Any = CAPTURE.decide(storage)

    assert [(each.type, each.key) for each in decided] == [
        ("capture_hold", "acme/S-1/capture/H-1/hold/points"),
        ("spend_currency", "acme/S-1/spend/points"),
        ("release_hold", "acme/S-1/release/H-1/hold/points"),
    ]
    assert (decided[1].amount, decided[1].value, decided[2].draws[0].amount) == (3, 3, 1)


@pytest.mark.parametrize("hold", ["acme/H-9/hold/points", "other/H-1/hold/points"])
def test_an_unknown_hold_is_refused(storage: MemoryStorage, hold: str) -> None:
    refused = Capture(SHOP, hold, "S-1", AT).decide(storage)

    assert refusal_of(refused) == (("unknown_hold",), f"no hold {hold} has been recorded")


@pytest.mark.parametrize(("parts", "name"), [({"hold": 7}, "hold"), ({"event": ""}, "event"), ({"at": NAIVE}, "at")])
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Capture(**{"program": SHOP, "hold": HOLD, "event": "S-1", "at": AT, **parts})

    assert error.value.name == name
