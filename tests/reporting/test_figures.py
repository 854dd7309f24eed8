"""Figures of a history: units by their state, in units and in money."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal

import pytest

from loyalty_rules.lifecycle import Account
from loyalty_rules.reporting.backtest import backtest
from loyalty_rules.reporting.figures import (
    Figures,
    deciles_of,
    dimensions,
    figures_by,
    figures_of,
    value_of,
    values_by_account,
)
from shop import earn, fixed

from .histories import HISTORY, bought, version

TEN = version("10")
FIGURES = figures_of(TEN, backtest(TEN, HISTORY).rows)


def test_units_add_up_to_the_units_issued() -> None:
    [figures] = figures_by(FIGURES, lambda _: None).values()
    assert figures == Figures(
        issued=Decimal(16),
        outstanding=Decimal(12),
        reversed=Decimal(4),
        value=Decimal("0.12"),
        liability=Decimal("0.12"),
    )


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        ("promotion", {"p": (16, Decimal("0.12"))}),
        ("month", {"2025-01": (15, Decimal("0.11")), "2025-02": (1, Decimal("0.01"))}),
        ("store", {"A": (11, Decimal("0.07")), "B": (5, Decimal("0.05"))}),
        ("tier", {None: (16, Decimal("0.12"))}),
        ("decile", {"01": (11, Decimal("0.07")), "02": (5, Decimal("0.05"))}),
    ],
)
def test_figures_are_split_by_each_dimension(dimension: str, expected: dict) -> None:
    figures = figures_by(FIGURES, dimensions(UTC, {"anna": 1, "ben": 2})[dimension])
    assert {group: (each.issued, each.value) for (_, _, group), each in figures.items()} == expected


def test_units_that_have_expired_are_not_owed() -> None:
    ten_days = {"type": "fixed_period", "after": {"days": 10}}
    program = version("10", promotions=[{"id": "p", "actions": [earn(fixed("100"), expiry=ten_days)]}])
    rows = backtest(program, [bought(1, "anna", "1"), bought(20, "ben", "1")]).rows
    [figures] = figures_by(figures_of(program, rows), lambda _: None).values()
    assert (figures.expired, figures.outstanding, figures.value, figures.liability) == (100, 100, 2, 1)


def test_coupons_are_counted_and_their_liability_is_their_maximum_cost() -> None:
    coupon = {"type": "issue_coupon", "id": "c", "coupon_type": "five"}
    five = {"serial_managed": False, "code": "FIVE", "benefit": {"type": "amount_off", "amount": "5"}}
    program = version("10", promotions=[{"id": "p", "actions": [coupon]}], coupon_types={"five": five})
    rows = backtest(program, [bought(1, "anna", "1"), bought(2, "ben", "1")]).rows
    [(key, figures)] = figures_by(figures_of(program, rows), dimensions(UTC, {})["store"]).items()
    assert key == ("coupon", "five", "A")
    assert figures == Figures(issued=Decimal(2), outstanding=Decimal(2), liability=Decimal(10))


def test_a_currency_without_a_rate_has_no_value() -> None:
    program = version("10", currencies={"points": {}})
    rows = backtest(program, HISTORY).rows
    [figures] = figures_by(figures_of(program, rows), lambda _: None).values()
    assert (figures.issued, figures.value, figures.liability) == (16, None, None)
    assert values_by_account(figures_of(program, rows)) == {}


def test_money_is_rounded_half_up() -> None:
    """3 points for 1.00: one point is 0.333333…, two are 0.666666…"""
    program = version("10", currencies={"points": {"redeem": {"points": "3", "value": "1"}}})
    assert [value_of(program, "points", n * 1_000_000) for n in (1, 2, 3)] == [333_333, 666_667, 1_000_000]


def test_the_value_of_an_account_is_that_of_the_units_that_it_kept() -> None:
    expected = {"anna": Decimal("0.07"), "ben": Decimal("0.05")}
    assert values_by_account(FIGURES) == {Account("member", name): value for name, value in expected.items()}


def test_figures_are_added_and_subtracted_one_by_one() -> None:
    some, more = Figures(issued=Decimal(3), value=Decimal(1)), Figures(issued=Decimal(5), expired=Decimal(2))
    assert some + more == Figures(issued=Decimal(8), expired=Decimal(2), value=Decimal(1))
    assert some - more == Figures(issued=Decimal(-2), expired=Decimal(-2), value=Decimal(1))


def test_each_decile_has_a_tenth_of_the_members_and_the_first_bought_most() -> None:
    deciles = deciles_of({f"M{number:02}": number for number in range(20)})
    assert (deciles["M19"], deciles["M18"], deciles["M17"], deciles["M00"]) == (1, 1, 2, 10)


def test_members_of_equal_turnover_are_in_the_order_of_their_ids() -> None:
    assert deciles_of({"b": 5, "a": 5}) == {"a": 1, "b": 6}
