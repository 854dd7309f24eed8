"""Promises: they are not part of the balance, and resolve at most once. Source: semantics 6, ledger P1."""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from collections.abc import Sequence
from decimal import Decimal

import attrs
import pytest

from loyalty_rules.intents import CancelPromise, IssueCurrency, ReleasePromise, SendMessage
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    HOUSEHOLD,
    Document,
    Till,
    earn,
    fixed,
    moment,
    proportional,
    shop,
)

__all__ = ["PromiseFacts"]

KEY = "acme/T1/p/earn"
EXTERNAL: Document = {"type": "external"}
SHIPPED: Document = {"type": "transaction_update", "when": {"field": "status", "is": "Shipped"}}


def delayed(days: int) -> Document:
    return {"type": "delayed", "days": days}


def released(receipts: Sequence[Receipt]) -> list[Decimal]:
    """Return the released amounts."""
    intents = [intent for receipt in receipts for intent in receipt.intents]
    return [intent.amount for intent in intents if isinstance(intent, ReleasePromise)]


def reasons(receipt: Receipt) -> tuple[str, ...]:
    """Return the reasons of a refusal."""
    assert receipt.status == "refused"
    assert receipt.refusal is not None
    return receipt.refusal.reasons


class PromiseFacts:
    """Facts about promises: they wait for a due date, a confirmation, or an update."""

    @pytest.fixture
    def promised(self, till: Till) -> Till:
        """Promise Anna 20 points, which wait for a confirmation."""
        till.runs(shop(earn(fixed("20"), timing=EXTERNAL)))
        till.sell("T1")
        return till

    # -- pending

    def test_a_promise_is_not_part_of_the_balance(self, promised: Till) -> None:
        assert (promised.points(), promised.promised()) == (0, 20)
        assert promised.promises() == [KEY]

    def test_a_promise_cannot_be_spent(self, promised: Till) -> None:
        assert reasons(promised.spend("1")) == ("insufficient",)

    def test_a_promise_does_not_expire(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=EXTERNAL, expiry={"type": "event_date", "after": {"days": 3}})))
        till.sell("T1")
        till.on(10)
        assert [*till.expire()] == []
        assert till.promised() == 20

    def test_a_promise_counts_against_its_cap(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=EXTERNAL, caps={"per_member": {"amount": "30"}})))
        till.sell("T1")
        till.sell("T2")
        assert till.promised() == 30

    # -- settled

    def test_a_promise_is_not_settled_before_it_is_due(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=delayed(5))))
        till.sell("T1")
        till.on(5, 9, 59, 59)
        assert [*till.settle()] == []
        assert (till.points(), till.promised()) == (0, 20)

    def test_a_promise_is_settled_at_the_instant_it_is_due(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=delayed(5))))
        till.sell("T1")
        till.on(5)
        assert released(till.settle()) == [20]
        assert (till.points(), till.promised(), till.promises()) == (20, 0, [])

    @pytest.mark.usefixtures("as_of")
    def test_a_late_settlement_issues_as_of_the_due_date(self, till: Till) -> None:
        period = {"type": "fixed_period", "after": {"days": 30}}
        till.runs(shop(earn(fixed("20"), timing=delayed(5), expiry=period)))
        till.sell("T1")
        till.on(9)
        till.settle()
        (lot,) = till.lots()
        assert (lot.issue_on, lot.expires_on) == (moment(5).date(), moment(35).date())
        assert till.points(at=moment(5)) == 20
        assert till.points(at=moment(5, 9)) == 0

    def test_a_second_settlement_changes_nothing(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=delayed(5))))
        till.sell("T1")
        till.on(5)
        till.settle()
        before = till.everything()
        assert released(till.settle()) == []
        assert till.everything() == before

    def test_promises_are_settled_in_the_order_of_their_due_dates(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=delayed(5)), earn(fixed("7"), "soon", timing=delayed(2))))
        till.sell("T1")
        till.on(1)
        till.sell("T2")
        till.on(5)
        assert released(till.settle()) == [7, 7, 20]
        assert till.promised() == 20

    def test_a_promise_without_delay_waits_for_the_settlement(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=delayed(0))))
        till.sell("T1")
        assert (till.points(), till.promised()) == (0, 20)
        assert released(till.settle()) == [20]

    # -- confirmed

    def test_a_confirmation_releases_the_promise(self, promised: Till) -> None:
        receipt = promised.confirm(KEY)
        assert released([receipt]) == [20]
        assert (promised.points(), promised.promised(), promised.promises()) == (20, 0, [])

    def test_a_promise_confirmed_twice_is_released_once(self, promised: Till) -> None:
        promised.confirm(KEY)
        assert reasons(promised.confirm(KEY)) == ("already_resolved",)
        assert promised.points() == 20

    def test_a_retried_confirmation_is_recorded_once(self, promised: Till) -> None:
        first = promised.confirm(KEY, event="C1")
        before = promised.everything()
        assert promised.confirm(KEY, event="C1") == attrs.evolve(first, status="already_recorded")
        assert promised.everything() == before

    def test_a_confirmation_may_cancel(self, promised: Till) -> None:
        receipt = promised.confirm(KEY, "cancel")
        (cancelled,) = (each for each in receipt.intents if isinstance(each, CancelPromise))
        assert (cancelled.outcome, cancelled.amount) == ("cancelled", 20)
        assert (promised.points(), promised.promised(), promised.promises()) == (0, 0, [])

    def test_a_cancelled_promise_cannot_be_confirmed(self, promised: Till) -> None:
        promised.confirm(KEY, "cancel")
        assert reasons(promised.confirm(KEY)) == ("already_resolved",)
        assert promised.points() == 0

    def test_a_confirmed_promise_cannot_be_cancelled(self, promised: Till) -> None:
        promised.confirm(KEY)
        assert reasons(promised.confirm(KEY, "cancel")) == ("already_resolved",)
        assert promised.points() == 20

    def test_a_cancelled_promise_no_longer_counts_against_its_cap(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=EXTERNAL, caps={"per_member": {"amount": "20"}})))
        till.sell("T1")
        till.confirm(KEY, "cancel")
        assert [intent.type for intent in till.sell("T2").intents] == ["issue_currency"]

    def test_a_confirmation_of_an_unknown_promise_is_refused(self, promised: Till) -> None:
        assert reasons(promised.confirm("acme/T9/p/earn")) == ("unknown_promise",)

    def test_a_promise_with_another_timing_cannot_be_confirmed(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=delayed(5))))
        till.sell("T1")
        assert reasons(till.confirm(KEY)) == ("not_external",)
        assert till.promised() == 20

    def test_an_external_promise_is_never_settled(self, promised: Till) -> None:
        promised.on(400)
        assert [*promised.settle()] == []
        assert promised.promised() == 20

    def test_a_period_counts_from_the_day_of_the_confirmation(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=EXTERNAL, expiry={"type": "fixed_period", "after": {"days": 30}})))
        till.sell("T1")
        till.on(7)
        till.confirm(KEY)
        assert till.points(at=moment(37, 23, 59, 59)) == 20
        assert till.points(at=moment(38, 0)) == 0

    # -- updated

    def test_an_update_that_satisfies_the_condition_releases(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=SHIPPED)))
        till.sell("T1", status="placed")
        till.update("T1", "packed")
        assert (till.points(), till.promised()) == (0, 20)
        assert released([till.update("T1", "Shipped")]) == [20]
        assert (till.points(), till.promised()) == (20, 0)

    def test_a_promise_updated_twice_is_released_once(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=SHIPPED)))
        till.sell("T1")
        till.update("T1", "Shipped")
        assert released([till.update("T1", "Shipped")]) == []
        assert till.points() == 20

    def test_a_retried_update_is_recorded_once(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=SHIPPED)))
        till.sell("T1")
        first = till.update("T1", "Shipped", event="U1")
        assert till.update("T1", "Shipped", event="U1") == attrs.evolve(first, status="already_recorded")

    def test_updates_are_merged(self, till: Till) -> None:
        when = {"all": [{"field": "status", "is": "Shipped"}, {"field": "custom_fields.paid", "is": True}]}
        till.runs(shop(earn(fixed("20"), timing={"type": "transaction_update", "when": when})))
        till.sell("T1")
        till.update("T1", "Shipped")
        assert till.points() == 0
        till.process({"type": "update", "id": "U2", "of": "T1", "custom_fields": {"paid": True}})
        assert till.points() == 20

    def test_an_update_releases_no_promise_of_another_sale(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=SHIPPED)))
        till.sell("T1")
        till.sell("T2")
        till.update("T2", "Shipped")
        assert till.promises() == [KEY]

    def test_an_update_of_an_unknown_sale_is_refused(self, till: Till) -> None:
        assert reasons(till.update("T9", "Shipped")) == ("unknown_sale",)

    # -- lapsed

    def test_a_promise_whose_expiry_is_past_lapses(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=EXTERNAL, expiry={"type": "event_date", "after": {"days": 3}})))
        till.sell("T1")
        till.on(4, 0)
        (lapsed,) = till.confirm(KEY).intents
        assert isinstance(lapsed, CancelPromise)
        assert lapsed.outcome == "lapsed"
        assert (till.points(), till.promised(), till.promises()) == (0, 0, [])
        assert reasons(till.confirm(KEY)) == ("already_resolved",)

    def test_a_promise_is_released_on_its_last_day(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=EXTERNAL, expiry={"type": "event_date", "after": {"days": 3}})))
        till.sell("T1")
        till.on(3, 23, 59, 59)
        till.confirm(KEY)
        assert till.points() == 20
        assert till.points(at=moment(4, 0)) == 0

    def test_a_lapsed_promise_no_longer_counts_against_its_cap(self, till: Till) -> None:
        soon = {"type": "event_date", "after": {"days": 3}}
        till.runs(shop(earn(fixed("20"), timing=EXTERNAL, expiry=soon, caps={"total": {"times": 1}})))
        till.sell("T1")
        till.on(9)
        till.confirm(KEY)
        till.sell("T2")
        assert till.promises() == ["acme/T2/p/earn"]

    # -- returned

    def test_a_return_takes_the_promise_first(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"), timing=delayed(5))))
        till.sell("T0")
        till.on(5)
        till.settle()
        till.sell("T1")
        till.take_back("T1", "30")
        assert (till.points(), till.promised()) == (10, 7)
        till.on(10)
        assert released(till.settle()) == [7]

    def test_a_fully_returned_promise_is_never_released(self, promised: Till) -> None:
        promised.take_back("T1", "100")
        assert promised.promises() == []
        assert reasons(promised.confirm(KEY)) == ("already_resolved",)
        assert promised.points() == 0

    def test_a_return_at_the_due_instant_comes_before_the_settlement(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=delayed(5))))
        till.sell("T1")
        till.on(5)
        till.take_back("T1", "100")
        assert released(till.settle()) == []
        assert (till.points(), till.promised()) == (0, 0)

    def test_a_return_right_after_the_settlement_leaves_nothing(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=delayed(5))))
        till.sell("T1")
        till.on(5)
        till.settle()
        till.take_back("T1", "100")
        assert (till.points(), till.promised()) == (0, 0)

    # -- the program of the sale

    def test_a_promise_outlives_its_promotion(self, promised: Till) -> None:
        promised.runs(shop())
        promised.confirm(KEY)
        assert promised.points() == 20

    def test_a_promise_is_settled_by_the_program_of_its_sale(self, till: Till) -> None:
        period = {"type": "fixed_period", "after": {"days": 30}}
        till.runs(shop(earn(fixed("20"), timing=delayed(5), expiry=period)))
        till.sell("T1")
        till.runs(shop(earn(fixed("99"), timing=delayed(9))))
        till.on(5)
        assert released(till.settle()) == [20]
        assert till.points(at=moment(35, 23)) == 20
        assert till.points(at=moment(36, 0)) == 0

    def test_a_promise_to_the_group_is_released_to_the_group(self, till: Till) -> None:
        till.runs(shop(earn(fixed("20"), timing=EXTERNAL, recipient="member_group")))
        till.process({"type": "transaction", "id": "T1", "amount": "1", "member": {"id": "anna", "group": "household"}})
        assert till.promised(HOUSEHOLD) == 20
        till.confirm(KEY)
        assert (till.points(HOUSEHOLD), till.points(ANNA)) == (20, 0)

    def test_the_release_sends_the_message_of_the_issue(self, till: Till) -> None:
        message = {"template": "yours", "promised_template": "soon", "mandatory": ["email"]}
        till.runs(shop(earn(fixed("20"), timing=EXTERNAL, communication=message)))
        told = [*till.sell("T1").intents, *till.confirm(KEY).intents]
        assert [each.template for each in told if isinstance(each, SendMessage)] == ["soon", "yours"]
        assert len([each for each in told if isinstance(each, IssueCurrency)]) == 1
