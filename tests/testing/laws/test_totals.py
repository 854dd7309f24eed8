"""Totals of a ledger after the events of a law, worked by hand."""

from __future__ import annotations

from datetime import date

import pytest

import loyalty_rules as lr
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.testing.laws.totals import LedgerTotals, amount_of, amounts_in_words, name_of
from shop import earn, fixed, program, proportional, sale, stepped

from .proofs import COUPON, GIFT

A_POINT = 1_000_000  # amounts are in millionths

SHOP = lr.load_program(
    program(
        earn(proportional("10")),
        earn(fixed("5"), "bonus"),
        {**COUPON, "quantity": stepped("50", "1")},
        coupon_types=GIFT,
    )
)


def returned(amount: str) -> dict:
    return {"type": "return", "id": "R1", "of": "T-1", "occurred_at": "2025-01-16T10:00:00Z", "amount": amount}


def test_a_sale_of_100_earns_10_points_a_bonus_of_5_and_2_coupons() -> None:
    totals = LedgerTotals.of(SHOP, [sale("100")])

    assert totals.earned(["p/earn"]) == {"points": 10 * A_POINT}
    assert totals.earned(["p/earn", "p/bonus"]) == {"points": 15 * A_POINT}
    assert totals.earned(["p/c"]) == {"coupons gift": 2 * A_POINT}
    assert totals.earned([]) == {}


def test_the_awards_of_two_sales_are_added() -> None:
    totals = LedgerTotals.of(SHOP, [sale("100"), sale("30", id="T-2")])

    assert totals.earned(["p/earn", "p/bonus"]) == {"points": 23 * A_POINT}
    assert [len(recorded.issues()) for recorded in totals.events] == [4, 2]


def test_a_full_return_leaves_nothing_of_any_issue() -> None:
    kept = LedgerTotals.of(SHOP, [sale("100"), returned("100")]).kept()

    assert set(kept.values()) == {0}
    assert len(kept) == 4


def test_half_a_return_leaves_the_points_and_coupons_of_the_other_half() -> None:
    kept = LedgerTotals.of(SHOP, [sale("100"), returned("50")]).kept()

    assert kept == {
        "acme/T-1/p/earn": 5 * A_POINT,
        "acme/T-1/p/bonus": 5 * A_POINT,
        "acme/T-1/p/c/1": A_POINT,
        "acme/T-1/p/c/2": 0,
    }


def test_a_due_promise_is_settled_before_the_next_event() -> None:
    delayed = lr.load_program(program(earn(fixed("5"), timing={"type": "delayed", "days": 3})))

    totals = LedgerTotals.of(delayed, [sale("1"), sale("1", id="T-2", occurred_at="2025-01-18T10:00:00Z")])

    account = Account("member", "M1")
    balance = totals.ledger.balance("acme", account, "points", totals.events[1].event.occurred_at)
    assert (balance.available, balance.promised) == (5, 5)


def test_the_day_of_a_sale_is_the_local_one() -> None:
    late = sale("1", occurred_at="2025-01-16T03:00:00Z")
    totals = LedgerTotals(lr.load_program(program(time_zone="America/New_York")))

    assert totals.day_of(totals.record(late).event) == date(2025, 1, 15)


def test_the_receipts_of_totals_are_the_recorded_documents() -> None:
    events = [sale("100"), returned("100")]

    totals = LedgerTotals.of(SHOP, events)

    assert totals.receipts() == tuple(events)
    assert [slip.split()[0] for slip in totals.slips()] == ["T-1", "R1"]


def test_a_coupon_counts_as_one() -> None:
    issues = LedgerTotals.of(SHOP, [sale("50")]).issues()

    assert [(name_of(issue), amount_of(issue)) for issue in issues] == [
        ("points", 5 * A_POINT),
        ("points", 5 * A_POINT),
        ("coupons gift", A_POINT),
    ]


@pytest.mark.parametrize(
    ("sums", "words"),
    [
        ({}, ""),
        ({"points": A_POINT}, "1 point"),
        ({"points": 1_500_000}, "1.5 points"),
        ({"kudos": 2 * A_POINT}, "2 kudos"),
        ({"air": A_POINT}, "1 air"),
        ({"coupons gift": A_POINT}, "1 coupon gift"),
        ({"points": 2 * A_POINT, "coupons gift": 3 * A_POINT}, "3 coupons gift and 2 points"),
    ],
)
def test_amounts_are_named_in_the_singular_or_the_plural(sums: dict[str, int], words: str) -> None:
    assert amounts_in_words(sums) == words
