"""Returns: they reverse the issues of a sale, by the program of the sale, to the last unit. Source: semantics 11."""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from decimal import Decimal
from typing import Any

import attrs
import pytest

from loyalty_rules.intents import LotDraw, ReverseCurrency
from loyalty_rules.ledger.receipts import Receipt
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

__all__ = ["CouponReturnFacts", "ReturnFacts", "reversals"]

DOWN = {"value": "actual", "currency": "down"}


def reversals(receipt: Receipt) -> list[ReverseCurrency]:
    """Return the reversals of a return."""
    return [intent for intent in receipt.intents if isinstance(intent, ReverseCurrency)]


def taken(receipt: Receipt) -> list[Decimal]:
    """Return the amount that a return takes back from each issue."""
    return [intent.amount for intent in reversals(receipt)]


class ReturnFacts:
    """Facts about returns and points."""

    def test_two_returns_of_5_out_of_2190_lose_one_point_per_10_in_all(self, till: Till) -> None:
        till.runs(shop(earn(stepped("10", "1"))))
        till.sell("T1", "21.90")
        lost = [taken(till.take_back("T1", "5")) for _ in range(4)]
        assert lost == [[1], [], [1], []]
        assert till.points() == 0

    def test_a_full_return_takes_exactly_the_issued_amount(self, till: Till) -> None:
        till.runs(shop(earn(proportional("3.333333")), currencies={"points": {"decimals": 6}}))
        till.sell("T0", "70")
        before = till.points()
        till.sell("T1", "100.01")
        till.take_back("T1", "100.01")
        assert till.points() == before

    @pytest.mark.parametrize("parts", [["100"], ["50", "50"], ["1", "99"], ["33.33", "33.33", "33.34"]])
    def test_the_number_of_partial_returns_makes_no_difference(self, till: Till, parts: list[str]) -> None:
        till.runs(
            shop(earn(stepped("30", "7")), earn(proportional("1.5"), "more", rounding=DOWN, on_return="proportional"))
        )
        till.sell("T1", "100")
        for part in parts:
            till.take_back("T1", part)
        assert till.points() == 0

    def test_a_retried_return_takes_nothing(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1")
        first = till.take_back("T1", "30", event="R1")
        before = till.everything()
        assert till.take_back("T1", "30", event="R1") == attrs.evolve(first, status="already_recorded")
        assert till.everything() == before
        assert till.points() == 7

    def test_a_return_after_a_full_return_is_refused(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T0")
        till.sell("T1")
        till.take_back("T1", "100")
        assert reasons(till.take_back("T1", "100")) == ("more_than_bought",)
        assert till.points() == 10

    def test_a_return_evaluates_the_sale_without_the_returned_goods(self, till: Till) -> None:
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

    def test_a_return_of_more_pieces_than_bought_is_refused(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1", lines=[{"id": "1", "quantity": "2", "value": "100"}])
        till.take_back("T1", "50", {"1": "1"})
        assert reasons(till.take_back("T1", "50", {"1": "2"})) == ("more_than_bought",)
        assert till.points() == 5

    def test_a_return_of_an_unknown_line_is_refused(self, till: Till) -> None:
        till.sell("T1", lines=[{"id": "1", "quantity": "2", "value": "100"}])
        assert reasons(till.take_back("T1", "50", {"2": "1"})) == ("unknown_line",)

    def test_a_return_of_more_than_the_bill_is_refused(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1")
        till.take_back("T1", "60")
        assert reasons(till.take_back("T1", "40.01")) == ("more_than_bought",)
        assert till.points() == 4

    def test_a_refund_above_the_value_of_its_line_is_refused(self, till: Till) -> None:
        till.sell(
            "T1", lines=[{"id": "1", "quantity": "2", "value": "30"}, {"id": "2", "quantity": "1", "value": "70"}]
        )
        refund = [{"id": "1", "quantity": "1", "amount": "30.01"}]
        assert reasons(till.take_back("T1", "30.01", lines=refund)) == ("more_than_bought",)

    def test_a_return_before_its_sale_is_refused(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.on(1, 10)
        till.sell("T1")
        till.on(1, 9, 59, 59)
        assert reasons(till.take_back("T1", "100")) == ("too_early",)
        till.on(1, 10)
        assert taken(till.take_back("T1", "100")) == [10]

    def test_a_refused_return_names_every_reason(self, till: Till) -> None:
        till.on(1)
        till.sell("T1", lines=[{"id": "1", "quantity": "2", "value": "100"}])
        till.on(0)
        refused = reasons(till.take_back("T1", "101", {"2": "1"}))
        assert sorted(refused) == ["more_than_bought", "too_early", "unknown_line"]

    def test_a_return_of_a_sale_without_an_amount_is_refused(self, till: Till) -> None:
        till.sell("T1")
        assert reasons(till.take_back("T1")) == ("missing_amount",)

    def test_a_return_of_an_unknown_sale_is_refused(self, till: Till) -> None:
        assert reasons(till.take_back("T9", "50")) == ("unknown_sale",)

    def test_an_activity_comes_back_as_a_whole(self, till: Till) -> None:
        till.runs(shop(promotions=[{"id": "p", "trigger": "registration", "actions": [earn(fixed("50"))]}]))
        till.activity("A1")
        assert taken(till.take_back("A1")) == [50]
        assert taken(till.take_back("A1")) == []
        assert till.points() == 0

    # -- policies

    def test_the_policy_reverse_takes_everything_with_the_first_return(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), on_return="reverse")))
        till.sell("T1")
        assert taken(till.take_back("T1", "1")) == [20]
        assert taken(till.take_back("T1", "99")) == []
        assert till.points() == 0

    def test_the_policy_keep_takes_nothing_even_on_a_full_return(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), on_return="keep")))
        till.sell("T1")
        assert taken(till.take_back("T1", "100")) == []
        assert till.points() == 20

    def test_the_policy_proportional_takes_the_returned_share(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), on_return="proportional")))
        till.sell("T1")
        left = []
        for _ in range(4):
            till.take_back("T1", "25")
            left.append(till.points())
        assert left == [8, 5, 3, 0]

    def test_a_fixed_issue_stays_while_its_promotion_still_fires(self, till: Till) -> None:
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

    def test_a_reversal_stays_even_if_a_smaller_sale_earns_more(self, till: Till) -> None:
        small = {"any": [{"field": "amount", "at_most": "50"}, {"field": "amount", "at_least": "100"}]}
        till.runs(shop(promotions=[{"id": "p", "when": small, "actions": [earn(fixed("20"))]}]))
        till.sell("T1", "100")
        till.take_back("T1", "10")
        till.take_back("T1", "50")
        assert till.points() == 0

    # -- the program and the snapshot of the sale

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

    def test_a_return_uses_the_snapshot_of_the_sale(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"), caps={"per_member": {"amount": "15"}})))
        till.sell("T1")
        till.sell("T2")
        till.take_back("T1", "30")
        assert till.points() == 7 + 5

    def test_a_trimmed_issue_loses_nothing_until_less_than_its_amount_would_be_issued(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"), caps={"per_member": {"amount": "15"}})))
        till.sell("T1")
        till.sell("T2")
        till.take_back("T2", "50")
        assert till.points() == 15
        till.take_back("T2", "10")
        assert till.points() == 14

    # -- the lots

    def test_a_return_takes_live_units_of_its_own_issue_first(self, till: Till) -> None:
        soon = {"type": "fixed_period", "after": {"days": 5}}
        till.runs(shop(earn(fixed("10"), expiry=soon)))
        till.sell("T0")
        till.runs(shop(earn(fixed("10"))))
        till.sell("T1")
        (reversal,) = reversals(till.take_back("T1", "100"))
        assert reversal.draws == (LotDraw("acme/T1/p/earn", Decimal(10)),)

    def test_a_return_then_takes_other_lots_by_expiry(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T0")
        till.sell("T1")
        till.runs(shop(earn(fixed("4"), expiry={"type": "fixed_period", "after": {"days": 5}})))
        till.sell("T2")
        till.runs(shop(earn(fixed("4"), expiry={"type": "fixed_period", "after": {"days": 3}})))
        till.sell("T3")
        till.spend("8")  # the 8 points that expire
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

    def test_every_issue_of_a_sale_loses_its_own_units_first(self, till: Till) -> None:
        soon = {"type": "fixed_period", "after": {"days": 5}}
        till.runs(shop(earn(fixed("10"), "soon", expiry=soon), earn(fixed("10"), "never")))
        till.sell("T1")
        till.spend("4")
        till.runs(shop(earn(fixed("10"))))
        till.sell("T2")
        draws = [[(draw.lot, draw.amount) for draw in each.draws] for each in reversals(till.take_back("T1", "100"))]
        assert draws == [[("acme/T1/p/soon", 6), ("acme/T2/p/earn", 4)], [("acme/T1/p/never", 10)]]

    def test_expired_units_count_as_taken(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T0")
        till.runs(shop(earn(fixed("10"), expiry={"type": "fixed_period", "after": {"days": 3}})))
        till.sell("T1")
        till.on(4)
        (reversal,) = reversals(till.take_back("T1", "100"))
        assert (reversal.amount, reversal.draws, reversal.shortfall) == (10, (), 0)
        assert till.points() == 10
        assert till.lots()[1].reversed == 0

    @pytest.mark.parametrize("swept", [False, True])
    def test_expired_units_count_as_taken_once(self, till: Till, swept: bool) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T0")
        three_days = {"type": "fixed_period", "after": {"days": 3}}
        till.runs(shop(earn(proportional("10"), expiry=three_days, on_return="proportional")))
        till.sell("T1")
        till.spend("4")
        till.on(4)
        if swept:
            till.expire()
        # 6 of 10 expired. The first 5 count as taken, of the next 5 only one does: 4 come from the other lot.
        till.take_back("T1", "50")
        assert till.points() == 10
        till.take_back("T1", "50")
        assert till.points() == 6

    def test_a_cancelled_promise_counts_as_taken_and_frees_its_cap_once(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), timing=EXTERNAL, caps={"per_member": {"times": 1}})))
        till.sell("T1")
        till.confirm("acme/T1/p/earn", "cancel")
        assert taken(till.take_back("T1", "100")) == [10]
        till.sell("T2")
        till.sell("T3")
        assert (till.promised(), till.debt()) == (10, 0)

    def test_a_return_takes_nothing_from_another_account(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T0", member="ben")
        till.sell("T1")
        till.spend("10")
        till.take_back("T1", "100")
        assert till.points(BEN) == 10

    def test_a_return_takes_nothing_from_another_currency(self, till: Till) -> None:
        stars = earn(fixed("7"), "stars", currency="stars", on_return="keep")
        till.runs(shop(earn(fixed("10")), stars, currencies={"points": {}, "stars": {}}))
        till.sell("T1")
        till.spend("10")
        till.take_back("T1", "100")
        assert till.points(currency="stars") == 7

    def test_a_return_takes_group_points_from_the_group(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), recipient="member_group"), earn(fixed("3"), "own")))
        member = {"id": "anna", "group": "household"}
        till.process({"type": "transaction", "id": "T1", "amount": "9", "member": member})
        till.take_back("T1", "9")
        assert (till.points(HOUSEHOLD), till.points()) == (0, 0)

    def test_a_return_leaves_spent_units_spent(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T1")
        till.spend("4")
        till.take_back("T1", "100")
        (lot,) = till.lots()
        assert (lot.spent, lot.reversed, lot.outstanding) == (4, 6, 0)


class CouponReturnFacts:
    """Facts about returns and coupons."""

    def issue_five(self, till: Till, **parts: Any) -> Receipt:
        """Issue Anna a coupon for each 20 of a sale of 100: five coupons."""
        quantity = {"type": "stepped", "step_size": "20", "points_per_step": "1"}
        till.runs(shop(hand_out(quantity=quantity, **parts), coupon_types=coupon_type()))
        return till.sell("T1", "100")

    def states(self, till: Till, sale: Receipt) -> list[str]:
        return [till.coupon(sale, number).state for number in range(1, 6)]

    def test_surplus_coupons_are_voided_newest_first(self, till: Till) -> None:
        sale = self.issue_five(till)
        till.take_back("T1", "30")
        assert self.states(till, sale) == ["issued"] * 3 + ["voided"] * 2
        till.take_back("T1", "70")
        assert self.states(till, sale) == ["voided"] * 5

    def test_a_retried_return_voids_no_more_coupons(self, till: Till) -> None:
        sale = self.issue_five(till)
        till.take_back("T1", "30", event="R1")
        till.take_back("T1", "30", event="R1")
        assert self.states(till, sale) == ["issued"] * 3 + ["voided"] * 2

    def test_a_redeemed_coupon_stays_redeemed(self, till: Till) -> None:
        sale = self.issue_five(till)
        till.redeem(serial_of(sale, 5), "T2")
        till.take_back("T1", "100")
        assert self.states(till, sale) == ["voided"] * 4 + ["redeemed"]

    def test_a_voided_coupon_cannot_be_redeemed(self, till: Till) -> None:
        sale = self.issue_five(till)
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

    def test_the_policy_reverse_voids_all_coupons_with_the_first_return(self, till: Till) -> None:
        sale = self.issue_five(till, on_return="reverse")
        till.take_back("T1", "1")
        assert self.states(till, sale) == ["voided"] * 5

    def test_the_policy_keep_voids_no_coupon(self, till: Till) -> None:
        sale = self.issue_five(till, on_return="keep")
        till.take_back("T1", "100")
        assert self.states(till, sale) == ["issued"] * 5

    def test_a_coupon_of_a_removed_promotion_is_voided_too(self, till: Till) -> None:
        sale = self.issue_five(till)
        till.runs(shop())
        till.take_back("T1", "30")
        assert self.states(till, sale) == ["issued"] * 3 + ["voided"] * 2

    def test_the_coupon_of_an_anonymous_sale_is_voided_too(self, till: Till) -> None:
        till.runs(shop(hand_out(), coupon_types=coupon_type()))
        sale = till.sell("T1", member=None)
        till.take_back("T1", "100")
        assert till.coupon(sale).state == "voided"

    def test_a_coupon_of_the_same_type_that_the_rest_earns_is_kept(self, till: Till) -> None:
        # 120 gave two coupons. The rest of 90 gives one by the other promotion: the newest is voided.
        large = {"field": "amount", "at_least": "100"}
        two, one = hand_out(quantity=2), hand_out()
        till.runs(
            shop(
                promotions=[
                    {"id": "large", "when": large, "exclusive": "thanks", "priority": 1, "actions": [two]},
                    {"id": "small", "exclusive": "thanks", "actions": [one]},
                ],
                coupon_types=coupon_type(),
            )
        )
        sale = till.sell("T1", "120")
        till.take_back("T1", "30")
        assert [till.coupon(sale, number).state for number in (1, 2)] == ["issued", "voided"]

    @pytest.mark.parametrize("order", [("T1", "T2"), ("T2", "T1")], ids=["issuing first", "redeeming first"])
    def test_a_coupon_is_voided_when_both_its_sales_come_back(self, till: Till, order: tuple[str, str]) -> None:
        till.runs(shop(promotions=[self.promotion_of("S1", hand_out())], coupon_types=coupon_type()))
        sale = till.sell("T1", store="S1")
        till.redeem(serial_of(sale), "T2")
        till.sell("T2")
        for each in order:
            till.take_back(each, "100")
        assert till.coupon(sale).state == "voided"

    def test_a_coupon_that_its_sale_has_lost_is_voided_by_an_undo(self, till: Till) -> None:
        till.runs(shop(hand_out(), coupon_types=coupon_type(caps={"per_member": 1})))
        sale = till.sell("T1")
        redeemed = till.redeem(serial_of(sale), "T2")
        till.take_back("T1", "100")
        assert till.coupon(sale).state == "redeemed"
        assert [each.type for each in till.undo_redemption(redeemed).intents] == ["undo_redemption", "void_coupon"]
        assert till.coupon(sale).state == "voided"
        assert [each.type for each in till.sell("T3").intents] == ["issue_coupon"]

    def test_of_two_redeemed_coupons_only_the_one_that_is_lost_is_voided(self, till: Till) -> None:
        quantity = {"type": "stepped", "step_size": "50", "points_per_step": "1"}
        promotion = self.promotion_of("S1", hand_out(quantity=quantity))
        till.runs(shop(promotions=[promotion], coupon_types=coupon_type()))
        sale = till.sell("T1", store="S1")
        for number in (1, 2):
            till.redeem(serial_of(sale, number), "T2")
        till.sell("T2")
        till.take_back("T1", "50")
        assert [till.coupon(sale, number).state for number in (1, 2)] == ["redeemed"] * 2
        till.take_back("T2", "100")
        assert sorted(till.coupon(sale, number).state for number in (1, 2)) == ["issued", "voided"]

    def promotion_of(self, store: str, action: dict[str, Any]) -> dict[str, Any]:
        """Return the promotion `p` of one store."""
        return {"id": "p", "when": {"field": "store", "is": store}, "actions": [action]}
