"""Records: the buckets of a lot and the entries that move its units, states of coupons, accounts, terms of a sale."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Transaction, Update
from loyalty_rules.intents import IssueCoupon, IssueCurrency
from loyalty_rules.lifecycle.records import BUCKETS, Account, CouponRecord, Lot, Sale
from shop import Serials, earn, fixed, program, sale

GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
SHOP = lr.load_program(program(earn(fixed(10)), GIFT, coupon_types={"gift": {}}))
DECIDED = SHOP.evaluate(lr.load_event(sale()), serials=Serials())
ISSUE, COUPON = DECIDED.intents
assert isinstance(ISSUE, IssueCurrency)
assert isinstance(COUPON, IssueCoupon)


def lot(**units: int) -> Lot:
    return Lot(ISSUE, 0, **{name: Decimal(amount) for name, amount in units.items()})  # type: ignore[arg-type]


# -- lots ------------------------------------------------------------------------------------------------------------


def test_the_buckets_are_the_fields_of_a_lot_by_their_names_in_entries() -> None:
    assert dict(BUCKETS) == {
        "promised": "promised",
        "available": "outstanding",
        "held": "held",
        "spent": "spent",
        "expired": "expired",
        "reversed": "reversed",
        "voided": "voided",
        "moved": "moved_on",
    }
    assert lot(issued=10, outstanding=7, spent=3).buckets == {
        "promised": 0, "available": 7, "held": 0, "spent": 3, "expired": 0, "reversed": 0, "voided": 0,
        "moved": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "source", "target", "units", "after"),
    [
        ({}, "issued", "available", "10", {"issued": 10, "outstanding": 10}),
        ({}, "issued", "promised", "10", {"issued": 10, "promised": 10}),
        ({"issued": 10, "promised": 10}, "promised", "available", "10", {"issued": 10, "outstanding": 10}),
        ({"issued": 10, "promised": 10}, "promised", "voided", "4", {"issued": 10, "promised": 6, "voided": 4}),
        ({"issued": 10, "outstanding": 10}, "available", "spent", "3", {"issued": 10, "outstanding": 7, "spent": 3}),
        ({"issued": 10, "spent": 10}, "spent", "available", "10", {"issued": 10, "outstanding": 10}),
        ({"issued": 10, "spent": 10}, "spent", "expired", "10", {"issued": 10, "expired": 10}),
        ({"issued": 10, "outstanding": 10}, "available", "reversed", "10", {"issued": 10, "reversed": 10}),
    ],
)
def test_an_entry_moves_units_between_two_buckets(
    before: dict[str, int], source: str, target: str, units: str, after: dict[str, int]
) -> None:
    assert lot(**before).moved(source, target, Decimal(units)) == lot(**after)


def test_an_entry_is_exact_to_the_sixth_decimal() -> None:
    moved = lot(issued=1, outstanding=1).moved("available", "spent", Decimal("0.000001"))

    assert (moved.outstanding, moved.spent) == (Decimal("0.999999"), Decimal("0.000001"))


def test_an_entry_of_an_unknown_bucket_is_an_error() -> None:
    with pytest.raises(KeyError):
        lot(issued=1, outstanding=1).moved("available", "outstanding", Decimal(1))


@pytest.mark.parametrize(
    ("units", "whole"),
    [
        ({"issued": 10, "outstanding": 10}, True),
        ({"issued": 10, "outstanding": 4, "spent": 3, "expired": 2, "reversed": 1}, True),
        ({"issued": 10, "promised": 6, "voided": 4}, True),
        ({"issued": 10, "outstanding": 9}, False),
        ({"issued": 10, "outstanding": 11}, False),
        ({"issued": 10, "outstanding": 11, "spent": -1}, False),
    ],
)
def test_a_lot_is_whole_if_its_buckets_sum_to_the_units_issued_and_none_is_negative(
    units: dict[str, int], whole: bool
) -> None:
    assert lot(**units).is_whole() is whole


@pytest.mark.parametrize(
    ("outstanding", "expires_at", "live"),
    [(1, None, True), (0, None, False), (1, "12:00:01", True), (1, "12:00:00", False), (1, "11:59:59", False)],
)
def test_a_lot_is_live_before_its_expiry_while_units_are_outstanding(
    outstanding: int, expires_at: str | None, live: bool
) -> None:
    end = datetime.fromisoformat(f"2025-02-01T{expires_at}Z") if expires_at is not None else None
    at = datetime(2025, 2, 1, 12, tzinfo=UTC)

    assert attrs.evolve(lot(outstanding=outstanding), expires_at=end).is_live(at) is live


def test_a_lot_has_the_key_and_the_account_of_its_issue() -> None:
    assert (lot().key, lot().account) == ("acme/T-1/p/earn", Account("member", "M1"))


# -- accounts --------------------------------------------------------------------------------------------------------


def test_the_account_of_an_intent_is_its_group_or_else_its_member() -> None:
    assert isinstance(ISSUE, IssueCurrency)
    assert Account.of(ISSUE) == Account("member", "M1")
    assert Account.of(attrs.evolve(ISSUE, group="family")) == Account("group", "family")


@pytest.mark.parametrize(("kind", "id"), [("shop", "M1"), ("member", ""), ("member", " M1"), ("group", 7)])
def test_an_account_of_another_kind_or_without_a_name_is_an_error(kind: Any, id: Any) -> None:
    with pytest.raises(InvalidValueError):
        Account(kind, id)


# -- coupons ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["redeemed", "expired", "voided"])
def test_a_coupon_that_is_not_issued_keeps_its_state_after_its_expiry(state: Any) -> None:
    assert isinstance(COUPON, IssueCoupon)
    end = datetime(2025, 2, 1, tzinfo=UTC)
    coupon = CouponRecord(attrs.evolve(COUPON, expires_at=end), state)

    assert coupon.state_at(end) == state


def test_an_issued_coupon_is_expired_from_the_instant_of_its_expiry_on() -> None:
    assert isinstance(COUPON, IssueCoupon)
    end = datetime(2025, 2, 1, tzinfo=UTC)
    coupon = CouponRecord(attrs.evolve(COUPON, expires_at=end))

    assert coupon.state_at(datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC)) == "issued"
    assert coupon.state_at(end) == "expired"
    assert CouponRecord(COUPON).state_at(datetime(9999, 1, 1, tzinfo=UTC)) == "issued"


# -- sales -----------------------------------------------------------------------------------------------------------


def test_the_current_event_has_the_fields_of_its_latest_update() -> None:
    event = lr.load_event(sale(status="paid", custom_fields={"channel": "web"}))
    updates = [
        {"type": "update", "id": "U-1", "occurred_at": "2025-01-16T10:00:00Z", "of": "T-1", "status": "shipped"},
        {"type": "update", "id": "U-2", "occurred_at": "2025-01-17T10:00:00Z", "of": "T-1", "custom_fields": {"a": 1}},
    ]
    loaded = [lr.load_event(each) for each in updates]
    assert isinstance(event, Transaction)
    terms = Sale(SHOP, event, lr.load_snapshot({}), tuple(each for each in loaded if isinstance(each, Update)))

    current = terms.current()

    assert (current.status, current.custom_fields) == ("shipped", {"a": 1})
    assert (terms.event.status, terms.event.custom_fields) == ("paid", {"channel": "web"})


def test_a_sale_finds_the_action_of_an_issue_in_its_own_program() -> None:
    assert isinstance(ISSUE, IssueCurrency)
    event = lr.load_event(sale())
    assert isinstance(event, Transaction)
    terms = Sale(SHOP, event, lr.load_snapshot({}))

    assert terms.action_of(ISSUE).key == "p/earn"
    with pytest.raises(LookupError, match="p/other"):
        terms.action_of(attrs.evolve(ISSUE, action="other"))
