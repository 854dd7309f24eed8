"""The posting of operations on an account: adjustments, extensions by hand, additions to a card."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.ledger.account_posting import AccountPosting
from loyalty_rules.ledger.batch_writer import BatchWriter
from loyalty_rules.ledger.posting import Posting
from loyalty_rules.lifecycle.records import Account
from shop import Serials, earn, fixed, program, sale

AT = datetime(2025, 1, 15, 10, tzinfo=UTC)
ANNA = Account("member", "M1")
CARD = {"type": "issue_coupon", "id": "card", "coupon_type": "card"}
VALID = {"expiry": {"type": "fixed_date", "on": "2025-12-31"}}
CARDS = {"card": {"benefit": {"type": "stored_value", "amount": "50"}, "validity": VALID}}
SHOP = lr.load_program(program(earn(fixed(100)), CARD, coupon_types=CARDS))
WHO = {"reason": "goodwill", "by": "carla"}


@pytest.fixture
def ledger() -> MemoryLedger:
    ledger = MemoryLedger(Serials())
    ledger.process(SHOP, lr.load_event(sale()))
    return ledger


def available(ledger: MemoryLedger) -> Decimal:
    return ledger.balance("acme", ANNA, "points", AT).available


def test_every_posting_writes_a_batch() -> None:
    assert issubclass(Posting, AccountPosting)
    assert issubclass(AccountPosting, BatchWriter)


def test_an_adjustment_upward_is_a_lot_and_one_downward_voids_units(ledger: MemoryLedger) -> None:
    ledger.adjust(SHOP, ANNA, "points", Decimal(20), event="A-1", at=AT, **WHO)
    assert available(ledger) == 120
    ledger.adjust(SHOP, ANNA, "points", Decimal(-30), event="A-2", at=AT, **WHO)
    assert available(ledger) == 90
    assert [each.reason for each in ledger.statement("acme", ANNA, AT)][1:] == ["goodwill"] * 2
    assert ledger.check_invariants() == []


def test_a_coupon_that_is_extended_by_hand_has_the_later_day(ledger: MemoryLedger) -> None:
    (coupon,) = ledger.report_rows("acme", AT).coupons
    ledger.extend(SHOP, coupon=coupon.key, expires_on=date(2026, 1, 31), event="X-1", at=AT, **WHO)
    (extended,) = ledger.report_rows("acme", AT).coupons
    assert (coupon.expires_on, extended.expires_on) == (date(2025, 12, 31), date(2026, 1, 31))


def test_an_addition_to_a_card_is_worth_as_much_more(ledger: MemoryLedger) -> None:
    (coupon,) = ledger.report_rows("acme", AT).coupons
    ledger.top_up(SHOP, coupon=coupon.key, amount=Decimal(25), event="U-1", at=AT, **WHO)
    (coupon,) = ledger.report_rows("acme", AT).coupons
    assert (coupon.topped_up, coupon.remaining) == (25, 75)
