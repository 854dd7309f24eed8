"""The errors of a ledger: their words, and their attributes after a copy by pickle."""

from __future__ import annotations

import pickle

import pytest

from loyalty_rules import LoyaltyError
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.ledger.errors import AmountOutOfRangeError, ConcurrentChangeError, IdempotencyConflict
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.testing.ledgers.facts.till import Till, earn, fixed, shop


@pytest.fixture
def receipt() -> Receipt:
    till = Till(MemoryLedger())
    till.runs(shop(earn(fixed("5"))))
    return till.sell("T1", "100")


def test_a_conflict_names_the_field_and_both_values(receipt: Receipt) -> None:
    conflict = IdempotencyConflict("acme/T1#sale", "event.amount", "100", "120", receipt)

    assert str(conflict) == (
        "acme/T1#sale is recorded already with another event.amount: 100 was recorded, 120 is offered"
    )
    assert conflict.receipt is receipt


def test_a_conflict_shows_at_most_100_characters_of_each_value(receipt: Receipt) -> None:
    conflict = IdempotencyConflict("acme/T1#sale", "event.store", "a" * 101, "b" * 101, receipt)

    assert str(conflict).endswith(f": {'a' * 100} was recorded, {'b' * 100} is offered")
    assert conflict.recorded == "a" * 101


def test_an_amount_out_of_range_is_named_with_the_maximum() -> None:
    assert str(AmountOutOfRangeError("the balance")) == (
        "the balance is beyond 9,223,372,036,854, the maximum that this ledger can store"
    )


def test_a_concurrent_change_names_the_row() -> None:
    assert str(ConcurrentChangeError("the lot acme/T1/p/earn")) == (
        "the lot acme/T1/p/earn has changed since it was read; nothing is recorded"
    )


@pytest.mark.parametrize("error", [AmountOutOfRangeError("the balance"), ConcurrentChangeError("the lot")])
def test_an_error_keeps_its_attributes_when_it_is_pickled(error: AmountOutOfRangeError | ConcurrentChangeError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert (type(copy), copy.what, str(copy)) == (type(error), error.what, str(error))


def test_a_conflict_keeps_its_receipt_when_it_is_pickled(receipt: Receipt) -> None:
    conflict = IdempotencyConflict("acme/T1#sale", "event.amount", "100", "120", receipt)

    assert pickle.loads(pickle.dumps(conflict)).receipt == receipt


@pytest.mark.parametrize("cls", [AmountOutOfRangeError, ConcurrentChangeError, IdempotencyConflict])
def test_every_error_of_a_ledger_is_an_error_of_the_library(cls: type) -> None:
    assert issubclass(cls, LoyaltyError)


@pytest.mark.parametrize(
    "field", ["event.member.contacts.email", "code", "codes[0]", "event.extended_fields.note", "event.coupons[1].code"]
)
def test_a_conflict_shows_no_address_and_no_serial(receipt: Receipt, field: str) -> None:
    conflict = IdempotencyConflict("acme/T1#sale", field, "anna@example.org", {"to": "ben@example.org"}, receipt)

    assert str(conflict) == f"acme/T1#sale is recorded already with another {field}"
    assert repr(conflict) == f"IdempotencyConflict('acme/T1#sale', '{field}')"


def test_a_conflict_shows_no_document(receipt: Receipt) -> None:
    conflict = IdempotencyConflict("acme/T1#sale", "event.member", None, {"id": "anna"}, receipt)

    assert "anna" not in str(conflict)
