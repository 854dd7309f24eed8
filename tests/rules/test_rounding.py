"""The rounding modes, case by case. Source: semantics 4."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_rules.rules.rounding import MODES, Mode, quantize_to_micros, round_to_units
from properties.examples import examples
from rules.actions import amount
from shop import earn, issued, lines, points, program, proportional, sale, stepped

TABLE = """
value    up  down  nearest  half_even  half_down
0        0   0     0        0          0
0.000001 1   0     0        0          0
0.25     1   0     0        0          0
0.49     1   0     0        0          0
0.5      1   0     1        0          0
0.500001 1   0     1        1          1
0.51     1   0     1        1          1
0.75     1   0     1        1          1
0.999999 1   0     1        1          1
1        1   1     1        1          1
1.25     2   1     1        1          1
1.5      2   1     2        2          1
1.500001 2   1     2        2          2
2        2   2     2        2          2
2.5      3   2     3        2          2
3.5      4   3     4        4          3
50.49    51  50    50       50         50
50.50    51  50    51       50         50
50.75    51  50    51       51         51
101.1    102 101   101      101        101
101.49   102 101   101      101        101
101.5    102 101   102      102        101
101.9    102 101   102      102        102
102.5    103 102   103      102        102
999999999999999.5 1000000000000000 999999999999999 1000000000000000 1000000000000000 999999999999999
"""
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(mode, row[0], int(cell)) for row in ROWS for mode, cell in zip(HEAD[1:], row[1:], strict=True)]
BY_DECIMAL = {
    "up": ROUND_CEILING,
    "down": ROUND_FLOOR,
    "nearest": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "half_down": ROUND_HALF_DOWN,
}


@pytest.mark.parametrize(("mode", "value", "expected"), CELLS)
def test_a_value_is_rounded_by_the_table(mode: str, value: str, expected: int) -> None:
    number = Fraction(value)
    assert MODES[mode](number.numerator, number.denominator) == expected
    assert round_to_units((number.numerator, number.denominator), mode, 0) == (expected, 1)


def test_every_mode_but_actual_is_in_the_table() -> None:
    assert set(HEAD[1:]) == set(MODES) == set(BY_DECIMAL) == set(get_args(Mode)) - {"actual"}


@pytest.mark.parametrize("mode", MODES)
@examples(200)
@given(st.integers(0, 10**12), st.integers(0, 6))
def test_a_mode_rounds_as_decimal_does(mode: str, millionths: int, decimals: int) -> None:
    exact = Context(prec=60, rounding=BY_DECIMAL[mode])
    expected = exact.quantize(exact.scaleb(Decimal(millionths), -6), exact.scaleb(Decimal(1), -decimals))
    numerator, denominator = round_to_units((millionths, 10**6), mode, decimals)
    assert Fraction(numerator, denominator) == Fraction(expected)


@pytest.mark.parametrize("mode", MODES)
@examples(100)
@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_rounding_moves_a_value_by_less_than_one(mode: str, numerator: int, denominator: int) -> None:
    assert abs(MODES[mode](numerator, denominator) - Fraction(numerator, denominator)) < 1


@pytest.mark.parametrize("mode", MODES)
@examples(100)
@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(1, 1000))
def test_rounding_does_not_depend_on_how_a_ratio_is_written(
    mode: str, numerator: int, denominator: int, times: int
) -> None:
    assert MODES[mode](numerator * times, denominator * times) == MODES[mode](numerator, denominator)


def test_actual_keeps_every_digit() -> None:
    assert round_to_units((123456789, 10**8), "actual", 0) == (123456789, 10**8)


@pytest.mark.parametrize(
    ("decimals", "mode", "expected"),
    [
        (0, "nearest", Fraction("1235")),
        (1, "nearest", Fraction("1234.6")),
        (2, "nearest", Fraction("1234.57")),
        (6, "nearest", Fraction("1234.567891")),
        (2, "up", Fraction("1234.57")),
        (2, "down", Fraction("1234.56")),
        (3, "half_even", Fraction("1234.568")),
    ],
)
def test_a_result_is_rounded_to_the_decimals_of_its_currency(decimals: int, mode: str, expected: Fraction) -> None:
    assert Fraction(*round_to_units((12345678905, 10**7), mode, decimals)) == expected


@pytest.mark.parametrize(
    ("value", "millionths"),
    [
        ("0.0000004", 0),
        ("0.0000005", 1),
        ("0.0000015", 2),
        ("0.0000025", 3),
        ("1", 1_000_000),
        ("1.2345678", 1_234_568),
    ],
)
def test_an_amount_is_rounded_half_up_to_six_decimals(value: str, millionths: int) -> None:
    number = Fraction(value)
    assert quantize_to_micros((number.numerator, number.denominator)) == millionths


# -- the two roundings of an award -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "percent", "value", "currency", "expected"),
    [
        ("50.75", "200", "actual", "actual", "101.5"),
        ("50.75", "200", "down", "actual", "100"),
        ("50.25", "200", "up", "actual", "102"),
        ("50.49", "200", "nearest", "actual", "100"),
        ("50.50", "200", "nearest", "actual", "102"),
        ("50.50", "200", "half_even", "actual", "100"),
        ("51.50", "200", "half_even", "actual", "104"),
        ("50.50", "200", "half_down", "actual", "100"),
        ("50.55", "200", "actual", "up", "102"),
        ("50.95", "200", "actual", "down", "101"),
        ("50.745", "200", "actual", "nearest", "101"),
        ("50.75", "200", "actual", "nearest", "102"),
        ("50.75", "200", "actual", "half_even", "102"),
        ("51.25", "200", "actual", "half_even", "102"),
        ("50.75", "200", "actual", "half_down", "101"),
        ("33.4", "10", "up", "up", "4"),
        ("33.4", "10", "down", "up", "4"),
        ("33.4", "10", "up", "down", "3"),
    ],
)
def test_the_base_is_rounded_before_proration_and_the_currency_after(
    amount: str, percent: str, value: str, currency: str, expected: str
) -> None:
    rules = program(earn(proportional(percent), rounding={"value": value, "currency": currency}))
    assert points(rules, sale(amount)) == Fraction(expected)


def test_the_base_is_rounded_once_after_the_sum() -> None:
    rules = program(earn(proportional("100", {"type": "line_item_value"}), rounding={"value": "up"}))
    assert points(rules, sale("0", lines=lines("0.1", "0.1", "0.1"))) == 1


def test_each_line_is_rounded_alone_with_each_line() -> None:
    of = {"type": "line_item_value", "aggregate": "each_line"}
    rules = program(earn(proportional("100", of), rounding={"value": "up"}))
    assert points(rules, sale("0", lines=lines("0.1", "0.1", "0.1"))) == 3


def test_a_base_of_quantities_is_not_rounded() -> None:
    rules = program(earn(proportional("100", {"type": "line_item_quantity"}), rounding={"value": "up"}))
    assert points(rules, sale("0", lines=[{"id": "1", "quantity": "0.5", "value": "1"}])) == Fraction(1, 2)


def test_a_base_of_awards_is_not_rounded() -> None:
    awarded = proportional("100", {"type": "awarded", "actions": ["p/earn"]})
    rules = program(earn(proportional("1")), earn(awarded, "again", rounding={"value": "up"}))
    assert [intent["amount"] for intent in issued(rules, sale("50"))] == ["0.5", "0.5"]


def test_a_step_is_reached_by_the_rounded_base() -> None:
    reached = program(earn(stepped("150", "5"), rounding={"value": "nearest"}))
    assert [points(reached, sale(amount)) for amount in ("149.49", "149.50", "150")] == [0, 5, 5]


def test_each_line_is_rounded_to_the_last_decimal_of_the_currency() -> None:
    """At 10 %, down to two decimals: 0.1234 is 0.12, 0.0099 is 0, 1.999 is 1.99."""
    action = earn(
        proportional("10", {"type": "line_item_value", "aggregate": "each_line"}), rounding={"currency": "down"}
    )
    document = program(action, currencies={"points": {"decimals": 2}})

    assert amount(document, sale("1", lines=lines("1.234", "0.099", "19.99"))) == "2.11"
