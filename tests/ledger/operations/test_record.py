"""Record: an evaluation of the host is recorded once, under the version of its program alone."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.ledger import IdempotencyConflict
from loyalty_rules.ledger.locks import account_lock, counter_lock
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Record
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.loading import dump
from shop import Serials, earn, fixed

from .steps import ANNA, AT, NAIVE, SHOP, SOLD_AT, bill, shop, steps_of

EVALUATION = SHOP.evaluate(bill())


def test_the_program_and_the_event_are_those_of_the_evaluation() -> None:
    record = Record(EVALUATION, AT)

    assert (record.program, record.event) == (SHOP, bill())


def test_the_identity_is_that_of_the_same_sale_processed_by_the_ledger(storage: MemoryStorage) -> None:
    identity = Record(EVALUATION, AT).identity(storage)

    assert identity.key == "acme/T-1#event"
    assert identity.inputs == {"event": dump(bill()), "program_version": SHOP.version}
    assert (identity.at, identity.recorded_at, identity.of) == (SOLD_AT, AT, "T-1")


def test_the_accounts_and_counters_are_locked_with_the_batch() -> None:
    locks = [*Record(EVALUATION, AT).locks()]

    assert locks == [account_lock("acme", ANNA), counter_lock("acme", "limit/most/M1/lifetime")]


def test_the_decision_is_that_of_the_evaluation_and_its_terms_are_saved(storage: MemoryStorage) -> None:
    assert Record(EVALUATION, AT).decide(storage).intents == EVALUATION.intents  # type: ignore[union-attr]
    assert storage.sale("acme", "T-1") == Sale(SHOP, bill(), EVALUATION.basis.snapshot)


def test_the_decision_reads_nothing(storage: MemoryStorage) -> None:
    assert steps_of(Record(EVALUATION, AT), storage) == ["save_sale"]


def test_a_retry_under_another_version_is_a_conflict(service: LedgerService) -> None:
    service.execute(Record(EVALUATION, AT))
    assert service.execute(Record(EVALUATION, AT)).status == "already_recorded"

    with pytest.raises(IdempotencyConflict) as conflict:
        service.execute(Record(shop(earn(fixed(99))).evaluate(bill()), AT))

    assert conflict.value.field == "program_version"


def test_a_generator_is_added_unless_there_is_one() -> None:
    first, second = Serials(), Serials()

    record = Record(EVALUATION, AT).with_serials(first)

    assert record.serial_generator() is first
    assert record.with_serials(second).serial_generator() is first
    assert Record(EVALUATION, AT).with_serials(None).serial_generator() is None


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"evaluation": bill()}, "evaluation"), ({"recorded_at": NAIVE}, "recorded_at"), ({"serials": 7}, "serials")],
)
def test_an_argument_that_cannot_be_read_is_named(arguments: Any, name: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Record(**{"evaluation": EVALUATION, "recorded_at": AT, **arguments})

    assert error.value.name == name


def test_a_coupon_keeps_the_serial_that_the_till_has_shown_before_a_merge(service: LedgerService) -> None:
    managed = shop({"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}, coupon_types={"gift": {}})
    evaluation = managed.evaluate(bill(), serials=Serials())
    service.merge(managed, "M1", "M2", reason="twice", by="desk-3", event="E-1", at=AT)

    service.execute(Record(evaluation, AT))

    (coupon,) = service.coupons("acme", "M2")
    assert coupon.issue.serial == evaluation.intents[0].serial  # type: ignore[union-attr]
