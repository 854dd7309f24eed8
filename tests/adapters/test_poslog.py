"""POSLog receipts; every expected value is worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.adapters import poslog
from loyalty_rules.events import Return

from .totals import lines_of, only, parts_of, returned, sale, whys

ZONE = "America/Chicago"
NAMESPACE = 'xmlns="http://www.nrf-arts.org/IXRetail/namespace/" xmlns:v="urn:vendor"'


def log(*transactions: str) -> str:
    return f"<POSLog {NAMESPACE}>{''.join(transactions)}</POSLog>"


def transaction(
    lines: str,
    total: str | None,
    *,
    number: int = 161,
    time: str = "2026-01-15T00:30:00",
    receipt: str = "",
    attributes: str = "",
) -> str:
    grand = "" if total is None else f'<Total TotalType="TransactionGrandAmount">{total}</Total>'
    return (
        f"<Transaction {attributes}><RetailStoreID>9</RetailStoreID><WorkstationID>3</WorkstationID>"
        f"<SequenceNumber>{number}</SequenceNumber><BusinessDayDate>2026-01-14</BusinessDayDate>"
        f"<EndDateTime>{time}</EndDateTime><CurrencyCode>USD</CurrencyCode>"
        f'<RetailTransaction Version="2.1" {receipt}>{lines}{grand}</RetailTransaction></Transaction>'
    )


def line(number: int, content: str, attributes: str = "") -> str:
    return f"<LineItem {attributes}><SequenceNumber>{number}</SequenceNumber>{content}</LineItem>"


MILK = line(
    1,
    '<Sale ItemType="Stock"><ItemID>MILK</ItemID><MerchandiseHierarchy Level="Department">6</MerchandiseHierarchy>'
    "<RegularSalesUnitPrice>1.50</RegularSalesUnitPrice><ExtendedAmount>3.00</ExtendedAmount>"
    "<Quantity>2</Quantity></Sale>",
)
VOIDED = line(2, "<Sale><ItemID>TOY</ItemID><ExtendedAmount>5.00</ExtendedAmount></Sale>", 'VoidFlag="true"')
APPLE = line(
    3,
    "<Sale><ItemID>APPLE</ItemID><ExtendedAmount>1.26</ExtendedAmount>"
    "<ExtendedDiscountAmount>0.26</ExtendedDiscountAmount><Quantity>0.42</Quantity></Sale>",
)
TAX = line(4, "<Tax><Amount>0.20</Amount></Tax>")
CASH = line(
    5,
    '<Tender TenderType="Cash"><Amount>5.00</Amount><TenderChange><Amount>0.80</Amount></TenderChange></Tender>',
)
MEMBER = line(6, "<v:LoyaltyMembership><v:LoyaltyID>4000</v:LoyaltyID></v:LoyaltyMembership>")
# 3.00 + (1.26 − 0.26) + 0.20 of tax: 4.20. The toy is voided.
RECEIPT = transaction(MILK + VOIDED + APPLE + TAX + CASH + MEMBER, "4.20")
LINK = (
    "<TransactionLink><RetailStoreID>9</RetailStoreID><WorkstationID>3</WorkstationID>"
    "<SequenceNumber>161</SequenceNumber><BusinessDayDate>2026-01-14</BusinessDayDate>{more}</TransactionLink>"
)
MILK_BACK = (
    "<Return><ItemID>MILK</ItemID><ExtendedAmount>1.50</ExtendedAmount><Quantity>1</Quantity>"
    + LINK.format(more="")
    + "</Return>"
)


def test_a_receipt_leaves_out_voided_lines_and_has_change_below_zero_and_its_business_day() -> None:
    event = only(poslog.convert(log(RECEIPT), zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert event.id == "poslog-9-3-2026-01-14-161"
    assert event.occurred_at.isoformat() == "2026-01-15T00:30:00-06:00"
    assert event.business_date == date(2026, 1, 14)
    assert lines_of(event) == [("1", "3", None), ("3", "1", None)]
    assert (event.amount, event.tax) == (Decimal("4.2"), Decimal("0.2"))
    assert parts_of(event, included=False) == event.amount
    assert event.tenders == (lr.Tender(type="cash", amount=5), lr.Tender(type="cash", amount=Decimal("-0.8")))
    assert (event.store, event.channel, event.currency, event.member) == ("9", "pos", "USD", lr.Member(id="4000"))
    milk = event.lines[0]
    assert (milk.sku, milk.category, milk.unit_price, milk.quantity) == ("MILK", "6", Decimal("1.5"), 2)


@pytest.mark.parametrize(
    ("total", "values", "included"),
    [
        ("4.20", ["3", "1"], False),  # after discounts, tax on top
        ("4.00", ["3", "1"], True),  # after discounts, tax within
        ("4.46", ["3", "1.26"], False),  # the amount is after discounts already, tax on top
        ("4.26", ["3", "1.26"], True),  # the amount is after discounts already, tax within
    ],
)
def test_the_reading_of_the_lines_that_comes_to_the_total_is_taken(
    total: str, values: list[str], included: bool
) -> None:
    event = only(poslog.convert(log(transaction(MILK + APPLE + TAX, total)), zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert [str(each.value) for each in event.lines] == values
    assert parts_of(event, included=included) == event.amount == Decimal(total)


def test_taxes_of_items_stay_with_them() -> None:
    item = "<Sale><ExtendedAmount>11.90</ExtendedAmount><Tax><Amount>1.90</Amount></Tax></Sale>"

    event = only(poslog.convert(log(transaction(line(1, item), "11.90")), zone="Europe/Berlin"))

    assert isinstance(event, lr.Transaction)
    assert lines_of(event) == [("1", "11.9", "1.9")]
    assert event.tax == Decimal("1.9")


def test_a_time_with_an_offset_keeps_its_instant_and_the_first_of_a_doubled_hour_is_listed() -> None:
    def at(time: str) -> tuple[str, int]:
        conversion = poslog.convert(log(transaction(MILK, "3.00", time=time)), zone=ZONE)
        return sale(conversion).occurred_at.isoformat(), len(conversion.not_carried)

    assert at("2026-01-15T06:30:00Z") == ("2026-01-15T00:30:00-06:00", 0)
    assert at("2026-11-01T01:30:00") == ("2026-11-01T01:30:00-05:00", 1)
    assert at("2026-11-01T01:30:00-06:00") == ("2026-11-01T01:30:00-06:00", 0)


def test_goods_that_are_linked_to_their_sale_come_back_by_item_or_by_line() -> None:
    back = transaction(line(1, MILK_BACK), "-1.50", number=170)
    by_line = MILK_BACK.replace(
        "</TransactionLink>", "<LineItemSequenceNumber>3</LineItemSequenceNumber></TransactionLink>"
    )

    event = poslog.convert(log(RECEIPT, back), zone=ZONE).events[1]
    other = only(poslog.convert(log(transaction(line(1, by_line), "1.50", number=170)), zone=ZONE))

    assert isinstance(event, Return)
    assert isinstance(other, Return)
    assert (event.of, event.amount) == ("poslog-9-3-2026-01-14-161", Decimal("1.5"))
    assert returned(event) == [("1", "1", "1.5")]
    assert returned(other) == [("3", "1", "1.5")]


def test_a_return_of_an_unknown_sale_counts_for_its_lines_together() -> None:
    conversion = poslog.convert(log(transaction(line(1, MILK_BACK), "-1.50", number=170)), zone=ZONE)

    (event,) = conversion.events
    assert isinstance(event, Return)
    assert (event.amount, event.lines) == (Decimal("1.5"), ())
    assert "is not known, so a part of each counts" in whys(conversion)[0]


def test_an_exchange_is_a_return_and_a_sale_of_the_new_goods() -> None:
    bread = line(2, "<Sale><ItemID>BREAD</ItemID><ExtendedAmount>10.00</ExtendedAmount></Sale>")
    card = line(3, '<Tender TenderType="CreditDebit"><Amount>8.50</Amount></Tender>')

    conversion = poslog.convert(
        log(RECEIPT, transaction(line(1, MILK_BACK) + bread + card, "8.50", number=171)), zone=ZONE
    )

    assert conversion.not_carried == ()
    _, back, bought = conversion.events
    assert isinstance(back, Return)
    assert isinstance(bought, lr.Transaction)
    assert (back.amount, bought.amount) == (Decimal("1.5"), 10)
    assert lines_of(bought) == [("2", "10", None)]


def test_goods_without_a_link_are_a_line_below_zero_and_a_discount_is_one_too() -> None:
    back = "<Return><ExtendedAmount>1.00</ExtendedAmount><Quantity>1</Quantity></Return>"
    coupon = line(9, "<Discount><Amount>0.50</Amount></Discount>")

    event = only(poslog.convert(log(transaction(MILK + line(2, back) + coupon, "1.50")), zone=ZONE))

    assert isinstance(event, lr.Transaction)
    assert lines_of(event) == [("1", "3", None), ("2", "-1", None), ("9", "-0.5", None)]
    assert [each.quantity for each in event.lines] == [2, -1, 1]
    assert event.lines[2].tags == ("discount",)
    assert event.amount == Decimal("1.5")


def test_a_receipt_that_voids_an_earlier_one_takes_all_of_it_back() -> None:
    link = LINK.format(more="").replace("<TransactionLink>", '<TransactionLink ReasonCode="PostVoid">')

    event = poslog.convert(log(RECEIPT, transaction(link, "0.00", number=162)), zone=ZONE).events[1]

    assert isinstance(event, Return)
    assert (event.id, event.of) == ("poslog-9-3-2026-01-14-162", "poslog-9-3-2026-01-14-161")
    assert (event.amount, event.lines) == (Decimal("4.2"), ())


def test_cancelled_and_suspended_receipts_are_no_sales_and_a_sign_on_is_passed_over() -> None:
    conversion = poslog.convert(
        log(
            transaction(MILK, "3.00", attributes='CancelFlag="true"'),
            transaction(MILK, "3.00", receipt='TransactionStatus="Suspended"'),
            "<Transaction><ControlTransaction/></Transaction>",
        ),
        zone=ZONE,
    )

    assert conversion.events == ()
    assert [each.whole for each in conversion.not_carried] == [True, True]


def test_a_line_of_another_kind_and_payments_that_do_not_come_to_the_total_are_listed() -> None:
    reward = line(7, "<v:FuelReward><v:Amount>0.10</v:Amount></v:FuelReward>")

    conversion = poslog.convert(log(transaction(MILK + reward + CASH, "3.10")), zone=ZONE)

    assert [each.found for each in conversion.not_carried] == ["FuelReward", "3.1", "3.1"]
    assert "the payments come to 4.2, not to the total" in whys(conversion)[1]
    assert "a difference of 0.1 is in the amount alone" in whys(conversion)[2]


def test_the_host_is_asked_with_the_texts_of_an_item() -> None:
    asked: list[object] = []
    poslog.convert(log(RECEIPT), zone=ZONE, enrich=lambda item: asked.append(dict(item)))

    assert asked[0] == {
        "ItemType": "Stock",
        "ItemID": "MILK",
        "MerchandiseHierarchy": "6",
        "RegularSalesUnitPrice": "1.50",
        "ExtendedAmount": "3.00",
        "Quantity": "2",
    }


@given(
    st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 500)), min_size=1, max_size=4),
    st.integers(1, 900),
    st.booleans(),
    st.sampled_from([0, 0, 1]),
)
def test_the_parts_of_every_receipt_come_to_its_total_or_the_difference_is_named(
    goods: list[tuple[int, int]], tax: int, included: bool, error: int
) -> None:
    def text(cents: int) -> str:
        return f"{cents // 100}.{cents % 100:02}"

    rows = [
        line(
            number,
            f"<Sale><ExtendedAmount>{text(amount + off)}</ExtendedAmount>"
            f"<ExtendedDiscountAmount>{text(off)}</ExtendedDiscountAmount></Sale>",
        )
        for number, (amount, off) in enumerate(goods, 1)
    ]
    rows.append(line(99, f"<Tax><Amount>{text(tax)}</Amount></Tax>"))
    total = sum(amount for amount, _ in goods) + (0 if included else tax) + error

    conversion = poslog.convert(log(transaction("".join(rows), text(total))), zone=ZONE)

    event = sale(conversion)
    adds_up = event.amount in (parts_of(event, included=True), parts_of(event, included=False))
    assert event.amount == Decimal(total) / 100
    assert adds_up != any("is in the amount alone" in why for why in whys(conversion))
