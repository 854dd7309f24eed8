"""Each operation returns a receipt of its own class, also when it is retried, refused, or read from a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.events import Transaction
from loyalty_rules.intents import ExpireCoupon, ExpireCurrency, Intent
from loyalty_rules.ledger import (
    ConfirmationReceipt,
    ExpireReceipt,
    IdempotencyConflict,
    Ledger,
    MemoryLedger,
    Receipt,
    RedeemAllReceipt,
    RedeemReceipt,
    ReturnReceipt,
    SaleReceipt,
    SettleReceipt,
    SpendReceipt,
    SQLLedger,
    UndoRedemptionReceipt,
    UndoSpendReceipt,
    UpdateReceipt,
    VoidReceipt,
)
from loyalty_rules.ledger.receipts import receipt_class
from loyalty_rules.lifecycle import Account
from loyalty_rules.loading import dump
from shop import earn, fixed, program, sale

ANNA = Account("member", "M1")
WAITING = earn(fixed(7), "waiting", timing={"type": "external"})
SHIPPED = earn(fixed(3), "shipped", timing={"type": "transaction_update", "when": {"field": "status", "is": "shipped"}})
LATER = earn(fixed(2), "later", timing={"type": "delayed", "days": 14})
SHORT = earn(fixed(5), "short", expiry={"type": "fixed_period", "after": {"days": 30}})
GIFT = {
    "type": "issue_coupon",
    "id": "gift",
    "coupon_type": "gift",
    "quantity": 2,
}
SHOP = lr.load_program(
    program(
        earn(fixed(10)),
        WAITING,
        SHIPPED,
        LATER,
        SHORT,
        GIFT,
        coupon_types={
            "gift": {"serial_managed": False, "code": "GIFT", "benefit": {"type": "amount_off", "amount": 5}}
        },
    )
)


def at(day: int, month: int = 1) -> datetime:
    return datetime(2025, month, day, 12, tzinfo=UTC)


def event(kind: str, id: str, day: int, **parts: Any) -> Any:
    return lr.load_event({"type": kind, "id": id, "occurred_at": at(day).isoformat(), "of": "T-1", **parts})


def bill(id: str) -> Transaction:
    transaction = lr.load_event(sale(id=id))
    assert isinstance(transaction, Transaction)
    return transaction


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
    else:
        with closing(SQLLedger.open(f"sqlite:///{tmp_path / 'shop.db'}")) as ledger:
            yield ledger


def history(ledger: Ledger) -> dict[str, Receipt]:
    """Do every operation once; each records something. Return the receipts by operation."""
    sold = ledger.process(SHOP, bill("T-1"))
    confirmation = {"type": "confirmation", "id": "C-1", "occurred_at": at(16).isoformat(), "outcome": "issue"}
    spent = ledger.spend(SHOP, ANNA, "M1", "points", Decimal(4), event="S-1", at=at(17))
    redeemed = ledger.redeem(SHOP, "GIFT", bill("T-2"))
    return {
        "process a sale": sold,
        "record a sale": ledger.record(SHOP.evaluate(bill("T-3"))),
        "process a confirmation": ledger.process(
            SHOP, lr.load_event({**confirmation, "promise": "acme/T-1/p/waiting"})
        ),
        "process an update": ledger.process(SHOP, event("update", "U-1", 16, status="shipped")),
        "spend": spent,
        "undo_spend": ledger.undo_spend(SHOP, spent.intents[0].key, event="S-2", at=at(18)),
        "redeem": redeemed,
        "undo_redemption": ledger.undo_redemption(SHOP, redeemed.intents[0].key, event="S-3", at=at(18)),
        "void": ledger.void(SHOP, "acme/T-1/p/gift/1", event="V-1", at=at(19)),
        "process a return": ledger.process(SHOP, event("return", "R-1", 20, amount="100")),
        "settle": ledger.settle(SHOP, at(1, 2))[0],
        "expire": ledger.expire(SHOP, at(1, 6))[0],
    }


CLASSES: Mapping[str, type[Receipt]] = {
    "process a sale": SaleReceipt,
    "record a sale": SaleReceipt,
    "process a confirmation": ConfirmationReceipt,
    "process an update": UpdateReceipt,
    "process a return": ReturnReceipt,
    "settle": SettleReceipt,
    "spend": SpendReceipt,
    "undo_spend": UndoSpendReceipt,
    "redeem": RedeemReceipt,
    "undo_redemption": UndoRedemptionReceipt,
    "void": VoidReceipt,
    "expire": ExpireReceipt,
}


def test_each_operation_returns_a_receipt_of_its_own_class(ledger: Ledger) -> None:
    receipts = history(ledger)

    assert {name: type(receipt) for name, receipt in receipts.items()} == CLASSES
    assert {receipt.status for receipt in receipts.values()} == {"recorded"}


def test_a_retry_returns_the_same_class_with_the_same_intents(ledger: Ledger) -> None:
    first = history(ledger)

    for name, again in retries(ledger).items():
        assert type(again) is CLASSES[name]
        assert again.status == "already_recorded"
        assert (again.key, again.intents, again.trims) == (first[name].key, first[name].intents, first[name].trims)


def retries(ledger: Ledger) -> dict[str, Receipt]:
    spend, redemption = "acme/S-1/spend/points", "acme/T-2/redeem/T-1/p/gift/1"
    return {
        "process a sale": ledger.process(SHOP, bill("T-1")),
        "process an update": ledger.process(SHOP, event("update", "U-1", 16, status="shipped")),
        "process a return": ledger.process(SHOP, event("return", "R-1", 20, amount="100")),
        "spend": ledger.spend(SHOP, ANNA, "M1", "points", Decimal(4), event="S-1", at=at(17)),
        "undo_spend": ledger.undo_spend(SHOP, spend, event="S-2", at=at(18)),
        "redeem": ledger.redeem(SHOP, "GIFT", bill("T-2")),
        "undo_redemption": ledger.undo_redemption(SHOP, redemption, event="S-3", at=at(18)),
        "void": ledger.void(SHOP, "acme/T-1/p/gift/1", event="V-1", at=at(19)),
    }


def test_a_conflict_carries_the_receipt_of_the_recorded_operation(ledger: Ledger) -> None:
    sold = ledger.process(SHOP, bill("T-1"))

    with pytest.raises(IdempotencyConflict) as conflict:
        ledger.process(SHOP, event("return", "T-1", 20, amount="100"))

    assert conflict.value.receipt == sold
    assert type(conflict.value.receipt) is SaleReceipt


def test_a_refusal_is_a_receipt_of_the_same_class_without_its_result(ledger: Ledger) -> None:
    ledger.process(SHOP, bill("T-1"))

    spent = ledger.spend(SHOP, ANNA, "M1", "points", Decimal(999), event="S-1", at=at(17))
    redeemed = ledger.redeem(SHOP, "NONE", bill("T-2"))
    voided = ledger.void(SHOP, "acme/none", event="V-1", at=at(19))

    assert (type(spent), spent.status, spent.spend) == (SpendReceipt, "refused", None)
    assert (type(redeemed), redeemed.status, redeemed.redemption) == (RedeemReceipt, "refused", None)
    assert (type(voided), voided.status, voided.void) == (VoidReceipt, "refused", None)


def test_the_results_of_a_receipt_are_its_intents_by_type() -> None:
    ledger = MemoryLedger()
    sold = ledger.record(SHOP.evaluate(bill("T-1")))
    spent = ledger.spend(SHOP, ANNA, "M1", "points", Decimal(4), event="S-1", at=at(17))
    redeemed = ledger.redeem(SHOP, "GIFT", bill("T-2"))
    voided = ledger.void(SHOP, "acme/T-1/p/gift/2", event="V-1", at=at(19))

    assert [each.amount for each in sold.issues] == [10, 7, 3, 2, 5]
    assert [each.key for each in sold.coupons] == ["acme/T-1/p/gift/1", "acme/T-1/p/gift/2"]
    assert spent.spend is not None
    assert (spent.spend, spent.spend.amount) == (spent.intents[0], 4)
    assert redeemed.redemption is not None
    assert (redeemed.redemption.coupon, redeemed.redemption.discount) == ("acme/T-1/p/gift/1", 5)
    assert voided.void is not None
    assert voided.void.coupon == "acme/T-1/p/gift/2"


def test_the_results_of_later_events_are_their_intents_by_type() -> None:
    receipts = history(MemoryLedger())
    confirmed, updated, back = (receipts[f"process {each}"] for each in ("a confirmation", "an update", "a return"))
    settled, expired = receipts["settle"], receipts["expire"]

    assert isinstance(confirmed, ConfirmationReceipt)
    assert confirmed.release is not None
    assert (confirmed.release.amount, confirmed.cancellation) == (7, None)
    assert isinstance(updated, UpdateReceipt)
    assert ([each.amount for each in updated.releases], updated.cancellations) == ([3], ())
    assert isinstance(back, ReturnReceipt)
    assert [each.amount for each in back.reversals] == [10, 7, 3, 2, 5]
    assert [each.coupon for each in back.voided] == ["acme/T-1/p/gift/2"]
    assert isinstance(settled, SettleReceipt)
    assert settled.release is not None
    assert settled.release.promise == "acme/T-3/p/later"
    assert isinstance(expired, ExpireReceipt)
    assert isinstance(expired.expired, ExpireCurrency | ExpireCoupon)


def test_a_document_of_a_receipt_has_the_fields_in_the_order_of_the_base_class(ledger: Ledger) -> None:
    for receipt in history(ledger).values():
        notes = ["unrecovered"] if isinstance(receipt, ReturnReceipt) else []
        notes += ["skipped"] if isinstance(receipt, SaleReceipt) else []
        notes += ["undone"] if isinstance(receipt, SpendReceipt | RedeemReceipt | RedeemAllReceipt) else []
        assert list(dump(receipt)) == ["status", "key", "intents", "trims", "refusal", *notes]


@pytest.mark.parametrize(
    ("phase", "inputs", "expected"),
    [
        ("event", {"event": {"type": "transaction"}}, SaleReceipt),
        ("event", {"event": {"type": "a visit"}}, SaleReceipt),
        ("event", {"event": {"type": "return"}}, ReturnReceipt),
        ("event", {"event": {"type": "update"}}, UpdateReceipt),
        ("event", {"event": {"type": "confirmation"}}, ConfirmationReceipt),
        ("settle", {}, SettleReceipt),
        ("spend/points", {}, SpendReceipt),
        ("undo_spend/acme/S-1/spend/points", {}, UndoSpendReceipt),
        ("redeem", {}, RedeemReceipt),
        ("redeem/GIFT", {}, RedeemReceipt),
        ("undo_redemption/acme/T-2/redeem/GIFT", {}, UndoRedemptionReceipt),
        ("void/acme/T-1/p/gift/1", {}, VoidReceipt),
        ("expire", {}, ExpireReceipt),
    ],
)
def test_the_class_of_a_recorded_receipt_follows_from_its_phase(
    phase: str, inputs: Mapping[str, Any], expected: type[Receipt]
) -> None:
    assert receipt_class(phase, inputs) is expected


def test_a_receipt_of_any_class_has_intents() -> None:
    assert all(isinstance(each, Intent) for receipt in history(MemoryLedger()).values() for each in receipt.intents)
