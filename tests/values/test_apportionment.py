"""The apportionment of an amount to lines, case by case. Source: semantics 11."""

from __future__ import annotations

import pytest

from loyalty_rules.values.apportionment import split
from shop import earn, fixed, issued, lines, program, proportional, sale, stepped


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (299, [4300, 1400, 2300], [161, 52, 86]),  # 160.7, 52.3, 86.0 (the last is 85.96)
        (10, [1, 1], [5, 5]),
        (10, [1, 1, 1], [4, 3, 3]),  # a tie of remainders and of weights: the earlier
        (11, [1, 1, 1], [4, 4, 3]),
        (1, [1, 1, 1], [1, 0, 0]),
        (2, [1, 1, 1, 1], [1, 1, 0, 0]),
        (1, [1, 3], [0, 1]),  # 0.25, 0.75
        (2, [1, 3], [0, 2]),  # 0.5, 1.5: a tie of remainders goes to the larger weight
        (2, [3, 1], [2, 0]),
        (1, [0, 1], [0, 1]),
        (7, [0, 0, 5], [0, 0, 7]),
        (10, [0, 0], [5, 5]),  # all zero: evenly
        (11, [0, 0], [6, 5]),
        (0, [1, 2], [0, 0]),
        (5, [7], [5]),
        (3, [1, 1, 0, 1], [1, 1, 0, 1]),
        (100, [1, 10**15], [0, 100]),
        (10**21, [1, 2], [333333333333333333333, 666666666666666666667]),
    ],
)
def test_an_amount_is_split_by_largest_remainder(amount: int, weights: list, parts: list) -> None:
    assert split(amount, weights) == parts


def shares(action: dict, basket: list[dict], amount: str = "100", **parts: object) -> list[tuple[str, str]]:
    [intent] = issued(program(action, **parts), sale(amount, lines=basket))
    return [(share["line"], share["amount"]) for share in intent["shares"]]


def test_a_fixed_amount_is_split_by_the_value_of_all_lines() -> None:
    assert shares(earn(fixed("299")), lines("4300", "1400", "2300")) == [("1", "161"), ("2", "52"), ("3", "86")]


def test_the_bill_is_split_by_the_value_of_all_lines() -> None:
    assert shares(earn(stepped("10", "1")), lines("30", "70"), "109") == [("1", "3"), ("2", "7")]


def test_a_base_of_lines_is_split_over_the_selected_lines() -> None:
    of = {"type": "line_item_value", "lines": {"field": "sku", "is": "MUG"}}
    basket = [{**line, "sku": sku} for line, sku in zip(lines("30", "50", "70"), ("MUG", "TEE", "MUG"), strict=True)]
    assert shares(earn(proportional("10", of)), basket) == [("1", "3"), ("3", "7")]


def test_quantities_are_the_weights_if_they_are_the_base() -> None:
    basket = [
        {"id": "a", "quantity": "1", "value": "99"},
        {"id": "b", "quantity": "3", "value": "1"},
    ]
    assert shares(earn(proportional("100", {"type": "line_item_quantity"})), basket) == [("a", "1"), ("b", "3")]


def test_a_line_without_the_field_is_listed_with_zero() -> None:
    basket = lines("10", "20")
    basket[1]["extended_fields"] = {"nights": "4"}
    of = {"type": "line_item_extended_field", "field": "nights"}
    assert shares(earn(proportional("50", of)), basket) == [("1", "0"), ("2", "2")]


def test_the_weights_are_the_parts_before_rounding() -> None:
    of = {"type": "line_item_value", "aggregate": "each_line"}
    action = earn(proportional("100", of), rounding={"value": "up"})
    # 1 and 3 points; by 0.5 and 2.5 of 3 they are 2/3 and 10/3 of 4
    assert shares(action, lines("0.5", "2.5")) == [("1", "1"), ("2", "3")]


def test_a_line_below_zero_has_the_weight_zero() -> None:
    assert shares(earn(fixed("10")), lines("30", "-20", "10")) == [("1", "8"), ("2", "0"), ("3", "2")]


def test_lines_that_all_have_the_weight_zero_share_evenly() -> None:
    assert shares(earn(fixed("5")), lines("0", "-1")) == [("1", "3"), ("2", "2")]


def test_no_lines_have_no_shares() -> None:
    assert shares(earn(fixed("5")), []) == []


@pytest.mark.parametrize(
    ("decimals", "amount", "expected"),
    [
        (0, "10", ["4", "3", "3"]),
        (2, "10", ["3.34", "3.33", "3.33"]),
        (6, "10", ["3.333334", "3.333333", "3.333333"]),
        (0, "10.5", ["3.5", "3.5", "3.5"]),  # the amount has more decimals than the currency
        (0, "0.2", ["0.1", "0.1", "0"]),
        (0, "0.01", ["0.01", "0", "0"]),
    ],
)
def test_the_unit_is_the_last_decimal_of_the_currency_or_of_the_amount(
    decimals: int, amount: str, expected: list
) -> None:
    found = shares(earn(fixed(amount)), lines("1", "1", "1"), currencies={"points": {"decimals": decimals}})
    assert [share for _, share in found] == expected


def test_an_amount_that_a_cap_trims_is_split_anew() -> None:
    action = earn(fixed("299"), caps={"per_event": "10"})
    assert shares(action, lines("1", "1", "1")) == [("1", "4"), ("2", "3"), ("3", "3")]


@pytest.mark.parametrize(
    ("values", "points", "decimals", "expected"),
    [
        (["4300", "1400", "2300"], "299", 0, ["161", "52", "86"]),
        (["1", "1", "1"], "2", 0, ["1", "1", "0"]),  # ties: the earlier line
        (["1", "2", "2"], "1", 0, ["0", "1", "0"]),  # 0.2, 0.4, 0.4
        (["1", "3"], "2", 0, ["0", "2"]),  # 0.5 and 1.5: a tie, to the larger weight
        (["0", "0"], "3", 0, ["2", "1"]),  # nothing to go by: evenly
        (["0", "5"], "3", 0, ["0", "3"]),
        (["-5", "5", "5"], "3", 0, ["0", "2", "1"]),
        (["1", "1"], "1", 2, ["0.5", "0.5"]),
        (["1", "1"], "0.001", 0, ["0.001", "0"]),  # finer than the currency: by its own last digit
        (["1", "2"], "0.5", 0, ["0.2", "0.3"]),  # 0.1666…, 0.3333… in tenths: 1 and 3, one left to 0.666…
    ],
)
def test_shares_are_those_calculated_by_hand(
    values: list[str], points: str, decimals: int, expected: list[str]
) -> None:
    document = program(earn(fixed(points)), currencies={"points": {"decimals": decimals}})
    [intent] = issued(document, sale("1", lines=lines(*values)))

    assert [share["amount"] for share in intent["shares"]] == expected


def test_only_selected_lines_have_shares() -> None:
    """10 % of 10 and 25 is 3.5, rounded up 4: 1.14… and 2.86… of it; the third line is not selected."""
    base = {"type": "line_item_value", "lines": {"field": "value", "at_most": "25"}}
    document = program(earn(proportional("10", base), rounding={"currency": "up"}))
    [intent] = issued(document, sale("1", lines=lines("10", "99", "25")))

    assert intent["shares"] == [{"line": "1", "amount": "1"}, {"line": "3", "amount": "3"}]
