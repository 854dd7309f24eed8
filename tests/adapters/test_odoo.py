"""Odoo orders of the point of sale; every expected value is worked out by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.adapters import odoo
from loyalty_rules.events import Return

from .totals import lines_of, only, parts_of, returned, sale, whys

ZONE = "Europe/Brussels"

# Two desks of 121.00 at 10 % off: 217.80 (180.00 and 37.80 of tax), a pen 2.42: 220.22. Paid 250.00, change 29.78.
ORDER: dict[str, Any] = {
    "id": 41,
    "state": "paid",
    "date_order": "2026-01-15 23:30:00",
    "partner_id": [7, "Ann"],
    "config_id": [1, "Shop"],
    "currency_id": [1, "EUR"],
    "amount_total": 220.22,
    "amount_tax": 38.22,
    "amount_paid": 220.22,
    "amount_return": 29.78,
    "lines": [
        {
            "id": 101,
            "product_id": [5, "Desk"],
            "qty": 2,
            "price_unit": 121.0,
            "discount": 10,
            "price_subtotal": 180.0,
            "price_subtotal_incl": 217.8,
            "refunded_orderline_id": False,
        },
        {
            "id": 102,
            "product_id": [6, "Pen"],
            "qty": 1,
            "price_unit": 2.42,
            "discount": 0,
            "price_subtotal": 2.0,
            "price_subtotal_incl": 2.42,
        },
    ],
    "payment_ids": [
        {"amount": 250.0, "payment_method_id": [1, "Cash"]},
        {"amount": -29.78, "payment_method_id": [1, "Cash"], "is_change": True},
    ],
}
REFUND: dict[str, Any] = {
    "id": 42,
    "state": "paid",
    "date_order": "2026-01-17 09:00:00",
    "amount_total": -108.9,
    "lines": [
        {
            "id": 103,
            "qty": -1,
            "price_unit": 121.0,
            "discount": 10,
            "price_subtotal": -90.0,
            "price_subtotal_incl": -108.9,
            "refunded_orderline_id": [101, "Desk"],
        }
    ],
}


def test_an_order_of_the_server_is_in_utc_and_its_discount_is_a_percentage() -> None:
    event = only(odoo.convert(json.dumps([ORDER]), zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert event.id == "odoo-41"
    assert event.occurred_at.isoformat() == "2026-01-16T00:30:00+01:00"
    assert lines_of(event) == [("101", "217.8", "37.8"), ("102", "2.42", "0.42")]
    assert (event.amount, event.tax) == (Decimal("220.22"), Decimal("38.22"))
    assert parts_of(event, included=True) == event.amount
    assert event.tenders == (lr.Tender(type="cash", amount=250), lr.Tender(type="cash", amount=Decimal("-29.78")))
    assert (event.store, event.currency, event.status, event.member) == ("Shop", "EUR", "paid", lr.Member(id="7"))
    assert [(line.sku, line.unit_price) for line in event.lines] == [("Desk", 121), ("Pen", Decimal("2.42"))]


def test_unit_prices_without_tax_have_it_beside_them() -> None:
    lines = [{**each, "price_unit": price} for each, price in zip(ORDER["lines"], (100.0, 2.0), strict=True)]

    event = only(odoo.convert(json.dumps({**ORDER, "lines": lines}), zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert lines_of(event) == [("101", "180", None), ("102", "2", None)]
    assert parts_of(event, included=False) == event.amount


def test_an_order_of_the_till_has_commands_and_its_change_apart() -> None:
    document = {
        "uid": "00001-001-0001",
        "creation_date": "2026-01-15T23:30:00.000Z",
        "partner_id": False,
        "amount_total": 220.22000000000003,
        "amount_return": 29.78,
        "lines": [[0, 0, each] for each in ORDER["lines"]],
        "statement_ids": [[0, 0, {"amount": 250, "payment_method_id": 1}]],
    }

    event = only(odoo.convert(json.dumps({"data": document}), zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert (event.id, event.amount, event.member) == ("odoo-00001-001-0001", Decimal("220.22"), None)
    assert event.tenders == (lr.Tender(type="1", amount=250), lr.Tender(type="cash", amount=Decimal("-29.78")))


def test_a_refund_is_a_return_of_the_order_of_its_lines() -> None:
    conversion = odoo.convert(json.dumps([ORDER, REFUND]), zone=ZONE)
    known = [sale(conversion)]

    assert conversion.not_carried == ()
    event = conversion.events[1]
    assert isinstance(event, Return)
    assert (event.id, event.of, event.amount) == ("odoo-42-return-1", "odoo-41", Decimal("108.9"))
    assert returned(event) == [("101", "1", "108.9")]
    assert event.tax == Decimal("18.9")
    assert odoo.convert(json.dumps(REFUND), zone=ZONE, known=known).events == (event,)
    assert odoo.convert(json.dumps({**REFUND, "refunded_order_id": [41, "x"]}), zone=ZONE).events == (event,)


def test_an_exchange_is_a_return_and_a_sale() -> None:
    chair = {"id": 104, "qty": 1, "price_unit": 60.5, "price_subtotal": 50.0, "price_subtotal_incl": 60.5}
    document = {**REFUND, "amount_total": -48.4, "lines": [*REFUND["lines"], chair]}

    _, bought, back = odoo.convert(json.dumps([ORDER, document]), zone=ZONE).events

    assert isinstance(bought, lr.Transaction)
    assert isinstance(back, Return)
    assert (bought.amount, lines_of(bought)) == (Decimal("60.5"), [("104", "60.5", "10.5")])
    assert back.amount == Decimal("108.9")


def test_a_tip_is_no_line() -> None:
    tip = {"id": 105, "qty": 1, "price_unit": 5, "price_subtotal": 5, "price_subtotal_incl": 5}
    document = {**ORDER, "is_tipped": True, "tip_amount": 5, "amount_total": 225.22, "lines": [*ORDER["lines"], tip]}

    event = only(odoo.convert(json.dumps(document), zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert (event.tip, len(event.lines)) == (5, 2)
    assert parts_of(event, included=True) == event.amount
    assert "no line has the amount" in whys(odoo.convert(json.dumps({**document, "tip_amount": 4}), zone=ZONE))[0]


def test_a_draft_an_unknown_refund_a_float_and_ids_in_place_of_lines_are_listed() -> None:
    conversion = odoo.convert(
        [
            {**ORDER, "state": "draft"},
            json.loads(json.dumps(REFUND), parse_float=Decimal),
            ORDER,
            {**ORDER, "lines": [5]},
        ],
        zone=ZONE,
    )

    assert conversion.events == ()
    assert [each.path for each in conversion.not_carried] == [
        "$[0].state",
        "$[1].lines[0]",
        "$[2].lines[0].price_subtotal",
        "$[3].lines[0]",
    ]
    assert "a float is not exact" in whys(conversion)[2]
    assert "expected the row itself, found its id" in whys(conversion)[3]


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 900)), min_size=1, max_size=4),
    st.sampled_from([0, 0, 2]),
    st.booleans(),
)
def test_the_parts_of_every_order_come_to_its_total_or_the_difference_is_named(
    goods: list[tuple[int, int]], error: int, included: bool
) -> None:
    lines = [
        {
            "id": number,
            "qty": 1,
            "price_unit": (net + tax if included else net) / 100,
            "price_subtotal": net / 100,
            "price_subtotal_incl": (net + tax) / 100,
        }
        for number, (net, tax) in enumerate(goods)
    ]
    total = sum(net + tax for net, tax in goods) + error

    conversion = odoo.convert(json.dumps({**ORDER, "lines": lines, "amount_total": total / 100}), zone=ZONE)

    event = sale(conversion)
    with_tax = all(line.tax is not None for line in event.lines)
    assert with_tax == (included or not sum(tax for _, tax in goods))
    assert event.amount - parts_of(event, included=with_tax) == Decimal(error) / 100
    assert bool(error) == any("is in the amount alone" in why for why in whys(conversion))
