"""Shortfalls and debts: units that returns could not take, and units that make them good. Source: semantics 11."""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from typing import Any

import pytest

from loyalty_rules.intents import UndoSpend
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.testing.ledgers.facts.promising import EXTERNAL
from loyalty_rules.testing.ledgers.facts.returning import reversals
from loyalty_rules.testing.ledgers.facts.till import BEN, Till, earn, fixed, proportional, shop

__all__ = ["ShortfallFacts"]


class ShortfallFacts:
    """Facts about shortfalls: they are written off, or carried as a debt."""

    def return_after_a_spend(self, till: Till, shortfall: str, **parts: Any) -> Receipt:
        """Issue Anna 10 points, spend 8 of them, and return the whole sale."""
        till.runs(shop(earn(proportional("10"), **parts), shortfall=shortfall))
        till.sell("T1")
        till.spend("8")
        return till.take_back("T1", "100")

    def test_a_reversal_names_its_shortfall(self, till: Till) -> None:
        (reversal,) = reversals(self.return_after_a_spend(till, "write_off"))
        assert (reversal.amount, reversal.shortfall, reversal.carried) == (10, 8, False)
        assert [draw.amount for draw in reversal.draws] == [2]

    def test_a_written_off_shortfall_is_not_a_debt(self, till: Till) -> None:
        self.return_after_a_spend(till, "write_off")
        assert (till.points(), till.debt()) == (0, 0)
        till.sell("T2")
        assert till.points() == 10

    def test_a_carried_shortfall_is_a_debt(self, till: Till) -> None:
        (reversal,) = reversals(self.return_after_a_spend(till, "carry"))
        assert (reversal.shortfall, reversal.carried) == (8, True)
        assert (till.points(), till.debt()) == (0, 8)

    def test_the_next_issue_pays_the_debt_first(self, till: Till) -> None:
        self.return_after_a_spend(till, "carry")
        till.sell("T2", "50")
        assert (till.points(), till.debt()) == (0, 3)
        till.sell("T3", "50")
        assert (till.points(), till.debt()) == (2, 0)
        till.sell("T4", "50")
        assert (till.points(), till.debt()) == (7, 0)

    def test_a_promise_pays_the_debt_when_it_is_released(self, till: Till) -> None:
        self.return_after_a_spend(till, "carry")
        till.runs(shop(earn(fixed("10"), timing=EXTERNAL)))
        till.sell("T2")
        assert (till.promised(), till.debt()) == (10, 8)
        till.confirm("acme/T2/p/earn")
        assert (till.points(), till.debt()) == (2, 0)

    def test_a_return_of_a_lot_that_paid_a_debt_restores_the_debt(self, till: Till) -> None:
        self.return_after_a_spend(till, "carry")
        till.sell("T2")
        till.take_back("T2", "100")
        assert (till.points(), till.debt()) == (0, 8)

    def test_a_debt_belongs_to_one_account_and_one_currency(self, till: Till) -> None:
        self.return_after_a_spend(till, "carry")
        stars = earn(fixed("7"), "stars", currency="stars")
        till.runs(shop(stars, earn(fixed("7")), currencies={"points": {}, "stars": {}}))
        till.sell("T2", member="ben")
        assert (till.points(BEN), till.debt(BEN)) == (7, 0)
        till.sell("T3")
        assert (till.points(currency="stars"), till.debt(currency="stars")) == (7, 0)

    @pytest.mark.usefixtures("as_of")
    def test_the_debt_as_of_a_day_is_the_debt_at_that_day(self, till: Till) -> None:
        self.return_after_a_spend(till, "carry")
        sold = till.now
        till.on(1)
        till.sell("T2", "50")
        till.on(2)
        till.sell("T3", "50")
        assert [till.debt(at=at) for at in (sold, till.now)] == [8, 0]

    def test_the_payment_of_a_debt_is_on_the_statement(self, till: Till) -> None:
        self.return_after_a_spend(till, "carry")
        till.on(1)
        till.sell("T2", "50")
        *_, entry = till.statement()
        assert (entry.source, entry.target, entry.amount, entry.lot) == ("available", "reversed", 5, "acme/T2/p/earn")

    @pytest.mark.parametrize("shortfall", ["write_off", "carry"])
    def test_units_of_an_undone_spend_make_good_a_shortfall(self, till: Till, shortfall: str) -> None:
        till.runs(shop(earn(proportional("10")), shortfall=shortfall))
        till.sell("T1")
        spent = till.spend("8")
        till.take_back("T1", "100")
        (undone,) = till.undo_spend(spent).intents
        assert isinstance(undone, UndoSpend)
        assert (undone.draws, undone.expired, [each.amount for each in undone.settled]) == ((), (), [8])
        assert (till.points(), till.debt()) == (0, 0)
        (lot,) = till.lots()
        assert (lot.spent, lot.reversed, lot.outstanding) == (0, 10, 0)

    def test_an_undo_in_parts_settles_as_much_as_an_undo_at_once(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1")
        till.sell("T2", "20")
        spent = till.spend("12")  # all units of both lots
        till.take_back("T1", "100")
        assert (till.undo_spend(spent, amount="5").status, till.points()) == ("recorded", 0)
        till.undo_spend(spent)
        assert till.points() == 2

    def test_expired_units_make_good_only_the_shortfall_of_their_own_lot(self, till: Till) -> None:
        for number, expiry in enumerate(({"type": "event_date", "after": {"days": 3}}, {"type": "never"}), 1):
            till.runs(shop(earn(proportional("10"), expiry=expiry), shortfall="carry"))
            till.sell(f"T{number}")
        spent = till.spend("20")
        till.take_back("T2", "100")  # 10 short of the lot that does not expire
        till.on(5)
        till.sell("T3", "40")
        till.take_back("T1", "50")  # 5 short of the expired lot
        assert (till.points(), till.debt()) == (0, 11)
        (undone,) = till.undo_spend(spent).intents
        assert isinstance(undone, UndoSpend)
        assert [(each.lot, each.amount) for each in undone.settled] == [
            ("acme/T2/p/earn", 6),
            ("acme/T2/p/earn", 4),
            ("acme/T1/p/earn", 1),
        ]
        assert [(each.lot, each.amount) for each in undone.expired] == [("acme/T1/p/earn", 9)]
        assert (till.points(), till.debt()) == (0, 0)

    def test_a_shortfall_written_off_before_a_spend_is_not_made_good(self, till: Till) -> None:
        self.return_after_a_spend(till, "write_off")
        till.on(1)
        till.sell("T2")
        spent = till.spend("10")
        till.undo_spend(spent)
        assert till.points() == 10

    def test_a_shortfall_follows_the_program_of_its_sale(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10")), shortfall="carry"))
        till.sell("T1")
        till.spend("8")
        till.runs(shop(earn(proportional("10")), shortfall="write_off"))
        till.take_back("T1", "100")
        assert till.debt() == 8
