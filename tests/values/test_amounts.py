"""Exact numbers: which are accepted, how they are converted and written. Source: semantics 2, documents (scalars)."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.values.amounts import (
    UnreadNumber,
    decimal_of,
    each_in_micros,
    micros,
    micros_text,
    number_in,
    rate_units,
    ratio_text,
    read_count,
    read_decimal,
    read_drawn,
    read_non_negative,
    read_positive,
    read_rate,
    read_sum,
    read_whole,
    text_of,
    unread,
    whole_decimals,
)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("10.5", "10.5"),
        ("-10.5", "-10.5"),
        ("007", "7"),
        ("0.000001", "0.000001"),
        ("999999999999999.999999", "999999999999999.999999"),
        (5, "5"),
        (-999_999_999_999_999, "-999999999999999"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.1000000"), "0.1"),  # the seventh decimal is a zero: nothing is lost
    ],
)
def test_a_decimal_is_read_exactly(value: Decimal | int | str, number: str) -> None:
    assert read_decimal(value) == Decimal(number)


@pytest.mark.parametrize("value", ["-0", "-0.00", Decimal("-0"), "0"])
def test_zero_has_no_sign(value: Decimal | str) -> None:
    assert str(read_decimal(value)) == "0"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "float"),
        (True, "not_a_decimal"),
        (None, "not_a_decimal"),
        ("1e5", "not_a_decimal"),
        ("1.0000000", "not_a_decimal"),  # a text has at most 6 decimals
        (".5", "not_a_decimal"),
        ("5.", "not_a_decimal"),
        ("+5", "not_a_decimal"),
        (" 5", "not_a_decimal"),
        ("1_000", "not_a_decimal"),
        ("٣", "not_a_decimal"),
        ("9" * 16, "not_a_decimal"),
        (10**15, "out_of_range"),
        (Decimal("1E+15"), "out_of_range"),
        (Decimal("1E+999999999"), "out_of_range"),
        (Decimal("1E-999999999"), "out_of_range"),
        (Decimal("0.0000001"), "out_of_range"),
        (Decimal("NaN"), "not_finite"),
        (Decimal("sNaN"), "not_finite"),
        (Decimal("-Infinity"), "not_finite"),
        (UnreadNumber("1e400"), "not_a_decimal"),
    ],
)
def test_a_value_that_is_not_a_decimal_is_refused(value: object, code: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_decimal(value)  # type: ignore[arg-type]
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("1.5 %", 'a percentage has no sign: write "1.5"'),
        ("20%", 'a percentage has no sign: write "20"'),
        ("25,000", 'write "25000" for thousands, or "25.000" for a fraction'),
        ("1,250,000.50", 'a number has no commas: write "1250000.50"'),
        ("1,250.5", 'a number has no commas: write "1250.5"'),
        ("2,5", 'a fraction has a point: write "2.5"'),
        ("0,125", 'a fraction has a point: write "0.125"'),
    ],
)
def test_a_number_in_another_notation_gets_its_own_advice(text: str, advice: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_decimal(text)
    assert caught.value.message.endswith(f"; {advice}")


@pytest.mark.parametrize("text", ["five", "5,", ",5", "1,2,3", "% 5", "1" * 40 + " %"])
def test_a_text_that_is_no_number_gets_no_advice(text: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_decimal(text)
    assert "write" not in caught.value.message


@pytest.mark.parametrize(
    ("read", "accepted", "refused"),
    [
        (read_non_negative, ["0", "-0", "0.000001"], ["-0.000001", "-1"]),
        (read_positive, ["0.000001", "1"], ["0", "-0", "-1"]),
        (read_drawn, ["0", "9" * 24], ["-1"]),
        (read_sum, ["-" + "9" * 24, "0.000001"], []),
        (read_rate, ["0.000000000001", "999999999"], ["0", "-1", "-0"]),
    ],
)
def test_each_reader_of_numbers_has_its_range(read: Callable, accepted: list[str], refused: list[str]) -> None:
    for text in accepted:
        assert read(text) == Decimal(text)
    for text in refused:
        with pytest.raises(InvalidValueError) as caught:
            read(text)
        assert caught.value.code == "out_of_range"


def test_a_rate_has_at_most_9_integer_and_12_fractional_digits() -> None:
    for text in ("1000000000", "0.0000000000001"):
        with pytest.raises(InvalidValueError, match="expected a decimal of at most 9 integer and 12 fractional digits"):
            read_rate(text)


@pytest.mark.parametrize(
    ("value", "code"),
    [(True, "not_a_whole_number"), ("5", "not_a_whole_number"), (5.0, "not_a_whole_number"), (0, "out_of_range")],
)
def test_a_whole_number_is_an_integer_in_its_range(value: object, code: str) -> None:
    assert [read_whole(number, 1, 3) for number in (1, 2, 3)] == [1, 2, 3]
    with pytest.raises(InvalidValueError) as caught:
        read_whole(value, 1, 3)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_a_count_has_at_most_15_digits() -> None:
    assert read_count(10**15 - 1) == 999_999_999_999_999
    for value in (-1, 10**15):
        with pytest.raises(InvalidValueError):
            read_count(value)


@pytest.mark.parametrize(
    ("text", "millionths"),
    [("0", 0), ("1", 1_000_000), ("-1.5", -1_500_000), ("0.000001", 1), ("999999999999999.999999", 10**21 - 1)],
)
def test_a_number_is_converted_to_millionths_and_back(text: str, millionths: int) -> None:
    assert micros(Decimal(text)) == millionths
    assert each_in_micros([Decimal(text), Decimal(1)]) == [millionths, 1_000_000]
    assert decimal_of(millionths) == Decimal(text)
    assert micros_text(millionths) == text


def test_the_context_of_the_host_changes_no_number() -> None:
    with decimal.localcontext(decimal.Context(prec=2, rounding=decimal.ROUND_UP)):
        assert micros(Decimal("123456.789012")) == 123_456_789_012
        assert text_of(read_decimal("123456.789012")) == "123456.789012"


def test_a_rate_is_converted_to_units_of_a_trillionth() -> None:
    assert rate_units(Decimal("0.000000000001")) == 1
    assert rate_units(Decimal("1.5")) == 1_500_000_000_000


@pytest.mark.parametrize(
    ("value", "text"),
    [("100.00", "100"), ("0.10", "0.1"), ("-0.5", "-0.5"), ("101.5", "101.5"), ("0.000000000001", "0.000000000001")],
)
def test_a_number_is_written_without_trailing_zeros(value: str, text: str) -> None:
    assert text_of(Decimal(value)) == text


@pytest.mark.parametrize(("ratio", "text"), [((1_055, 10), "105.5"), ((7, 1), "7"), ((1, 1_000), "0.001")])
def test_a_ratio_is_written_to_its_last_digit(ratio: tuple[int, int], text: str) -> None:
    assert ratio_text(ratio) == text


@pytest.mark.parametrize(
    ("value", "millionths"),
    [
        (5, 5_000_000),
        ("5.5", 5_500_000),
        (Decimal("0.1"), 100_000),
        (-5, -5_000_000),
        (True, None),
        (1.5, None),
        ("five", None),
        ("1e5", None),
        (" 5", None),
        (10**15, None),
        (None, None),
        ([5], None),
    ],
)
def test_a_free_form_value_is_a_number_only_if_it_is_exact(value: object, millionths: int | None) -> None:
    assert number_in(value) == millionths


def test_a_number_of_a_text_outside_the_limits_is_kept_as_written() -> None:
    assert unread("1.5") == Decimal("1.5")
    for text in ("1e5", "1." + "0" * 40, "0.0000000000001"):
        number = unread(text)
        assert isinstance(number, UnreadNumber)
        assert number.text == text


@pytest.mark.parametrize("most", [3, 5_000])
def test_whole_numbers_become_decimals(most: int) -> None:
    decimals = [*whole_decimals([0, 3, 1], most)]
    assert decimals == [Decimal(0), Decimal(3), Decimal(1)]
    assert all(isinstance(each, Decimal) for each in decimals)
