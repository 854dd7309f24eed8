"""Adjust: the identity and the locks of an adjustment."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Adjust

from .by_hand import UNREADABLE, WHY, named_by_error
from .steps import ANNA, AT, steps_of

ARGUMENTS: dict[str, Any] = {"account": ANNA, "currency": "points", "amount": Decimal(-5)}
ADJUST = Adjust(**ARGUMENTS, **WHY)


def test_the_identity_has_every_input_of_the_host(storage: MemoryStorage) -> None:
    identity = ADJUST.identity(storage)

    assert identity.key == "acme/E-1#adjust/points"
    assert identity.inputs == {
        "account": "member M1",
        "amount": "-5",
        "expires_on": None,
        "reason": "typed by mistake",
        "by": "desk-3",
    }
    assert (identity.at, identity.of) == (AT, None)


def test_the_last_day_is_a_part_of_the_identity(storage: MemoryStorage) -> None:
    until = Adjust(**{**ARGUMENTS, "amount": Decimal(5)}, **WHY, expires_on=date(2025, 2, 1))

    assert until.identity(storage).inputs["expires_on"] == "2025-02-01"


def test_the_account_is_locked_before_its_lots_are_read(storage: MemoryStorage) -> None:
    steps = steps_of(ADJUST, storage)

    assert steps.index("lock acme/member/M1") < steps.index("lots_of")


@pytest.mark.parametrize(("parts", "name"), [*UNREADABLE, ({"amount": 0.5}, "amount"), ({"account": "M1"}, "account")])
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    assert named_by_error(Adjust, **{**ARGUMENTS, **parts}) == name
