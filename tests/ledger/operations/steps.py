"""Helpers for the tests of operations: a small shop, its events, and a storage that notes its steps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

import loyalty_rules as lr
from loyalty_rules.events import Event, Transaction
from loyalty_rules.ledger.kinds import MERGERS, Kind
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import Decision, Operation
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import Account, Refusal
from loyalty_rules.program import Program
from shop import earn, fixed, program, sale

AT = datetime(2025, 1, 20, 12, tzinfo=UTC)
SOLD_AT = datetime(2025, 1, 15, 10, tzinfo=UTC)
NAIVE = datetime(2025, 1, 20, 12)
ANNA = Account("member", "M1")

GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
SHARED = {"serial_managed": False, "code": "GIFT", "benefit": {"type": "amount_off", "amount": 5}}
LIMITS = {"most": {"currency": "points", "per": "member", "amount": 100, "window": {"type": "lifetime"}}}


def shop(*actions: dict, **parts: Any) -> Program:
    return lr.load_program(program(*actions, **parts))


SHOP = shop(earn(fixed(10)), GIFT, coupon_types={"gift": SHARED}, limits=LIMITS)
"""Ten points and a coupon with a shared code for each sale; at most 100 points for a member."""


def bill(**parts: Any) -> Transaction:
    event = lr.load_event(sale(**parts))
    assert isinstance(event, Transaction)
    return event


def later(kind: str, **parts: Any) -> Any:
    """Return an event after the sale: a return, an update or a confirmation with the id E-1."""
    return cast(Event, lr.load_event({"type": kind, "id": "E-1", "occurred_at": AT.isoformat(), **parts}))


class NotedStorage:
    """A storage that notes the name of each lock and of each call, in their order."""

    def __init__(self, storage: MemoryStorage) -> None:
        self._storage = storage
        self.steps: list[str] = []

    def lock(self, keys: Iterable[LockKey]) -> None:
        self.steps += [f"lock {name}" for _, name in keys]

    def record(self, kind: Kind[Any], key: str) -> Any:
        """Note the look-up of a record, unless it is that of a merge: every operation asks for its members."""
        if kind is not MERGERS:
            self.steps.append("record")
        return self._storage.record(kind, key)

    def __getattr__(self, name: str) -> Any:
        self.steps.append(name)
        return getattr(self._storage, name)


def steps_of(operation: Operation[Receipt], storage: MemoryStorage) -> list[str]:
    """Decide an operation, and return the locks and the calls of its decision."""
    noted = NotedStorage(storage)
    operation.decide(cast(Storage, noted))
    return without_searches(noted.steps)


def without_searches(steps: list[str]) -> list[str]:
    """Return steps without the reads that only find the sale to lock: the row is read again after the lock."""
    return [
        each
        for place, each in enumerate(steps)
        if not (each in ("lot", "coupon") and "".join(steps[place + 1 : place + 2]).startswith("lock"))
    ]


def refusal_of(decision: Decision) -> tuple[tuple[str, ...], str]:
    """Return the reasons and the detail of a refusal."""
    assert isinstance(decision, Refusal)
    return decision.reasons, decision.detail
