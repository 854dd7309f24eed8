"""Release: held units return to their lots."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import ReleaseHold
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Release
from loyalty_rules.ledger.service import LedgerService
from shop import earn, fixed

from .steps import ANNA, AT, NAIVE, bill, refusal_of, shop, steps_of

HOLD = "acme/H-1/hold/points"
SHOP = shop(earn(fixed(10)), currencies={"points": {"redeem": {"points": "1", "value": "1"}}})
RELEASE = Release(SHOP, HOLD, "X-1", AT)


@pytest.fixture
def _held(service: LedgerService) -> None:
    """Hold four of ten points."""
    service.process(SHOP, bill())
    service.hold(SHOP, ANNA, "points", Decimal(4), AT + timedelta(hours=1), event="H-1", at=AT)


def test_the_identity_is_the_key_of_the_hold(storage: MemoryStorage) -> None:
    identity = RELEASE.identity(storage)

    assert (identity.key, identity.inputs) == ("acme/X-1#release/acme/H-1/hold/points", {"hold": HOLD})


@pytest.mark.usefixtures("_held")
def test_the_account_of_the_hold_is_locked_before_its_lots_are_read(storage: MemoryStorage) -> None:
    assert steps_of(RELEASE, storage) == ["record", "lock acme/member/M1", "record", "lot", "records"]


@pytest.mark.usefixtures("_held")
def test_the_units_return_to_their_lots(storage: MemoryStorage) -> None:
    (release,) = RELEASE.decide(storage)  # type: ignore[misc]

    assert isinstance(release, ReleaseHold)
    assert (release.key, release.hold, release.released_at) == ("acme/X-1/release/H-1/hold/points", HOLD, AT)
    assert [(each.lot, each.amount) for each in release.draws] == [("acme/T-1/p/earn", 4)]


def test_an_unknown_hold_is_refused(storage: MemoryStorage) -> None:
    assert refusal_of(RELEASE.decide(storage)) == (("unknown_hold",), f"no hold {HOLD} has been recorded")


@pytest.mark.parametrize(("parts", "name"), [({"hold": 7}, "hold"), ({"event": ""}, "event"), ({"at": NAIVE}, "at")])
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Release(**{"program": SHOP, "hold": HOLD, "event": "X-1", "at": AT, **parts})

    assert error.value.name == name
