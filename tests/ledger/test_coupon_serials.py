"""Serials of coupons: the request from which each is derived, and the form in which codes are looked up."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger.coupon_serials import canonical_code, request_of, with_serial
from loyalty_rules.serials import SerialRequest, shown
from shop import program, sale

KEYS = lr.DerivedSerials.from_master(b"a master key of at least 32 bytes")
GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift", "quantity": 2}
SHOP = lr.load_program(program(GIFT, coupon_types={"gift": {}}))
_, SECOND = SHOP.evaluate(lr.load_event(sale()), serials=KEYS).intents
assert isinstance(SECOND, IssueCoupon)


def test_a_serial_is_derived_again_from_the_request_of_its_coupon() -> None:
    assert isinstance(SECOND, IssueCoupon)
    request = request_of("acme", SECOND)

    assert request == SerialRequest("acme", "gift", "T-1", "p", "gift", 2, 0)
    assert KEYS.serial(request) == SECOND.serial


def test_each_attempt_derives_another_serial() -> None:
    assert isinstance(SECOND, IssueCoupon)
    serials = {KEYS.serial(request_of("acme", SECOND, attempt)) for attempt in range(3)}

    assert len(serials) == 3


def test_another_serial_is_also_printed_by_the_till() -> None:
    assert isinstance(SECOND, IssueCoupon)
    changed = with_serial(SECOND, "ABC")

    assert (changed.serial, changed.till_message, changed.key) == ("ABC", "Coupon issued: ABC", SECOND.key)


def test_a_serial_in_any_spelling_has_one_canonical_code() -> None:
    assert isinstance(SECOND, IssueCoupon)
    assert SECOND.serial is not None
    serial = SECOND.serial

    spellings = [serial, serial.lower(), shown(serial), f" {shown(serial)} "]

    assert {canonical_code(each) for each in spellings} == {canonical_code(serial)}


@pytest.mark.parametrize(
    ("code", "canonical"),
    [("GIFT", "gift"), ("gift", "gift"), ("Summer 25", "summer25"), ("SUMMER-25", "summer25")],
)
def test_a_shared_code_is_looked_up_in_folded_form(code: str, canonical: str) -> None:
    assert canonical_code(code) == canonical
