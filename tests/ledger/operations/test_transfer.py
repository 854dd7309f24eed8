"""Transfer: the identity and the locks of a transfer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Transfer
from loyalty_rules.lifecycle.records import Account

from .by_hand import UNREADABLE, WHY, named_by_error
from .steps import ANNA, shop, steps_of

BERT = Account("member", "M2")
ARGUMENTS: dict[str, Any] = {"source": ANNA, "target": BERT, "currency": "points", "amount": Decimal(5)}
TRANSFER = Transfer(**ARGUMENTS, **WHY)


def test_the_identity_has_every_input_of_the_host(storage: MemoryStorage) -> None:
    identity = TRANSFER.identity(storage)

    assert identity.key == "acme/E-1#transfer/points"
    assert identity.inputs == {
        "source": "member M1",
        "target": "member M2",
        "amount": "5",
        "reason": "typed by mistake",
        "by": "desk-3",
    }


def test_both_accounts_and_the_counter_are_locked_before_they_are_read(storage: MemoryStorage) -> None:
    limited = shop(currencies={"points": {"transfer": {"most": {"amount": "5"}}}})
    steps = steps_of(Transfer(**ARGUMENTS, **{**WHY, "program": limited}), storage)

    accounts, counter = ["lock acme/member/M1", "lock acme/member/M2"], "lock acme/limit/transfer:points/M1/lifetime"
    assert [each for each in steps if each.startswith("lock")] == [*accounts, *accounts, counter]
    assert steps.index(accounts[1]) < steps.index("lots_of")
    assert steps.index(counter) < steps.index("counter_value")


@pytest.mark.parametrize(("parts", "name"), [*UNREADABLE, ({"amount": "x"}, "amount"), ({"target": "M2"}, "target")])
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    assert named_by_error(Transfer, **{**ARGUMENTS, **parts}) == name
