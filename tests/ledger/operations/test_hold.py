"""Hold: units are set aside until an instant, unless a spend of them would be refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import HoldCurrency
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import HoldUnits
from loyalty_rules.ledger.service import LedgerService
from shop import earn, fixed

from .steps import ANNA, AT, NAIVE, bill, refusal_of, shop, steps_of

UNTIL = AT + timedelta(hours=2)
RATE = {"points": {"redeem": {"points": "1", "value": "1", "most_of_bill": "50"}}}
SHOP = shop(earn(fixed(10)), currencies={"points": {"redeem": {"points": "1", "value": "1"}}})
HOLD = HoldUnits(SHOP, ANNA, "points", Decimal(4), UNTIL, "H-1", AT)


@pytest.fixture
def _sold(service: LedgerService) -> None:
    """Issue ten points."""
    service.process(SHOP, bill())


def test_the_identity_is_the_account_the_amount_and_the_end(storage: MemoryStorage) -> None:
    identity = HOLD.identity(storage)

    assert identity.key == "acme/H-1#hold/points"
    assert identity.inputs == {
        "account": "member M1", "member": None, "amount": "4", "until": "2025-01-20T14:00:00+00:00"
    }  # fmt: skip


@pytest.mark.usefixtures("_sold")
def test_the_account_is_locked_before_its_lots_are_read(storage: MemoryStorage) -> None:
    assert steps_of(HOLD, storage) == ["lock acme/member/M1", "lots_of", "changed_since"]


@pytest.mark.usefixtures("_sold")
def test_the_hold_names_its_draws_and_the_account_as_the_member_by_default(storage: MemoryStorage) -> None:
    (hold,) = HOLD.decide(storage)  # type: ignore[misc]

    assert isinstance(hold, HoldCurrency)
    assert (hold.key, hold.member, hold.group, hold.until) == ("acme/H-1/hold/points", "M1", None, UNTIL)
    assert [(each.lot, each.amount) for each in hold.draws] == [("acme/T-1/p/earn", 4)]


@pytest.mark.usefixtures("_sold")
def test_units_of_a_hold_that_is_over_can_be_held_again(service: LedgerService, storage: MemoryStorage) -> None:
    service.hold(SHOP, ANNA, "points", Decimal(10), AT + timedelta(hours=1), event="H-0", at=AT)
    before = refusal_of(HOLD.decide(storage))
    later = HoldUnits(SHOP, ANNA, "points", Decimal(10), UNTIL, "H-1", AT + timedelta(hours=1))

    assert before[0] == ("insufficient",)
    assert service.execute(later).status == "recorded"


@pytest.mark.parametrize(("amount", "reasons"), [(6, ("more_than_bill",)), (5, None)])
def test_a_hold_with_a_bill_is_bound_by_it(
    service: LedgerService, amount: int, reasons: tuple[str, ...] | None
) -> None:
    """Half of a bill of 10 may be paid with points."""
    half = shop(earn(fixed(10)), currencies=RATE)
    service.process(half, bill())
    until, cart = UNTIL, bill(id="T-2", amount="10")

    receipt = service.hold(half, ANNA, "points", Decimal(amount), until, event="H-1", at=AT, bill=cart)

    assert (receipt.refusal.reasons if receipt.refusal is not None else None) == reasons
    alone = service.hold(half, ANNA, "points", Decimal(1), until, event="H-2", at=AT)
    assert alone.refusal is not None
    assert alone.refusal.reasons == ("no_bill",)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"event": ""}, "event"),
        ({"at": NAIVE}, "at"),
        ({"until": NAIVE}, "until"),
        ({"until": AT}, "until"),
        ({"member": " "}, "member"),
    ],
)
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    given = {
        "program": SHOP,
        "account": ANNA,
        "currency": "points",
        "amount": 4,
        "until": UNTIL,
        "event": "H",
        "at": AT,
    }

    with pytest.raises(InvalidValueError) as error:
        HoldUnits(**{**given, **parts})

    assert error.value.name == name


def test_the_units_of_another_payer_stay_those_of_the_account(service: LedgerService) -> None:
    """M2 asks for the hold: the units are M1's, to whom they come back."""
    service.process(SHOP, bill())

    service.hold(SHOP, ANNA, "points", Decimal(4), UNTIL, event="H-1", at=AT, member="M2")

    assert [service.balance("acme", ANNA, "points", each).held for each in (AT, UNTIL)] == [4, 0]
    assert service.balance("acme", ANNA, "points", UNTIL).available == 10
