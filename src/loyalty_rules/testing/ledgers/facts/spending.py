"""What is spent comes from the lot that expires soonest, once, and never more than there is. Source: semantics 12."""

# mypy: disable-error-code="comparison-overlap"
# An amount is a Decimal, and equal to a whole number.

from decimal import Decimal

import attrs
import pytest

from loyalty_rules.errors import LoyaltyError
from loyalty_rules.intents import SpendCurrency, UndoSpend
from loyalty_rules.ledger.protocol import IdempotencyConflict, Receipt
from loyalty_rules.testing.ledgers.facts.promising import reasons
from loyalty_rules.testing.ledgers.facts.till import BEN, HOUSEHOLD, Document, Till, earn, fixed, moment, shop

__all__ = ["SpendFacts", "UndoFacts", "WalletFacts"]

WALLET: Document = {"points": "100", "value": "5.00", "least": "200", "block": "100", "most": "1000"}


def period(days: int) -> Document:
    return {"type": "fixed_period", "after": {"days": days}}


def draws(receipt: Receipt) -> list[tuple[str, Decimal]]:
    """From which sales a spend was drawn, and how much from each."""
    (spent,) = receipt.intents
    assert isinstance(spent, SpendCurrency)
    return [(draw.lot.split("/")[1], draw.amount) for draw in spent.draws]


class SpendFacts:
    """An account is spent from."""

    @pytest.fixture
    def rich(self, till: Till) -> Till:
        """Anna has 10 points of each of five sales, which live 9 days, for ever, 3, for ever, and 3 days."""
        for number, expiry in enumerate((period(9), {"type": "never"}, period(3), {"type": "never"}, period(3)), 1):
            till.runs(shop(earn(fixed("10"), expiry=expiry)))
            till.sell(f"T{number}")
        return till

    def test_what_is_spent_is_gone(self, rich: Till) -> None:
        receipt = rich.spend("15")
        assert receipt.status == "recorded"
        assert rich.points() == 35

    def test_what_expires_soonest_goes_first_then_what_came_first_and_last_what_never_expires(self, rich: Till) -> None:
        order = [draws(rich.spend("10"))[0][0] for _ in range(5)]
        assert order == ["T3", "T5", "T1", "T2", "T4"]

    def test_a_spend_goes_on_to_the_next_lot(self, rich: Till) -> None:
        assert draws(rich.spend("25")) == [("T3", 10), ("T5", 10), ("T1", 5)]
        assert draws(rich.spend("7")) == [("T1", 5), ("T2", 2)]

    def test_all_of_it_may_be_spent(self, rich: Till) -> None:
        assert rich.spend("50").status == "recorded"
        assert rich.points() == 0

    def test_more_than_there_is_cannot_be_spent(self, rich: Till) -> None:
        before = rich.everything()
        assert reasons(rich.spend("50.000001")) == ("insufficient",)
        assert rich.everything() == before

    def test_what_has_expired_cannot_be_spent(self, rich: Till) -> None:
        rich.on(4, 0)
        assert reasons(rich.spend("31")) == ("insufficient",)
        assert draws(rich.spend("30")) == [("T1", 10), ("T2", 10), ("T4", 10)]

    @pytest.mark.parametrize("amount", ["0", "-1"])
    def test_only_more_than_nothing_is_spent(self, rich: Till, amount: str) -> None:
        assert reasons(rich.spend(amount)) == ("not_positive",)

    def test_a_currency_that_the_program_does_not_have_cannot_be_spent(self, rich: Till) -> None:
        assert reasons(rich.spend("1", currency="miles")) == ("unknown_currency",)

    @pytest.mark.parametrize("amount", ["0.0000001", "1.0000005", "NaN", "Infinity"])
    def test_what_is_no_amount_is_an_error_and_spends_nothing(self, rich: Till, amount: str) -> None:
        with pytest.raises(LoyaltyError):
            rich.spend(amount)
        assert rich.points() == 50

    def test_one_spends_from_the_account_that_is_named(self, rich: Till) -> None:
        assert reasons(rich.spend("1", account=BEN)) == ("insufficient",)
        assert reasons(rich.spend("1", account=HOUSEHOLD)) == ("insufficient",)

    def test_the_group_spends_what_its_members_earned(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), recipient="member_group")))
        for number, name in enumerate(("anna", "ben")):
            member = {"id": name, "group": "household"}
            till.process({"type": "transaction", "id": f"T{number}", "amount": "1", "member": member})
        assert till.spend("20", account=HOUSEHOLD).status == "recorded"
        assert till.points(HOUSEHOLD) == 0

    def test_a_spend_that_is_sent_again_is_recorded_already(self, rich: Till) -> None:
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

    def test_a_spend_that_was_refused_may_be_tried_again(self, till: Till) -> None:
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
        till.runs(shop(earn(fixed("10")), stars, currencies={"points": {}, "stars": {}}))
        till.sell("T1")
        till.spend("4", event="S1")
        till.spend("7", event="S1", currency="stars")
        assert (till.points(), till.points(currency="stars")) == (6, 0)

    @pytest.mark.usefixtures("as_of")
    def test_what_was_spent_was_there_before(self, rich: Till) -> None:
        rich.on(1)
        rich.spend("15")
        assert (rich.points(at=moment(0)), rich.points(at=moment(1))) == (50, 35)


class WalletFacts:
    """A wallet turns points into money, at its rate and within its bounds."""

    @pytest.fixture
    def wallet(self, till: Till) -> Till:
        """Anna has 1,500 points; 100 are worth 5.00."""
        till.runs(shop(earn(fixed("1500")), money="USD", currencies={"points": {"redeem": WALLET}}))
        till.sell("T1")
        return till

    def test_points_are_worth_what_the_rate_says(self, wallet: Till) -> None:
        (spent,) = wallet.spend("300").intents
        assert isinstance(spent, SpendCurrency)
        assert (spent.amount, spent.value) == (300, 15)

    def test_without_a_rate_points_are_worth_nothing_that_could_be_told(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T1")
        (spent,) = till.spend("10").intents
        assert isinstance(spent, SpendCurrency)
        assert spent.value is None

    def test_a_balance_is_drawn_down_over_several_purchases(self, wallet: Till) -> None:
        for left in (1200, 900, 600):
            wallet.spend("300")
            assert wallet.points() == left

    def test_no_transaction_spends_less_than_the_least(self, wallet: Till) -> None:
        assert reasons(wallet.spend("100")) == ("below_least",)
        assert wallet.spend("200").status == "recorded"

    def test_blocks_are_not_broken(self, wallet: Till) -> None:
        assert reasons(wallet.spend("250")) == ("not_a_block",)

    def test_no_transaction_spends_more_than_the_most(self, wallet: Till) -> None:
        assert reasons(wallet.spend("1100")) == ("above_most",)
        assert wallet.spend("1000").status == "recorded"

    def test_a_refusal_lists_every_reason(self, wallet: Till) -> None:
        assert reasons(wallet.spend("1550")) == ("not_a_block", "above_most", "insufficient")


class UndoFacts:
    """A spend is undone, once."""

    @pytest.fixture
    def spent(self, till: Till) -> Receipt:
        """Anna has spent 15 of the 10 points that live 3 days and the 10 that never expire."""
        for number, expiry in enumerate((period(3), {"type": "never"}), 1):
            till.runs(shop(earn(fixed("10"), expiry=expiry)))
            till.sell(f"T{number}")
        return till.spend("15", event="S1")

    def test_the_lots_get_their_units_back_with_their_own_expiry(self, till: Till, spent: Receipt) -> None:
        till.on(2)
        till.undo_spend(spent)
        assert [(lot.outstanding, lot.spent, lot.expires_on) for lot in till.lots()] == [
            (10, 0, moment(3).date()),
            (10, 0, None),
        ]
        assert (till.points(), till.points(at=moment(4))) == (20, 10)

    def test_what_has_expired_meanwhile_is_named_and_not_revived(self, till: Till, spent: Receipt) -> None:
        till.on(4, 0)
        (undone,) = till.undo_spend(spent).intents
        assert isinstance(undone, UndoSpend)
        assert [(draw.lot, draw.amount) for draw in undone.expired] == [("acme/T1/p/earn", 10)]
        assert [(draw.lot, draw.amount) for draw in undone.draws] == [("acme/T2/p/earn", 5)]
        assert till.points() == 10
        assert [(lot.outstanding, lot.spent, lot.expired) for lot in till.lots()] == [(0, 0, 10), (10, 0, 0)]

    def test_a_second_before_the_end_all_is_given_back(self, till: Till, spent: Receipt) -> None:
        till.on(3, 23, 59, 59)
        till.undo_spend(spent)
        assert till.points() == 20

    def test_what_a_sweep_has_written_down_is_not_revived_either(self, till: Till, spent: Receipt) -> None:
        till.on(4)
        till.expire()
        till.undo_spend(spent)
        till.expire()
        assert till.points() == 10

    def test_a_spend_is_undone_once(self, till: Till, spent: Receipt) -> None:
        till.undo_spend(spent)
        assert reasons(till.undo_spend(spent)) == ("already_undone",)
        assert till.points() == 20

    def test_an_undo_that_is_sent_again_is_recorded_already(self, till: Till, spent: Receipt) -> None:
        first = till.undo_spend(spent, event="R1")
        before = till.everything()
        assert till.undo_spend(spent, event="R1") == attrs.evolve(first, status="already_recorded")
        assert till.everything() == before

    @pytest.mark.usefixtures("spent")
    def test_only_a_spend_is_undone(self, till: Till) -> None:
        for key in ("acme/T1/p/earn", "acme/S9/spend/points", "other/S1/spend/points"):
            receipt = till.ledger.undo_spend(till.program, key, event="R1", at=till.now)
            assert reasons(receipt) == ("unknown_spend",)

    def test_a_spend_that_was_undone_is_not_made_again_by_a_retry(self, till: Till, spent: Receipt) -> None:
        till.undo_spend(spent)
        assert till.spend("15", event="S1").status == "already_recorded"
        assert till.points() == 20

    def test_one_cancellation_undoes_what_was_spent_of_two_currencies(self, till: Till) -> None:
        stars = earn(fixed("7"), "stars", currency="stars")
        till.runs(shop(earn(fixed("10")), stars, currencies={"points": {}, "stars": {}}))
        till.sell("T1")
        receipts = [till.spend("4", event="S1"), till.spend("7", event="S1", currency="stars")]
        assert [till.undo_spend(each, event="X1").status for each in receipts] == ["recorded"] * 2
        assert (till.points(), till.points(currency="stars")) == (10, 7)

    def test_what_is_given_back_can_be_spent_again(self, till: Till, spent: Receipt) -> None:
        till.undo_spend(spent)
        assert draws(till.spend("20")) == [("T1", 10), ("T2", 10)]
