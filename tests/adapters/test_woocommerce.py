"""WooCommerce orders and refunds; every expected value is worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.adapters import woocommerce
from loyalty_rules.events import Return, Update

from .totals import lines_of, only, parts_of, returned, sale, whys

ZONE = "Europe/Berlin"

# Prices with 19 % tax: 2 × 59.50 less 11.90 = 107.10 (90.00 + 17.10), a fee 2.38, postage 5.95: 115.43.
ORDER: dict[str, Any] = {
    "id": 727,
    "parent_id": 0,
    "status": "processing",
    "currency": "EUR",
    "prices_include_tax": True,
    "date_created": "2026-01-15T11:00:00",
    "date_created_gmt": "2026-01-15T10:00:00",
    "date_modified_gmt": "2026-01-15T10:00:03",
    "date_paid_gmt": "2026-01-15T10:00:03",
    "payment_method": "stripe",
    "created_via": "checkout",
    "customer_id": 26,
    "discount_total": "10.00",
    "shipping_total": "5.00",
    "shipping_tax": "0.95",
    "total": "115.43",
    "total_tax": "18.43",
    "line_items": [
        {
            "id": 315,
            "sku": "LAMP",
            "quantity": 2,
            "subtotal": "100.00",
            "subtotal_tax": "19.00",
            "total": "90.00",
            "total_tax": "17.10",
            "price": 45.0,
        }
    ],
    "fee_lines": [{"id": 318, "name": "Payment", "total": "2.00", "total_tax": "0.38"}],
    "shipping_lines": [{"id": 317, "total": "5.00", "total_tax": "0.95"}],
    "refunds": [],
}
REFUND: dict[str, Any] = {
    "id": 726,
    "parent_id": 727,
    "date_created_gmt": "2026-01-20T09:00:00",
    "amount": "59.50",
    "line_items": [
        {
            "id": 320,
            "quantity": -1,
            "total": "-45.00",
            "total_tax": "-8.55",
            "meta_data": [{"key": "_refunded_item_id", "value": "315"}],
        }
    ],
    "shipping_lines": [{"total": "-5.00", "total_tax": "-0.95"}],
}


def test_an_order_shows_prices_as_the_shop_does() -> None:
    event = only(woocommerce.convert(ORDER, zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert event.id == "woocommerce-727"
    assert event.occurred_at.isoformat() == "2026-01-15T11:00:00+01:00"
    assert lines_of(event) == [("315", "107.1", "17.1"), ("fee-318", "2.38", "0.38")]
    assert (event.amount, event.tax, event.shipping) == (Decimal("115.43"), Decimal("18.43"), Decimal("5.95"))
    assert parts_of(event, included=True) == event.amount
    assert (event.lines[0].unit_price, event.lines[0].discount) == (Decimal("59.5"), Decimal("11.9"))
    assert event.lines[1].tags == ("fee",)
    assert event.tenders == (lr.Tender(type="stripe", amount=Decimal("115.43")),)
    assert event.member == lr.Member(id="26")


def test_prices_without_tax_have_it_beside_them() -> None:
    event = only(woocommerce.convert({**ORDER, "prices_include_tax": False}, zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert lines_of(event) == [("315", "90", None), ("fee-318", "2", None)]
    assert event.shipping == 5
    assert parts_of(event, included=False) == event.amount


def test_a_local_time_is_read_in_the_zone_and_a_guest_is_nobody() -> None:
    document = {**ORDER, "date_created_gmt": None, "date_modified_gmt": None, "customer_id": 0}

    event = sale(woocommerce.convert(document, zone=ZONE))

    assert event.occurred_at.isoformat() == "2026-01-15T11:00:00+01:00"
    assert event.member is None


def test_a_refund_in_full_refers_to_lines_of_the_order_and_names_its_postage() -> None:
    conversion = woocommerce.convert({**ORDER, "refunds": [REFUND]}, zone=ZONE)

    assert conversion.not_carried == ()
    event = conversion.events[1]
    assert isinstance(event, Return)
    assert (event.id, event.of, event.amount) == ("woocommerce-refund-726", "woocommerce-727", Decimal("59.5"))
    assert returned(event) == [("315", "1", "53.55")]
    assert (event.shipping, event.tax) == (Decimal("5.95"), Decimal("9.5"))


def test_a_refund_that_comes_alone_or_twice_is_one_return() -> None:
    conversion = woocommerce.convert([ORDER, REFUND, REFUND], zone=ZONE)

    assert [event.id for event in conversion.events] == ["woocommerce-727", "woocommerce-refund-726"]


def test_a_summary_of_a_refund_and_a_line_without_its_original_are_listed() -> None:
    summary = {"id": 726, "reason": "", "total": "-10.00"}
    unknown = {**REFUND, "id": 728, "line_items": [{**REFUND["line_items"][0], "meta_data": []}]}

    conversion = woocommerce.convert({**ORDER, "refunds": [summary, unknown]}, zone=ZONE)

    assert [event.id for event in conversion.events] == ["woocommerce-727", "woocommerce-refund-728"]
    assert [each.path for each in conversion.not_carried] == [
        "$.refunds[0]",
        "$.refunds[1].line_items[0]",
        "$.refunds[1].amount",
    ]
    assert [each.whole for each in conversion.not_carried] == [True, False, False]


def test_a_failed_order_is_no_sale_and_a_completed_one_is_an_update() -> None:
    done = {**ORDER, "status": "completed", "date_modified_gmt": "2026-01-16T10:00:00"}

    conversion = woocommerce.convert([{**ORDER, "status": "failed", "id": 1}, ORDER, done], zone=ZONE)

    assert whys(conversion) == ["an order in this status is no sale"]
    update = conversion.events[1]
    assert isinstance(update, Update)
    assert update.status == "completed"


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 900)), min_size=1, max_size=4),
    st.integers(-500, 500),
    st.integers(0, 900),
    st.sampled_from([0, 0, -1]),
    st.booleans(),
)
def test_the_parts_of_every_order_come_to_its_total_or_the_difference_is_named(
    lines: list[tuple[int, int]], fee: int, postage: int, error: int, included: bool
) -> None:
    def text(cents: int) -> str:
        return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"

    tax = sum(each for _, each in lines)
    document = {
        **ORDER,
        "prices_include_tax": included,
        "line_items": [
            {"id": number + 1, "quantity": 1, "total": text(net), "total_tax": text(each)}
            for number, (net, each) in enumerate(lines)
        ],
        "fee_lines": [{"id": 9, "total": text(fee), "total_tax": "0.00"}],
        "shipping_lines": [{"total": text(postage), "total_tax": "0.00"}],
        "total_tax": text(tax),
        "total": text(sum(net for net, _ in lines) + tax + fee + postage + error),
    }

    conversion = woocommerce.convert(document, zone=ZONE)

    event = sale(conversion)
    difference = event.amount - parts_of(event, included=included)
    assert difference == Decimal(error) / 100
    assert bool(difference) == any("is in the amount alone" in why for why in whys(conversion))
