"""Execution: an operation is recorded once and as a whole, a retry and a refusal write nothing. Source: ledger 2."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Transaction
from loyalty_rules.intents import IssueCoupon, IssueCurrency
from loyalty_rules.ledger import IdempotencyConflict, SaleReceipt, SpendReceipt, Trim
from loyalty_rules.ledger.execution import execute
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Record, Sell, Spend, UndoSpendOf
from loyalty_rules.lifecycle.records import Account, Refusal
from shop import Serials, earn, fixed, program, sale

AT = datetime(2025, 1, 20, 12, tzinfo=UTC)
ANNA = Account("member", "M1")
GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
LIMITS = {"most": {"currency": "points", "per": "member", "amount": 15, "window": {"type": "lifetime"}}}
SHOP = lr.load_program(program(earn(fixed(10)), limits=LIMITS))
LIMIT = "limit/most/M1/lifetime"


class StepStorage(MemoryStorage):
    """A storage that notes the steps of an execution, and can fail at the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Any] = []
        self.fails = False

    def begin(self) -> None:
        self.steps.append("begin")
        super().begin()

    def commit(self) -> None:
        self.steps.append("commit")
        super().commit()

    def rollback(self) -> None:
        self.steps.append("rollback")
        super().rollback()

    def lock(self, keys: Any) -> None:
        self.steps += [f"lock {name}" for _, name in keys]

    def claim_batch(self, identity: Any, locks: Any = ()) -> Any:
        self.steps += [f"claim {identity.key}", *(f"lock {name}" for _, name in locks)]
        return super().claim_batch(identity)

    def read_counters(self, program: str, windows: Any) -> None:
        self.steps += [f"read {name}" for name, _, _ in windows]

    def commit_batch(self, receipt: Any) -> None:
        self.steps.append(f"receipt {receipt.status}")
        if self.fails:
            raise OSError("the disk is full")
        super().commit_batch(receipt)


@pytest.fixture
def storage() -> StepStorage:
    return StepStorage()


def bill(**parts: Any) -> Transaction:
    event = lr.load_event(sale(**parts))
    assert isinstance(event, Transaction)
    return event


def sell(**parts: Any) -> Sell:
    return Sell(SHOP, bill(**parts), AT)


def spend(amount: int) -> Spend:
    return Spend(SHOP, ANNA, "M1", "points", Decimal(amount), "S-1", AT)


# -- recorded --------------------------------------------------------------------------------------------------------


def test_a_batch_is_claimed_with_its_locks_then_decided_then_written(storage: StepStorage) -> None:
    execute(storage, sell())

    assert storage.steps == [
        "begin",
        "claim acme/T-1#event", "lock acme/member/M1", f"lock acme/{LIMIT}",
        f"read {LIMIT}",  # for the snapshot
        f"lock acme/{LIMIT}", f"read {LIMIT}",  # for the claims
        "receipt recorded",
        "commit",
    ]  # fmt: skip


def test_a_receipt_has_the_intents_and_the_class_of_its_operation(storage: StepStorage) -> None:
    receipt = execute(storage, sell())

    assert (type(receipt), receipt.status, receipt.key) == (SaleReceipt, "recorded", "acme/T-1#event")
    assert [(each.key, each.amount) for each in receipt.issues] == [("acme/T-1/p/earn", 10)]
    assert storage.batches["acme/T-1#event"].receipt == receipt


def test_a_claim_over_a_cap_is_trimmed_when_it_is_recorded(storage: StepStorage) -> None:
    evaluations = [SHOP.evaluate(bill(id=each)) for each in ("T-1", "T-2", "T-3")]

    receipts = [execute(storage, Record(each, AT)) for each in evaluations]

    assert [[issue.amount for issue in each.issues] for each in receipts] == [[10], [5], []]
    assert [each.trims for each in receipts] == [
        (),
        (Trim("acme/T-2/p/earn", LIMIT, Decimal(10), Decimal(5)),),
        (Trim("acme/T-3/p/earn", LIMIT, Decimal(10), Decimal(0)),),
    ]


def test_the_generator_of_the_operation_replaces_a_taken_serial(storage: StepStorage) -> None:
    class Attempts:
        def serial(self, request: Any) -> str:
            return f"attempt {request.attempt}"

    shop = lr.load_program(program(GIFT, coupon_types={"gift": {}}))

    serials = [
        each.serial
        for event in ("T-1", "T-2")
        for each in execute(storage, Sell(shop, bill(id=event), AT, Attempts())).coupons
    ]

    assert serials == ["attempt 0", "attempt 1"]


def test_an_evaluation_without_a_generator_is_recorded_with_its_serials(storage: StepStorage) -> None:
    shop = lr.load_program(program(earn(fixed(10)), GIFT, coupon_types={"gift": {}}))

    issue, coupon = execute(storage, Record(shop.evaluate(bill(), serials=Serials()), AT)).intents

    assert isinstance(issue, IssueCurrency)
    assert isinstance(coupon, IssueCoupon)
    assert coupon.serial == "S:acme/T-1/p/gift/1"


# -- retries and conflicts -------------------------------------------------------------------------------------------


def test_a_retry_returns_the_recorded_receipt_and_decides_nothing(storage: StepStorage) -> None:
    first = execute(storage, sell())
    storage.steps.clear()

    again = execute(storage, sell())

    assert (type(again), again.status) == (SaleReceipt, "already_recorded")
    assert (again.key, again.intents, again.trims) == (first.key, first.intents, first.trims)
    assert storage.steps == [
        "begin", "claim acme/T-1#event", "lock acme/member/M1", f"lock acme/{LIMIT}", "commit",
    ]  # fmt: skip


def test_a_conflict_names_the_difference_and_writes_nothing(storage: StepStorage) -> None:
    recorded = execute(storage, sell())
    counters, entries = dict(storage.counters), [*storage.entries()]

    with pytest.raises(IdempotencyConflict) as conflict:
        execute(storage, sell(amount="101"))

    assert (conflict.value.key, conflict.value.field) == ("acme/T-1#event", "event.amount")
    assert conflict.value.receipt == recorded
    assert storage.steps[-1] == "rollback"
    assert (storage.counters, [*storage.entries()]) == (counters, entries)


def test_a_retry_may_differ_in_the_inputs_that_the_operation_ignores(storage: StepStorage) -> None:
    execute(storage, sell())
    other = lr.load_program(program(earn(fixed(99))))

    assert execute(storage, Sell(other, bill(), AT)).status == "already_recorded"
    with pytest.raises(IdempotencyConflict):
        execute(storage, Record(other.evaluate(bill()), AT))


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_refusal_leaves_no_record(storage: StepStorage) -> None:
    refused = execute(storage, spend(4))

    assert (type(refused), refused.status, refused.key) == (SpendReceipt, "refused", "acme/S-1#spend/points")
    assert (refused.intents, refused.trims) == ((), ())
    assert isinstance(refused.refusal, Refusal)
    assert refused.refusal.reasons == ("insufficient",)
    assert storage.steps == ["begin", "claim acme/S-1#spend/points", "lock acme/S-1", "lock acme/member/M1", "rollback"]
    assert storage.batches == {}


def test_a_refused_operation_can_be_repeated_under_the_same_id(storage: StepStorage) -> None:
    assert execute(storage, spend(4)).status == "refused"
    execute(storage, sell())

    assert execute(storage, spend(5)).status == "recorded"


# -- errors ----------------------------------------------------------------------------------------------------------


def test_an_error_rolls_all_writes_back(storage: StepStorage) -> None:
    storage.fails = True

    with pytest.raises(OSError, match="the disk is full"):
        execute(storage, sell())

    assert storage.steps[-2:] == ["receipt recorded", "rollback"]
    assert (storage.batches, storage.sales, storage.histories, storage.counters) == ({}, {}, {}, {})


def test_an_operation_can_be_repeated_after_an_error(storage: StepStorage) -> None:
    storage.fails = True
    with pytest.raises(OSError, match="the disk is full"):
        execute(storage, sell())
    storage.fails = False

    assert execute(storage, sell()).status == "recorded"


def test_an_unprintable_phase_is_an_error_and_is_not_recorded(storage: StepStorage) -> None:
    with pytest.raises(InvalidValueError, match="printable"):
        execute(storage, UndoSpendOf(SHOP, "a\x00b", "S-1", AT))

    assert storage.batches == {}
    assert storage.steps == []
