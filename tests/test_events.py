"""Events and snapshots: their rules over several fields, and their own readers. Source: documents (event)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import (
    EVENT_TYPES,
    Activity,
    Confirmation,
    Contact,
    CouponCounts,
    Issued,
    IssuedCounts,
    Line,
    Member,
    Return,
    ReturnedLine,
    Snapshot,
    Tender,
    Transaction,
    Update,
)

AT = "2025-01-15T10:00:00Z"


def sale(**fields: Any) -> Transaction:
    return Transaction(**{"id": "T-1", "occurred_at": AT, "amount": "10", **fields})


def lines(count: int) -> list[Line]:
    return [Line(id=str(number), quantity=1, value=1) for number in range(count)]


def refusal(build: Any, **fields: Any) -> tuple[str, str]:
    """Return the name and the code of the error of a constructor."""
    with pytest.raises(InvalidValueError) as caught:
        build(**fields)
    return caught.value.name, caught.value.code


def test_a_sale_keeps_lists_as_tuples_and_numbers_as_decimals() -> None:
    event = sale(lines=lines(2), tenders=[Tender(type="card", amount=10)])
    assert event.lines == (*lines(2),)
    assert event.tenders == (Tender(type="card", amount=Decimal(10)),)
    assert event.amount == Decimal(10)
    assert event.type == "transaction"


def test_a_line_needs_a_value_or_a_unit_price() -> None:
    assert Line(id="1", quantity="2", unit_price="3").value is None
    assert Line(id="1", quantity="2", value="-3").unit_price is None
    assert refusal(Line, id="1", quantity="2", discount="1") == ("", "required")


def test_the_ids_of_lines_are_unique() -> None:
    assert refusal(sale, lines=[*lines(3), *lines(1)]) == ("lines[3].id", "duplicate_id")


@pytest.mark.parametrize("name", ["lines", "tenders"])
def test_a_sale_has_at_most_10_000_lines_and_tenders(name: str) -> None:
    part = {"lines": lines(10_001), "tenders": [Tender(type="card", amount=1)] * 10_001}[name]
    assert len(getattr(sale(**{name: part[:-1]}), name)) == 10_000
    assert refusal(sale, **{name: part}) == (name, "out_of_range")


def test_a_line_may_be_below_zero_but_not_its_tax() -> None:
    line = Line(id="1", quantity="-1", value="-17.38", tax="0.5")
    assert (line.quantity, line.value, line.tax) == (Decimal(-1), Decimal("-17.38"), Decimal("0.5"))
    assert Line(id="1", quantity="1", value="1").tax is None
    assert refusal(Line, id="1", quantity="1", value="1", tax="-0.01") == ("tax", "out_of_range")


def test_a_tender_may_be_change_given() -> None:
    assert Tender(type="cash", amount="-2.62").amount == Decimal("-2.62")


def test_a_return_keeps_lists_as_tuples_and_numbers_as_decimals() -> None:
    row = ReturnedLine(id="1", quantity="0", amount="20", extended_fields={"nights": "2"})
    back = Return(
        id="R", occurred_at=AT, of="T", amount="25", lines=[row], tax="4", shipping="1", tip="0",
        tenders=[Tender(type="card", amount="25")],
    )  # fmt: skip
    assert (back.type, back.amount, back.lines) == ("return", Decimal(25), (row,))
    assert (back.tax, back.shipping, back.tip) == (Decimal(4), Decimal(1), Decimal(0))
    assert back.tenders == (Tender(type="card", amount=Decimal(25)),)
    assert (row.amount, row.extended_fields) == (Decimal(20), {"nights": "2"})


def test_a_return_tells_an_absent_part_from_one_of_zero() -> None:
    back = Return(id="R", occurred_at=AT, of="T")
    assert (back.amount, back.lines, back.tax, back.shipping, back.tip, back.tenders) == (
        None,
        (),
        None,
        None,
        None,
        None,
    )
    named = Return(id="R", occurred_at=AT, of="T", tenders=[], tax=0)
    assert (named.tenders, named.tax) == ((), Decimal(0))
    row = ReturnedLine(id="1", quantity="1")
    assert (row.amount, row.extended_fields) == (None, {})


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"amount": "-1"}, ("amount", "out_of_range")),
        ({"tax": "-1"}, ("tax", "out_of_range")),
        ({"shipping": "-1"}, ("shipping", "out_of_range")),
        ({"tip": "-1"}, ("tip", "out_of_range")),
        ({"tenders": Tender(type="card", amount=1)}, ("tenders", "not_a_list")),
        ({"tenders": [5]}, ("tenders[0]", "wrong_type")),
        ({"lines": [Line(id="1", quantity=1, value=1)]}, ("lines[0]", "wrong_type")),
    ],
)
def test_an_invalid_field_of_a_return_is_an_error_that_names_it(fields: dict, refused: tuple[str, str]) -> None:
    assert refusal(Return, id="R", occurred_at=AT, of="T", **{"amount": "1", **fields}) == refused


@pytest.mark.parametrize("field", ["quantity", "amount"])
def test_a_returned_line_is_not_below_zero(field: str) -> None:
    assert refusal(ReturnedLine, **{"id": "1", "quantity": "1", field: "-1"}) == (field, "out_of_range")


def test_an_activity_has_at_most_10_000_tenders_and_a_return_10_000_lines_and_tenders() -> None:
    tenders = [Tender(type="card", amount=1)] * 10_001
    returned = [ReturnedLine(id="1", quantity=1)] * 10_001
    assert refusal(Activity, type="visit", id="A", occurred_at=AT, tenders=tenders) == ("tenders", "out_of_range")
    assert refusal(Return, id="R", occurred_at=AT, of="T", amount=1, lines=returned) == ("lines", "out_of_range")
    assert refusal(Return, id="R", occurred_at=AT, of="T", amount=1, tenders=tenders) == ("tenders", "out_of_range")


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_an_activity_has_no_type_of_another_event(name: str) -> None:
    assert refusal(Activity, type=name, id="A", occurred_at=AT) == ("type", "not_a_choice")


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"amount": 1.5}, ("amount", "float")),
        ({"tax": "-1"}, ("tax", "out_of_range")),
        ({"tip": "-1"}, ("tip", "out_of_range")),
        ({"shipping": "-1"}, ("shipping", "out_of_range")),
        ({"exchange_rate": 0}, ("exchange_rate", "out_of_range")),
        ({"occurred_at": "2025-01-15T10:00:00"}, ("occurred_at", "naive_instant")),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, ("occurred_at", "out_of_range")),
        ({"business_date": "9999-01-01"}, ("business_date", "out_of_range")),
        ({"member": "M"}, ("member", "wrong_type")),
        ({"lines": Line(id="1", quantity=1, value=1)}, ("lines", "not_a_list")),
        ({"lines": [Tender(type="card", amount=1)]}, ("lines[0]", "wrong_type")),
        ({"custom_fields": {"a": float("nan")}}, ("custom_fields", "not_finite")),
    ],
)
def test_an_invalid_field_of_a_sale_is_an_error_that_names_it(fields: dict, refused: tuple[str, str]) -> None:
    assert refusal(sale, **fields) == refused


def test_a_negative_amount_is_a_sale() -> None:
    assert sale(amount="-5").amount == Decimal(-5)


@pytest.mark.parametrize("contact", ["+1 555 0100", True, False, None, Contact(to="a@example.com", consent=True)])
def test_a_contact_is_an_address_a_flag_or_a_contact(contact: Any) -> None:
    assert Member(id="M", contacts={"sms": contact}).contacts == {"sms": contact}


@pytest.mark.parametrize("contact", [5, ["+1"], {"to": "+1"}])
def test_another_value_is_no_contact(contact: Any) -> None:
    assert refusal(Member, id="M", contacts={"sms": contact}) == ("contacts.sms", "not_a_contact")


def test_a_member_has_at_most_100_contacts() -> None:
    contacts = {str(number): True for number in range(101)}
    assert refusal(Member, id="M", contacts=contacts) == ("contacts", "out_of_range")


def test_an_update_and_a_confirmation_have_their_own_types() -> None:
    assert Update(id="U", occurred_at=AT, of="T").type == "update"
    assert Confirmation(id="C", occurred_at=AT, promise="shop/T/p/a", outcome="issue").type == "confirmation"
    assert refusal(Confirmation, id="C", occurred_at=AT, promise="p", outcome="wait") == ("outcome", "not_a_choice")


def test_an_empty_snapshot_has_no_facts() -> None:
    assert Snapshot() == Snapshot(trackers={}, issued={}, limits={}, coupons={})
    assert Issued() == Issued(IssuedCounts("0", 0), IssuedCounts("0", 0))
    assert CouponCounts() == CouponCounts(0, 0, 0)


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"trackers": {"spend": 1.5}}, ("trackers.spend", "float")),
        ({"limits": {"daily": "-1"}}, ("limits.daily", "out_of_range")),
        ({"issued": {"p/a": 5}}, ("issued['p/a']", "wrong_type")),
        ({"coupons": {"gift": 5}}, ("coupons.gift", "wrong_type")),
        ({"coupons": []}, ("coupons", "not_an_object")),
    ],
)
def test_an_invalid_fact_is_an_error_that_names_it(fields: dict, refused: tuple[str, str]) -> None:
    assert refusal(Snapshot, **fields) == refused


def test_a_tracker_may_be_below_zero_after_returns() -> None:
    assert Snapshot(trackers={"spend": "-5"}).trackers == {"spend": Decimal(-5)}
