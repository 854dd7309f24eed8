"""Undo a spend: its units return to their lots, once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import UndoSpend
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import UndoSpendOf
from loyalty_rules.ledger.service import LedgerService

from .steps import ANNA, AT, NAIVE, SHOP, bill, refusal_of, steps_of

SPEND = "acme/S-1/spend/points"
UNDO = UndoSpendOf(SHOP, SPEND, "U-1", AT)


@pytest.fixture
def _spent(service: LedgerService) -> None:
    """Spend four of ten points."""
    service.process(SHOP, bill())
    service.spend(SHOP, ANNA, "M1", "points", Decimal(4), event="S-1", at=AT)


def test_the_identity_is_the_key_of_the_spend(storage: MemoryStorage) -> None:
    identity = UNDO.identity(storage)

    assert identity.key == "acme/U-1#undo_spend/acme/S-1/spend/points"
    assert identity.inputs == {"spend": SPEND}
    assert (identity.at, identity.recorded_at, identity.of) == (AT, AT, None)


@pytest.mark.usefixtures("_spent")
def test_the_account_of_the_spend_is_locked_before_its_lots_are_read(storage: MemoryStorage) -> None:
    assert [*UNDO.locks()] == []
    assert steps_of(UNDO, storage) == ["record", "lock acme/member/M1", "record", "lot", "records"]


@pytest.mark.usefixtures("_spent")
def test_the_units_return_to_their_lots(storage: MemoryStorage) -> None:
    (undo,) = UNDO.decide(storage)  # type: ignore[misc]

    assert isinstance(undo, UndoSpend)
    assert (undo.key, undo.spend) == ("acme/S-1/spend/points/undo", SPEND)
    assert [(each.lot, each.amount) for each in undo.draws] == [("acme/T-1/p/earn", 4)]


@pytest.mark.usefixtures("_spent")
def test_a_spend_cannot_be_undone_twice_under_different_ids(service: LedgerService) -> None:
    assert service.undo_spend(SHOP, SPEND, event="S-2", at=AT).status == "recorded"

    again = service.undo_spend(SHOP, SPEND, event="S-3", at=AT)

    assert again.refusal is not None
    assert again.refusal.reasons == ("already_undone",)


@pytest.mark.usefixtures("_spent")
@pytest.mark.parametrize("spend", ["acme/S-9/spend/points", "other/S-1/spend/points"])
def test_an_unknown_spend_is_refused(storage: MemoryStorage, spend: str) -> None:
    refused = UndoSpendOf(SHOP, spend, "U-1", AT).decide(storage)

    assert refusal_of(refused) == (("unknown_spend",), f"no spend {spend} has been recorded")


def test_the_key_of_a_redemption_is_no_spend(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())
    redeemed = service.redeem(SHOP, "GIFT", bill(id="T-2"))
    assert redeemed.redemption is not None

    reasons, _ = refusal_of(UndoSpendOf(SHOP, redeemed.redemption.key, "U-1", AT).decide(storage))

    assert reasons == ("unknown_spend",)


@pytest.mark.parametrize(("parts", "name"), [({"spend": 7}, "spend"), ({"event": ""}, "event"), ({"at": NAIVE}, "at")])
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        UndoSpendOf(**{"program": SHOP, "spend": SPEND, "event": "U-1", "at": AT, **parts})

    assert error.value.name == name
