"""Spending: from the lot that expires soonest, once, and never more than the balance. Source: semantics 12."""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from decimal import Decimal

import attrs
import pytest

from loyalty_rules.errors import LoyaltyError
from loyalty_rules.intents import SpendCurrency, UndoSpend
from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.testing.ledgers.facts.promising import reasons
from loyalty_rules.testing.ledgers.facts.till import BEN, HOUSEHOLD, Document, Till, earn, fixed, moment, shop

__all__ = ["RedeemRateFacts", "SpendFacts", "UndoFacts"]

REDEEM_RATE: Document = {"points": "100", "value": "5.00", "least": "200", "block": "100", "most": "1000"}
BOTH: Document = {name: {"redeem": {"points": "100", "value": "5.00"}} for name in ("points", "stars")}


def period(days: int) -> Document:
    return {"type": "fixed_period", "after": {"days": days}}


def draws(receipt: Receipt) -> list[tuple[str, Decimal]]:
    """Return the sales whose lots a spend took from, and the amount taken from each."""
    (spent,) = receipt.intents
    assert isinstance(spent, SpendCurrency)
    return [(draw.lot.split("/")[1], draw.amount) for draw in spent.draws]


class SpendFacts:
    """Facts about spends."""

    @pytest.fixture
    def rich(self, till: Till) -> Till:
        """Issue Anna 10 points in each of five sales; they expire after 9 days, never, 3 days, never and 3 days."""
        for number, expiry in enumerate((period(9), {"type": "never"}, period(3), {"type": "never"}, period(3)), 1):
            till.runs(shop(earn(fixed("10"), expiry=expiry)))
            till.sell(f"T{number}")
        return till

    def test_a_spend_reduces_the_balance(self, rich: Till) -> None:
        receipt = rich.spend("15")
        assert receipt.status == "recorded"
        assert rich.points() == 35

    def test_lots_are_spent_by_expiry_then_by_issue_and_never_expiring_ones_last(self, rich: Till) -> None:
        order = [draws(rich.spend("10"))[0][0] for _ in range(5)]
        assert order == ["T3", "T5", "T1", "T2", "T4"]

    def test_a_spend_goes_on_to_the_next_lot(self, rich: Till) -> None:
        assert draws(rich.spend("25")) == [("T3", 10), ("T5", 10), ("T1", 5)]
        assert draws(rich.spend("7")) == [("T1", 5), ("T2", 2)]

    def test_the_whole_balance_can_be_spent(self, rich: Till) -> None:
        assert rich.spend("50").status == "recorded"
        assert rich.points() == 0

    def test_more_than_the_balance_cannot_be_spent(self, rich: Till) -> None:
        before = rich.everything()
        assert reasons(rich.spend("50.000001")) == ("insufficient",)
        assert rich.everything() == before

    def test_expired_units_cannot_be_spent(self, rich: Till) -> None:
        rich.on(4, 0)
        assert reasons(rich.spend("31")) == ("insufficient",)
        assert draws(rich.spend("30")) == [("T1", 10), ("T2", 10), ("T4", 10)]

    @pytest.mark.parametrize("amount", ["0", "-1"])
    def test_only_a_positive_amount_can_be_spent(self, rich: Till, amount: str) -> None:
        assert reasons(rich.spend(amount)) == ("not_positive",)

    def test_a_currency_that_the_program_does_not_have_cannot_be_spent(self, rich: Till) -> None:
        assert reasons(rich.spend("1", currency="miles")) == ("unknown_currency",)

    @pytest.mark.parametrize("amount", ["0.0000001", "1.0000005", "NaN", "Infinity"])
    def test_a_value_that_is_not_an_amount_is_an_error_and_spends_nothing(self, rich: Till, amount: str) -> None:
        with pytest.raises(LoyaltyError):
            rich.spend(amount)
        assert rich.points() == 50

    def test_a_spend_takes_from_the_named_account(self, rich: Till) -> None:
        assert reasons(rich.spend("1", account=BEN)) == ("insufficient",)
        assert reasons(rich.spend("1", account=HOUSEHOLD)) == ("insufficient",)

    def test_a_group_spends_the_points_of_its_members(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), recipient="member_group")))
        for number, name in enumerate(("anna", "ben")):
            member = {"id": name, "group": "household"}
            till.process({"type": "transaction", "id": f"T{number}", "amount": "1", "member": member})
        assert till.spend("20", account=HOUSEHOLD).status == "recorded"
        assert till.points(HOUSEHOLD) == 0

    def test_a_retried_spend_is_recorded_once(self, rich: Till) -> None:
        first = rich.spend("15", event="S1")
        before = rich.everything()
        assert rich.spend("15", event="S1") == attrs.evolve(first, status="already_recorded")
        assert rich.spend("15.00", event="S1").status == "already_recorded"
        assert rich.everything() == before

    def test_another_amount_in_the_same_transaction_is_a_conflict(self, rich: Till) -> None:
        rich.spend("15", event="S1")
        with pytest.raises(IdempotencyConflict) as conflict:
            rich.spend("16", event="S1")
        assert conflict.value.field == "amount"
        assert rich.points() == 35

    def test_a_refused_spend_can_be_retried(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        assert till.spend("10", event="S1").status == "refused"
        till.sell("T1")
        assert till.spend("10", event="S1").status == "recorded"

    def test_a_sale_may_earn_and_spend_under_one_id(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T1")
        assert till.spend("4", event="T1").status == "recorded"
        assert till.points() == 6

    def test_a_transaction_may_spend_two_currencies(self, till: Till) -> None:
        stars = earn(fixed("7"), "stars", currency="stars")
        till.runs(shop(earn(fixed("10")), stars, currencies=BOTH))
        till.sell("T1")
        till.spend("4", event="S1")
        till.spend("7", event="S1", currency="stars")
        assert (till.points(), till.points(currency="stars")) == (6, 0)

    @pytest.mark.usefixtures("as_of")
    def test_a_spent_amount_is_in_the_balance_as_of_earlier(self, rich: Till) -> None:
        rich.on(1)
        rich.spend("15")
        assert (rich.points(at=moment(0)), rich.points(at=moment(1))) == (50, 35)


class RedeemRateFacts:
    """Facts about redeem rates: the value of points in money, and the limits of a spend."""

    @pytest.fixture
    def wallet(self, till: Till) -> Till:
        """Issue Anna 1,500 points; 100 points are worth 5.00."""
        till.runs(shop(earn(fixed("1500")), money="USD", currencies={"points": {"redeem": REDEEM_RATE}}))
        till.sell("T1")
        return till

    def test_points_are_worth_their_redeem_rate(self, wallet: Till) -> None:
        (spent,) = wallet.spend("300").intents
        assert isinstance(spent, SpendCurrency)
        assert (spent.amount, spent.value) == (300, 15)

    def test_points_without_a_redeem_rate_cannot_be_spent(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10")), currencies={"points": {}}))
        till.sell("T1")
        assert reasons(till.spend("10")) == ("not_redeemable",)
        assert till.points() == 10

    def test_a_balance_is_spent_over_several_purchases(self, wallet: Till) -> None:
        for left in (1200, 900, 600):
            wallet.spend("300")
            assert wallet.points() == left

    def test_a_spend_below_the_minimum_is_refused(self, wallet: Till) -> None:
        assert reasons(wallet.spend("100")) == ("below_least",)
        assert wallet.spend("200").status == "recorded"

    def test_a_spend_that_is_not_a_multiple_of_the_block_is_refused(self, wallet: Till) -> None:
        assert reasons(wallet.spend("250")) == ("not_a_block",)

    def test_a_spend_above_the_maximum_is_refused(self, wallet: Till) -> None:
        assert reasons(wallet.spend("1100")) == ("above_most",)
        assert wallet.spend("1000").status == "recorded"

    def test_a_refusal_lists_every_reason(self, wallet: Till) -> None:
        assert reasons(wallet.spend("1550")) == ("not_a_block", "above_most", "insufficient")


class UndoFacts:
    """Facts about undone spends."""

    @pytest.fixture
    def spent(self, till: Till) -> Receipt:
        """Issue Anna 10 points that expire after 3 days and 10 that never expire, and spend 15."""
        for number, expiry in enumerate((period(3), {"type": "never"}), 1):
            till.runs(shop(earn(fixed("10"), expiry=expiry)))
            till.sell(f"T{number}")
        return till.spend("15", event="S1")

    def test_an_undo_returns_units_to_their_lots_with_their_expiry(self, till: Till, spent: Receipt) -> None:
        till.on(2)
        till.undo_spend(spent)
        assert [(lot.outstanding, lot.spent, lot.expires_on) for lot in till.lots()] == [
            (10, 0, moment(3).date()),
            (10, 0, None),
        ]
        assert (till.points(), till.points(at=moment(4))) == (20, 10)

    def test_an_undo_names_expired_units_and_does_not_revive_them(self, till: Till, spent: Receipt) -> None:
        till.on(4, 0)
        (undone,) = till.undo_spend(spent).intents
        assert isinstance(undone, UndoSpend)
        assert [(draw.lot, draw.amount) for draw in undone.expired] == [("acme/T1/p/earn", 10)]
        assert [(draw.lot, draw.amount) for draw in undone.draws] == [("acme/T2/p/earn", 5)]
        assert till.points() == 10
        assert [(lot.outstanding, lot.spent, lot.expired) for lot in till.lots()] == [(0, 0, 10), (10, 0, 0)]

    def test_an_undo_a_second_before_the_expiry_returns_all_units(self, till: Till, spent: Receipt) -> None:
        till.on(3, 23, 59, 59)
        till.undo_spend(spent)
        assert till.points() == 20

    def test_an_undo_does_not_revive_swept_units(self, till: Till, spent: Receipt) -> None:
        till.on(4)
        till.expire()
        till.undo_spend(spent)
        till.expire()
        assert till.points() == 10

    def test_a_spend_is_undone_once(self, till: Till, spent: Receipt) -> None:
        till.undo_spend(spent)
        assert reasons(till.undo_spend(spent)) == ("already_undone",)
        assert till.points() == 20

    def test_a_part_comes_back_from_the_lot_drawn_last(self, till: Till, spent: Receipt) -> None:
        (undone,) = till.undo_spend(spent, amount="7").intents
        assert isinstance(undone, UndoSpend)
        assert [(draw.lot, draw.amount) for draw in undone.draws] == [("acme/T2/p/earn", 5), ("acme/T1/p/earn", 2)]
        assert [lot.outstanding for lot in till.lots()] == [2, 10]

    def test_parts_come_back_until_nothing_is_spent_any_more(self, till: Till, spent: Receipt) -> None:
        till.undo_spend(spent, amount="7")
        assert reasons(till.undo_spend(spent, amount="8.000001")) == ("more_than_spent",)
        till.undo_spend(spent, amount="6")
        (rest,) = till.undo_spend(spent).intents
        assert isinstance(rest, UndoSpend)
        assert [draw.amount for draw in rest.draws] == [2]
        assert till.points() == 20
        assert reasons(till.undo_spend(spent, amount="1")) == ("already_undone",)

    def test_a_part_under_one_id_is_undone_once(self, till: Till, spent: Receipt) -> None:
        till.undo_spend(spent, event="R1", amount="7")
        assert till.undo_spend(spent, event="R1", amount="7").status == "already_recorded"
        with pytest.raises(IdempotencyConflict):
            till.undo_spend(spent, event="R1", amount="6")
        assert till.points() == 12

    def test_expired_units_count_as_undone(self, till: Till, spent: Receipt) -> None:
        till.on(4)
        (undone,) = till.undo_spend(spent, amount="7").intents
        assert isinstance(undone, UndoSpend)
        assert [draw.amount for draw in (*undone.draws, *undone.expired)] == [5, 2]
        assert reasons(till.undo_spend(spent, amount="9")) == ("more_than_spent",)

    def test_a_late_spend_takes_only_units_that_were_there_at_its_instant_and_ever_since(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10")), currencies={"points": {"redeem": {"points": "1", "value": "1"}}}))
        till.on(1)
        till.sell("T1")
        till.on(3)
        till.spend("6")
        till.on(0)
        assert reasons(till.spend("1")) == ("insufficient",)
        till.on(2)
        assert reasons(till.spend("5")) == ("insufficient",)
        assert till.spend("4").status == "recorded"
        assert [till.points(at=moment(day)) for day in (1, 2, 3)] == [10, 6, 0]

    def test_a_late_spend_takes_units_that_a_sweep_has_expired_since(self, till: Till) -> None:
        rate = {"points": {"redeem": {"points": "1", "value": "1"}}}
        till.runs(shop(earn(fixed("10"), expiry=period(3)), currencies=rate))
        till.sell("T1")
        till.on(5)
        till.expire()
        till.on(2)
        assert till.spend("4").status == "recorded"
        (lot,) = till.lots(at=moment(5))
        assert (lot.spent, lot.expired, lot.outstanding) == (4, 6, 0)

    def test_an_undo_dated_before_its_spend_is_refused(self, till: Till, spent: Receipt) -> None:
        till.on(0, 9, 59)
        assert reasons(till.undo_spend(spent, amount="16")) == ("more_than_spent", "too_early")
        assert reasons(till.undo_spend(spent)) == ("too_early",)

    def test_a_retried_undo_is_recorded_once(self, till: Till, spent: Receipt) -> None:
        first = till.undo_spend(spent, event="R1")
        before = till.everything()
        assert till.undo_spend(spent, event="R1") == attrs.evolve(first, status="already_recorded")
        assert till.everything() == before

    @pytest.mark.usefixtures("spent")
    def test_only_a_spend_is_undone(self, till: Till) -> None:
        for key in ("acme/T1/p/earn", "acme/S9/spend/points", "other/S1/spend/points"):
            receipt = till.ledger.undo_spend(till.program, key, event="R1", at=till.now)
            assert reasons(receipt) == ("unknown_spend",)

    def test_a_retry_of_an_undone_spend_spends_nothing(self, till: Till, spent: Receipt) -> None:
        till.undo_spend(spent)
        assert till.spend("15", event="S1").status == "already_recorded"
        assert till.points() == 20

    def test_one_event_undoes_spends_of_two_currencies(self, till: Till) -> None:
        stars = earn(fixed("7"), "stars", currency="stars")
        till.runs(shop(earn(fixed("10")), stars, currencies=BOTH))
        till.sell("T1")
        receipts = [till.spend("4", event="S1"), till.spend("7", event="S1", currency="stars")]
        assert [till.undo_spend(each, event="X1").status for each in receipts] == ["recorded"] * 2
        assert (till.points(), till.points(currency="stars")) == (10, 7)

    def test_returned_units_can_be_spent_again(self, till: Till, spent: Receipt) -> None:
        till.undo_spend(spent)
        assert draws(till.spend("20")) == [("T1", 10), ("T2", 10)]
