"""Shopify orders and refunds; every expected value is worked out by hand."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.adapters import shopify
from loyalty_rules.events import Amendment, Return, Update
from loyalty_rules.ledger import MemoryLedger

from .totals import explained, lines_of, only, parts_of, returned, sale, whys

ZONE = "America/New_York"

# 2 shirts of 30.00 less 6.00, a mug of 12.00 less 1.20, postage 5.00, a tip of 3.00, tax of 8 % on top of prices:
# 54.00 + 10.80 + 5.00 + 3.00 + (4.32 + 0.86 + 0.40) = 78.38. The totals of discounts and lines are misleading.
ORDER: dict[str, Any] = {
    "id": 1001,
    "created_at": "2026-01-15T15:00:00Z",
    "processed_at": "2026-01-15T15:00:00Z",
    "updated_at": "2026-01-15T15:00:00Z",
    "currency": "USD",
    "taxes_included": False,
    "financial_status": "paid",
    "fulfillment_status": None,
    "source_name": "web",
    "subtotal_price": "999.00",
    "total_price": "78.38",
    "total_tax": "5.58",
    "total_tip_received": "3.00",
    "payment_gateway_names": ["shopify_payments"],
    "customer": {"id": 77, "tags": "VIP, newsletter"},
    "line_items": [
        {
            "id": 1,
            "sku": "SHIRT ",
            "vendor": "acme",
            "quantity": 2,
            "price": "30.00",
            "total_discount": "0.00",
            "discount_allocations": [{"amount": "6.00"}],
            "tax_lines": [{"price": "4.32"}],
        },
        {
            "id": 2,
            "sku": "MUG",
            "quantity": 1,
            "price": "12.00",
            "discount_allocations": [{"amount": "1.20"}],
            "tax_lines": [{"price": "0.86"}],
        },
        {"id": 3, "quantity": 1, "price": "3.00", "tip": {"payment_gateway": "shopify_payments"}},
    ],
    "shipping_lines": [{"price": "5.00", "tax_lines": [{"price": "0.40"}]}],
    "refunds": [],
}

# One shirt: 27.00 + 2.16; the postage: 5.00 + 0.40; 2.00 more as a goodwill: 36.56.
REFUND: dict[str, Any] = {
    "id": 5,
    "order_id": 1001,
    "processed_at": "2026-01-20T10:00:00-05:00",
    "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": "27.00", "total_tax": "2.16"}],
    "order_adjustments": [
        {"kind": "shipping_refund", "amount": "-5.00", "tax_amount": "-0.40"},
        {"kind": "refund_discrepancy", "amount": "-2.00", "tax_amount": "0.00"},
    ],
    "transactions": [{"kind": "refund", "status": "success", "amount": "36.56"}],
}


POSTAGE_BACK: dict[str, Any] = {
    **REFUND,
    "refund_line_items": [],
    "refund_shipping_lines": [
        {
            "subtotal_amount_set": {"shop_money": {"amount": "5.00"}},
            "tax_amount_set": {"shop_money": {"amount": "0.40"}},
        }
    ],
    "order_adjustments": [{"kind": "shipping_refund", "amount": "-5.00", "tax_amount": "-0.40"}],
    "transactions": [{"kind": "refund", "status": "success", "amount": "5.40"}],
}
# A cap of 10.00 without tax was added a day later.
EDITED: dict[str, Any] = {
    **ORDER,
    "line_items": [*ORDER["line_items"], {"id": 4, "sku": "CAP", "quantity": 1, "price": "10.00"}],
    "total_price": "88.38",
    "updated_at": "2026-01-16T15:00:00Z",
    "fulfillment_status": "fulfilled",
}


def order(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(ORDER), **changes}


def test_an_order_has_the_discounted_value_of_each_line_and_its_parts_come_to_its_amount() -> None:
    event = only(shopify.convert(ORDER, zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert event.id == "shopify-1001"
    assert event.occurred_at.isoformat() == "2026-01-15T10:00:00-05:00"
    assert lines_of(event) == [("1", "54", None), ("2", "10.8", None)]
    assert (event.amount, event.tax, event.shipping, event.tip) == (
        Decimal("78.38"),
        Decimal("5.58"),
        Decimal(5),
        Decimal(3),
    )
    assert parts_of(event, included=False) == event.amount
    assert event.member == lr.Member(id="77", tags=("VIP", "newsletter"))
    assert event.tenders == (lr.Tender(type="shopify_payments", amount=Decimal("78.38")),)
    line = event.lines[0]
    assert (line.sku, line.brand, line.unit_price, line.discount) == ("SHIRT", "acme", Decimal(30), Decimal(6))


def test_prices_with_tax_stay_as_they_are_shown_and_lines_carry_their_tax() -> None:
    document = order(
        taxes_included=True,
        currency="EUR",
        total_price="127.05",
        total_tax="22.05",
        total_tip_received="0.00",
        line_items=[{"id": 1, "quantity": 2, "price": "60.50", "tax_lines": [{"price": "21.00"}]}],
        shipping_lines=[{"price": "6.05", "tax_lines": [{"price": "1.05"}]}],
    )

    event = only(shopify.convert(document, zone="Europe/Paris"))
    net = only(shopify.convert(document, zone="Europe/Paris", tax_in_prices=False))

    assert isinstance(event, lr.Transaction)
    assert isinstance(net, lr.Transaction)
    assert lines_of(event) == [("1", "121", "21")]
    assert event.shipping == Decimal("6.05")
    assert parts_of(event, included=True) == event.amount == Decimal("127.05")
    assert lines_of(net) == [("1", "100", None)]
    assert net.shipping == Decimal(5)
    assert parts_of(net, included=False) == net.amount


def test_a_refund_keeps_lines_postage_and_adjustments_apart() -> None:
    conversion = shopify.convert(order(refunds=[REFUND]), zone=ZONE)

    refund = conversion.events[1]
    assert isinstance(refund, Return)
    assert (refund.id, refund.of, refund.amount) == ("shopify-refund-5", "shopify-1001", Decimal("36.56"))
    assert returned(refund) == [("1", "1", "27")]
    assert (refund.tax, refund.shipping) == (Decimal("2.56"), Decimal(5))
    assert [each.found for each in conversion.not_carried] == ["36.56"]
    assert "a difference of 2 is in the amount alone" in whys(conversion)[0]


def test_a_newer_refund_has_its_postage_in_lines_of_its_own_and_it_counts_once() -> None:
    conversion = shopify.convert(order(refunds=[POSTAGE_BACK]), zone=ZONE)

    assert conversion.not_carried == ()
    event = conversion.events[1]
    assert isinstance(event, Return)
    assert (event.amount, event.shipping, event.tax) == (Decimal("5.4"), Decimal(5), Decimal("0.4"))
    # Without a line, a part of each line would come back.
    assert returned(event) == [("1", "0", "0")]


def test_a_refund_that_comes_alone_finds_its_sale() -> None:
    known = [sale(shopify.convert(ORDER, zone=ZONE))]

    conversion = shopify.convert(REFUND, zone=ZONE, known=known)

    (event,) = conversion.events
    assert isinstance(event, Return)
    assert (event.of, event.amount, returned(event)) == ("shopify-1001", Decimal("36.56"), [("1", "1", "27")])


def test_a_later_version_is_an_amendment_of_the_bill_and_an_update_of_the_status() -> None:
    conversion = shopify.convert([ORDER, EDITED, EDITED, ORDER], zone=ZONE)

    first, amendment, update = conversion.events
    assert isinstance(first, lr.Transaction)
    assert isinstance(amendment, Amendment)
    assert isinstance(update, Update)
    assert (amendment.of, amendment.amount, amendment.tax) == ("shopify-1001", Decimal("88.38"), None)
    assert lines_of(amendment)[-1] == ("4", "10", None)
    assert (update.of, update.status) == ("shopify-1001", "fulfilled")
    assert whys(conversion) == ["a later version of this order came before"]


def test_an_order_cancelled_before_it_was_paid_comes_back_as_a_whole() -> None:
    document = order(financial_status="voided", cancelled_at="2026-01-16T09:00:00Z", cancel_reason="customer")

    event = shopify.convert(document, zone=ZONE).events[1]

    assert isinstance(event, Return)
    assert (event.of, event.amount) == ("shopify-1001", Decimal("78.38"))


def test_an_order_of_graphql_is_the_same_sale() -> None:
    def money(amount: str) -> dict[str, Any]:
        return {"shopMoney": {"amount": amount, "currencyCode": "USD"}}

    node = {
        "id": "gid://shopify/Order/1001",
        "processedAt": "2026-01-15T15:00:00Z",
        "updatedAt": "2026-01-15T15:00:00Z",
        "currencyCode": "USD",
        "taxesIncluded": False,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "sourceName": "web",
        "totalPriceSet": money("75.38"),
        "totalTaxSet": money("5.58"),
        "totalTipReceivedSet": money("0.0"),
        "paymentGatewayNames": ["shopify_payments"],
        "customer": {"id": "gid://shopify/Customer/77", "tags": ["VIP", "newsletter"]},
        "lineItems": {
            "edges": [
                {
                    "node": {
                        "id": "gid://shopify/LineItem/1",
                        "sku": "SHIRT",
                        "vendor": "acme",
                        "quantity": 2,
                        "originalUnitPriceSet": money("30.0"),
                        "discountAllocations": [{"allocatedAmountSet": money("6.0")}],
                        "taxLines": [{"priceSet": money("4.32")}],
                    }
                }
            ]
        },
        "shippingLines": {"nodes": [{"originalPriceSet": money("5.0"), "taxLines": [{"priceSet": money("0.40")}]}]},
        "refunds": [
            {
                "id": "gid://shopify/Refund/5",
                "createdAt": "2026-01-20T15:00:00Z",
                "refundLineItems": {
                    "nodes": [
                        {
                            "lineItem": {"id": "gid://shopify/LineItem/1"},
                            "quantity": 1,
                            "subtotalSet": money("27.0"),
                            "totalTaxSet": money("2.16"),
                        }
                    ]
                },
                "transactions": {"nodes": [{"kind": "REFUND", "status": "SUCCESS", "amountSet": money("29.16")}]},
            }
        ],
    }
    node["lineItems"]["edges"].append(  # type: ignore[index]
        {
            "node": {
                "id": "gid://shopify/LineItem/2",
                "quantity": 1,
                "originalUnitPriceSet": money("12.0"),
                "discountAllocations": [{"allocatedAmountSet": money("1.2")}],
                "taxLines": [{"priceSet": money("0.86")}],
            }
        }
    )

    conversion = shopify.convert({"data": {"orders": {"edges": [{"node": node}]}}}, zone=ZONE)

    assert conversion.not_carried == ()
    event, refund = conversion.events
    assert isinstance(event, lr.Transaction)
    assert isinstance(refund, Return)
    assert lines_of(event) == [("1", "54", None), ("2", "10.8", None)]
    assert (event.id, event.status, event.tax) == ("shopify-1001", "paid", Decimal("5.58"))
    assert event.member == lr.Member(id="77", tags=("VIP", "newsletter"))
    assert (refund.amount, returned(refund)) == (Decimal("29.16"), [("1", "1", "27")])


def test_what_the_host_knows_about_a_product_is_added() -> None:
    event = sale(shopify.convert(ORDER, zone=ZONE, enrich=lambda line: {"category": f"of {line['id']}", "tags": ["x"]}))

    assert [(line.category, line.tags) for line in event.lines] == [("of 1", ("x",)), ("of 2", ("x",))]


def test_an_unknown_field_of_the_host_is_refused() -> None:
    with pytest.raises(TypeError, match=r"enrich may return brand, category, .*found 'colour'"):
        shopify.convert(ORDER, zone=ZONE, enrich=lambda line: {"colour": "red"})


def test_a_float_is_refused_with_a_sentence_and_the_text_of_the_same_number_is_read() -> None:
    document = order(total_price=78.38)

    refused = shopify.convert([document, {**ORDER, "id": 1002}], zone=ZONE)
    read = shopify.convert(json.dumps(document), zone=ZONE)

    assert [event.id for event in refused.events] == ["shopify-1002"]
    (missing,) = refused.not_carried
    assert missing.whole
    assert str(missing) == (
        "$[0].total_price: a float is not exact, found 78.38: pass the JSON text itself, or parse it "
        "with parse_float=decimal.Decimal"
    )
    assert sale(read).amount == Decimal("78.38")


def test_the_parts_of_an_order_that_an_event_cannot_hold_are_listed() -> None:
    document = order(
        total_price="80.00",
        payment_gateway_names=["shopify_payments", "gift_card"],
        line_items=[*ORDER["line_items"], {"id": 9, "sku": "x" * 200, "quantity": 0, "price": "1.00"}],
    )

    conversion = shopify.convert(document, zone=ZONE)

    assert [each.path for each in conversion.not_carried] == [
        "$.line_items[3].sku",
        "$.payment_gateway_names",
        "$.total_price",
    ]
    assert "a difference of 1.62 is in the amount alone" in whys(conversion)[2]
    assert explained(conversion, included=False)


def test_a_test_order_and_a_document_of_another_kind_are_no_sales() -> None:
    conversion = shopify.convert([order(test=True), {"id": 5}, "text"], zone=ZONE)  # type: ignore[list-item]

    assert conversion.events == ()
    assert [each.whole for each in conversion.not_carried] == [True] * 3


CENTS = st.integers(0, 100_000)


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an order whose total is the sum of its parts, and sometimes a cent more."""

    def text(cents: int) -> str:
        return f"{cents // 100}.{cents % 100:02}"

    included = draw(st.booleans())
    lines, total, tax = [], 0, 0
    for number in range(draw(st.integers(1, 4))):
        quantity, price, line_tax = draw(st.integers(1, 5)), draw(CENTS), draw(st.integers(0, 500))
        discount = draw(st.integers(0, quantity * price))
        total, tax = total + quantity * price - discount, tax + line_tax
        parts = [discount // 3, discount - discount // 3]
        lines.append(
            {
                "id": number + 1,
                "quantity": quantity,
                "price": text(price),
                "discount_allocations": [{"amount": text(part)} for part in parts],
                "tax_lines": [{"price": text(line_tax)}],
            }
        )
    postage, tip, error = draw(CENTS), draw(CENTS), draw(st.sampled_from([0, 0, 1]))
    total += postage + tip + error + (0 if included else tax)
    return order(
        taxes_included=included,
        line_items=lines,
        shipping_lines=[{"price": text(postage), "tax_lines": []}],
        total_tip_received=text(tip),
        total_tax=text(tax),
        total_price=text(total),
    )


@given(orders())
def test_the_parts_of_every_order_come_to_its_amount_or_the_difference_is_named(document: dict[str, Any]) -> None:
    conversion = shopify.convert(document, zone=ZONE)

    event, included = sale(conversion), document["taxes_included"]
    difference = event.amount - parts_of(event, included=included)
    assert difference in (0, Decimal("0.01"))
    assert bool(difference) == any("a difference of 0.01" in why for why in whys(conversion))
    assert lr.load_event(lr.dump(event)) == event


def points_after(base: dict[str, Any], *documents: dict[str, Any]) -> Decimal:
    """Return the points of member 77 after a ledger has processed the events of some documents."""
    earn = {
        "type": "issue_currency",
        "id": "earn",
        "currency": "points",
        "proration": {"type": "multiplier", "percent": "100", "of": base},
        "rounding": {"currency": "down"},
        "expiry": {"type": "never"},
    }
    program = lr.load_program(
        {
            "format": "loyalty-rules/1",
            "id": "shop",
            "time_zone": ZONE,
            "currencies": {"points": {}},
            "promotions": [{"id": "base", "actions": [earn]}],
        }
    )
    ledger, at = MemoryLedger(), datetime(2026, 2, 1, tzinfo=UTC)
    for event in shopify.convert(list(documents), zone=ZONE).events:
        ledger.process(program, event)
    return ledger.balance(program, lr.Account("member", "77"), "points", at).available


GOODS = {"type": "transaction_value", "less": ["tax", "shipping", "tip"]}
LINES = {"type": "line_item_value"}


@pytest.mark.parametrize(
    ("base", "documents", "points"),
    [
        (GOODS, [ORDER], 64),  # 54.00 + 10.80
        (LINES, [ORDER], 64),
        (LINES, [ORDER, REFUND], 37),  # 27.00 + 10.80
        (GOODS, [ORDER, REFUND], 35),  # 2.00 less, the goodwill
        (GOODS, [ORDER, POSTAGE_BACK], 64),
        (LINES, [ORDER, POSTAGE_BACK], 64),
        (LINES, [ORDER, EDITED], 74),  # a cap of 10.00 more
        (LINES, [ORDER, EDITED, REFUND], 47),
    ],
)
def test_a_ledger_gives_and_takes_the_points_of_converted_orders(
    base: dict[str, Any], documents: list[dict[str, Any]], points: int
) -> None:
    assert points_after(base, *documents) == points
