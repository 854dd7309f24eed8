"""The numbers of the samples in public documentation, in documents of our own: totals add up, or it is said.

Shopify: the order 450789469 and its refund in the reference of the Admin API. WooCommerce: the order 727 in the
documentation of the REST API. Square: the answer of RetrieveOrder. POSLog: a receipt of a supermarket's till, in which
a reward stands in lines of a vendor alone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import loyalty_rules as lr
from loyalty_rules.adapters import poslog, shopify, square, woocommerce
from loyalty_rules.events import Return

from .test_poslog import line, log, transaction
from .totals import lines_of, only, parts_of, returned, sale, whys


def test_the_order_of_shopify_has_a_discount_that_its_subtotal_and_its_lines_do_not_show() -> None:
    def money(amount: str) -> dict[str, Any]:
        return {"shop_money": {"amount": amount, "currency_code": "USD"}}

    def player(number: int, discount: str) -> dict[str, Any]:
        return {
            "id": number,
            "quantity": 1,
            "price": "199.00",
            "total_discount": "0.00",
            "discount_allocations": [{"amount": discount}],
            "tax_lines": [{"price": "3.98"}],
        }

    # The numbers in floats have their texts beside them.
    back = [
        {"line_item_id": 703073504, "quantity": 1, "subtotal": 195.66, "subtotal_set": money("195.66")},
        {"line_item_id": 466157049, "quantity": 1, "subtotal": 195.67, "subtotal_set": money("195.67")},
    ]
    order = {
        "id": 450789469,
        "processed_at": "2008-01-10T11:00:00-05:00",
        "total_price": "598.94",
        "subtotal_price": "597.00",
        "total_discounts": "10.00",
        "total_tax": "11.94",
        "line_items": [player(466157049, "3.34"), player(518995019, "3.33"), player(703073504, "3.33")],
        "shipping_lines": [{"price": "0.00", "tax_lines": []}],
        "refunds": [
            {
                "id": 509562969,
                "processed_at": "2008-01-12T11:00:00-05:00",
                "refund_line_items": [{**each, "total_tax": 3.98, "total_tax_set": money("3.98")} for each in back],
                "order_adjustments": [],
                "transactions": [{"kind": "refund", "status": "success", "amount": "209.00"}],
            }
        ],
    }

    conversion = shopify.convert(order, zone="America/New_York")

    event, refund = conversion.events
    assert isinstance(event, lr.Transaction)
    assert isinstance(refund, Return)
    assert [value for _, value, _ in lines_of(event)] == ["195.66", "195.67", "195.67"]
    assert parts_of(event, included=False) == event.amount == Decimal("598.94")
    # 195.66 + 195.67 + 7.96 came back in goods, and 209.00 in money.
    assert returned(refund) == [("703073504", "1", "195.66"), ("466157049", "1", "195.67")]
    assert refund.amount == 209
    assert "the parts of this refund come to 399.29" in whys(conversion)[0]


def test_the_order_of_woocommerce_adds_up() -> None:
    order = {
        "id": 727,
        "status": "processing",
        "prices_include_tax": False,
        "date_created_gmt": "2017-03-22T19:28:02",
        "total": "29.35",
        "total_tax": "1.35",
        "line_items": [
            {"id": 315, "quantity": 2, "subtotal": "6.00", "total": "6.00", "total_tax": "0.45"},
            {"id": 316, "quantity": 1, "subtotal": "12.00", "total": "12.00", "total_tax": "0.90"},
        ],
        "shipping_lines": [{"id": 317, "total": "10.00", "total_tax": "0.00"}],
    }

    event = only(woocommerce.convert(order, zone="America/Sao_Paulo"))

    assert isinstance(event, lr.Transaction)
    assert event.occurred_at.isoformat() == "2017-03-22T16:28:02-03:00"
    assert [line.unit_price for line in event.lines] == [3, 12]
    assert parts_of(event, included=False) == event.amount == Decimal("29.35")


def test_the_order_of_square_with_half_off_adds_up() -> None:
    def usd(amount: int) -> dict[str, Any]:
        return {"amount": amount, "currency": "USD"}

    def item(number: str, quantity: str, gross: int) -> dict[str, Any]:
        off = gross // 2
        return {
            "uid": number,
            "quantity": quantity,
            "gross_sales_money": usd(gross),
            "total_discount_money": usd(off),
            "total_tax_money": usd(0),
            "total_money": usd(gross - off),
        }

    order = {
        "id": "CAIS",
        "created_at": "2020-05-18T16:30:49.614Z",
        "line_items": [item("1", "1", 500), item("2", "2", 600)],
        "total_discount_money": usd(550),
        "total_tax_money": usd(0),
        "total_money": usd(550),
    }

    event = only(square.convert({"order": order}, zone="America/New_York"))

    assert isinstance(event, lr.Transaction)
    assert lines_of(event) == [("1", "2.5", None), ("2", "3", None)]
    assert parts_of(event, included=False) == event.amount == Decimal("5.5")


def test_the_reward_of_a_receipt_that_stands_in_lines_of_a_vendor_is_named() -> None:
    apple = (
        "<Sale><ItemID>67591</ItemID><RegularSalesUnitPrice>2.99</RegularSalesUnitPrice>"
        "<ExtendedAmount>1.26</ExtendedAmount><Quantity>0.42</Quantity></Sale>"
    )
    reward = "<v:LoyaltyReward><v:ExtendedRewardAmount>-0.19</v:ExtendedRewardAmount></v:LoyaltyReward>"
    card = '<Tender TenderType="CreditDebit"><Amount>1.07</Amount></Tender>'

    conversion = poslog.convert(
        log(transaction(line(1, apple) + line(2, card) + line(3, reward), "1.07")), zone="America/Los_Angeles"
    )

    event = sale(conversion)
    assert (event.amount, lines_of(event)) == (Decimal("1.07"), [("1", "1.26", None)])
    assert event.lines[0].quantity == Decimal("0.42")
    assert ["a difference of -0.19 is in the amount alone" in why for why in whys(conversion)] == [True]
