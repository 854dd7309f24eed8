"""Spend: an amount is drawn from an account's live lots, once for each transaction and currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.intents import SpendCurrency
from loyalty_rules.ledger import IdempotencyConflict
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Spend
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Account

from .steps import ANNA, AT, NAIVE, SHOP, bill, refusal_of, steps_of


def spend(amount: str = "4", **parts: Any) -> Spend:
    given = {"program": SHOP, "account": ANNA, "member": "M1", "currency": "points", "event": "S-1", "at": AT}
    return Spend(**{"amount": Decimal(amount), **given, **parts})


def test_the_identity_is_the_account_the_member_and_the_amount(storage: MemoryStorage) -> None:
    identity = spend("4.50").identity(storage)

    assert identity.key == "acme/S-1#spend/points"
    assert identity.inputs == {"account": "member M1", "member": "M1", "amount": "4.5"}
    assert (identity.at, identity.recorded_at, identity.of) == (AT, AT, None)


def test_the_identity_of_a_groups_spend_names_the_group(storage: MemoryStorage) -> None:
    identity = spend(account=Account("group", "family")).identity(storage)

    assert identity.inputs == {"account": "group family", "member": "M1", "amount": "4"}


def test_the_transaction_and_the_account_are_locked_before_the_lots_are_read(storage: MemoryStorage) -> None:
    assert [*spend().locks()] == []
    assert steps_of(spend(), storage) == ["lock acme/S-1", "lock acme/member/M1", "record", "lots_of", "changed_since"]


def test_the_amount_is_drawn_from_the_lots(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    (intent,) = spend("4").decide(storage)  # type: ignore[misc]

    assert isinstance(intent, SpendCurrency)
    assert (intent.key, intent.amount) == ("acme/S-1/spend/points", 4)
    assert [(each.lot, each.amount) for each in intent.draws] == [("acme/T-1/p/earn", 4)]


@pytest.mark.parametrize(
    ("parts", "reason"), [({"amount": "11"}, "insufficient"), ({"currency": "miles"}, "unknown_currency")]
)
def test_a_spend_that_is_not_possible_is_refused(
    service: LedgerService, storage: MemoryStorage, parts: Any, reason: str
) -> None:
    service.process(SHOP, bill())

    reasons, _ = refusal_of(spend(**parts).decide(storage))

    assert reason in reasons


def test_a_currency_is_spent_once_for_each_transaction(service: LedgerService) -> None:
    service.process(SHOP, bill())

    assert [service.execute(spend("4")).status for _ in range(2)] == ["recorded", "already_recorded"]
    with pytest.raises(IdempotencyConflict) as conflict:
        service.execute(spend("5"))
    assert (conflict.value.field, conflict.value.recorded, conflict.value.offered) == ("amount", "4", "5")


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"account": "M1"}, "account"),
        ({"member": ""}, "member"),
        ({"currency": 7}, "currency"),
        ({"amount": 0.5}, "amount"),
        ({"event": " S-1"}, "event"),
        ({"at": NAIVE}, "at"),
    ],
)
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    arguments = {**spend().arguments(), **parts}

    with pytest.raises(InvalidValueError) as error:
        Spend(**arguments)

    assert error.value.name == name


def test_a_spend_names_the_account_that_pays_whoever_asked_for_it(service: LedgerService) -> None:
    service.process(SHOP, bill())
    receipt = service.execute(attrs.evolve(spend("4"), member="M2"))

    assert [(each.member, each.group) for each in receipt.intents] == [("M1", None)]  # type: ignore[union-attr]
