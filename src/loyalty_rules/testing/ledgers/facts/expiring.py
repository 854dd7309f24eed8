"""Expiry: time expires a lot, a sweep records it, and an extension never shortens. Source: semantics 5, ledger 2."""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from datetime import datetime

import pytest

from loyalty_rules.intents import ExpireCurrency, ExtendExpiry
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    HOUSEHOLD,
    Document,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    moment,
    shop,
)

__all__ = ["ExpiryFacts", "ExtensionFacts"]


def period(days: int) -> Document:
    return {"type": "fixed_period", "after": {"days": days}}


def rolling(days: int, scope: str = "balance") -> Document:
    return {"type": "rolling", "after": {"days": days}, "scope": scope}


class ExpiryFacts:
    """Facts about expiry: a lot is valid until the end of its last day (inclusive), in the program's zone."""

    def test_a_lot_is_live_until_the_last_second_of_its_last_day(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=period(10))))
        till.sell("T1")
        assert till.points(at=moment(10, 23, 59, 59)) == 10
        assert till.points(at=moment(11, 0)) == 0

    def test_the_last_day_is_a_day_in_the_programs_zone(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=period(10)), time_zone="America/New_York"))
        till.sell("T1")
        assert till.points(at=moment(11, 4, 59, 59)) == 10
        assert till.points(at=moment(11, 5)) == 0

    def test_a_sweep_records_the_expiry_of_the_outstanding_amount(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=period(10))))
        till.sell("T1")
        till.spend("4")
        till.on(20)
        ((expired,),) = (receipt.intents for receipt in till.expire())
        assert isinstance(expired, ExpireCurrency)
        assert (expired.lot, expired.amount, expired.expired_at) == ("acme/T1/p/earn", 6, moment(11, 0))
        (lot,) = till.lots()
        assert (lot.spent, lot.expired, lot.outstanding) == (4, 6, 0)

    @pytest.mark.parametrize("swept", [False, True])
    def test_an_expiry_does_not_take_spent_units(self, till: Till, swept: bool) -> None:
        till.runs(shop(earn(fixed("100"), expiry=period(10))))
        till.sell("T1")
        till.runs(shop(earn(fixed("50"))))
        till.sell("T2")
        till.spend("60")
        till.on(20)
        if swept:
            till.expire()
        assert till.points() == 50

    def test_a_sweep_leaves_live_lots(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=period(10)), earn(fixed("5"), "ever")))
        till.sell("T1")
        till.on(10, 23, 59, 59)
        assert [*till.expire()] == []
        till.on(11, 0)
        assert len(till.expire()) == 1
        assert till.points() == 5

    def test_a_second_sweep_changes_nothing(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=period(10)), hand_out(), coupon_types=coupon_type(validity=VALIDITY)))
        till.sell("T1")
        till.on(20)
        assert len(till.expire()) == 2
        before = till.everything()
        assert [*till.expire()] == []
        assert till.everything() == before

    @pytest.mark.usefixtures("as_of")
    def test_a_sweep_changes_no_balance_as_of_any_instant(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=period(3)), earn(fixed("5"), "long", expiry=rolling(7))))
        for day in range(4):
            till.on(day)
            till.sell(f"T{day}")
        till.spend("12")
        till.on(30)
        instants = [moment(day, hour) for day in range(14) for hour in (0, 10)]
        before = [self.answers(till, at) for at in instants]
        assert len(till.expire()) > 0
        assert [self.answers(till, at) for at in instants] == before

    def answers(self, till: Till, at: datetime) -> object:
        """Return the balance, the live lots and the promises as of an instant."""
        live = [(lot.key, lot.outstanding, lot.spent, lot.expires_at) for lot in till.lots(at=at) if lot.is_live(at)]
        return till.ledger.balance("acme", ANNA, "points", at), live, till.promises(at)

    def test_a_balance_is_the_sum_of_its_live_lots(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=period(3)), earn(fixed("5"), "ever")))
        for day in range(4):
            till.on(day)
            till.sell(f"T{day}")
        till.spend("3")
        till.on(5)
        assert till.points() == sum(lot.outstanding for lot in till.lots() if lot.is_live(till.now)) == 40

    @pytest.mark.usefixtures("as_of")
    def test_a_later_issue_is_not_in_the_balance_as_of_an_earlier_day(self, till: Till) -> None:
        till.on(5)
        till.runs(shop(earn(fixed("10"))))
        till.sell("T1")
        assert (till.points(at=moment(4)), till.points(at=moment(5))) == (0, 10)
        assert till.lots(at=moment(4)) == []


VALIDITY: Document = {"expiry": period(3)}


class ExtensionFacts:
    """Facts about rolling expiries, which extend the balance."""

    def ends(self, till: Till, at: datetime | None = None) -> dict[str, str | None]:
        """Return the expiry dates of the lots, by sale."""
        lots = till.lots(at=at)
        return {lot.issue.event: lot.expires_on.isoformat() if lot.expires_on is not None else None for lot in lots}

    def test_a_rolling_issue_extends_the_live_balance_to_its_own_expiry(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=rolling(10))))
        till.sell("T1")
        till.on(5)
        receipt = till.sell("T2")
        assert [intent.type for intent in receipt.intents] == ["issue_currency", "extend_expiry"]
        assert self.ends(till) == {"T1": "2025-01-30", "T2": "2025-01-30"}
        assert (till.points(at=moment(15, 23)), till.points(at=moment(16, 0))) == (20, 0)

    @pytest.mark.usefixtures("as_of")
    def test_the_lots_as_of_the_day_before_have_the_old_expiry(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=rolling(10))))
        till.sell("T1")
        till.on(5)
        till.sell("T2")
        assert self.ends(till, moment(4)) == {"T1": "2025-01-25"}

    def test_an_extension_never_shortens(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=period(40))))
        till.sell("T1")
        till.runs(shop(earn(fixed("10"), expiry=rolling(10))))
        till.sell("T2")
        assert self.ends(till) == {"T1": "2025-02-24", "T2": "2025-01-25"}

    @pytest.mark.parametrize("swept", [False, True])
    def test_an_extension_does_not_revive_expired_lots(self, till: Till, swept: bool) -> None:
        till.runs(shop(earn(fixed("10"), expiry=rolling(10))))
        till.sell("T1")
        till.on(11, 0)
        if swept:
            till.expire()
        till.sell("T2")
        assert till.points() == 10
        till.expire()
        assert till.points() == 10

    def test_in_its_last_second_a_lot_is_still_extended(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=rolling(10))))
        till.sell("T1")
        till.on(10, 23, 59, 59)
        till.sell("T2")
        till.on(11, 0)
        till.expire()
        assert till.points() == 20

    def test_an_extension_leaves_lots_that_never_expire(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T1")
        till.runs(shop(earn(fixed("10"), expiry=rolling(10))))
        till.sell("T2")
        assert self.ends(till)["T1"] is None

    def test_the_scope_rolling_lots_extends_only_rolling_lots(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=period(3))))
        till.sell("T1")
        till.runs(shop(earn(fixed("10"), expiry=rolling(10, "rolling_lots"))))
        till.sell("T2")
        till.on(2)
        till.sell("T3")
        assert self.ends(till) == {"T1": "2025-01-18", "T2": "2025-01-27", "T3": "2025-01-27"}

    def test_an_extension_leaves_other_currencies_and_accounts(self, till: Till) -> None:
        both: Document = {"points": {}, "stars": {}}
        till.runs(shop(earn(fixed("10"), expiry=period(3), currency="stars"), currencies=both))
        till.sell("T1")
        till.runs(shop(earn(fixed("10"), expiry=period(3), recipient="member_group"), currencies=both))
        member = {"id": "anna", "group": "household"}
        till.process({"type": "transaction", "id": "T2", "amount": "1", "member": member})
        till.runs(shop(earn(fixed("10"), expiry=rolling(10)), currencies=both))
        till.sell("T3")
        till.on(5)
        assert (till.points(currency="stars"), till.points(HOUSEHOLD), till.points()) == (0, 0, 10)

    def test_a_promise_extends_the_balance_at_once(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=rolling(10))))
        till.sell("T1")
        till.runs(shop(earn(fixed("10"), expiry=rolling(10), timing={"type": "external"})))
        till.on(5)
        till.sell("T2")
        assert till.points(at=moment(15)) == 10

    def test_an_issue_refused_by_a_cap_extends_nothing(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=rolling(10), caps={"total": {"amount": "10"}})))
        late = till.decide("T2")
        till.sell("T1")
        till.on(5)
        receipt = till.ledger.record(late)
        assert [isinstance(intent, ExtendExpiry) for intent in receipt.intents] == []
        assert self.ends(till) == {"T1": "2025-01-25"}

    def test_an_extended_lot_is_swept_at_its_new_expiry(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=rolling(10))))
        till.sell("T1")
        till.on(5)
        till.sell("T2")
        till.on(12)
        assert [*till.expire()] == []
        till.on(16, 0)
        assert len(till.expire()) == 2

    def test_a_return_does_not_undo_an_extension(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=rolling(10))))
        till.sell("T1")
        till.on(5)
        till.sell("T2")
        till.take_back("T2", "100")
        assert till.points(at=moment(15)) == 10
