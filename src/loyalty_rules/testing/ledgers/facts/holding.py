"""Holds: units set aside for a payment, their capture, their release, and their end by time. Source: semantics 12."""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from decimal import Decimal

import attrs
import pytest

from loyalty_rules.intents import HoldCurrency, ReleaseHold
from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.receipts import CaptureReceipt, HoldReceipt, Receipt
from loyalty_rules.ledger.reports import issuance, liability
from loyalty_rules.testing.ledgers.facts.promising import reasons
from loyalty_rules.testing.ledgers.facts.till import ANNA, Till, earn, fixed, moment, proportional, shop

__all__ = ["HoldFacts"]

RATE = {"points": {"redeem": {"points": "1", "value": "0.10"}}}


class HoldFacts:
    """Facts about holds."""

    def hold(self, till: Till, amount: str, days: int = 1, event: str = "H1") -> HoldReceipt:
        """Hold units of Anna's points for some days."""
        until = moment(days)
        return till.ledger.hold(till.program, ANNA, "points", Decimal(amount), until, event=event, at=till.now)

    def capture(self, till: Till, amount: str | None = None, event: str = "S1") -> CaptureReceipt:
        part = Decimal(amount) if amount is not None else None
        return till.ledger.capture(till.program, "acme/H1/hold/points", event=event, at=till.now, amount=part)

    def release(self, till: Till, event: str = "X1") -> Receipt:
        return till.ledger.release(till.program, "acme/H1/hold/points", event=event, at=till.now)

    def held(self, till: Till, day: int = 0) -> Decimal:
        return till.ledger.balance("acme", ANNA, "points", moment(day, 11)).held

    @pytest.fixture
    def purse(self, till: Till) -> Till:
        """Issue Anna 40 points that expire after 3 days and 60 that never expire."""
        for number, (amount, expiry) in enumerate(
            (("40", {"type": "fixed_period", "after": {"days": 3}}), ("60", {"type": "never"})), 1
        ):
            till.runs(shop(earn(fixed(amount), expiry=expiry), currencies=RATE))
            till.sell(f"T{number}")
        return till

    def test_held_units_are_neither_available_nor_spent(self, purse: Till) -> None:
        (held,) = self.hold(purse, "70").intents
        assert isinstance(held, HoldCurrency)
        assert [(each.lot, each.amount) for each in held.draws] == [("acme/T1/p/earn", 40), ("acme/T2/p/earn", 30)]
        assert (purse.points(), self.held(purse)) == (30, 70)
        assert [(lot.outstanding, lot.held, lot.spent) for lot in purse.lots()] == [(0, 40, 0), (30, 30, 0)]
        assert reasons(purse.spend("31")) == ("insufficient",)

    def test_a_hold_is_refused_as_a_spend_would_be(self, purse: Till) -> None:
        assert reasons(self.hold(purse, "101")) == ("insufficient",)
        assert reasons(self.hold(purse, "0")) == ("not_positive",)

    def test_a_retried_hold_is_recorded_once(self, purse: Till) -> None:
        first = self.hold(purse, "70")
        assert self.hold(purse, "70") == attrs.evolve(first, status="already_recorded")
        assert self.held(purse) == 70
        with pytest.raises(IdempotencyConflict):
            self.hold(purse, "60")

    def test_a_capture_spends_the_held_units(self, purse: Till) -> None:
        self.hold(purse, "70")
        receipt = self.capture(purse)
        assert receipt.spend is not None
        assert (receipt.spend.key, receipt.spend.amount, receipt.spend.value) == ("acme/S1/spend/points", 70, 7)
        assert (purse.points(), self.held(purse)) == (30, 0)
        assert [lot.spent for lot in purse.lots()] == [40, 30]

    def test_the_rest_of_a_hold_is_released_when_a_part_is_captured(self, purse: Till) -> None:
        self.hold(purse, "70")
        receipt = self.capture(purse, "50")
        assert receipt.release is not None
        assert [(each.lot, each.amount) for each in receipt.release.draws] == [("acme/T2/p/earn", 20)]
        assert (purse.points(), self.held(purse)) == (50, 0)
        assert [lot.spent for lot in purse.lots()] == [40, 10]

    def test_a_captured_spend_is_undone_as_any_other(self, purse: Till) -> None:
        self.hold(purse, "70")
        self.capture(purse)
        purse.ledger.undo_spend(purse.program, "acme/S1/spend/points", event="U1", at=purse.now)
        assert (purse.points(), [lot.outstanding for lot in purse.lots()]) == (100, [40, 60])

    def test_a_transaction_spends_each_currency_once_also_by_a_capture(self, purse: Till) -> None:
        self.hold(purse, "30")
        purse.spend("10", event="S1")
        with pytest.raises(IdempotencyConflict):
            self.capture(purse)
        assert self.capture(purse, event="S2").status == "recorded"
        assert self.capture(purse, event="S2").status == "already_recorded"

    def test_released_units_are_available_again(self, purse: Till) -> None:
        self.hold(purse, "70")
        self.release(purse)
        assert (purse.points(), self.held(purse)) == (100, 0)
        assert self.release(purse).status == "already_recorded"

    def test_a_hold_ends_once(self, purse: Till) -> None:
        self.hold(purse, "70")
        assert reasons(self.capture(purse, "70.000001")) == ("more_than_held",)
        self.release(purse)
        assert reasons(self.capture(purse)) == ("hold_ended",)
        assert reasons(self.release(purse, event="X2")) == ("hold_ended",)

    def test_a_hold_stands_before_its_end_and_not_at_it(self, purse: Till) -> None:
        self.hold(purse, "70")
        purse.on(1, 10)
        assert reasons(self.capture(purse)) == ("hold_ended",)
        assert reasons(self.release(purse)) == ("hold_ended",)
        purse.on(1, 9, 59, 59)
        assert self.capture(purse).status == "recorded"

    def test_an_unknown_hold_is_refused(self, purse: Till) -> None:
        assert reasons(self.capture(purse)) == ("unknown_hold",)
        assert reasons(self.release(purse)) == ("unknown_hold",)

    def test_units_are_available_again_by_time_alone(self, purse: Till) -> None:
        self.hold(purse, "70")
        assert [purse.points(at=each) for each in (moment(1, 9, 59, 59), moment(1, 10))] == [30, 100]
        purse.on(2)
        assert purse.spend("100").status == "recorded"
        assert (purse.points(), self.held(purse, 2)) == (0, 0)

    @pytest.mark.usefixtures("as_of")
    def test_a_sweep_records_the_end_of_a_hold_and_changes_no_balance(self, purse: Till) -> None:
        self.hold(purse, "70")
        purse.on(2)
        instants = [moment(0, 11), moment(1, 9), moment(1, 10), moment(2), moment(5)]
        before = [purse.ledger.balance("acme", ANNA, "points", each) for each in instants]
        (swept,) = purse.expire()
        assert isinstance(swept.intents[0], ReleaseHold)
        assert [purse.ledger.balance("acme", ANNA, "points", each) for each in instants] == before
        assert [entry.at for entry in purse.statement()][-2:] == [moment(1), moment(1)]

    def test_units_held_beyond_their_last_day_can_be_captured(self, purse: Till) -> None:
        self.hold(purse, "40", days=6)
        purse.on(5)
        purse.expire()
        assert (purse.points(), self.held(purse, 5)) == (60, 40)
        self.capture(purse)
        assert [lot.spent for lot in purse.lots()] == [40, 0]

    def test_units_held_beyond_their_last_day_expire_when_they_are_let_go(self, purse: Till) -> None:
        self.hold(purse, "40", days=6)
        purse.on(5)
        (released,) = self.release(purse).intents
        assert isinstance(released, ReleaseHold)
        assert ([each.amount for each in released.expired], released.draws) == ([40], ())
        assert (purse.points(), [lot.expired for lot in purse.lots()]) == (60, [40, 0])

    @pytest.mark.parametrize("ends_by_time", [True, False])
    @pytest.mark.parametrize("shortfall", ["write_off", "carry"])
    def test_held_units_are_short_in_a_return_and_make_it_good_when_let_go(
        self, till: Till, shortfall: str, ends_by_time: bool
    ) -> None:
        till.runs(shop(earn(proportional("10")), currencies=RATE, shortfall=shortfall))
        till.sell("T1")
        self.hold(till, "8", days=2)
        till.on(1)
        till.take_back("T1", "100")
        assert (till.points(), till.debt(), self.held(till, 1)) == (0, 8 if shortfall == "carry" else 0, 8)
        if ends_by_time:
            till.on(3)
        else:
            self.release(till)
        assert (till.points(), till.debt()) == (0, 0)
        till.sell("T2")
        assert (till.points(), till.debt()) == (10, 0)
        assert [lot.reversed for lot in till.lots()] == [10, 0]

    def test_held_units_are_owed_and_outstanding_in_reports(self, purse: Till) -> None:
        self.hold(purse, "40", days=6)
        rows = purse.ledger.report_rows("acme", moment(5))
        assert liability(purse.program, rows).total == 10
        (row,) = issuance(purse.program, rows)
        assert (row.issued, row.expired, row.outstanding) == (100, 0, 100)
        rows = purse.ledger.report_rows("acme", moment(7))
        assert liability(purse.program, rows).total == 6
        (row,) = issuance(purse.program, rows)
        assert (row.expired, row.outstanding) == (40, 60)
