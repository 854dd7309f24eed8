"""Operations as values: their arguments, their receipts, their serials, and the parts that several share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from loyalty_rules.ledger import Receipt, operations
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import (
    Adjust,
    Amend,
    Capture,
    Confirm,
    EndNight,
    Expire,
    Extend,
    Forget,
    HoldUnits,
    Merge,
    Operation,
    Reassign,
    Record,
    Redeem,
    RedeemAll,
    Release,
    Review,
    Sell,
    Settle,
    Spend,
    TakeBack,
    TopUp,
    Transfer,
    UndoRedemptionOf,
    UndoSpendOf,
    UpdateSale,
    Void,
)
from loyalty_rules.ledger.operations.operation import already_undone, decision_of, host_identity, unknown_sale
from loyalty_rules.ledger.receipts import receipt_class
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Account, Lot, Refusal
from shop import Serials

from .steps import ANNA, AT, SHOP, bill, later

BERT = Account("member", "M2")
BY_HAND = ("typed by mistake", "desk-3")
NEXT_YEAR = date(2026, 1, 31)
UNTIL = datetime(2025, 1, 21, tzinfo=UTC)
CONFIRMATION = {"promise": "acme/T-1/p/earn", "outcome": "issue"}

OPERATIONS: Mapping[type[Operation[Any]], Callable[[Lot], Operation[Any]]] = {
    Sell: lambda _: Sell(SHOP, bill(), AT, Serials()),
    Record: lambda _: Record(SHOP.evaluate(bill()), AT),
    TakeBack: lambda _: TakeBack(SHOP, later("return", of="T-1", amount="1"), AT),
    UpdateSale: lambda _: UpdateSale(SHOP, later("update", of="T-1", status="paid"), AT),
    Amend: lambda _: Amend(SHOP, later("amendment", of="T-1", amount="120"), AT),
    Confirm: lambda _: Confirm(SHOP, later("confirmation", **CONFIRMATION), AT),
    Review: lambda _: Review(SHOP, "status", ANNA, AT.date(), AT),
    Settle: lambda lot: Settle(SHOP, lot, AT),
    Spend: lambda _: Spend(SHOP, ANNA, "M1", "points", Decimal(1), "S-1", AT),
    UndoSpendOf: lambda _: UndoSpendOf(SHOP, "acme/S-1/spend/points", "U-1", AT),
    Redeem: lambda _: Redeem(SHOP, "GIFT", bill(id="T-2")),
    RedeemAll: lambda _: RedeemAll(SHOP, ["GIFT"], [(ANNA, "points", Decimal(1))], bill(id="T-2")),
    UndoRedemptionOf: lambda _: UndoRedemptionOf(SHOP, "acme/T-2/redeem/T-1/p/gift/1", "U-1", AT),
    Void: lambda _: Void(SHOP, "acme/T-1/p/gift/1", "V-1", AT),
    Expire: lambda lot: Expire(SHOP, lot, AT),
    HoldUnits: lambda _: HoldUnits(SHOP, ANNA, "points", Decimal(1), UNTIL, "H-1", AT),
    Capture: lambda _: Capture(SHOP, "acme/H-1/hold/points", "S-1", AT),
    Release: lambda _: Release(SHOP, "acme/H-1/hold/points", "X-1", AT),
    Adjust: lambda _: Adjust(SHOP, ANNA, "points", Decimal(-1), *BY_HAND, "A-1", AT),
    EndNight: lambda _: EndNight(SHOP, AT),
    Forget: lambda _: Forget(SHOP, "M1", *BY_HAND, "F-1", AT),
    Merge: lambda _: Merge(SHOP, "M1", "M2", *BY_HAND, "G-1", AT),
    Transfer: lambda _: Transfer(SHOP, ANNA, BERT, "points", Decimal(4), *BY_HAND, "X-1", AT),
    Extend: lambda _: Extend(SHOP, NEXT_YEAR, *BY_HAND, "E-1", AT, coupon="acme/T-1/p/gift/1"),
    Reassign: lambda _: Reassign(SHOP, "acme/T-1/p/gift/1", "M2", *BY_HAND, "E-1", AT),
    TopUp: lambda _: TopUp(SHOP, "acme/T-1/p/gift/1", Decimal(1), *BY_HAND, "E-1", AT),
}


@pytest.fixture(params=OPERATIONS.values(), ids=[each.__name__ for each in OPERATIONS])
def operation(request: pytest.FixtureRequest, service: LedgerService, storage: MemoryStorage) -> Operation[Receipt]:
    """Return an operation of each class."""
    service.process(SHOP, bill())
    lot = storage.lot("acme/T-1/p/earn")
    assert lot is not None
    operation: Operation[Receipt] = request.param(lot)
    return operation


def test_every_public_operation_is_tested_here() -> None:
    classes = [each for each in vars(operations).values() if inspect.isclass(each) and issubclass(each, Operation)]

    assert {*classes} == {*OPERATIONS, Operation}


def test_the_constructor_rebuilds_an_operation_from_its_arguments(operation: Operation[Receipt]) -> None:
    rebuilt = type(operation)(**operation.arguments())

    assert rebuilt == operation
    assert rebuilt is not operation


def test_the_arguments_are_those_of_the_constructor_in_their_order(operation: Operation[Receipt]) -> None:
    assert [*operation.arguments()] == [*inspect.signature(type(operation)).parameters]


def test_an_operation_cannot_be_changed(operation: Operation[Receipt]) -> None:
    name = next(iter(operation.arguments()))

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(operation, name, None)


def test_a_recorded_receipt_has_the_class_that_its_phase_names(
    operation: Operation[Receipt], storage: MemoryStorage
) -> None:
    identity = operation.identity(storage)

    assert receipt_class(identity.phase, identity.inputs) is operation.receipt_class()


def test_only_sales_have_a_generator_of_serials(operation: Operation[Receipt]) -> None:
    serials = Serials()
    issues_coupons = isinstance(operation, (Sell, Record, Amend))

    assert (operation.with_serials(serials) is operation) == (
        not isinstance(operation, (Record, Amend))
    )  # Sell has one
    assert (operation.with_serials(serials).serial_generator() is not None) == issues_coupons


def test_only_a_processed_sale_ignores_the_version_of_the_program(operation: Operation[Receipt]) -> None:
    assert operation.ignoring == (("program_version",) if isinstance(operation, Sell) else ())


# -- shared parts ----------------------------------------------------------------------------------------------------


def test_the_identity_of_a_host_call_has_the_id_of_its_event_and_one_instant() -> None:
    identity = host_identity(SHOP, "S/1", "spend/points", {"amount": "4"}, AT)

    assert identity.key == "acme/S%2F1#spend/points"
    assert (identity.inputs, identity.of) == ({"amount": "4"}, None)
    assert (identity.at, identity.recorded_at) == (AT, AT)


def test_a_decision_of_one_intent_is_a_tuple_or_a_refusal() -> None:
    (intent, *_) = SHOP.evaluate(bill()).intents
    refusal = Refusal(("unknown",), "there is no such coupon")

    assert decision_of(intent) == (intent,)
    assert decision_of(refusal) is refusal


def test_refusals_have_a_reason_and_a_detail() -> None:
    assert unknown_sale("T-9") == Refusal(("unknown_sale",), "no sale T-9 has been recorded")
    assert already_undone("acme/S-1/spend/points") == Refusal(
        ("already_undone",), "acme/S-1/spend/points has been undone already"
    )
