"""Refunds in points: what paid for a sale goes back with it. Source: semantics 11 (`give_back`)."""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.program import Program
from loyalty_rules.testing.ledgers.facts.till import (
    Document,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    proportional,
    serial_of,
    shop,
)

__all__ = ["GiveBackFacts"]


def welcome(action: Document, **parts: Any) -> Program:
    """Return a program with one action, for a registration."""
    return shop(promotions=[{"id": "p", "trigger": "registration", "actions": [action]}], **parts)


class GiveBackFacts:
    """Facts about points and stored values that paid for a sale that comes back."""

    def pay_a_sale(self, till: Till, give_back: str, spent: str = "100") -> None:
        """Issue Anna 100 points, and let her pay a sale of 30 with a number of them."""
        till.runs(welcome(earn(fixed("100")), give_back=give_back))
        till.activity("A1")
        till.spend(spent, event="S1")
        till.sell("S1", "30")

    def test_points_go_back_with_the_whole_sale(self, till: Till) -> None:
        self.pay_a_sale(till, "whole")
        till.take_back("S1", "10")
        assert till.points() == 0
        till.take_back("S1", "20")
        assert till.points() == 100

    def test_points_go_back_in_proportion_and_the_rest_with_the_last_return(self, till: Till) -> None:
        self.pay_a_sale(till, "proportional")
        balances = []
        for _ in range(3):
            till.take_back("S1", "10")
            balances.append(till.points())
        assert balances == [33, 66, 100]

    def test_a_program_that_gives_nothing_back(self, till: Till) -> None:
        self.pay_a_sale(till, "never")
        till.take_back("S1", "30")
        assert till.points() == 0

    def test_units_that_were_undone_before_count_as_given_back(self, till: Till) -> None:
        self.pay_a_sale(till, "proportional", "90")
        till.ledger.undo_spend(till.program, "acme/S1/spend/points", event="X1", at=till.now, amount=Decimal(40))
        assert till.points() == 50
        till.take_back("S1", "10")  # 30 of 90, of which 40 are back
        assert till.points() == 50
        till.take_back("S1", "10")  # 60 of 90
        assert till.points() == 70

    def test_points_go_back_before_the_sale_takes_its_own(self, till: Till) -> None:
        till.runs(shop(earn(fixed("100")), earn(proportional("100"), "more")))
        till.sell("T1", "10")
        till.spend("110", event="T1")
        receipt = till.take_back("T1", "10")
        assert [each.type for each in receipt.intents] == ["undo_spend", "reverse_currency", "reverse_currency"]
        assert (till.points(), [lot.reversed for lot in till.lots()]) == (0, [100, 10])

    @pytest.mark.parametrize("give_back", ["whole", "proportional"])
    def test_a_stored_value_is_refilled(self, till: Till, give_back: str) -> None:
        card = coupon_type({"type": "stored_value", "amount": "50"})
        till.runs(welcome(hand_out(), coupon_types=card, give_back=give_back))
        issued = till.activity("A1")
        till.redeem(serial_of(issued), "S1", "30")
        till.sell("S1", "30")
        values = []
        for amount in ("10", "20"):
            till.take_back("S1", amount)
            values.append(till.coupon(issued).remaining)
        assert values == ([20, 50] if give_back == "whole" else [30, 50])
