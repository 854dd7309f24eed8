"""The look-ups of a checkout: shared codes, frozen terms, serials of a pool. Source: semantics 9, 17; ledger 2."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.events import Transaction
from loyalty_rules.ledger import MemoryLedger, SQLLedger
from loyalty_rules.lifecycle.records import CouponRecord
from loyalty_rules.serials import DerivedSerials
from shop import program, sale

GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
KEYS = DerivedSerials.from_master(bytes(32))


class Pool:
    """Printed codes, given out in the order of the coupons; the ledger has other keys."""

    def __init__(self) -> None:
        self.given: dict[Any, str] = {}

    def serial(self, request: Any) -> str:
        return self.given.setdefault(request, f"PRINT-{len(self.given) + 1:04}")


def rules(**parts: Any) -> lr.Program:
    return lr.load_program(program(GIFT, money="EUR", coupon_types={"gift": parts}))


def event(name: str, amount: str = "100", day: int = 15, **parts: Any) -> Transaction:
    loaded = lr.load_event(sale(amount, id=name, occurred_at=f"2025-01-{day}T10:00:00Z", **parts))
    assert isinstance(loaded, Transaction)
    return loaded


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    if request.param == "memory":
        yield MemoryLedger(KEYS)
        return
    opened = SQLLedger.open(f"sqlite:///{tmp_path}/shop.db", serials=KEYS)
    yield opened
    opened.close()


def found(ledger: Any, code: str) -> CouponRecord:
    coupon = ledger.coupon("acme", code)
    assert isinstance(coupon, CouponRecord)
    return coupon


def test_a_serial_of_a_pool_is_redeemed_however_it_is_typed(ledger: Any) -> None:
    type_of = rules(benefit={"type": "amount_off", "amount": "5"})
    pool = Pool()
    ledger.process(type_of, event("T-1"), serials=pool)
    ledger.process(type_of, event("T-2"), serials=pool)
    assert ledger.redeem(type_of, "print 0002", event("P-1")).redemption.coupon == "acme/T-2/p/gift/1"
    assert ledger.redeem(type_of, "PRINT-0002", event("P-2")).refusal.reasons == ("already_redeemed",)
    assert ledger.redeem(type_of, "PRINT-0003", event("P-3")).refusal.reasons == ("unknown",)
    assert ledger.check_invariants() == []


def test_a_coupon_keeps_the_terms_that_it_was_issued_with(ledger: Any) -> None:
    old, new, gone = (
        rules(benefit={"type": "stored_value", "amount": "100"}),
        rules(benefit={"type": "stored_value", "amount": "50"}),
        lr.load_program(program(money="EUR")),
    )
    serial = ledger.process(old, event("T-1")).coupons[0].serial
    assert found(ledger, serial).remaining == 100
    assert ledger.redeem(new, serial, event("P-1", "80")).redemption.remaining == 20
    assert ledger.redeem(gone, serial, event("P-2", "30")).redemption.discount == 20


def test_of_coupons_with_one_code_the_soonest_to_end_that_can_be_redeemed_comes_first(ledger: Any) -> None:
    """T-1 ends first, but it is the transaction itself; then T-2; the coupon of another member is nobody else's."""
    ten = rules(
        benefit={"type": "amount_off", "amount": "5"},
        serial_managed=False,
        code="FIVE",
        validity={"expiry": {"type": "fixed_period", "after": {"days": 10}}},
    )
    for name, day in (("T-3", 17), ("T-2", 16), ("T-1", 15)):
        ledger.process(ten, event(name, day=day))
    assert ledger.redeem(ten, "five", event("T-1", day=18)).redemption.coupon == "acme/T-2/p/gift/1"
    both = ledger.redeem_all(ten, ["FIVE", "Five"], [], event("P-1", day=18))
    assert [each.coupon for each in both.redemptions] == ["acme/T-1/p/gift/1", "acme/T-3/p/gift/1"]
    ledger.process(ten, event("T-4", day=18, member={"id": "M2"}))
    assert ledger.redeem(ten, "FIVE", event("P-2", day=18)).refusal.reasons == ("already_redeemed",)
    assert ledger.redeem(ten, "FIVE", event("P-3", day=18, member={"id": "M3"})).refusal.reasons == ("wrong_member",)
    assert ledger.check_invariants() == []


def test_a_new_attempt_within_a_transaction_has_an_id_of_its_own(ledger: Any) -> None:
    ten = rules(benefit={"type": "amount_off", "amount": "5"})
    serial = ledger.process(ten, event("T-1")).coupons[0].serial
    bought = event("P-1", day=16)
    first = ledger.redeem(ten, serial, bought).redemption
    ledger.undo_redemption(ten, first.key, event="U-1", at=bought.occurred_at)
    again = ledger.redeem(ten, serial, bought)
    assert (again.status, again.undone, again.redemption) == ("already_recorded", True, first)
    second = ledger.redeem(ten, serial, bought, event="P-1b").redemption
    assert (second.event, second.redeemed_by) == ("P-1b", "P-1")
    third = ledger.redeem_all(ten, [serial], [], bought)
    assert third.refusal.reasons == ("already_redeemed",)
    ledger.undo_redemption(ten, second.key, event="U-2", at=bought.occurred_at)
    assert ledger.redeem_all(ten, [serial], [], bought).redemptions[0].key == "acme/P-1/redeem/T-1/p/gift/1/2"
    assert ledger.check_invariants() == []


def test_several_cards_of_one_action_share_the_worth_of_the_line_that_sold_them(ledger: Any) -> None:
    """A line of 75.01 makes two cards: the odd cent goes to the first."""
    card = {"type": "stored_value", "amount": {"type": "line_item_value", "lines": {"field": "sku", "is": "GIFT"}}}
    two = lr.load_program(program({**GIFT, "quantity": 2}, money="EUR", coupon_types={"gift": {"benefit": card}}))
    lines = [{"id": "1", "sku": "GIFT", "quantity": "2", "value": "75.01"}]
    coupons = ledger.process(two, event("T-1", "75.01", lines=lines)).coupons
    worths = [found(ledger, each.serial).remaining for each in coupons]
    assert [str(each) for each in worths] == ["37.51", "37.5"]


def test_a_late_redemption_takes_at_most_what_was_there_at_every_later_instant(ledger: Any) -> None:
    """90 of 100 were used on the 17th and given back on the 19th: a sale of the 16th that comes late gets 10."""
    card = rules(benefit={"type": "stored_value", "amount": "100"})
    serial = ledger.process(card, event("T-1")).coupons[0].serial
    used = ledger.redeem(card, serial, event("P-1", "90", day=17)).redemption
    early = ledger.undo_redemption(card, used.key, event="U-1", at=event("x", day=16).occurred_at)
    assert early.refusal.reasons == ("too_early",)
    ledger.undo_redemption(card, used.key, event="U-1", at=event("x", day=19).occurred_at)
    late = ledger.redeem(card, serial, event("P-2", "60", day=16)).redemption
    assert (late.discount, late.remaining) == (10, 90)
    assert ledger.redeem(card, serial, event("P-3", "95", day=20)).redemption.discount == 90
    assert ledger.check_invariants() == []
