"""Saleor orders in both shapes, and their refunds; every expected value is worked out by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.adapters import saleor
from loyalty_rules.events import Return

from .totals import lines_of, only, parts_of, returned, sale, whys

ZONE = "Europe/Warsaw"


def money(gross: str, net: str) -> dict[str, Any]:
    return {"gross": {"amount": Decimal(gross), "currency": "PLN"}, "net": {"amount": Decimal(net)}}


# Three cups 12.30 each, 30.00 + 6.90 of tax, and postage 10.00 + 2.30: 49.20.
ORDER: dict[str, Any] = {
    "id": "T3JkZXI6MQ==",
    "created": "2026-01-15T10:00:00.123456+00:00",
    "status": "UNFULFILLED",
    "channel": {"slug": "pl"},
    "user": {"id": "VXNlcjo3", "email": "m@example.org"},
    "total": money("49.20", "40.00"),
    "shippingPrice": money("12.30", "10.00"),
    "lines": [
        {
            "id": "TGluZTox",
            "productSku": "CUP",
            "quantity": 3,
            "unitPrice": money("12.30", "10.00"),
            "totalPrice": money("36.90", "30.00"),
        }
    ],
    "grantedRefunds": [],
}
OLDER: dict[str, Any] = {
    "type": "Order",
    "id": "T3JkZXI6MQ==",
    "created": "2026-01-15T10:00:00.123456Z",
    "status": "unfulfilled",
    "channel": {"slug": "pl", "currency_code": "PLN"},
    "user_email": "m@example.org",
    "total_gross_amount": "49.200",
    "shipping_price_gross_amount": "12.300",
    "shipping_price_net_amount": "10.000",
    "lines": [
        {
            "id": "TGluZTox",
            "product_sku": "CUP",
            "quantity": 3,
            "unit_price_gross_amount": "12.300",
            "total_price_gross_amount": "36.900",
            "total_price_net_amount": "30.000",
        }
    ],
    "fulfillments": [],
}


def test_an_order_of_a_subscription_shows_prices_with_tax() -> None:
    event = only(saleor.convert({"data": {"event": {"order": ORDER}}}, zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert event.id == "saleor-T3JkZXI6MQ=="
    assert event.occurred_at.isoformat() == "2026-01-15T11:00:00.123456+01:00"
    assert lines_of(event) == [("TGluZTox", "36.9", "6.9")]
    assert (event.amount, event.tax, event.shipping) == (Decimal("49.2"), Decimal("9.2"), Decimal("12.3"))
    assert parts_of(event, included=True) == event.amount
    assert (event.currency, event.channel, event.status) == ("PLN", "pl", "unfulfilled")
    assert event.member == lr.Member(id="VXNlcjo3")
    assert (event.lines[0].sku, event.lines[0].unit_price) == ("CUP", Decimal("12.3"))


def test_the_older_shape_is_the_same_sale_but_for_the_member() -> None:
    older = sale(saleor.convert([OLDER], zone=ZONE))
    event = sale(saleor.convert(ORDER, zone=ZONE))

    assert older.member == lr.Member(id="m@example.org")
    assert (older.lines, older.amount, older.tax, older.shipping, older.currency) == (
        event.lines,
        event.amount,
        event.tax,
        event.shipping,
        event.currency,
    )


def test_prices_can_be_shown_without_tax() -> None:
    event = only(saleor.convert({**ORDER, "displayGrossPrices": False}, zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert lines_of(event) == [("TGluZTox", "30", None)]
    assert event.lines[0].unit_price == 10
    assert parts_of(event, included=False) == event.amount


def test_numbers_of_a_json_text_are_read_without_their_binary_noise() -> None:
    text = json.dumps(ORDER, default=float).replace("36.9,", "36.900000000000006,")

    assert "36.900000000000006" in text
    assert lines_of(sale(saleor.convert(text, zone=ZONE))) == [("TGluZTox", "36.9", "6.9")]


def test_a_discount_of_the_order_that_no_line_has_is_a_line() -> None:
    document = {**ORDER, "total": money("44.20", "40.00"), "discounts": [{"amount": {"amount": Decimal(5)}}]}

    event = sale(saleor.convert(document, zone=ZONE))

    assert lines_of(event)[-1] == ("discount", "-5", "0")
    assert parts_of(event, included=True) == event.amount


def test_a_granted_refund_takes_units_at_their_price_and_the_postage() -> None:
    refund = {
        "id": "R1",
        "createdAt": "2026-01-20T10:00:00Z",
        "amount": {"amount": Decimal("36.90")},
        "shippingCostsIncluded": True,
        "lines": [{"quantity": 2, "orderLine": {"id": "TGluZTox"}}],
    }

    conversion = saleor.convert({**ORDER, "grantedRefunds": [refund]}, zone=ZONE)

    assert conversion.not_carried == ()
    event = conversion.events[1]
    assert isinstance(event, Return)
    assert (event.id, event.amount, event.shipping) == ("saleor-refund-R1", Decimal("36.9"), Decimal("12.3"))
    assert returned(event) == [("TGluZTox", "2", "24.6")]
    assert event.tax == Decimal("6.9")


def test_goods_that_came_back_in_the_older_shape_are_a_return() -> None:
    back = {
        "id": "F1",
        "status": "refunded_and_returned",
        "created": "2026-01-20T10:00:00Z",
        "total_refund_amount": "36.90",
        "lines": [{"order_line_id": "TGluZTox", "quantity": 3}],
    }

    event = saleor.convert({**OLDER, "fulfillments": [back, {"status": "fulfilled"}]}, zone=ZONE).events[1]

    assert isinstance(event, Return)
    assert (event.id, event.amount) == ("saleor-fulfillment-F1", Decimal("36.9"))
    assert returned(event) == [("TGluZTox", "3", "36.9")]


def test_a_draft_an_unknown_line_and_a_float_are_listed() -> None:
    refund = {
        "id": "R1",
        "createdAt": "2026-01-20T10:00:00Z",
        "amount": {"amount": 5},
        "lines": [{"quantity": 1, "orderLine": {"id": "other"}}],
    }
    floats = json.loads(json.dumps(ORDER, default=float))

    conversion = saleor.convert(
        [{**ORDER, "status": "DRAFT"}, {**ORDER, "grantedRefunds": [refund]}, {**floats, "id": "2"}], zone=ZONE
    )

    assert [event.id for event in conversion.events] == ["saleor-T3JkZXI6MQ==", "saleor-refund-R1"]
    assert whys(conversion)[0] == "an order in this status is no sale"
    assert whys(conversion)[1] == "the order saleor-T3JkZXI6MQ== has no such line"
    assert "a float is not exact" in whys(conversion)[2]


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 900)), min_size=1, max_size=4),
    st.integers(0, 900),
    st.sampled_from([0, 0, 2]),
    st.booleans(),
)
def test_the_parts_of_every_order_come_to_its_total_or_the_difference_is_named(
    lines: list[tuple[int, int]], postage: int, error: int, shown: bool
) -> None:
    def cents(value: int) -> str:
        return f"{value // 100}.{value % 100:02}"

    total = sum(net + tax for net, tax in lines) + postage + error
    document = {
        **ORDER,
        "displayGrossPrices": shown,
        "total": money(cents(total), "0"),
        "shippingPrice": money(cents(postage), cents(postage)),
        "lines": [
            {"id": str(number), "quantity": 1, "totalPrice": money(cents(net + tax), cents(net))}
            for number, (net, tax) in enumerate(lines)
        ],
    }

    conversion = saleor.convert(document, zone=ZONE)

    event = sale(conversion)
    assert event.amount - parts_of(event, included=shown) == Decimal(error) / 100
    assert bool(error) == any("is in the amount alone" in why for why in whys(conversion))
