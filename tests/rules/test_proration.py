"""Prorations: amounts calculated by hand, and the table of policies. Source: semantics 3."""

from __future__ import annotations

from typing import get_args

import pytest

from loyalty_rules.rules.base_values import (
    Awarded,
    BaseValue,
    LineItemExtendedField,
    LineItemQuantity,
    Surplus,
    TransactionValue,
)
from loyalty_rules.rules.proration import (
    PRORATIONS,
    Fixed,
    Multiplier,
    Proportional,
    Proration,
    Stepped,
    describe_proration,
    rounds_base,
)
from rules.actions import amount
from shop import earn, fixed, lines, program, proportional, sale, stepped

FIXED = Fixed("12.5")
MULTIPLIER = Multiplier("200")
PROPORTIONAL = Proportional("10", of=LineItemQuantity())
STEPPED = Stepped(step_size="150", points_per_step="5")


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_proration_has_a_row_in_the_table() -> None:
    assert set(PRORATIONS) == set(get_args(Proration))


@pytest.mark.parametrize(
    ("proration", "words"),
    [
        (FIXED, "a fixed 12.5"),
        (MULTIPLIER, "200 % of the bill"),
        (PROPORTIONAL, "10 % of the bill"),
        (STEPPED, "5 for each whole 150 of the bill"),
    ],
)
def test_a_proration_is_described_in_words(proration: Proration, words: str) -> None:
    assert describe_proration(proration, "the bill") == words


@pytest.mark.parametrize("proration", [Fixed("0"), Multiplier("0"), Proportional("0", of=Surplus("s")),
    Stepped(step_size="1", points_per_step="0")])  # fmt: skip
def test_a_rate_of_zero_makes_every_award_zero(proration: Proration) -> None:
    policy = PRORATIONS[type(proration)]

    assert getattr(proration, policy.rate) == 0
    assert policy.bind(proration)((10**12, 7))[0] == 0


@pytest.mark.parametrize(
    ("proration", "unit", "thresholds"),
    [(FIXED, "12.5", []), (MULTIPLIER, "None", []), (PROPORTIONAL, "None", []), (STEPPED, "5", ["150"])],
)
def test_a_proration_has_this_unit_and_these_thresholds(proration: Proration, unit: str, thresholds: list[str]) -> None:
    policy = PRORATIONS[type(proration)]

    assert str(policy.unit(proration)) == unit
    assert [str(each) for each in policy.thresholds(proration)] == thresholds


@pytest.mark.parametrize(
    ("base", "rounded"),
    [
        (None, False),
        (LineItemQuantity(), False),
        (Awarded(["p/a"]), False),
        (TransactionValue(), True),
        (LineItemExtendedField("nights"), True),
        (Surplus("spend"), True),
    ],
)
def test_a_base_of_a_quantity_or_an_award_is_not_rounded(base: BaseValue | None, rounded: bool) -> None:
    assert rounds_base(base) is rounded


# -- amounts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proration", "bill", "expected"),
    [
        (fixed("12.345678"), "1", "12.345678"),
        (proportional("0.5"), "200", "1"),
        (proportional("100"), "0.000001", "0.000001"),
        (proportional("33.333333"), "3", "1"),  # 0.99999999, rounded half up to 6 decimals
        ({"type": "multiplier", "percent": "250"}, "50.2", "125.5"),
        (stepped("0.3", "1.5"), "1", "4.5"),  # three whole steps, and 0.1 over
        (stepped("0.25", "2"), "1", "8"),
    ],
)
def test_a_proration_is_the_amount_calculated_by_hand(proration: dict, bill: str, expected: str) -> None:
    assert amount(program(earn(proration)), sale(bill)) == expected


def test_each_line_is_prorated_and_rounded_alone() -> None:
    """At 10 %, to the nearest: 12.5 is 13, 1.25 is 1, 1.5 is 2; stepped by 150: none of 75 and 55, one of 170."""
    base = {"type": "line_item_value", "aggregate": "each_line"}
    rounded = program(earn(proportional("10", base), rounding={"currency": "nearest"}))
    steps = program(earn(stepped("150", "1", base)))

    assert amount(rounded, sale("1", lines=lines("125", "12.5", "15"))) == "16"
    assert amount(steps, sale("1", lines=lines("75", "55", "170"))) == "1"
    assert (
        amount(
            program(earn(stepped("150", "1", {"type": "line_item_value"}))), sale("1", lines=lines("75", "55", "170"))
        )
        == "2"
    )
