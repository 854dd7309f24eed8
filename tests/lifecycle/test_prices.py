"""The price of issues that an action paid for: split over them, and given back as they go."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.events import Snapshot
from loyalty_rules.intents import IssueCoupon, IssueCurrency, SpendCurrency
from loyalty_rules.lifecycle.prices import returned_prices
from loyalty_rules.lifecycle.records import CouponRecord, Lot, Payment, Sale
from loyalty_rules.values.amounts import MICRO
from shop import Serials, earn, fixed, program, sale

from .till import SOLD_AT, instant

PAY = {"type": "spend_currency", "id": "pay", "currency": "points", "amount": "100"}
GIFTS = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift", "quantity": 2}
DOCUMENT = program(
    PAY,
    GIFTS,
    earn(fixed("30"), "stars", currency="stars"),
    currencies={"points": {}, "stars": {}},
    coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "5"}}},
)
SPEND = "acme/T-1/p/pay"


class Bought:
    """A sale that paid 100 points for two coupons and 30 stars: 34, 33 and 33."""

    def __init__(self, document: dict[str, Any] = DOCUMENT) -> None:
        rules, event = lr.load_program(document), lr.load_event(sale("100"))
        snapshot = lr.load_snapshot({"balances": {"points": "500"}})
        intents = rules.evaluate(event, snapshot, serials=Serials()).intents
        (spent,) = (each for each in intents if isinstance(each, SpendCurrency))
        self.sale = Sale(rules, event, Snapshot())
        self.payment = Payment(spent, instant(SOLD_AT))
        self.coupons = [CouponRecord(each) for each in intents if isinstance(each, IssueCoupon)]
        self.lots = [Lot(each, 1, issued=each.amount) for each in intents if isinstance(each, IssueCurrency)]

    def prices(self, *voided: int, due: int = 0, taken: int = 0, undone: int = 0) -> dict[str, int]:
        """Return the whole points that go back if coupons are voided and stars are taken."""
        dues = [(attrs.evolve(lot, taken_back=Decimal(taken)), due * MICRO) for lot in self.lots]
        gone = {f"acme/T-1/p/gift/{number}" for number in voided}
        payment = attrs.evolve(self.payment, undone=Decimal(undone))
        prices = returned_prices(self.sale, [payment], dues, self.coupons, gone)
        return {key: units // MICRO for key, units in prices.items()}


@pytest.mark.parametrize(
    ("voided", "due", "taken", "price"),
    [
        ((), 0, 0, 0),
        ((1,), 0, 0, 34),  # the odd unit is the first coupon's
        ((2,), 0, 0, 33),
        ((1, 2), 30, 0, 100),
        ((), 10, 0, 11),
        ((), 5, 0, 5),  # 5.5, rounded down
        ((), 5, 5, 6),  # 11 in all, less the 5 of before
        ((), 25, 5, 28),
    ],
)
def test_each_dependent_gives_back_its_part(voided: tuple[int, ...], due: int, taken: int, price: int) -> None:
    assert Bought().prices(*voided, due=due, taken=taken) == {SPEND: price}


def test_no_more_goes_back_than_is_still_spent() -> None:
    assert Bought().prices(1, 2, due=30, undone=90) == {SPEND: 10}


def test_a_spend_on_which_nothing_depends_has_no_price_here() -> None:
    spend = SpendCurrency("acme/T-1/spend/points", "T-1", "M1", None, "points", Decimal(5))
    bought = Bought()
    payment = Payment(spend, instant(SOLD_AT))

    assert returned_prices(bought.sale, [payment], [(bought.lots[0], MICRO)], bought.coupons, ()) == {}
