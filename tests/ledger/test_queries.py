"""Queries: the state of a ledger as of an instant, from any storage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Transaction
from loyalty_rules.ledger import Balance
from loyalty_rules.ledger.kinds import SHORTFALLS
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.queries import Queries
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Account, Shortfall
from shop import Serials, earn, fixed, program, sale

SOLD_AT = datetime(2025, 1, 15, 10, tzinfo=UTC)
BEFORE = datetime(2025, 1, 15, 9, 59, tzinfo=UTC)
SPENT_AT = datetime(2025, 1, 16, 8, tzinfo=UTC)
AT = datetime(2025, 1, 20, 12, tzinfo=UTC)
NAIVE = datetime(2025, 1, 20, 12)
ANNA = Account("member", "M1")
BEN = Account("member", "M2")
ONE_DAY = {"type": "fixed_period", "after": {"days": 1}}
GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
SHARED = {
    "serial_managed": False,
    "code": "GIFT",
    "benefit": {"type": "amount_off", "amount": 5},
    "validity": {"expiry": ONE_DAY},
}
SHOP = lr.load_program(
    program(
        earn(fixed(10)),
        earn(fixed(4), "short", expiry=ONE_DAY),
        earn(fixed(3), "latest", timing={"type": "delayed", "days": 3}),
        earn(fixed(7), "later", timing={"type": "delayed", "days": 2}),
        GIFT,
        coupon_types={"gift": SHARED},
        limits={"most": {"currency": "points", "per": "member", "amount": 100, "window": {"type": "lifetime"}}},
    )
)


def bill(**parts: Any) -> Transaction:
    event = lr.load_event(sale(**parts))
    assert isinstance(event, Transaction)
    return event


@pytest.fixture
def storage() -> MemoryStorage:
    """Return a storage with one sale: 14 points, 10 promised points and a coupon, of which 6 points were spent."""
    storage = MemoryStorage()
    service = LedgerService(storage, Serials())
    service.process(SHOP, bill(store="lisbon"))
    service.spend(SHOP, ANNA, "M1", "points", Decimal(6), event="S-1", at=SPENT_AT)
    return storage


@pytest.fixture
def queries(storage: MemoryStorage) -> Queries:
    return Queries(storage)


@pytest.mark.parametrize(
    ("at", "available", "promised"),
    [
        (BEFORE, 0, 0),
        (SOLD_AT, 14, 10),
        (SPENT_AT, 8, 10),  # the 4 that expire first, and 2 of 10
        (AT, 8, 10),
    ],
)
def test_a_balance_is_that_of_its_instant(queries: Queries, at: datetime, available: int, promised: int) -> None:
    balance = queries.balance("acme", ANNA, "points", at)

    assert balance == Balance(Decimal(available), Decimal(promised), Decimal(0))


def test_a_balance_is_that_of_its_program_account_and_currency(queries: Queries) -> None:
    empty = Balance(Decimal(0), Decimal(0), Decimal(0))

    assert queries.balance("other", ANNA, "points", AT) == empty
    assert queries.balance("acme", BEN, "points", AT) == empty
    assert queries.balance("acme", ANNA, "miles", AT) == empty


def test_a_debt_is_not_taken_from_the_balance(storage: MemoryStorage) -> None:
    owed = Shortfall("r", "l", ANNA, "points", SPENT_AT, Decimal(3), Decimal("2.5"), carried=True)
    storage.save_record(SHORTFALLS, "acme", owed, SPENT_AT)
    storage.save_record(SHORTFALLS, "acme", attrs.evolve(owed, key="written off", carried=False), SPENT_AT)

    assert Queries(storage).balance("acme", ANNA, "points", SOLD_AT).debt == 0
    assert Queries(storage).balance("acme", ANNA, "points", SPENT_AT) == Balance(
        Decimal(8), Decimal(10), Decimal("2.5")
    )


def test_lots_are_in_the_order_of_issue(queries: Queries) -> None:
    lots = queries.lots("acme", ANNA, "points", AT)

    assert [(lot.key, lot.promised, lot.outstanding, lot.spent) for lot in lots] == [
        ("acme/T-1/p/earn", 0, 8, 2),
        ("acme/T-1/p/short", 0, 0, 4),
        ("acme/T-1/p/latest", 3, 0, 0),
        ("acme/T-1/p/later", 7, 0, 0),
    ]
    assert queries.lots("acme", ANNA, "points", BEFORE) == []


def test_open_promises_are_in_the_order_of_issue(queries: Queries) -> None:
    assert [lot.key for lot in queries.promises("acme", AT)] == ["acme/T-1/p/latest", "acme/T-1/p/later"]
    assert queries.promises("acme", BEFORE) == []
    assert queries.promises("other", AT) == []


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [(17, 9, []), (17, 10, ["later"]), (18, 9, ["later"]), (18, 10, ["later", "latest"])],
)
def test_promises_are_in_the_order_in_which_they_are_due(
    queries: Queries, day: int, hour: int, expected: list[str]
) -> None:
    due = queries.due(SHOP, datetime(2025, 1, day, hour, tzinfo=UTC))

    assert [lot.key for lot in due] == [f"acme/T-1/p/{each}" for each in expected]


@pytest.mark.parametrize(("at", "expected"), [(SPENT_AT, []), (AT, ["acme/T-1/p/gift/1"])])
def test_lots_and_coupons_that_expired_are_those_without_a_record(
    queries: Queries, at: datetime, expected: list[str]
) -> None:
    assert [each.key for each in queries.expired(SHOP, at)] == expected  # the short lot has no units left


def test_an_expired_lot_comes_before_a_coupon_and_neither_after_its_record() -> None:
    service = LedgerService(MemoryStorage(), Serials())
    service.process(SHOP, bill())

    assert [each.key for each in service.queries.expired(SHOP, AT)] == ["acme/T-1/p/short", "acme/T-1/p/gift/1"]
    service.expire(SHOP, AT)
    assert service.queries.expired(SHOP, AT) == []


def test_a_statement_is_in_the_order_of_record_up_to_its_instant(queries: Queries) -> None:
    entries = [(each.source, each.target, each.amount) for each in queries.statement("acme", ANNA, AT)]

    issues = [
        ("issued", "available", 10), ("issued", "available", 4), ("issued", "promised", 3), ("issued", "promised", 7),
    ]  # fmt: skip
    assert entries == [*issues, ("available", "spent", 4), ("available", "spent", 2)]
    assert len(queries.statement("acme", ANNA, SOLD_AT)) == 4
    assert queries.statement("acme", ANNA, BEFORE) == []


def test_a_coupon_is_found_by_its_code(queries: Queries) -> None:
    coupon = queries.coupon("acme", "GIFT")

    assert coupon is not None
    assert coupon.key == "acme/T-1/p/gift/1"
    assert queries.coupon("acme", "NONE") is None
    assert queries.coupon("other", "GIFT") is None


def test_the_coupons_of_a_member_are_in_the_order_of_issue(storage: MemoryStorage) -> None:
    LedgerService(storage, Serials()).process(SHOP, bill(id="T-0"))

    assert [each.key for each in Queries(storage).coupons("acme", "M1")] == ["acme/T-1/p/gift/1", "acme/T-0/p/gift/1"]
    assert Queries(storage).coupons("acme", "M2") == []


def test_a_snapshot_contains_the_counters_of_an_event(queries: Queries) -> None:
    assert queries.snapshot(SHOP, bill(id="T-2")).limits == {"most": 24}
    assert queries.snapshot(SHOP, bill(id="T-2", member={"id": "M2"})).limits.get("most", 0) == 0


def test_the_rows_of_reports_have_the_entries_and_the_store_of_each_lot(queries: Queries) -> None:
    rows = queries.report_rows("acme", SOLD_AT)

    assert rows.at == SOLD_AT
    assert [(each.lot.key, each.lot.store, len(each.entries)) for each in rows.lots] == [
        ("acme/T-1/p/earn", "lisbon", 1),
        ("acme/T-1/p/short", "lisbon", 1),
        ("acme/T-1/p/latest", "lisbon", 1),
        ("acme/T-1/p/later", "lisbon", 1),
    ]
    assert [each.key for each in rows.coupons] == ["acme/T-1/p/gift/1"]
    assert [len(each.entries) for each in queries.report_rows("acme", AT).lots] == [2, 2, 1, 1]


def test_the_rows_of_reports_are_empty_before_the_first_sale(queries: Queries) -> None:
    rows = queries.report_rows("acme", BEFORE)

    assert (rows.lots, rows.coupons) == ((), ())


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        (lambda q: q.balance("acme", ANNA, "points", NAIVE), "at"),
        (lambda q: q.lots("acme", ANNA, "points", NAIVE), "at"),
        (lambda q: q.promises("acme", NAIVE), "at"),
        (lambda q: q.due(SHOP, NAIVE), "at"),
        (lambda q: q.expired(SHOP, NAIVE), "at"),
        (lambda q: q.statement("acme", ANNA, NAIVE), "at"),
        (lambda q: q.report_rows("acme", NAIVE), "at"),
        (lambda q: q.coupon("acme", 7), "code"),
        (lambda q: q.coupon("acme", "05XQCT\ud800"), "code"),
        (lambda q: q.coupons("acme", "a\0b"), "member"),
        (lambda q: q.balance("\ud800", ANNA, "points", AT), "program"),
        (lambda q: q.balance("acme", "anna", "points", AT), "account"),
        (lambda q: q.balance(SHOP, ANNA, "pints", AT), "currency"),
        (lambda q: q.lots("acme", None, "points", AT), "account"),
        (lambda q: q.statement("acme", 5, AT), "account"),
        (lambda q: q.expiring("acme", "anna", "points", AT, AT), "account"),
        (lambda q: q.due("acme", AT), "program"),
        (lambda q: q.expired("acme", AT), "program"),
        (lambda q: q.reviewable("acme", AT), "program"),
        (lambda q: q.reminders("acme", AT, AT), "program"),
        (lambda q: q.progress("acme", "anna", AT), "program"),
        (lambda q: q.tier("acme", "anna", "status", AT), "program"),
        (lambda q: q.snapshot("acme", None), "program"),
    ],
)
def test_an_argument_that_cannot_be_read_is_named(query: Callable[[Any], Any], argument: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        query(Queries(MemoryStorage()))

    assert error.value.name == argument
    assert "05XQCT" not in str(error.value)  # it may be a serial
