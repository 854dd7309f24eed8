"""The totals of a run and their tables."""

from __future__ import annotations

import loyalty_rules as lr
from loyalty_rules.cli.tables import Table
from loyalty_rules.cli.totals import Amounts, Totals, total_tables

from .documents import coupon, coupon_type, earn, fixed, program, sale
from .running import RunReceipts


def test_the_sums_of_the_table_are_exact(run_receipts: RunReceipts) -> None:
    most = "999999999999999.999999"
    cents = program(currencies={"points": {"decimals": 6}})

    outcome = run_receipts(
        cents, sale(1, "01-01", most), sale(2, "01-02", most), sale(3, "01-03", "0.1"), sale(4, "01-04", "0.2")
    )

    assert outcome.row("earn") == ["points", "4", "2,000,000,000,000,000.299998", "0"]
    assert outcome.row("together") == ["points", "4", "2,000,000,000,000,000.299998", "0"]


def test_the_table_has_the_outcome_of_every_event(run_receipts: RunReceipts) -> None:
    outcome = run_receipts(
        program(earn(), coupon(3), coupon_types=coupon_type()),
        sale(1, "01-01", "10"),
        sale(2, "01-02", "20", None),
        sale(3, "01-03", "0"),
        {"type": "registration", "id": "A1", "occurred_at": "2025-01-01T00:00:00Z"},
    )

    assert outcome.status == 0
    assert outcome.row("evaluated") == ["4"]
    assert outcome.row("of these without effect") == ["1"]
    assert outcome.row("malformed") == ["0"]
    assert outcome.row("earn") == ["points", "1", "10", "0"]
    assert outcome.row("thanks") == ["9"]
    assert outcome.row("no_member") == ["1"]
    assert outcome.row("zero_amount") == ["1"]
    assert outcome.row("a second")


def test_issued_and_promised_amounts_are_counted_in_millionths() -> None:
    waiting = {**fixed("2.5"), "id": "waiting", "timing": {"type": "external"}}
    both = lr.load_program(program(fixed("1.5"), waiting, currencies={"points": {"decimals": 1}}))
    totals = Totals()

    for number in (1, 2):
        totals.count(both.evaluate(lr.load_event(sale(number, "01-01", "10"))))

    assert totals.evaluated == 2
    assert totals.amounts == {("earn", "points"): Amounts(issues=4, issued=3_000_000, promised=5_000_000)}


def test_an_evaluation_without_intents_is_counted_by_its_reason() -> None:
    totals = Totals()

    totals.count(lr.load_program(program()).evaluate(lr.load_event(sale(1, "01-01", "10", None))))

    assert (totals.evaluated, totals.without_effect, totals.skipped) == (1, 1, {"no_member": 1})


def test_an_empty_run_has_only_the_table_of_events() -> None:
    tables = total_tables(Totals(), 0, lr.load_program(program()), 1.0)

    zero = [(name, "0") for name in ("evaluated", "of these without effect", "seen before", "malformed", "a second")]
    assert tables == [Table(("events", "number"), zero)]


def test_the_table_counts_every_event_that_was_read() -> None:
    totals = Totals(evaluated=1_000, seen_before=1, undecided=2, conflicts=3)
    totals.later["return"] += 4
    totals.refused["unknown_sale"] += 1
    totals.not_evaluated["update"] += 5

    [table] = total_tables(totals, 6, lr.load_program(program()), 0.5)

    assert dict(table.rows) == {
        "evaluated": "1,000",
        "of these without effect": "0",
        "seen before": "1",
        "malformed": "6",
        "recorded: return": "4",
        "refused: unknown_sale": "1",
        "conflict: id recorded with other content": "3",
        "not evaluated: update": "5",
        "not evaluated: counters past 15 digits": "2",
        "a second": "2,042",  # (1000 + 1 + 2 + 3 + 4 + 5 + 6) / 0.5
    }


def test_amounts_are_in_the_order_of_the_program_and_summed_by_currency() -> None:
    promotions = [{"id": name, "actions": [earn()]} for name in ("second", "first")]
    ordered = lr.load_program(program(promotions=promotions))
    totals = Totals(
        amounts={("first", "points"): Amounts(1, 250_000), ("second", "points"): Amounts(2, 1_000, 500_000)}
    )

    _, amounts = total_tables(totals, 0, ordered, 1.0)

    assert amounts.rows == [
        ("second", "points", "2", "0.001", "0.5"),
        ("first", "points", "1", "0.25", "0"),
        ("together", "points", "3", "0.251", "0.5"),
    ]
