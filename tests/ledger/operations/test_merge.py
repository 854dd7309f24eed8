"""Merge: the identity, the locks and the refusals of a merge of two members."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Merge
from loyalty_rules.ledger.service import LedgerService

from .by_hand import UNREADABLE, WHY, named_by_error
from .steps import SHOP, bill, refusal_of, steps_of

MERGE = Merge(from_="M1", into="M2", **WHY)


def test_the_identity_has_every_input_of_the_host(storage: MemoryStorage) -> None:
    identity = MERGE.identity(storage)

    assert identity.key == "acme/E-1#merge"
    assert identity.inputs == {"from": "M1", "into": "M2", "reason": "typed by mistake", "by": "desk-3"}


def test_both_accounts_and_the_counters_are_locked(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    steps = steps_of(MERGE, storage)

    locks = ["lock acme/member/M1", "lock acme/member/M2", "lock acme/limit/most/M1/lifetime"]
    assert [each for each in steps if each.startswith("lock")] == locks
    assert steps.index(locks[2]) < len(steps) - 2  # the counters are read again under their locks


def test_a_merge_moves_the_counters(service: LedgerService, storage: MemoryStorage) -> None:
    service.process(SHOP, bill())

    (merge,) = MERGE.decide(storage)  # type: ignore[misc]

    assert (merge.key, merge.from_member, merge.into_member) == ("acme/E-1/merge", "M1", "M2")
    assert [(each.counter, each.amount) for each in merge.claims] == [
        ("limit/most/M1/lifetime", -10),
        ("limit/most/M2/lifetime", 10),
    ]


@pytest.mark.parametrize(
    ("members", "reason"),
    [(("M1", "M3"), "closed_account"), (("M2", "M1"), "closed_account"), (("M2", "M2"), "same_member")],
)
def test_a_second_merge_of_a_member_is_refused(
    service: LedgerService, storage: MemoryStorage, members: tuple[str, str], reason: str
) -> None:
    service.execute(MERGE)

    assert refusal_of(Merge(from_=members[0], into=members[1], **WHY).decide(storage))[0] == (reason,)


@pytest.mark.parametrize(("parts", "name"), [*UNREADABLE, ({"from_": ""}, "from_"), ({"into": 7}, "into")])
def test_an_argument_that_cannot_be_read_is_named(parts: Any, name: str) -> None:
    assert named_by_error(Merge, **{"from_": "M1", "into": "M2", **parts}) == name
