"""Square orders and returns; every expected value is worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.adapters import square
from loyalty_rules.events import Amendment, Return, Update

from .totals import lines_of, only, parts_of, returned, sale, whys

ZONE = "America/Chicago"


def usd(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD"}


# Two coffees 8.00 less 0.80 with 0.58 of tax, a gift card 20.00, a service charge 0.72, a tip 1.50: 30.00.
ORDER: dict[str, Any] = {
    "id": "SQ1",
    "location_id": "L-MAIN",
    "customer_id": "CUST1",
    "state": "COMPLETED",
    "source": {"name": "Register"},
    "created_at": "2026-01-15T18:00:00.000Z",
    "updated_at": "2026-01-15T18:00:05.000Z",
    "line_items": [
        {
            "uid": "a",
            "catalog_object_id": "COFFEE",
            "quantity": "2",
            "item_type": "ITEM",
            "base_price_money": usd(400),
            "gross_sales_money": usd(800),
            "total_discount_money": usd(80),
            "total_tax_money": usd(58),
            "total_money": usd(778),
        },
        {"uid": "b", "quantity": "1", "item_type": "GIFT_CARD", "total_tax_money": usd(0), "total_money": usd(2000)},
    ],
    "taxes": [{"uid": "t", "type": "ADDITIVE", "percentage": "8"}],
    "service_charges": [{"uid": "s", "total_money": usd(72), "total_tax_money": usd(0)}],
    "total_tip_money": usd(150),
    "total_tax_money": usd(58),
    "total_money": usd(3000),
    "tenders": [
        {"type": "CARD", "amount_money": usd(2000)},
        {"type": "SQUARE_GIFT_CARD", "amount_money": usd(1000)},
    ],
}
RETURN: dict[str, Any] = {
    "id": "SQ2",
    "state": "COMPLETED",
    "created_at": "2026-01-20T18:00:00Z",
    "closed_at": "2026-01-20T18:01:00Z",
    "returns": [
        {
            "uid": "r",
            "source_order_id": "SQ1",
            "return_line_items": [
                {"source_line_item_uid": "a", "quantity": "1", "total_tax_money": usd(29), "total_money": usd(389)}
            ],
            "return_service_charges": [{"source_service_charge_uid": "s", "total_money": usd(36)}],
        }
    ],
    "return_amounts": {"total_money": usd(425)},
}


def test_an_order_has_its_charges_as_lines_and_its_parts_come_to_its_total() -> None:
    event = only(square.convert({"order": ORDER}, zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert event.id == "square-SQ1"
    assert event.occurred_at.isoformat() == "2026-01-15T12:00:00-06:00"
    assert lines_of(event) == [("a", "7.2", None), ("b", "20", None), ("charge-s", "0.72", None)]
    assert [line.tags for line in event.lines] == [None, ("gift_card",), ("service_charge",)]
    assert (event.amount, event.tax, event.tip, event.shipping) == (30, Decimal("0.58"), Decimal("1.5"), None)
    assert parts_of(event, included=False) == event.amount
    assert event.tenders == (lr.Tender(type="card", amount=20), lr.Tender(type="gift_card", amount=10))
    assert (event.store, event.status, event.member) == ("L-MAIN", "completed", lr.Member(id="CUST1"))


def test_a_total_without_the_tip_and_a_charge_within_the_lines_add_up_too() -> None:
    beside = {**ORDER, "total_money": usd(2850)}
    within = {
        **ORDER,
        "line_items": [{**ORDER["line_items"][0], "total_money": usd(850)}, ORDER["line_items"][1]],
        "service_charges": [{**ORDER["service_charges"][0], "treatment_type": "APPORTIONED_TREATMENT"}],
    }

    assert sale(square.convert(beside, zone=ZONE)).amount == 30
    event = only(square.convert(within, zone=ZONE))
    assert isinstance(event, lr.Transaction)
    assert lines_of(event) == [("a", "7.92", None), ("b", "20", None)]
    assert parts_of(event, included=False) == event.amount == 30


def test_yen_have_no_minor_unit_and_inclusive_tax_is_in_the_line() -> None:
    def yen(amount: int) -> dict[str, Any]:
        return {"amount": amount, "currency": "JPY"}

    document = {
        "id": "J",
        "state": "OPEN",
        "created_at": "2026-01-15T01:00:00Z",
        "line_items": [{"uid": "a", "quantity": "1", "total_tax_money": yen(180), "total_money": yen(1980)}],
        "taxes": [{"type": "INCLUSIVE"}],
        "rounding_adjustment": {"amount_money": yen(-1)},
        "total_tax_money": yen(180),
        "total_money": yen(1979),
    }

    event = only(square.convert(document, zone="Asia/Tokyo"))

    assert isinstance(event, lr.Transaction)
    assert lines_of(event) == [("a", "1980", "180"), ("rounding", "-1", "0")]
    assert parts_of(event, included=True) == event.amount == 1979
    assert event.lines[1].tags == ("rounding",)


def test_a_return_of_lines_and_charges_refers_to_its_sale() -> None:
    event = only(square.convert(RETURN, zone=ZONE))

    assert isinstance(event, Return)
    assert (event.id, event.of, event.amount) == ("square-return-SQ2-r", "square-SQ1", Decimal("4.25"))
    assert returned(event) == [("a", "1", "3.6"), ("charge-s", "1", "0.36")]
    assert event.tax == Decimal("0.29")


def test_an_exchange_is_a_sale_and_a_return() -> None:
    exchange = {**ORDER, "id": "SQ3", "returns": RETURN["returns"], "return_amounts": RETURN["return_amounts"]}

    conversion = square.convert([ORDER, exchange], zone=ZONE)

    assert [(type(event).__name__, event.id) for event in conversion.events] == [
        ("Transaction", "square-SQ1"),
        ("Transaction", "square-SQ3"),
        ("Return", "square-return-SQ3-r"),
    ]


def test_a_return_of_no_sale_and_a_draft_are_listed() -> None:
    unlinked = {**RETURN, "returns": [{**RETURN["returns"][0], "source_order_id": None}]}

    conversion = square.convert([unlinked, {**ORDER, "state": "DRAFT"}], zone=ZONE)

    assert conversion.events == ()
    assert whys(conversion) == [
        "a return that is not linked to its sale cannot take points back",
        "a draft is no sale",
    ]


def test_an_order_that_is_paid_later_is_updated_and_one_that_grows_is_amended() -> None:
    opened = {**ORDER, "state": "OPEN", "tenders": [], "updated_at": "2026-01-15T18:00:00Z"}

    events = square.convert([opened, ORDER], zone=ZONE).events

    assert isinstance(events[1], Amendment)
    assert isinstance(events[2], Update)
    assert [tender.type for tender in events[1].tenders or ()] == ["card", "gift_card"]
    assert events[2].status == "completed"


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 900)), min_size=1, max_size=4),
    st.integers(0, 500),
    st.integers(0, 500),
    st.sampled_from([0, 0, 7]),
    st.booleans(),
)
def test_the_parts_of_every_order_come_to_its_total_or_the_difference_is_named(
    lines: list[tuple[int, int]], charge: int, tip: int, error: int, included: bool
) -> None:
    items = [
        {"uid": f"u{number}", "quantity": "1", "total_money": usd(net + tax), "total_tax_money": usd(tax)}
        for number, (net, tax) in enumerate(lines)
    ]
    total = sum(net + tax for net, tax in lines) + charge + tip + error
    document = {
        **ORDER,
        "line_items": items,
        "service_charges": [{"uid": "s", "total_money": usd(charge)}],
        "taxes": [{"type": "INCLUSIVE" if included else "ADDITIVE"}],
        "total_tip_money": usd(tip),
        "total_tax_money": usd(sum(tax for _, tax in lines)),
        "total_money": usd(total),
    }

    conversion = square.convert(document, zone=ZONE)

    event = sale(conversion)
    difference = event.amount - parts_of(event, included=included)
    assert bool(difference) == any("is in the amount alone" in why for why in whys(conversion))
    assert difference in (0, Decimal("0.07"))
