"""Take back: a return is decided under the frozen terms of its sale, which keeps the return."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import Intent, ReverseCurrency, UndoRedemption, VoidCoupon
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import TakeBack
from loyalty_rules.ledger.operations.operation import Noted
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.loading import dump
from shop import earn, fixed

from .steps import AT, NAIVE, SHOP, bill, later, refusal_of, shop, steps_of

WHOLE = later("return", of="T-1", amount="100")
CANCELLED = later("return", of="T-2", amount="100")


def decided(storage: MemoryStorage, operation: TakeBack) -> tuple[Intent, ...]:
    """Return the intents that a return is decided to record."""
    decision = operation.decide(storage)
    assert isinstance(decision, Noted)
    return decision.intents


def test_the_identity_is_the_document_of_the_return(storage: MemoryStorage) -> None:
    identity = TakeBack(SHOP, WHOLE, AT).identity(storage)

    assert identity.key == "acme/E-1#event"
    assert identity.inputs == {"event": dump(WHOLE)}
    assert (identity.at, identity.recorded_at, identity.of) == (AT, AT, "T-1")


def test_the_sale_and_its_accounts_are_locked_before_the_rows_of_the_decision_are_read(
    service: LedgerService, storage: MemoryStorage
) -> None:
    service.process(SHOP, bill())

    steps = steps_of(TakeBack(SHOP, WHOLE, AT), storage)

    assert [*TakeBack(SHOP, WHOLE, AT).locks()] == []
    assert steps[:6] == ["records", *["lock acme/T-1"] * 2, "sale", "lots_of_sale", "lock acme/member/M1"]
    assert steps[6:] == [
        "records", "lots_of_sale", "lots_of", "coupons_of_sale", "changed_since", "contributions", "save_sale",
    ]  # fmt: skip


def test_the_units_and_the_coupons_of_the_sale_are_taken_back(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    reversal, void = decided(storage, TakeBack(SHOP, WHOLE, AT))

    assert isinstance(reversal, ReverseCurrency)
    assert (reversal.key, reversal.amount) == ("acme/E-1/p/earn/reverse", 10)
    assert isinstance(void, VoidCoupon)
    assert void.coupon == "acme/T-1/p/gift/1"


def test_another_program_of_the_brand_does_not_change_the_terms(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    (reversal, _) = decided(storage, TakeBack(shop(earn(fixed(99))), WHOLE, AT))

    assert isinstance(reversal, ReverseCurrency)
    assert reversal.amount == 10


def test_the_sale_keeps_its_returns(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())
    service.execute(TakeBack(SHOP, WHOLE, AT))

    sale = storage.sale("acme", "T-1")

    assert sale is not None
    assert sale.returns == (WHOLE,)


def test_the_redemption_of_a_cancelled_transaction_is_undone(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())
    service.process(SHOP, bill(id="T-2"))
    service.redeem(SHOP, "GIFT", bill(id="T-2"))  # the coupon of T-1

    decision = decided(storage, TakeBack(SHOP, CANCELLED, AT))
    steps = steps_of(TakeBack(SHOP, CANCELLED, AT), storage)

    assert [each.coupon for each in decision if isinstance(each, UndoRedemption)] == ["acme/T-1/p/gift/1"]
    looked_up = ["contributions", "lock acme/T-1", "coupon", "sale", "coupons_of_sale", "save_sale"]
    assert steps[steps.index("contributions") :] == looked_up


def test_a_return_of_an_unknown_sale_is_refused(storage: MemoryStorage) -> None:
    refused = TakeBack(SHOP, WHOLE, AT).decide(storage)

    assert refusal_of(refused) == (("unknown_sale",), "no sale T-1 has been recorded")


def test_a_refused_return_is_not_kept_with_the_sale(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())
    unknown_line = later("return", of="T-1", amount="1", lines=[{"id": "7", "quantity": "1"}])

    reasons, _ = refusal_of(TakeBack(SHOP, unknown_line, AT).decide(storage))

    assert reasons == ("unknown_line",)
    assert "save_sale" not in steps_of(TakeBack(SHOP, unknown_line, AT), storage)


@pytest.mark.parametrize(("arguments", "name"), [({"event": bill()}, "event"), ({"recorded_at": NAIVE}, "recorded_at")])
def test_an_argument_that_cannot_be_read_is_named(arguments: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        TakeBack(**{"program": SHOP, "event": WHOLE, "recorded_at": AT, **arguments})

    assert error.value.name == name
