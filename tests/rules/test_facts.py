"""Facts of an event: dates, money, lines, tenders. Source: semantics 3 (exchange rates), 5 (event date)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from loyalty_rules.rules.facts import NO_RATE, Standing
from loyalty_rules.rules.skips import Skip
from rules.actions import SPEND, facts_of
from shop import lines, sale

MILLION, TRILLION = 10**6, 10**12
VISIT = {"type": "visit", "id": "V", "occurred_at": "2025-01-15T10:00:00Z", "member": {"id": "M1"}}


@pytest.mark.parametrize(
    ("occurred_at", "parts", "event_on"),
    [
        ("2025-01-15T03:00:00Z", {}, "2025-01-14"),  # still the 14th in New York
        ("2025-01-15T05:00:00Z", {}, "2025-01-15"),
        ("2025-01-15T03:00:00Z", {"business_date": "2025-01-16"}, "2025-01-16"),
    ],
)
def test_the_event_date_is_the_business_date_or_the_local_date(occurred_at: str, parts: dict, event_on: str) -> None:
    facts = facts_of(sale(occurred_at=occurred_at, **parts), time_zone="America/New_York")

    assert facts.event_on == date.fromisoformat(event_on)
    assert facts.local.utcoffset() == timedelta(hours=-5)


@pytest.mark.parametrize(
    ("parts", "rate", "priced"),
    [
        ({}, TRILLION, 100 * MILLION * TRILLION),
        ({"currency": "USD", "exchange_rate": "3"}, TRILLION, 100 * MILLION * TRILLION),  # its own money
        ({"currency": "SEK", "exchange_rate": "0.25"}, TRILLION // 4, 25 * MILLION * TRILLION),
        ({"currency": "SEK"}, None, NO_RATE),
    ],
)
def test_the_amount_is_priced_in_the_money_of_the_program(parts: dict, rate: int | None, priced: Any) -> None:
    facts = facts_of(sale("100", **parts), money="USD")

    assert (facts.amount, facts.rate, facts.priced) == (100 * MILLION, rate, priced)


def test_a_program_without_money_converts_nothing() -> None:
    assert facts_of(sale("1", currency="SEK")).rate == TRILLION


def test_an_activity_has_no_amount_and_no_lines() -> None:
    facts = facts_of(VISIT)

    assert (facts.amount, facts.priced, facts.event_lines, facts.lines) == (None, None, (), [])


def test_an_amount_is_converted_exactly() -> None:
    facts = facts_of(sale(currency="SEK", exchange_rate="0.3"), money="USD")

    assert facts_of(sale()).in_money(7, 3) == (7, 3)
    numerator, denominator = facts.in_money(7, 3)
    assert numerator * 10 == 7 * denominator  # 7 ÷ 3 × 0.3 is 7 ÷ 10


def test_an_amount_without_a_rate_is_skipped() -> None:
    with pytest.raises(Skip) as skip:
        facts_of(sale(currency="SEK"), money="USD").in_money(1, 1)

    assert (skip.value.reason, skip.value.detail) == (
        "no_exchange_rate",
        "the event is in SEK and has no exchange_rate",
    )


def test_the_values_of_lines_are_in_millionths_if_every_line_has_one() -> None:
    assert facts_of(sale(lines=lines("4.25", "-1"))).values == ([4_250_000, -1_000_000], MILLION)


def test_a_line_without_a_value_is_quantity_times_price_less_its_discount() -> None:
    basket = [*lines("4"), {"id": "2", "quantity": "1.5", "unit_price": "0.000001", "discount": "0.000001"}]
    facts = facts_of(sale(lines=basket))

    assert facts.values == ([4 * TRILLION, 500_000], TRILLION)
    assert [line.value for line in facts.lines] == [4 * TRILLION, 500_000]


def test_the_bill_has_the_ids_and_the_weights_of_all_lines() -> None:
    ids, weights = facts_of(sale(lines=lines("4", "-1", "6"))).bill()

    assert ids == ["1", "2", "3"]
    assert weights.split(10) == [4, 0, 6]


def test_tenders_of_one_type_are_added_and_a_sum_of_zero_is_absent() -> None:
    paid = [("card", "30"), ("cash", "5"), ("card", "20"), ("gift", "0")]
    facts = facts_of(sale(tenders=[{"type": type, "amount": amount} for type, amount in paid]))

    assert facts.tenders == {"card": 50 * MILLION, "cash": 5 * MILLION}


def test_change_given_reduces_its_tender_and_may_leave_it_below_zero_or_absent() -> None:
    paid = [("cash", "20"), ("cash", "-2.62"), ("gift", "-3"), ("card", "5"), ("card", "-5")]
    facts = facts_of(sale(tenders=[{"type": type, "amount": amount} for type, amount in paid]))

    assert facts.tenders == {"cash": 17_380_000, "gift": -3 * MILLION}


@pytest.mark.parametrize(
    ("taxes", "tax"),
    [
        (["0", "20"], 20 * MILLION),
        (["1.5", "0.000001"], 1_500_001),
        (["0"], 0),
        (["20", None], None),  # not all lines carry their own
        ([], None),  # no line
    ],
)
def test_the_lines_have_a_tax_if_all_of_them_carry_it(taxes: list[str | None], tax: int | None) -> None:
    basket = [{"id": str(number), "quantity": "1", "value": "9", "tax": each} for number, each in enumerate(taxes)]

    assert total(facts_of(sale(lines=basket)).tax_of_lines) == tax


def total(taxes: list[int] | None) -> int | None:
    return sum(taxes) if taxes is not None else None


def test_an_activity_has_no_tax_of_lines() -> None:
    assert facts_of(VISIT).tax_of_lines is None


@pytest.mark.parametrize(("amount", "is_refund"), [("0.01", False), ("0", False), ("-0", False), ("-0.01", True)])
def test_a_bill_below_zero_is_a_refund(amount: str, is_refund: bool) -> None:
    assert facts_of(sale(amount)).is_refund == is_refund
    assert not facts_of(VISIT).is_refund


def test_a_standing_is_computed_once() -> None:
    facts = facts_of(sale("300"), {"trackers": {"spend": "800"}}, trackers=SPEND)

    assert facts.standing("spend") == Standing(1000 * MILLION, 800 * MILLION, 300 * MILLION)
    assert facts.standing("spend") is facts.standing("spend")


@pytest.mark.parametrize(
    ("before", "contribution", "after", "gap_before"), [(800, 300, 1100, 200), (1000, 0, 1000, 0), (1200, 1, 1201, 0)]
)
def test_the_gap_before_an_event_is_never_negative(before: int, contribution: int, after: int, gap_before: int) -> None:
    standing = Standing(1000, before, contribution)

    assert (standing.after, standing.gap_before) == (after, gap_before)


# -- milestones --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "contribution", "once", "repeating"),
    [
        # crossings, gap before, gap after
        (8, 14, (1, 2, 0), (2, 2, 8)),
        (8, 1, (0, 2, 1), (0, 2, 1)),
        (10, 0, (0, 0, 0), (0, 10, 10)),
        (12, 20, (0, 0, 0), (2, 8, 8)),
        (-5, 25, (1, 15, 0), (2, 15, 10)),
        (-25, 5, (0, 35, 30), (0, 35, 30)),
    ],
)
def test_milestones_are_positive_multiples_of_the_target(
    before: int, contribution: int, once: tuple[int, ...], repeating: tuple[int, ...]
) -> None:
    for repeats, expected in ((False, once), (True, repeating)):
        standing = Standing(10, before, contribution, repeats=repeats)
        assert (standing.crossings, standing.gap_before, standing.gap_after) == expected
        assert standing.is_reached is (before + contribution >= 10)
