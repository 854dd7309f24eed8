"""A run without a ledger: trackers, caps and limits carry over from one receipt to the next."""

from __future__ import annotations

import json

import pytest

import loyalty_rules as lr
from loyalty_rules.cli.evaluating import EvaluatingRun
from shop import Serials

from .documents import coupon, coupon_type, earn, fixed, lines, program, sale
from .running import RunReceipts, Write


def test_the_remainder_of_a_cap_goes_to_the_next_sale_in_time(run_receipts: RunReceipts) -> None:
    capped = program(earn(caps={"total": {"amount": "100"}}))

    outcome = run_receipts(capped, sale(1, "01-02", "80", "late"), sale(2, "01-01", "80", "early"))

    assert outcome.points == [("T2", "80"), ("T1", "20")]


def test_a_cap_per_member_is_reached_on_the_third_receipt(run_receipts: RunReceipts) -> None:
    capped = program(earn(caps={"per_member": {"amount": "250"}}))
    sales = [sale(each, f"01-0{each}", "100") for each in (1, 2, 3, 4)]

    outcome = run_receipts(capped, *sales, sale(5, "01-05", "100", "M2"))

    assert outcome.points == [("T1", "100"), ("T2", "100"), ("T3", "50"), ("T5", "100")]
    assert outcome.row("cap_reached") == ["1"]


def test_a_cap_by_times_begins_anew_with_its_month(run_receipts: RunReceipts) -> None:
    capped = program(earn(caps={"per_member": {"times": 1, "window": {"type": "calendar", "unit": "month"}}}))

    outcome = run_receipts(capped, sale(1, "01-10", "5"), sale(2, "01-31", "5"), sale(3, "02-01", "5"))

    assert outcome.events == ["T1", "T3"]


def test_a_month_begins_in_the_zone_of_the_program(run_receipts: RunReceipts) -> None:
    capped = program(earn(caps={"per_member": {"times": 1, "window": {"type": "calendar", "unit": "month"}}}))

    # 02:00 UTC on 1 February is 21:00 on 31 January in New York; the third has a business date of its own.
    outcome = run_receipts(
        capped,
        sale(1, "01-10", "5"),
        sale(2, "2025-02-01T02:00:00Z", "5"),
        sale(3, "2025-02-01T06:00:00Z", "5", business_date="2025-01-31"),
        sale(4, "2025-02-01T07:00:00Z", "5"),
    )

    assert outcome.events == ["T1", "T4"]


def test_a_tracker_of_the_month_is_crossed_once_a_month(run_receipts: RunReceipts) -> None:
    monthly = {"measure": {"type": "transaction_value"}, "target": "100"}
    milestone = program(
        fixed("7"),
        when={"tracker": "spend", "crossed": True},
        trackers={"spend": {**monthly, "window": {"type": "calendar", "unit": "month"}}},
    )

    # January: 60, 120 (crossed), 130. February: 90, 100 (crossed: at the target counts), 200.
    amounts = [("01-29", "60"), ("01-30", "60"), ("01-31", "10"), ("02-01", "90"), ("02-02", "10"), ("02-03", "100")]
    outcome = run_receipts(milestone, *[sale(number, day, amount) for number, (day, amount) in enumerate(amounts, 1)])

    assert outcome.events == ["T2", "T5"]


def test_a_rolling_cap_counts_only_its_days(run_receipts: RunReceipts) -> None:
    week = {"per_member": {"amount": "100", "window": {"type": "rolling", "days": 7}}}

    # The remainder on the 3rd: 100 − 80. On the 7th (1st to 7th): 0. On the 8th (2nd to 8th): 100 − 20.
    # On the 10th (4th to 10th): 100 − 80.
    days = ["01-01", "01-03", "01-07", "01-08", "01-10"]
    outcome = run_receipts(program(earn(caps=week)), *[sale(number, day, "80") for number, day in enumerate(days, 1)])

    assert outcome.points == [("T1", "80"), ("T2", "20"), ("T4", "80"), ("T5", "20")]


def test_a_rolling_tracker_is_crossed_again_when_old_days_leave_it(run_receipts: RunReceipts) -> None:
    three_days = {"measure": {"type": "transaction_value"}, "target": "100", "window": {"type": "rolling", "days": 3}}
    milestone = program(fixed("7"), when={"tracker": "spend", "crossed": True}, trackers={"spend": three_days})

    # Before and after: 0, 60; 60, 120 (crossed); 120, 130; 70, 90 (the 1st has left); 30, 110 (crossed).
    amounts = ["60", "60", "10", "20", "80"]
    outcome = run_receipts(milestone, *[sale(day, f"01-0{day}", amount) for day, amount in enumerate(amounts, 1)])

    assert outcome.events == ["T2", "T5"]


def test_a_late_sale_counts_on_its_business_date(run_receipts: RunReceipts) -> None:
    two_days = {"total": {"amount": "100", "window": {"type": "rolling", "days": 2}}}

    # With the business date of the 3rd, the third sale counts the 2nd and 3rd, 30 in all; the fourth counts 30 + 20
    # of the 3rd and 40 of the 4th.
    outcome = run_receipts(
        program(earn(caps=two_days)),
        sale(1, "01-03", "30"),
        sale(2, "2025-01-04T12:00:00-05:00", "40"),
        sale(3, "2025-01-04T13:00:00-05:00", "20", business_date="2025-01-03"),
        sale(4, "2025-01-04T14:00:00-05:00", "50"),
    )

    assert outcome.points == [("T1", "30"), ("T2", "40"), ("T3", "20"), ("T4", "10")]


def test_limits_carry_over_per_store_and_in_total(run_receipts: RunReceipts) -> None:
    limits = {
        "store": {"currency": "points", "per": "store", "amount": "100"},
        "all": {"currency": "points", "per": "total", "amount": "150"},
    }

    outcome = run_receipts(
        program(limits=limits),
        sale(1, "01-01", "90", store="S/1"),
        sale(2, "01-02", "90", store="S/1"),
        sale(3, "01-03", "90", store="S2"),
        sale(4, "01-04", "90"),
    )

    assert outcome.points == [("T1", "90"), ("T2", "10"), ("T3", "50")]


def test_a_promise_uses_a_cap_as_an_issue_does(run_receipts: RunReceipts) -> None:
    waiting = earn(timing={"type": "external"}, caps={"per_member": {"amount": "15"}})

    outcome = run_receipts(program(waiting), sale(1, "01-01", "10"), sale(2, "01-02", "10"))

    assert outcome.points == [("T1", "10"), ("T2", "5")]
    assert outcome.row("earn") == ["points", "2", "0", "15"]


def test_caps_of_coupons_carry_over(run_receipts: RunReceipts) -> None:
    capped = program(coupon(2), coupon_types=coupon_type(per_member=3, per_store=5, total=6))

    # M1 has 2 and then 1 of 3; M2 has 2, which fills S1; in S2 the total leaves one.
    outcome = run_receipts(
        capped,
        sale(1, "01-01", "1", store="S1"),
        sale(2, "01-02", "1", store="S1"),
        sale(3, "01-03", "1", "M2", store="S1"),
        sale(4, "01-04", "1", "M3", store="S1"),
        sale(5, "01-05", "1", "M3", store="S2"),
    )

    assert [each["event"] for each in outcome.intents] == ["T1", "T1", "T2", "T3", "T3", "T5"]
    assert outcome.row("thanks") == ["6"]
    assert outcome.row("cap_reached") == ["1"]


def test_a_repeated_receipt_does_not_earn_twice(write: Write, run_receipts: RunReceipts) -> None:
    again = write("again.jsonl", lines(sale(1, "01-01", "10"), sale(1, "01-05", "10"), sale(2, "01-02", "10")))

    outcome = run_receipts(program(), again, sale(1, "01-01", "10"))

    assert outcome.points == [("T1", "10"), ("T2", "10")]
    assert outcome.status == 0
    assert outcome.row("evaluated") == ["2"]
    assert outcome.row("seen before") == ["2"]


def test_returns_updates_and_confirmations_are_counted_and_not_evaluated(run_receipts: RunReceipts) -> None:
    at = {"occurred_at": "2025-01-02T12:00:00Z"}
    later = [
        {"type": "return", "id": "R1", "of": "T1", "amount": "10", **at},
        {"type": "return", "id": "R2", "of": "T1", "amount": "10", **at},
        {"type": "update", "id": "U1", "of": "T1", **at},
        {"type": "confirmation", "id": "C1", "promise": "shop/T1/earn/points", "outcome": "issue", **at},
    ]

    outcome = run_receipts(program(), sale(1, "01-01", "10"), *later)

    assert outcome.status == 0
    assert outcome.points == [("T1", "10")]
    assert outcome.row("not evaluated: return") == ["2"]
    assert outcome.row("not evaluated: update") == ["1"]
    assert outcome.row("not evaluated: confirmation") == ["1"]


def test_a_counter_may_outgrow_the_digits_of_an_amount(run_receipts: RunReceipts) -> None:
    lifetime = {"spend": {"measure": {"type": "transaction_value"}, "target": "1"}}
    most = "999999999999999"

    outcome = run_receipts(
        program(fixed("1"), trackers=lifetime),
        sale(1, "01-01", most),
        sale(2, "01-02", most),
        sale(3, "01-03", "1"),
        sale(4, "01-04", "1", "M2"),
    )

    assert outcome.status == 0
    assert outcome.events == ["T1", "T2", "T3", "T4"]


def test_an_event_is_decided_once() -> None:
    running = EvaluatingRun(lr.load_program(program()))
    event = lr.load_event(sale(1, "01-01", "10"))

    [intent] = running.decide(event)

    assert isinstance(intent, lr.IssueCurrency)
    assert str(intent.amount) == "10"
    assert running.decide(event) == ()
    assert (running.totals.evaluated, running.totals.seen_before) == (1, 1)


def test_a_coupon_with_a_serial_needs_a_generator() -> None:
    serial_managed = lr.load_program(program(coupon(), coupon_types={"thanks": {}}))
    event = lr.load_event(json.dumps(sale(1, "01-01", "10")))

    with pytest.raises(lr.MissingSerialsError):
        EvaluatingRun(serial_managed).decide(event)
    [intent] = EvaluatingRun(serial_managed, Serials()).decide(event)

    assert isinstance(intent, lr.IssueCoupon)
    assert intent.serial == "S:shop/T1/earn/coupon/1"
