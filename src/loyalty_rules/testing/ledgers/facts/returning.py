"""What comes back takes back what it earned, under the terms of its sale, to the last unit. Source: semantics 11."""

# mypy: disable-error-code="comparison-overlap"
# An amount is a Decimal, and equal to a whole number.

from decimal import Decimal
from typing import Any

import attrs
import pytest

from loyalty_rules.intents import LotDraw, ReverseCurrency
from loyalty_rules.ledger.protocol import Receipt
from loyalty_rules.testing.ledgers.facts.promising import EXTERNAL, reasons
from loyalty_rules.testing.ledgers.facts.till import (
    BEN,
    HOUSEHOLD,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    proportional,
    serial_of,
    shop,
    stepped,
)

__all__ = ["CouponReturnFacts", "ReturnFacts", "ShortfallFacts"]

DOWN = {"value": "actual", "currency": "down"}


def reversals(receipt: Receipt) -> list[ReverseCurrency]:
    return [intent for intent in receipt.intents if isinstance(intent, ReverseCurrency)]


def taken(receipt: Receipt) -> list[Decimal]:
    """How much of each issue a return takes back."""
    return [intent.amount for intent in reversals(receipt)]


class ReturnFacts:
    """Points come back."""

    def test_one_point_per_10_of_2190_that_comes_back_in_fives_loses_both(self, till: Till) -> None:
        till.runs(shop(earn(stepped("10", "1"))))
        till.sell("T1", "21.90")
        lost = [taken(till.take_back("T1", "5")) for _ in range(4)]
        assert lost == [[1], [], [1], []]
        assert till.points() == 0

    def test_a_full_return_takes_exactly_what_was_issued(self, till: Till) -> None:
        till.runs(shop(earn(proportional("3.333333")), currencies={"points": {"decimals": 6}}))
        till.sell("T0", "70")
        before = till.points()
        till.sell("T1", "100.01")
        till.take_back("T1", "100.01")
        assert till.points() == before

    @pytest.mark.parametrize("parts", [["100"], ["50", "50"], ["1", "99"], ["33.33", "33.33", "33.34"]])
    def test_in_how_many_parts_it_comes_back_makes_no_difference(self, till: Till, parts: list[str]) -> None:
        till.runs(
            shop(earn(stepped("30", "7")), earn(proportional("1.5"), "more", rounding=DOWN, on_return="proportional"))
        )
        till.sell("T1", "100")
        for part in parts:
            till.take_back("T1", part)
        assert till.points() == 0

    def test_the_same_return_takes_nothing_the_second_time(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1")
        first = till.take_back("T1", "30", event="R1")
        before = till.everything()
        assert till.take_back("T1", "30", event="R1") == attrs.evolve(first, status="already_recorded")
        assert till.everything() == before
        assert till.points() == 7

    def test_once_all_of_it_has_come_back_there_is_no_more_to_take(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T0")
        till.sell("T1")
        till.take_back("T1", "100")
        assert taken(till.take_back("T1", "100")) == []
        assert till.points() == 10

    def test_the_sale_is_decided_as_if_the_goods_had_never_been_bought(self, till: Till) -> None:
        mugs = {"type": "line_item_value", "lines": {"field": "sku", "is": "MUG"}}
        till.runs(shop(earn({"type": "proportional", "percent": "10", "of": mugs})))
        lines = [
            {"id": "1", "sku": "MUG", "quantity": "4", "value": "40"},
            {"id": "2", "sku": "PEN", "quantity": "1", "value": "60"},
        ]
        till.sell("T1", "100", lines=lines)
        till.take_back("T1", "60", {"2": "1"})
        assert till.points() == 4
        till.take_back("T1", "10", {"1": "1"})
        assert till.points() == 3

    def test_more_than_was_bought_cannot_come_back(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1", lines=[{"id": "1", "quantity": "2", "value": "100"}])
        till.take_back("T1", "50", {"1": "1"})
        assert reasons(till.take_back("T1", "50", {"1": "2"})) == ("more_than_bought",)
        assert till.points() == 5

    def test_what_was_not_on_the_bill_cannot_come_back(self, till: Till) -> None:
        till.sell("T1", lines=[{"id": "1", "quantity": "2", "value": "100"}])
        assert reasons(till.take_back("T1", "50", {"2": "1"})) == ("unknown_line",)

    def test_nothing_comes_back_of_an_activity(self, till: Till) -> None:
        till.runs(shop(promotions=[{"id": "p", "trigger": "registration", "actions": [earn(fixed("50"))]}]))
        till.activity("A1")
        assert reasons(till.take_back("A1", "50")) == ("not_a_sale",)

    def test_nothing_comes_back_of_a_sale_that_was_not_recorded(self, till: Till) -> None:
        assert reasons(till.take_back("T9", "50")) == ("unknown_sale",)

    # -- policies

    def test_reverse_takes_all_with_the_first_return(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), on_return="reverse")))
        till.sell("T1")
        assert taken(till.take_back("T1", "1")) == [20]
        assert taken(till.take_back("T1", "99")) == []
        assert till.points() == 0

    def test_keep_takes_nothing_even_if_all_comes_back(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), on_return="keep")))
        till.sell("T1")
        assert taken(till.take_back("T1", "100")) == []
        assert till.points() == 20

    def test_proportional_takes_the_share_that_came_back(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), on_return="proportional")))
        till.sell("T1")
        left = []
        for _ in range(4):
            till.take_back("T1", "25")
            left.append(till.points())
        assert left == [8, 5, 3, 0]

    def test_a_fixed_issue_stays_as_long_as_its_promotion_would_fire(self, till: Till) -> None:
        when = {"field": "amount", "at_least": "50"}
        till.runs(shop(promotions=[{"id": "p", "when": when, "actions": [earn(fixed("20"))]}]))
        till.sell("T1")
        till.take_back("T1", "50")
        assert till.points() == 20
        till.take_back("T1", "1")
        assert till.points() == 0

    def test_no_return_ever_raises_a_balance(self, till: Till) -> None:
        when = {"field": "amount", "at_most": "50"}
        till.runs(shop(promotions=[{"id": "p", "when": when, "actions": [earn(fixed("20"))]}]))
        till.sell("T1", "100")
        till.take_back("T1", "60")
        assert till.points() == 0

    def test_what_was_taken_stays_taken_where_a_smaller_sale_earns_more(self, till: Till) -> None:
        small = {"any": [{"field": "amount", "at_most": "50"}, {"field": "amount", "at_least": "100"}]}
        till.runs(shop(promotions=[{"id": "p", "when": small, "actions": [earn(fixed("20"))]}]))
        till.sell("T1", "100")
        till.take_back("T1", "10")
        till.take_back("T1", "50")
        assert till.points() == 0

    # -- frozen terms

    def test_a_changed_promotion_changes_nothing_for_an_old_sale(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1")
        till.runs(shop(earn(proportional("50"), on_return="keep")))
        till.take_back("T1", "30")
        assert till.points() == 7

    def test_a_deleted_promotion_changes_nothing_for_an_old_sale(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1")
        till.runs(shop(currencies={}))
        till.take_back("T1", "30")
        assert till.points() == 7

    def test_an_old_sale_is_decided_again_with_what_was_known_then(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"), caps={"per_member": {"amount": "15"}})))
        till.sell("T1")
        till.sell("T2")
        till.take_back("T1", "30")
        assert till.points() == 7 + 5

    def test_a_trimmed_issue_loses_nothing_before_less_would_have_been_issued(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"), caps={"per_member": {"amount": "15"}})))
        till.sell("T1")
        till.sell("T2")
        till.take_back("T2", "50")
        assert till.points() == 15
        till.take_back("T2", "10")
        assert till.points() == 14

    # -- from where

    def test_a_return_takes_live_units_of_its_own_issue_first(self, till: Till) -> None:
        soon = {"type": "fixed_period", "after": {"days": 5}}
        till.runs(shop(earn(fixed("10"), expiry=soon)))
        till.sell("T0")
        till.runs(shop(earn(fixed("10"))))
        till.sell("T1")
        (reversal,) = reversals(till.take_back("T1", "100"))
        assert reversal.draws == (LotDraw("acme/T1/p/earn", Decimal(10)),)

    def test_then_it_takes_what_expires_soonest(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T0")
        till.sell("T1")
        till.runs(shop(earn(fixed("4"), expiry={"type": "fixed_period", "after": {"days": 5}})))
        till.sell("T2")
        till.runs(shop(earn(fixed("4"), expiry={"type": "fixed_period", "after": {"days": 3}})))
        till.sell("T3")
        till.spend("8")  # the 8 that expire
        till.spend("15")  # T0 and half of T1
        till.runs(shop(earn(fixed("4"), expiry={"type": "fixed_period", "after": {"days": 9}})))
        till.sell("T4")
        till.runs(shop(earn(fixed("3"), expiry={"type": "fixed_period", "after": {"days": 7}})))
        till.sell("T5")
        (reversal,) = reversals(till.take_back("T1", "100"))
        assert [(draw.lot, draw.amount) for draw in reversal.draws] == [
            ("acme/T1/p/earn", 5),
            ("acme/T5/p/earn", 3),
            ("acme/T4/p/earn", 2),
        ]
        assert till.points() == 2

    def test_a_return_takes_nothing_from_another_account(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T0", member="ben")
        till.sell("T1")
        till.spend("10")
        till.take_back("T1", "100")
        assert till.points(BEN) == 10

    def test_a_return_takes_nothing_of_another_currency(self, till: Till) -> None:
        stars = earn(fixed("7"), "stars", currency="stars", on_return="keep")
        till.runs(shop(earn(fixed("10")), stars, currencies={"points": {}, "stars": {}}))
        till.sell("T1")
        till.spend("10")
        till.take_back("T1", "100")
        assert till.points(currency="stars") == 7

    def test_what_the_group_got_is_taken_from_the_group(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), recipient="member_group"), earn(fixed("3"), "own")))
        member = {"id": "anna", "group": "household"}
        till.process({"type": "transaction", "id": "T1", "amount": "9", "member": member})
        till.take_back("T1", "9")
        assert (till.points(HOUSEHOLD), till.points()) == (0, 0)

    def test_what_is_spent_stays_spent(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T1")
        till.spend("4")
        till.take_back("T1", "100")
        (lot,) = till.lots()
        assert (lot.spent, lot.reversed, lot.outstanding) == (4, 6, 0)


class ShortfallFacts:
    """What a return can't take is written off, or owed."""

    def spent_and_brought_back(self, till: Till, shortfall: str, **parts: Any) -> Receipt:
        """Anna earns 10 points, spends 8 of them, and brings everything back."""
        till.runs(shop(earn(proportional("10"), **parts), shortfall=shortfall))
        till.sell("T1")
        till.spend("8")
        return till.take_back("T1", "100")

    def test_what_cannot_be_taken_is_named(self, till: Till) -> None:
        (reversal,) = reversals(self.spent_and_brought_back(till, "write_off"))
        assert (reversal.amount, reversal.shortfall, reversal.carried) == (10, 8, False)
        assert [draw.amount for draw in reversal.draws] == [2]

    def test_what_is_written_off_is_owed_by_nobody(self, till: Till) -> None:
        self.spent_and_brought_back(till, "write_off")
        assert (till.points(), till.debt()) == (0, 0)
        till.sell("T2")
        assert till.points() == 10

    def test_what_is_carried_is_a_debt(self, till: Till) -> None:
        (reversal,) = reversals(self.spent_and_brought_back(till, "carry"))
        assert (reversal.shortfall, reversal.carried) == (8, True)
        assert (till.points(), till.debt()) == (0, 8)

    def test_the_next_issue_pays_the_debt_first(self, till: Till) -> None:
        self.spent_and_brought_back(till, "carry")
        till.sell("T2", "50")
        assert (till.points(), till.debt()) == (0, 3)
        till.sell("T3", "50")
        assert (till.points(), till.debt()) == (2, 0)
        till.sell("T4", "50")
        assert (till.points(), till.debt()) == (7, 0)

    def test_a_promise_pays_the_debt_when_it_is_released(self, till: Till) -> None:
        self.spent_and_brought_back(till, "carry")
        till.runs(shop(earn(fixed("10"), timing=EXTERNAL)))
        till.sell("T2")
        assert (till.promised(), till.debt()) == (10, 8)
        till.confirm("acme/T2/p/earn")
        assert (till.points(), till.debt()) == (2, 0)

    def test_what_paid_a_debt_and_comes_back_is_owed_again(self, till: Till) -> None:
        self.spent_and_brought_back(till, "carry")
        till.sell("T2")
        till.take_back("T2", "100")
        assert (till.points(), till.debt()) == (0, 8)

    def test_a_debt_is_of_one_account_and_one_currency(self, till: Till) -> None:
        self.spent_and_brought_back(till, "carry")
        stars = earn(fixed("7"), "stars", currency="stars")
        till.runs(shop(stars, earn(fixed("7")), currencies={"points": {}, "stars": {}}))
        till.sell("T2", member="ben")
        assert (till.points(BEN), till.debt(BEN)) == (7, 0)
        till.sell("T3")
        assert (till.points(currency="stars"), till.debt(currency="stars")) == (7, 0)

    @pytest.mark.usefixtures("as_of")
    def test_the_debt_of_a_day_is_what_was_owed_then(self, till: Till) -> None:
        self.spent_and_brought_back(till, "carry")
        sold = till.now
        till.on(1)
        till.sell("T2", "50")
        till.on(2)
        till.sell("T3", "50")
        assert [till.debt(at=at) for at in (sold, till.now)] == [8, 0]

    def test_what_paid_a_debt_is_on_the_statement(self, till: Till) -> None:
        self.spent_and_brought_back(till, "carry")
        till.on(1)
        till.sell("T2", "50")
        *_, entry = till.statement()
        assert (entry.source, entry.target, entry.amount, entry.lot) == ("available", "reversed", 5, "acme/T2/p/earn")

    def test_a_debt_is_taken_of_what_the_program_said_when_it_was_sold(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10")), shortfall="carry"))
        till.sell("T1")
        till.spend("8")
        till.runs(shop(earn(proportional("10")), shortfall="write_off"))
        till.take_back("T1", "100")
        assert till.debt() == 8


class CouponReturnFacts:
    """Coupons come back."""

    def five(self, till: Till, **parts: Any) -> Receipt:
        """Anna gets a coupon for each 20 that she spends: five."""
        quantity = {"type": "stepped", "step_size": "20", "points_per_step": "1"}
        till.runs(shop(hand_out(quantity=quantity, **parts), coupon_types=coupon_type()))
        return till.sell("T1", "100")

    def states(self, till: Till, sale: Receipt) -> list[str]:
        return [till.coupon(sale, number).state for number in range(1, 6)]

    def test_the_coupons_that_would_not_have_been_issued_are_voided_newest_first(self, till: Till) -> None:
        sale = self.five(till)
        till.take_back("T1", "30")
        assert self.states(till, sale) == ["issued"] * 3 + ["voided"] * 2
        till.take_back("T1", "70")
        assert self.states(till, sale) == ["voided"] * 5

    def test_a_return_that_is_sent_again_voids_no_more(self, till: Till) -> None:
        sale = self.five(till)
        till.take_back("T1", "30", event="R1")
        till.take_back("T1", "30", event="R1")
        assert self.states(till, sale) == ["issued"] * 3 + ["voided"] * 2

    def test_a_redeemed_coupon_stays_redeemed(self, till: Till) -> None:
        sale = self.five(till)
        till.redeem(serial_of(sale, 5), "T2")
        till.take_back("T1", "100")
        assert self.states(till, sale) == ["voided"] * 4 + ["redeemed"]

    def test_a_voided_coupon_cannot_be_redeemed(self, till: Till) -> None:
        sale = self.five(till)
        till.take_back("T1", "10")
        assert reasons(till.redeem(serial_of(sale, 5), "T2")) == ("voided",)

    def test_an_expired_coupon_is_not_voided(self, till: Till) -> None:
        validity = {"expiry": {"type": "fixed_period", "after": {"days": 3}}}
        till.runs(shop(hand_out(), coupon_types=coupon_type(validity=validity)))
        sale = till.sell("T1")
        till.on(4)
        assert [intent.type for intent in till.take_back("T1", "100").intents] == []
        till.expire()
        assert till.coupon(sale).state == "expired"

    def test_reverse_voids_all_with_the_first_return(self, till: Till) -> None:
        sale = self.five(till, on_return="reverse")
        till.take_back("T1", "1")
        assert self.states(till, sale) == ["voided"] * 5

    def test_keep_voids_none(self, till: Till) -> None:
        sale = self.five(till, on_return="keep")
        till.take_back("T1", "100")
        assert self.states(till, sale) == ["issued"] * 5

    def test_a_coupon_whose_promotion_is_gone_is_voided_all_the_same(self, till: Till) -> None:
        sale = self.five(till)
        till.runs(shop())
        till.take_back("T1", "30")
        assert self.states(till, sale) == ["issued"] * 3 + ["voided"] * 2

    def test_the_coupon_of_an_anonymous_sale_is_voided_too(self, till: Till) -> None:
        till.runs(shop(hand_out(), coupon_types=coupon_type()))
        sale = till.sell("T1", member=None)
        till.take_back("T1", "100")
        assert till.coupon(sale).state == "voided"
