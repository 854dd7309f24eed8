"""The invariants of the storage in memory: a consistent ledger has no violation, and each planted one is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.ledger.kinds import PAYMENTS, SHORTFALLS
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.lifecycle.records import Account, Shortfall
from shop import Serials, earn, fixed, program, sale

LOT, PROMISE, COUPON = "acme/T-1/p/earn", "acme/T-1/p/later", "acme/T-1/p/gift/1"
LIMIT = "limit/most/M1/lifetime"
ANNA = Account("member", "M1")
AT = datetime(2025, 1, 20, tzinfo=UTC)
GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift", "quantity": 2}
SHOP = lr.load_program(
    program(
        earn(fixed(10)),
        earn(fixed(5), "later", timing={"type": "delayed", "days": 14}),
        GIFT,
        coupon_types={"gift": {"benefit": {"type": "stored_value", "amount": 50}}},
        limits={"most": {"currency": "points", "per": "member", "amount": 100, "window": {"type": "lifetime"}}},
        trackers={"visits": {"measure": {"type": "count"}, "target": 10}},
    )
)


@pytest.fixture
def ledger() -> MemoryLedger:
    """A ledger with a lot that is partly spent, a promise, two coupons, a tracker and a limit."""
    ledger = MemoryLedger(Serials())
    ledger.process(SHOP, lr.load_event(sale()))
    ledger.spend(SHOP, ANNA, "M1", "points", Decimal(4), event="S-1", at=AT)
    return ledger


def test_a_consistent_ledger_has_no_violations(ledger: MemoryLedger) -> None:
    assert ledger.check_invariants() == []


def change_entry(storage: MemoryStorage, lot: str, number: int, **changes: Any) -> None:
    history = storage.histories[lot]
    entries = [*history.entries]
    entries[number] = attrs.evolve(entries[number], **changes)
    storage.histories[lot] = attrs.evolve(history, entries=tuple(entries))


def change_coupon(storage: MemoryStorage, **changes: Any) -> None:
    storage.coupons[COUPON] = attrs.evolve(storage.coupons[COUPON], **changes)


def share_a_serial(storage: MemoryStorage) -> None:
    first, second = storage.coupons.values()
    issue = attrs.evolve(second.issue, serial=first.issue.serial)
    storage.coupons[second.key] = attrs.evolve(second, issue=issue)


def forget_an_issue(storage: MemoryStorage) -> None:
    (key, *_) = storage.batches
    batch = storage.batches[key]
    intents = tuple(each for each in batch.receipt.intents if each.key != PROMISE)
    storage.batches[key] = attrs.evolve(batch, receipt=attrs.evolve(batch.receipt, intents=intents))


def claim_more_than_was_issued(storage: MemoryStorage) -> None:
    storage.histories[LOT] = attrs.evolve(storage.histories[LOT], claimed=((AT, Decimal(11)),))


def owe_less_than_nothing(storage: MemoryStorage) -> None:
    short = Shortfall("acme/R-1/p/earn/reverse", LOT, ANNA, "points", AT, Decimal(2), Decimal(-1), carried=True)
    storage.save_record(SHORTFALLS, "acme", short, AT)


def owe_and_have_units(storage: MemoryStorage) -> None:
    short = Shortfall("acme/R-1/p/earn/reverse", LOT, ANNA, "points", AT, Decimal(2), Decimal(2), carried=True)
    storage.save_record(SHORTFALLS, "acme", short, AT)


def pay_more_than_the_bill(storage: MemoryStorage) -> None:
    (key,) = (key for kind, key in storage.versions if kind == PAYMENTS.name)
    payment = storage.versions[PAYMENTS.name, key][-1][1]
    spend = attrs.evolve(payment.intent, value=Decimal(4))
    storage.save_record(PAYMENTS, "acme", attrs.evolve(payment, intent=spend, bill=Decimal(3)), AT)


def share_a_code(storage: MemoryStorage) -> None:
    first, second = storage.coupons.values()
    for coupon, code, of_type in ((first, "FIVE", "a"), (second, "fi-ve", "b")):
        issue = attrs.evolve(coupon.issue, serial=None, code=code, coupon_type=of_type)
        storage.coupons[coupon.key] = attrs.evolve(coupon, issue=issue)


PLANTED: list[tuple[str, Callable[[MemoryStorage], Any]]] = [
    ("one is below zero", lambda s: change_entry(s, LOT, 1, amount=Decimal(11))),
    ("9 units were issued, 10 decided", lambda s: change_entry(s, LOT, 0, amount=Decimal(9))),
    ("is both promised and issued", lambda s: change_entry(s, PROMISE, 0, target="promised") or spend_a_promise(s)),
    ("returns claim 11 units of 10 issued", claim_more_than_was_issued),
    ("the record acme/R-1/p/earn/reverse is impossible", owe_less_than_nothing),
    ("member M1 owes 2 points, and has 6 available", owe_and_have_units),
    ("has 4 units held, its holds 0", lambda s: change_entry(s, LOT, 1, target="held")),
    ("moves 0 units", lambda s: change_entry(s, LOT, 1, amount=Decimal(0))),
    ("which does not exist", lambda s: change_entry(s, LOT, 1, batch="acme/none#event")),
    ("differ from the promised lots", lambda s: s.open_promises.clear()),
    ("its claims sum to 15", lambda s: s.add_to_counter("acme", LIMIT, None, 1)),
    ("is below zero", lambda s: s.add_to_counter("acme", LIMIT, None, -16_000_000)),
    ("above its limit 100", lambda s: s.add_to_counter("acme", LIMIT, None, 86_000_000)),
    ("contributions of sales", lambda s: s.add_to_counter("acme", "tracker/visits/M1/lifetime", None, 1)),
    ("contributes -1000000 to visits", lambda s: s.contributions_of.update({("acme", "T-1"): {"visits": -1_000_000}})),
    ("2 coupons were issued, 1 are stored", lambda s: s.coupons.pop(COUPON)),
    ("has a remainder of -1", lambda s: change_coupon(s, remaining=Decimal(-1))),
    ("is redeemed without a redemption", lambda s: change_coupon(s, state="redeemed", remaining=None)),
    ("two coupons have the same serial", share_a_serial),
    ("1 issues were recorded, 2 lots are stored", forget_an_issue),
    ("discounts and spends of S-1 are 4, more than its bill of 3", pay_more_than_the_bill),
    ("the coupon types a and b share the code five", share_a_code),
]


def spend_a_promise(storage: MemoryStorage) -> None:
    history = storage.histories[PROMISE]
    spent = attrs.evolve(history.entries[0], source="promised", target="spent", amount=Decimal(1))
    storage.histories[PROMISE] = attrs.evolve(history, entries=(*history.entries, spent))


@pytest.mark.parametrize(("sentence", "plant"), PLANTED, ids=[sentence for sentence, _ in PLANTED])
def test_a_planted_violation_is_found(
    ledger: MemoryLedger, sentence: str, plant: Callable[[MemoryStorage], Any]
) -> None:
    plant(ledger._storage)

    assert any(sentence in violation for violation in ledger.check_invariants()), ledger.check_invariants()
