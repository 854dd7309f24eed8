"""Recording: a decision is recorded once, as a whole, and within its caps.

Source: ledger 2 (P2, P4, P5, P6), semantics 8.
"""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from loyalty_rules.intents import IssueCoupon, IssueCurrency, SendMessage
from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.receipts import Receipt, Trim
from loyalty_rules.serials import DerivedSerials
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    BEN,
    HOUSEHOLD,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    moment,
    proportional,
    shop,
)

__all__ = ["CapFacts", "RecordFacts", "ReplayFacts", "StatementFacts", "TrackerFacts", "TransactionFacts"]

DAY = {"type": "calendar", "unit": "day"}
MESSAGE = {"template": "hello", "mandatory": ["email"]}


def issued(receipt: Receipt) -> list[Decimal]:
    """Return the issued amounts of a receipt."""
    return [intent.amount for intent in receipt.intents if isinstance(intent, IssueCurrency)]


def kinds(receipt: Receipt) -> list[str]:
    return [intent.type for intent in receipt.intents]


class RecordFacts:
    """Facts about recorded sales and activities."""

    def test_a_sale_earns_the_decided_amount(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        receipt = till.sell("T1", "120")
        assert (receipt.status, issued(receipt), receipt.trims) == ("recorded", [12], ())
        assert till.points() == 12

    def test_process_evaluates_a_sale_and_records_the_evaluation(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        evaluation = till.decide("T1", "120")
        receipt = till.ledger.record(evaluation)
        assert (receipt.status, receipt.intents) == ("recorded", evaluation.intents)
        assert till.points() == 12

    def test_a_new_ledger_is_empty(self, till: Till) -> None:
        assert till.points() == till.promised() == till.debt() == 0
        assert (till.lots(), till.statement(), till.promises()) == ([], [], [])
        assert till.ledger.coupon("acme", "0000000000000000 00") is None

    def test_an_activity_earns_too(self, till: Till) -> None:
        till.runs(shop(promotions=[{"id": "p", "trigger": "registration", "actions": [earn(fixed("50"))]}]))
        till.activity("A1")
        assert till.points() == 50

    def test_an_anonymous_sale_earns_no_points(self, till: Till) -> None:
        till.runs(shop(earn(fixed("50"))))
        receipt = till.sell("T1", member=None)
        assert (receipt.status, receipt.intents) == ("recorded", ())

    def test_an_issue_to_the_group_is_in_the_account_of_the_group(self, till: Till) -> None:
        till.runs(shop(earn(fixed("50"), recipient="member_group")))
        till.process({"type": "transaction", "id": "T1", "amount": "1", "member": {"id": "anna", "group": "household"}})
        assert (till.points(HOUSEHOLD), till.points(ANNA)) == (50, 0)

    def test_a_member_and_a_group_of_one_name_are_two_accounts(self, till: Till) -> None:
        till.runs(shop(earn(fixed("50"), recipient="member_group")))
        till.process({"type": "transaction", "id": "T1", "amount": "1", "member": {"id": "ben", "group": "anna"}})
        assert till.points(ANNA) == 0

    def test_each_member_has_an_account(self, till: Till) -> None:
        till.runs(shop(earn(fixed("50"))))
        till.sell("T1")
        assert (till.points(ANNA), till.points(BEN)) == (50, 0)

    def test_each_currency_has_a_balance(self, till: Till) -> None:
        stars = earn(fixed("7"), "stars", currency="stars")
        till.runs(shop(earn(fixed("50")), stars, currencies={"points": {}, "stars": {}}))
        till.sell("T1")
        assert (till.points(), till.points(currency="stars")) == (50, 7)

    def test_two_programs_share_neither_events_nor_balances(self, till: Till) -> None:
        till.runs(shop(earn(fixed("50"))))
        till.sell("T1")
        till.runs(shop(earn(fixed("9")), id="other"))
        assert till.sell("T1").status == "recorded"
        assert till.points() == 50
        assert till.ledger.balance("other", ANNA, "points", till.now).available == 9

    def test_an_id_with_a_slash_differs_from_its_escaped_form(self, till: Till) -> None:
        till.runs(shop(earn(fixed("50"))))
        assert [till.sell(event).status for event in ("T/1", "T%2F1", "T%252F1")] == ["recorded"] * 3
        assert till.points() == 150

    def test_amounts_are_kept_to_the_sixth_decimal(self, till: Till) -> None:
        till.runs(shop(earn(fixed("0.000001")), currencies={"points": {"decimals": 6}}))
        till.sell("T1")
        till.sell("T2")
        assert till.points() == Decimal("0.000002")

    def test_amounts_of_fifteen_digits_add_up_exactly(self, till: Till) -> None:
        till.runs(shop(earn(fixed("900719925474.099301")), currencies={"points": {"decimals": 6}}))
        till.sell("T1")
        till.sell("T2")
        assert till.points() == Decimal("1801439850948.198602")


class ReplayFacts:
    """Facts about retries: an operation is recorded exactly once."""

    def test_a_sale_processed_twice_is_recorded_once(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10")), hand_out(), coupon_types=coupon_type()))
        first = till.sell("T1")
        before = till.everything()
        again = till.sell("T1")
        assert again == attrs.evolve(first, status="already_recorded")
        assert till.everything() == before

    def test_an_evaluation_recorded_twice_is_recorded_once(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        evaluation = till.decide("T1")
        first = till.ledger.record(evaluation)
        before = till.everything()
        assert till.ledger.record(evaluation) == attrs.evolve(first, status="already_recorded")
        assert till.everything() == before

    def test_a_retry_with_a_later_snapshot_is_the_same_sale(self, till: Till) -> None:
        till.runs(shop(earn(fixed("50"), caps={"per_member": {"amount": "50"}})))
        first = till.ledger.record(till.decide("T1"))
        again = till.ledger.record(till.decide("T1"))
        assert again == attrs.evolve(first, status="already_recorded")

    def test_a_retry_after_a_program_change_returns_the_first_receipt(self, till: Till) -> None:
        till.runs(shop(earn(fixed("50"))))
        first = till.sell("T1")
        till.runs(shop(earn(fixed("70"))))
        assert till.sell("T1") == attrs.evolve(first, status="already_recorded")
        assert till.points() == 50

    def test_a_retry_with_other_keys_returns_the_issued_serial(self, till: Till) -> None:
        till.runs(shop(hand_out(), coupon_types=coupon_type()))
        first = till.sell("T1")
        till.serials = DerivedSerials.from_master(b"another master key for other days", "1")
        assert till.sell("T1").intents == first.intents
        assert till.ledger.record(till.decide("T1")).intents == first.intents

    def test_a_trimmed_sale_is_replayed_as_it_was_recorded(self, till: Till) -> None:
        till.runs(shop(earn(fixed("50"), caps={"total": {"amount": "70"}})))
        late = till.decide("T2")
        till.sell("T1")
        trimmed = till.ledger.record(late)
        assert till.ledger.record(late) == attrs.evolve(trimmed, status="already_recorded")
        assert till.points() == 70

    def test_another_amount_under_the_same_id_is_a_conflict_that_names_the_amount(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        first = till.sell("T1", "120")
        before = till.everything()
        with pytest.raises(IdempotencyConflict) as conflict:
            till.sell("T1", "130")
        assert (conflict.value.field, conflict.value.receipt) == ("event.amount", first)
        assert till.everything() == before

    def test_a_conflict_names_the_line_that_differs(self, till: Till) -> None:
        lines = [{"id": "1", "quantity": "1", "value": "60"}, {"id": "2", "quantity": "1", "value": "60"}]
        till.sell("T1", "120", lines=lines)
        with pytest.raises(IdempotencyConflict) as conflict:
            till.sell("T1", "120", lines=[lines[0], {**lines[1], "quantity": "2"}])
        assert conflict.value.field == "event.lines[1].quantity"

    def test_an_evaluation_under_another_program_version_is_a_conflict(self, till: Till) -> None:
        till.runs(shop(earn(fixed("50"))))
        till.ledger.record(till.decide("T1"))
        till.runs(shop(earn(fixed("70"))))
        with pytest.raises(IdempotencyConflict) as conflict:
            till.ledger.record(till.decide("T1"))
        assert conflict.value.field == "program_version"
        assert till.points() == 50

    def test_a_return_with_the_id_of_a_sale_is_a_conflict(self, till: Till) -> None:
        till.sell("T1")
        with pytest.raises(IdempotencyConflict):
            till.take_back("T1", "100", event="T1")

    def test_a_sale_with_the_id_of_a_return_is_a_conflict(self, till: Till) -> None:
        till.sell("T1")
        till.take_back("T1", "100", event="R1")
        with pytest.raises(IdempotencyConflict):
            till.sell("R1")

    def test_a_return_replayed_with_another_amount_is_a_conflict(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1")
        till.take_back("T1", "30", event="R1")
        with pytest.raises(IdempotencyConflict) as conflict:
            till.take_back("T1", "40", event="R1")
        assert conflict.value.field == "event.amount"
        assert till.points() == 7

    def test_a_refusal_records_nothing(self, till: Till) -> None:
        refused = till.take_back("T1", "100", event="R1")
        assert refused.status == "refused"
        assert refused.refusal is not None
        assert refused.refusal.reasons == ("unknown_sale",)
        till.sell("T1")
        assert till.take_back("T1", "100", event="R1").status == "recorded"


class CapFacts:
    """Facts about caps: no cap is exceeded, even if two tills evaluate by the same snapshot."""

    def test_the_snapshot_of_a_sale_has_the_counts_so_far(self, till: Till) -> None:
        till.runs(
            shop(
                earn(fixed("30"), caps={"per_member": {"amount": "100"}, "total": {"times": 9}}),
                hand_out(),
                coupon_types=coupon_type(caps={"per_store": 5, "per_member": 6, "total": 7}),
                limits={"daily": {"currency": "points", "per": "member", "amount": "500", "window": DAY}},
            )
        )
        till.sell("T1", store="S1")
        till.sell("T2", store="S2")
        seen = till.ledger.snapshot(till.program, till.bill("T3", store="S1"))
        assert seen.issued["p/earn"].member.amount == 60
        assert seen.issued["p/earn"].total.times == 2
        assert seen.limits["daily"] == 60
        assert (seen.coupons["next-visit"].store, seen.coupons["next-visit"].total) == (1, 2)

    def test_two_concurrent_issues_are_trimmed_to_the_cap(self, till: Till) -> None:
        till.runs(shop(earn(fixed("60"), caps={"per_member": {"amount": "100"}})))
        first, second = till.decide("T1"), till.decide("T2")
        assert issued(till.ledger.record(first)) == [60]
        receipt = till.ledger.record(second)
        assert issued(receipt) == [40]
        counter = "p/earn/member/anna/lifetime"
        assert receipt.trims == (Trim("acme/T2/p/earn", counter, Decimal(60), Decimal(40)),)
        assert till.points() == 100

    def test_a_trimmed_issue_is_recorded_with_its_trimmed_amount(self, till: Till) -> None:
        till.runs(shop(earn(fixed("60"), caps={"total": {"amount": "100"}})))
        first, second = till.decide("T1"), till.decide("T2")
        till.ledger.record(first)
        till.ledger.record(second)
        assert [lot.issued for lot in till.lots()] == [60, 40]
        assert [lot.issue.amount for lot in till.lots()] == [60, 40]

    def test_the_shares_of_a_trimmed_issue_sum_to_its_amount(self, till: Till) -> None:
        lines = [{"id": str(number), "quantity": "1", "value": "10"} for number in (1, 2, 3)]
        cents = {"points": {"decimals": 2}}
        till.runs(shop(earn(fixed("60"), caps={"total": {"amount": "70"}}), currencies=cents))
        first, second = till.decide("T1", lines=lines), till.decide("T2", lines=lines)
        till.ledger.record(first)
        (trimmed,) = (each for each in till.ledger.record(second).intents if isinstance(each, IssueCurrency))
        assert trimmed.amount == 10
        assert [share.amount for share in trimmed.shares] == [Decimal("3.34"), Decimal("3.33"), Decimal("3.33")]

    def test_an_issue_trimmed_to_nothing_is_not_recorded_and_sends_no_message(self, till: Till) -> None:
        till.runs(shop(earn(fixed("60"), caps={"total": {"amount": "60"}}, communication=MESSAGE)))
        first, second = till.decide("T1"), till.decide("T2")
        assert kinds(till.ledger.record(first)) == ["issue_currency", "send_message"]
        receipt = till.ledger.record(second)
        assert (receipt.status, receipt.intents) == ("recorded", ())
        assert [(trim.asked, trim.left) for trim in receipt.trims] == [(60, 0)]

    def test_a_cap_of_times_limits_the_number_of_issues(self, till: Till) -> None:
        till.runs(shop(earn(fixed("60"), caps={"per_member": {"times": 1}})))
        first, second, bens = till.decide("T1"), till.decide("T2"), till.decide("T3", member="ben")
        assert [issued(till.ledger.record(each)) for each in (first, second, bens)] == [[60], [], [60]]

    def test_a_limit_binds_all_promotions_together(self, till: Till) -> None:
        limits = {"daily": {"currency": "points", "per": "member", "amount": "100", "window": DAY}}
        till.runs(shop(earn(fixed("40")), earn(fixed("30"), "more"), limits=limits))
        first, second = till.decide("T1"), till.decide("T2")
        till.ledger.record(first)
        assert issued(till.ledger.record(second)) == [30]
        till.on(1)
        assert issued(till.sell("T3")) == [40, 30]

    def test_a_limit_per_store_counts_each_store_separately(self, till: Till) -> None:
        limits = {"store": {"currency": "points", "per": "store", "amount": "50"}}
        till.runs(shop(earn(fixed("40")), limits=limits))
        sales = [till.decide("T1", store="S1"), till.decide("T2", store="S1"), till.decide("T3", store="S2")]
        assert [issued(till.ledger.record(each)) for each in sales] == [[40], [10], [40]]

    def test_a_rolling_cap_counts_the_days_up_to_the_sale(self, till: Till) -> None:
        window = {"type": "rolling", "days": 3}
        till.runs(shop(earn(fixed("40"), caps={"per_member": {"amount": "50", "window": window}})))
        taken = []
        for day in range(4):
            till.on(day)
            taken.append(issued(till.sell(f"T{day}")))
        assert taken == [[40], [10], [], [40]]

    def test_a_rolling_cap_holds_for_every_window_in_whatever_order_sales_come(self, till: Till) -> None:
        window = {"type": "rolling", "days": 3}
        till.runs(shop(earn(fixed("40"), caps={"per_member": {"amount": "50", "window": window}})))
        taken = []
        for day in (6, 5, 4, 2, 3, 9, 8):
            till.on(day)
            taken.append(issued(till.sell(f"T{day}")))
        # 6: 40. 5: 10 more in 4 to 6 and 5 to 7. 4: none. 2: 40 in 2 to 4. 3: 3 to 5 has 10, but 2 to 4 has 40, so 10.
        # 9: 40 in 7 to 9. 8: 6 to 8 has 40, 7 to 9 has 40, so 10.
        assert taken == [[40], [10], [], [40], [10], [40], [10]]

    def test_a_rolling_limit_holds_for_every_window_in_whatever_order_sales_come(self, till: Till) -> None:
        days_30 = {"type": "rolling", "days": 30}
        limit = {"currency": "points", "per": "member", "amount": "100", "window": days_30}
        till.runs(shop(earn(fixed("100")), limits={"monthly": limit}))
        for day in (19, 18, 17, 16):
            till.on(day)
            till.sell(f"T{day}")
        till.on(20)
        assert till.points() == 100

    def test_a_rolling_tracker_is_the_window_that_ends_on_the_day_of_the_sale(self, till: Till) -> None:
        spent = {"measure": {"type": "transaction_value"}, "target": "500", "window": {"type": "rolling", "days": 3}}
        till.runs(shop(earn(fixed("10")), trackers={"spent": spent}))
        till.on(6)
        till.sell("T6", "100")
        till.on(5)
        assert till.ledger.snapshot(till.program, till.bill("T5")).trackers == {"spent": 0}

    def test_a_coupon_over_its_cap_is_refused_and_named(self, till: Till) -> None:
        till.runs(shop(hand_out(communication=MESSAGE), coupon_types=coupon_type(caps={"total": 1})))
        first, second = till.decide("T1"), till.decide("T2")
        assert kinds(till.ledger.record(first)) == ["issue_coupon", "send_message"]
        receipt = till.ledger.record(second)
        assert (receipt.status, receipt.intents) == ("recorded", ())
        assert receipt.trims == (Trim("acme/T2/p/thanks/1", "coupon/next-visit/total", Decimal(1), Decimal(0)),)
        (refused,) = (each for each in second.intents if isinstance(each, IssueCoupon))
        assert till.ledger.coupon("acme", refused.serial or "") is None

    def test_coupons_are_issued_up_to_the_cap(self, till: Till) -> None:
        till.runs(shop(hand_out(quantity=2, communication=MESSAGE), coupon_types=coupon_type(caps={"per_store": 3})))
        sales = till.decide("T1", store="S1"), till.decide("T2", store="S1")
        till.ledger.record(sales[0])
        receipt = till.ledger.record(sales[1])
        assert kinds(receipt) == ["issue_coupon", "send_message"]
        messages = [each for each in receipt.intents if isinstance(each, SendMessage)]
        assert [each.about for each in messages] == [("acme/T2/p/thanks/1",)]
        assert len(till.ledger.coupons("acme", "anna")) == 3

    def test_a_returned_issue_no_longer_counts_against_its_cap(self, till: Till) -> None:
        till.runs(shop(earn(fixed("60"), caps={"per_member": {"amount": "60"}, "total": {"times": 1}})))
        till.sell("T1")
        assert issued(till.sell("T2")) == []
        till.take_back("T1", "100")
        assert issued(till.sell("T3")) == [60]

    def test_a_partial_return_reduces_the_counted_amount_but_not_the_times(self, till: Till) -> None:
        till.runs(shop(earn(proportional("50"), caps={"per_member": {"amount": "60"}, "total": {"times": 1}})))
        till.sell("T1")
        till.take_back("T1", "50")
        seen = till.ledger.snapshot(till.program, till.bill("T2")).issued["p/earn"]
        assert (seen.member.amount, seen.total.times) == (25, 1)

    def test_a_returned_coupon_no_longer_counts_against_its_cap(self, till: Till) -> None:
        till.runs(shop(hand_out(), coupon_types=coupon_type(caps={"per_member": 1})))
        till.sell("T1")
        till.take_back("T1", "100")
        assert kinds(till.sell("T2")) == ["issue_coupon"]

    def test_a_return_reduces_the_counter_on_the_day_of_the_sale(self, till: Till) -> None:
        window = {"type": "rolling", "days": 3}
        till.runs(shop(earn(fixed("40"), caps={"per_member": {"amount": "50", "window": window}})))
        till.sell("T1")
        till.on(2)
        till.take_back("T1", "100")
        assert till.ledger.snapshot(till.program, till.bill("T2")).issued["p/earn"].member.amount == 0

    def test_a_return_of_a_trimmed_sale_takes_the_trimmed_amount(self, till: Till) -> None:
        till.runs(shop(earn(fixed("60"), caps={"total": {"amount": "100"}})))
        first, second = till.decide("T1"), till.decide("T2")
        till.ledger.record(first)
        till.ledger.record(second)
        till.take_back("T2", "100")
        assert till.points() == 60
        assert till.ledger.snapshot(till.program, till.bill("T3")).issued["p/earn"].total.amount == 60


class TrackerFacts:
    """Facts about trackers: they sum the contributions of sales, less those of returns."""

    SPENT = {"spent": {"measure": {"type": "transaction_value"}, "target": "200"}}  # noqa: RUF012

    def value_of(self, till: Till, tracker: str = "spent", **parts: Any) -> Decimal:
        """Return the value of a tracker for Anna before the next sale."""
        return till.ledger.snapshot(till.program, till.bill("probe", **parts)).trackers[tracker]

    def milestone(self, till: Till) -> None:
        """Run a program that issues 20 points when a sale crosses 200."""
        promotion = {"id": "p", "when": {"tracker": "spent", "crossed": True}, "actions": [earn(fixed("20"))]}
        till.runs(shop(promotions=[promotion], trackers=self.SPENT))

    def test_a_tracker_sums_the_sales_of_a_member(self, till: Till) -> None:
        self.milestone(till)
        till.sell("T1", "120")
        till.sell("T2", "50", member="ben")
        assert self.value_of(till) == 120
        assert issued(till.sell("T3", "80")) == [20]
        assert self.value_of(till) == 200

    def test_a_return_reduces_the_tracker(self, till: Till) -> None:
        self.milestone(till)
        till.sell("T1", "120")
        till.take_back("T1", "50")
        assert self.value_of(till) == 70
        till.take_back("T1", "70")
        assert self.value_of(till) == 0

    def test_a_milestone_cannot_be_farmed_by_returns(self, till: Till) -> None:
        self.milestone(till)
        till.sell("T1", "220")
        till.take_back("T1", "220")
        assert till.points() == 0
        assert issued(till.sell("T2", "150")) == []

    def test_a_return_reduces_the_tracker_in_the_window_of_the_sale(self, till: Till) -> None:
        month = {"spent": {**self.SPENT["spent"], "window": {"type": "calendar", "unit": "month"}}}
        till.runs(shop(trackers=month))
        till.sell("T1", "120")
        till.on(20)
        till.sell("T2", "30")
        till.take_back("T1", "120")
        assert self.value_of(till) == 30
        assert self.value_of(till, business_date="2025-01-20") == 0

    def test_a_rolling_tracker_drops_days_out_of_its_window(self, till: Till) -> None:
        rolling = {"spent": {**self.SPENT["spent"], "window": {"type": "rolling", "days": 2}}}
        till.runs(shop(trackers=rolling))
        till.sell("T1", "120")
        till.on(1)
        assert self.value_of(till) == 120
        till.on(2)
        assert self.value_of(till) == 0

    def test_a_sale_counts_for_its_business_date(self, till: Till) -> None:
        day = {"spent": {**self.SPENT["spent"], "window": DAY}}
        till.runs(shop(trackers=day))
        till.sell("T1", "120", business_date="2025-01-14")
        assert self.value_of(till) == 0
        assert self.value_of(till, business_date="2025-01-14") == 120


class StatementFacts:
    """Facts about statements: every entry has its reason, and the entries sum to the balance."""

    def test_every_entry_names_its_intent(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        keys = {intent.key for intent in self.record_a_busy_week(till)}
        assert {entry.reason for entry in till.statement()} == keys

    def test_the_entries_sum_to_the_balance(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        self.record_a_busy_week(till)
        into = sum(entry.amount for entry in till.statement() if entry.target == "available")
        out = sum(entry.amount for entry in till.statement() if entry.source == "available")
        assert into - out == till.points() == 12

    def test_an_entry_moves_an_amount_of_one_lot_between_two_buckets(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        self.record_a_busy_week(till)
        moves = [(entry.source, entry.target, entry.amount) for entry in till.statement()]
        assert moves == [
            ("issued", "available", 10),
            ("issued", "available", 10),
            ("available", "spent", 5),
            ("available", "reversed", 3),
        ]
        assert {entry.account for entry in till.statement()} == {ANNA}
        assert {entry.currency for entry in till.statement()} == {"points"}

    def test_an_entry_has_the_instant_of_the_event_and_of_the_record(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        evaluation = till.decide("T1")
        till.ledger.record(evaluation, recorded_at=moment(0, 23))
        (entry,) = till.statement()
        assert (entry.at, entry.recorded_at) == (moment(0), moment(0, 23))

    @pytest.mark.usefixtures("as_of")
    def test_a_statement_ends_at_its_instant(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        self.record_a_busy_week(till)
        assert len(till.statement(at=moment(1))) == 2
        assert len(till.statement(at=moment(-1))) == 0

    def test_a_statement_has_only_the_entries_of_its_account(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        self.record_a_busy_week(till)
        assert till.statement(BEN) == []

    def test_a_statement_is_in_the_order_of_record(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.on(3)
        till.sell("T1")
        till.on(1)
        till.sell("late")
        till.on(3)
        batches = [entry.reason for entry in till.statement()]
        assert batches == ["acme/T1/p/earn", "acme/late/p/earn"]

    def record_a_busy_week(self, till: Till) -> Iterable[Any]:
        """Process two sales, a spend and a return, one a day: 10 + 10 - 5 - 3. Return their intents."""
        receipts = [till.sell("T1")]
        till.on(1)
        receipts.append(till.sell("T2"))
        till.on(2)
        receipts.append(till.spend("5"))
        till.on(3)
        receipts.append(till.take_back("T2", "30"))
        return [intent for receipt in receipts for intent in receipt.intents]


class TransactionFacts:
    """Facts about transactions: their operations are recorded together, or none is."""

    def test_operations_of_a_block_are_recorded_at_its_end(self, till: Till, transactions: Any) -> None:
        till.runs(shop(earn(fixed("10"))))
        with transactions() as tx:
            tx.process(till.program, till.bill("T1"))
            tx.process(till.program, till.bill("T2"))
        assert till.points() == 20

    def test_an_error_rolls_the_whole_block_back(self, till: Till, transactions: Any) -> None:
        till.runs(
            shop(
                earn(fixed("10"), caps={"total": {"amount": "100"}}),
                earn(fixed("5"), "later", timing={"type": "external"}),
                hand_out(),
                coupon_types=coupon_type(),
                trackers=TrackerFacts.SPENT,
            )
        )
        till.sell("T0")
        before = till.everything()
        with pytest.raises(KeyError), transactions() as tx:  # noqa: PT012
            tx.process(till.program, till.bill("T1"), serials=till.serials)
            tx.spend(till.program, ANNA, "anna", "points", Decimal(15), event="S1", at=till.now)
            raise KeyError("an error of the host")
        assert till.everything() == before

    def test_a_rolled_back_sale_can_be_recorded_later(self, till: Till, transactions: Any) -> None:
        till.runs(shop(earn(fixed("10"))))
        with pytest.raises(KeyError), transactions() as tx:  # noqa: PT012
            tx.process(till.program, till.bill("T1"))
            raise KeyError
        assert till.sell("T1").status == "recorded"
        assert till.points() == 10

    def test_a_caught_conflict_does_not_roll_the_block_back(self, till: Till, transactions: Any) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T1")
        with transactions() as tx:
            tx.process(till.program, till.bill("T2"))
            with pytest.raises(IdempotencyConflict):
                tx.process(till.program, till.bill("T1", "7"))
            tx.process(till.program, till.bill("T3"))
        assert till.points() == 30
        assert till.sell("T2").status == "already_recorded"

    def test_operations_of_a_block_see_the_earlier_ones(self, till: Till, transactions: Any) -> None:
        till.runs(shop(earn(fixed("60"), caps={"total": {"amount": "100"}})))
        with transactions() as tx:
            tx.process(till.program, till.bill("T1"))
            assert issued(tx.process(till.program, till.bill("T2"))) == [40]
            receipt = tx.spend(till.program, ANNA, "anna", "points", Decimal(90), event="S1", at=till.now)
        assert receipt.status == "recorded"
        assert till.points() == 10

    def test_a_refusal_does_not_roll_the_block_back(self, till: Till, transactions: Any) -> None:
        till.runs(shop(earn(fixed("60"))))
        with transactions() as tx:
            tx.process(till.program, till.bill("T1"))
            receipt = tx.spend(till.program, ANNA, "anna", "points", Decimal(90), event="S1", at=till.now)
        assert receipt.status == "refused"
        assert till.points() == 60
