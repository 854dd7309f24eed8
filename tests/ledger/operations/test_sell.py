"""Sell: a sale is evaluated with the ledger's snapshot, and recorded once under any version of the program."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from loyalty_rules.engine.index import Index
from loyalty_rules.engine.plan import Plan
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import IssueCoupon, IssueCurrency
from loyalty_rules.ledger import IdempotencyConflict, MemoryLedger
from loyalty_rules.ledger.locks import account_lock, counter_lock
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Sell
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.loading import dump
from loyalty_rules.rules.facts import Facts
from shop import Serials, earn, fixed

from .steps import ANNA, AT, GIFT, NAIVE, SHOP, SOLD_AT, bill, later, shop, steps_of


def test_the_identity_is_the_document_of_the_event_and_the_version_of_the_program(storage: MemoryStorage) -> None:
    identity = Sell(SHOP, bill(), AT).identity(storage)

    assert identity.key == "acme/T-1#event"
    assert identity.inputs == {"event": dump(bill()), "program_version": SHOP.version}
    assert (identity.at, identity.recorded_at, identity.of) == (SOLD_AT, AT, "T-1")


def test_the_accounts_and_counters_are_locked_with_the_batch() -> None:
    locks = [*Sell(SHOP, bill(), AT).locks()]

    assert locks == [account_lock("acme", ANNA), counter_lock("acme", "limit/most/M1/lifetime")]


def test_the_counters_are_read_before_the_terms_are_saved(storage: MemoryStorage) -> None:
    steps = steps_of(Sell(SHOP, bill(), AT), storage)

    assert steps == ["read_counters", "counter_value", "save_sale"]


def test_the_counters_are_computed_once() -> None:
    sell = Sell(SHOP, bill(), AT)

    assert sell.counters is sell.counters


def test_the_decision_is_an_evaluation_with_the_snapshot_of_the_ledger(storage: MemoryStorage) -> None:
    storage.add_to_counter("acme", "limit/most/M1/lifetime", None, 97 * 10**6)

    issue, coupon = Sell(SHOP, bill(), AT).decide(storage).intents  # type: ignore[union-attr]

    assert isinstance(issue, IssueCurrency)
    assert (issue.key, issue.amount) == ("acme/T-1/p/earn", 3)  # 97 of at most 100 points are used
    assert isinstance(coupon, IssueCoupon)
    sale = storage.sale("acme", "T-1")
    assert sale is not None
    assert (sale.program, sale.event) == (SHOP, bill())
    assert sale.snapshot.limits == {"most": 97}


def test_a_retry_under_another_version_returns_the_recorded_receipt(service: LedgerService) -> None:
    recorded = service.execute(Sell(SHOP, bill(), AT))

    again = service.execute(Sell(shop(earn(fixed(99))), bill(), AT))

    assert (again.status, again.intents) == ("already_recorded", recorded.intents)


def test_another_amount_under_the_same_id_is_a_conflict(service: LedgerService) -> None:
    service.execute(Sell(SHOP, bill(), AT))

    with pytest.raises(IdempotencyConflict) as conflict:
        service.execute(Sell(SHOP, bill(amount="101"), AT))

    assert (conflict.value.field, conflict.value.recorded, conflict.value.offered) == ("event.amount", "100", "101")


def test_the_generator_of_the_operation_comes_before_that_of_the_ledger(storage: MemoryStorage) -> None:
    class Numbers:
        def serial(self, request: Any) -> str:
            return f"number {request.ordinal}"

    serial_managed = shop(GIFT, coupon_types={"gift": {}})
    service = LedgerService(storage, Serials())

    own = service.execute(Sell(serial_managed, bill(), AT, Numbers()))
    ledgers = service.execute(Sell(serial_managed, bill(id="T-2"), AT))

    assert [each.serial for each in (*own.coupons, *ledgers.coupons)] == ["number 1", "S:acme/T-2/p/gift/1"]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"program": {}}, "program"),
        ({"event": later("return", of="T-1", amount="1")}, "event"),
        ({"recorded_at": NAIVE}, "recorded_at"),
        ({"serials": "a key"}, "serials"),
    ],
)
def test_an_argument_that_cannot_be_read_is_named(arguments: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Sell(**{"program": SHOP, "event": bill(), "recorded_at": AT, **arguments})

    assert error.value.name == name


def test_an_event_is_looked_at_once() -> None:
    """Its facts are built once and the index is asked once, for a sale with a cap and a tracker."""
    counted = {Facts.__init__.__code__: 0, Index._reached.__code__: 0, Plan.counters.__code__: 0}
    ledger = MemoryLedger()
    tracker = {"spent": {"measure": {"type": "transaction_value"}, "target": "500"}}
    program = shop(earn(fixed("10"), caps={"per_member": {"amount": "100"}}), trackers=tracker)
    ledger.process(program, bill())

    def count(frame: Any, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code in counted:
            counted[frame.f_code] += 1

    sys.setprofile(count)
    try:
        receipt = ledger.process(program, bill(id="T-2"))
    finally:
        sys.setprofile(None)
    assert [each.type for each in receipt.intents] == ["issue_currency", "advance_tracker"]
    assert [*counted.values()] == [1, 1, 1]
