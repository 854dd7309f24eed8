"""Stripe Checkout sessions and refunds; every expected value is worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.adapters import stripe
from loyalty_rules.events import Return

from .totals import lines_of, only, parts_of, sale, whys

ZONE = "America/New_York"

# Two shirts 40.00 less 4.00 plus 3.24 of tax, postage 5.00 plus 0.45: 44.69.
SESSION: dict[str, Any] = {
    "id": "cs_1",
    "object": "checkout.session",
    "created": 1_768_489_200,
    "currency": "usd",
    "mode": "payment",
    "payment_status": "paid",
    "payment_intent": "pi_1",
    "payment_method_types": ["card"],
    "client_reference_id": "M1",
    "customer": "cus_9",
    "amount_subtotal": 4000,
    "amount_total": 4469,
    "total_details": {"amount_discount": 400, "amount_shipping": 500, "amount_tax": 369},
    "shipping_cost": {"amount_subtotal": 500, "amount_tax": 45, "amount_total": 545},
    "line_items": {
        "has_more": False,
        "data": [
            {
                "id": "li_1",
                "quantity": 2,
                "amount_subtotal": 4000,
                "amount_discount": 400,
                "amount_tax": 324,
                "amount_total": 3924,
                "price": {"unit_amount": 2000, "tax_behavior": "exclusive", "product": {"id": "prod_1"}},
            }
        ],
    },
}
REFUND: dict[str, Any] = {
    "id": "re_1",
    "object": "refund",
    "created": 1_768_575_600,
    "currency": "usd",
    "amount": 1000,
    "payment_intent": "pi_1",
    "status": "succeeded",
}


def test_a_paid_session_has_its_lines_and_its_parts_come_to_its_total() -> None:
    event = only(stripe.convert({"object": "event", "data": {"object": SESSION}}, zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert (event.id, event.occurred_at.isoformat()) == ("stripe-cs_1", "2026-01-15T10:00:00-05:00")
    assert lines_of(event) == [("li_1", "36", None)]
    assert (event.amount, event.tax, event.shipping) == (Decimal("44.69"), Decimal("3.69"), 5)
    assert parts_of(event, included=False) == event.amount
    line = event.lines[0]
    assert (line.quantity, line.unit_price, line.discount, line.sku) == (2, 20, 4, "prod_1")
    assert (event.currency, event.member) == ("USD", lr.Member(id="M1"))
    assert event.tenders == (lr.Tender(type="card", amount=Decimal("44.69")),)


def test_prices_with_tax_include_it() -> None:
    line = {**SESSION["line_items"]["data"][0], "amount_total": 3600, "price": {"tax_behavior": "inclusive"}}
    document = {
        **SESSION,
        "amount_total": 4100,
        "shipping_cost": {"amount_tax": 45, "amount_total": 500},
        "line_items": {"data": [line]},
    }

    event = only(stripe.convert(document, zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert lines_of(event) == [("li_1", "36", "3.24")]
    assert event.shipping == 5
    assert parts_of(event, included=True) == event.amount == 41


def test_yen_have_no_minor_unit_and_the_krona_of_iceland_has_two_decimals_here() -> None:
    def amount_of(currency: str) -> Decimal:
        line = {"id": "li", "amount_total": 4000}
        document = {
            "id": "cs",
            "currency": currency,
            "created": 1_768_489_200,
            "payment_status": "paid",
            "amount_total": 4000,
            "line_items": {"data": [line]},
        }
        return sale(stripe.convert(document, zone=ZONE)).amount

    assert [amount_of(each) for each in ("jpy", "isk", "kwd", "mga")] == [4000, 40, 4, 4000]


def test_a_refund_finds_the_session_of_its_payment() -> None:
    conversion = stripe.convert([SESSION, REFUND], zone=ZONE)
    known = stripe.convert(REFUND, zone=ZONE, known=[sale(conversion)])

    event = conversion.events[1]
    assert isinstance(event, Return)
    assert (event.id, event.of, event.amount, event.lines) == ("stripe-re_1", "stripe-cs_1", 10, ())
    assert known.events == (event,)


def test_refunds_of_a_charge_are_returns() -> None:
    charge = {"object": "charge", "id": "ch_1", "refunds": {"data": [REFUND, {**REFUND, "id": "re_2"}]}}

    events = stripe.convert([SESSION, charge], zone=ZONE).events

    assert [event.id for event in events] == ["stripe-cs_1", "stripe-re_1", "stripe-re_2"]


def test_an_unpaid_session_an_unknown_payment_and_missing_lines_are_listed() -> None:
    conversion = stripe.convert(
        [
            {**SESSION, "payment_status": "unpaid"},
            {**REFUND, "payment_intent": "pi_2"},
            {**SESSION, "line_items": None},
            {**REFUND, "status": "failed"},
        ],
        zone=ZONE,
    )

    assert [event.id for event in conversion.events] == ["stripe-cs_1"]
    assert [(each.path, each.whole) for each in conversion.not_carried] == [
        ("$[0].payment_status", True),
        ("$[1].payment_intent", True),
        ("$[2].line_items", False),
        ("$[2].amount_total", False),
        ("$[3].status", True),
    ]


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 900)), min_size=1, max_size=4),
    st.integers(0, 900),
    st.sampled_from([0, 0, 3]),
    st.booleans(),
)
def test_the_parts_of_every_session_come_to_its_total_or_the_difference_is_named(
    lines: list[tuple[int, int]], postage: int, error: int, included: bool
) -> None:
    behavior = "inclusive" if included else "exclusive"
    document = {
        **SESSION,
        "amount_total": sum(net + tax for net, tax in lines) + postage + error,
        "total_details": {"amount_tax": sum(tax for _, tax in lines)},
        "shipping_cost": {"amount_total": postage, "amount_tax": 0},
        "line_items": {
            "data": [
                {
                    "id": f"li_{number}",
                    "quantity": 1,
                    "amount_tax": tax,
                    "amount_total": net + tax,
                    "price": {"tax_behavior": behavior},
                }
                for number, (net, tax) in enumerate(lines)
            ]
        },
    }

    conversion = stripe.convert(document, zone=ZONE)

    event = sale(conversion)
    assert event.amount - parts_of(event, included=included) == Decimal(error) / 100
    assert bool(error) == any("is in the amount alone" in why for why in whys(conversion))
