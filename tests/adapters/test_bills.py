"""Bills: their parts, with and without tax in prices, and the difference that is named."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.adapters.bills import Bill, RefundedLine, RefundedParts, SoldLine, product_of
from loyalty_rules.adapters.conversion import Converter
from loyalty_rules.adapters.payload import Payload

M = 1_000_000
AT = datetime(2026, 1, 15, tzinfo=UTC)


def converter(tax_in_prices: bool | None = None) -> Converter:
    return Converter(zone=UTC, tax_in_prices=tax_in_prices)


def bill(**changes: object) -> Bill:
    line = SoldLine(id="1", quantity=2 * M, net=100 * M, tax=20 * M, unit_price=60 * M)
    fields = {"lines": (line,), "included": True, "shipping": 5 * M, "shipping_tax": M, "amount": 126 * M}
    return Bill(**{**fields, **changes})  # type: ignore[arg-type]


def test_prices_with_tax_include_it_in_lines_and_shipping() -> None:
    state = converter()
    fields = bill().fields(state, Payload({}))

    assert state.not_carried == []
    assert (fields["amount"], fields["tax"], fields["shipping"], fields["tip"]) == (126, 21, 6, None)
    assert fields["lines"] == (lr.Line(id="1", quantity=2, value=120, unit_price=60, tax=20),)


def test_the_host_can_have_lines_without_tax() -> None:
    fields = bill().fields(converter(tax_in_prices=False), Payload({}))

    assert (fields["amount"], fields["tax"], fields["shipping"]) == (126, 21, 5)
    assert fields["lines"] == (lr.Line(id="1", quantity=2, value=100),)  # the unit price as shown would not fit


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"amount": 130 * M}, "a difference of 4 is in the amount alone"),
        ({"tax": 25 * M, "amount": 130 * M}, "include a tax of 21; the rest is in the amount alone"),
        ({"tax": -M, "amount": 104 * M}, "a tax below zero cannot be carried"),
    ],
)
def test_a_part_of_the_amount_that_is_nowhere_is_named(changes: dict[str, int], why: str) -> None:
    state = converter()
    bill(**changes).fields(state, Payload({}))

    assert any(why in each.why for each in state.not_carried)


def test_a_bill_without_an_amount_is_the_sum_of_its_parts() -> None:
    assert bill(amount=None, tip=2 * M).fields(converter(), Payload({}))["amount"] == 128


def test_the_parts_of_a_refund_come_to_its_amount() -> None:
    parts = RefundedParts(
        lines=(RefundedLine(id="1", quantity=M, net=50 * M, tax=10 * M),),
        included=True,
        shipping=5 * M,
        shipping_tax=M,
        tip=2 * M,
    )

    event = parts.event(converter(), Payload({}), event_id="R", of="S", at=AT)

    assert (event.amount, event.tax, event.shipping, event.tip) == (68, 11, 6, 2)
    assert event.lines == (lr.ReturnedLine(id="1", quantity=1, amount=60),)


def test_a_refund_of_money_alone_follows_the_amount() -> None:
    event = RefundedParts(lines=(), included=False, amount=7 * M).event(
        converter(), Payload({}), event_id="R", of="S", at=AT
    )

    assert (event.amount, event.lines, event.tax) == (7, (), None)


def test_a_refund_of_postage_of_an_unknown_sale_is_named() -> None:
    state = converter()
    event = RefundedParts(lines=(), included=False, shipping=5 * M).event(
        state, Payload({}), event_id="R", of="S", at=AT
    )

    assert event.lines == ()
    assert "counts for its lines too" in state.not_carried[0].why


@pytest.mark.parametrize(
    ("quantity", "price", "product"),
    [("2", "30", "60"), ("0.333", "1.999", "0.665667"), ("-1", "2.5", "-2.5"), ("0.0001", "0.005", "0.000001")],
)
def test_a_product_is_held_to_six_decimals_half_up(quantity: str, price: str, product: str) -> None:
    micros = [int(Decimal(each) * M) for each in (quantity, price, product)]

    assert product_of(micros[0], micros[1]) == micros[2]
