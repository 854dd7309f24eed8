"""Parts: what each selected line gives to a base. Source: semantics 2 and 3."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.rules.line_parts import (
    bought,
    number_of_field,
    parts_of_field,
    parts_of_quantity,
    parts_of_value,
    selected,
    total_of,
    total_of_lines,
    units_of,
)
from loyalty_rules.rules.skips import Skip
from rules.actions import MONEY, facts_of
from shop import lines, sale

MILLION = 10**6


def bundle(quantity: Any, value: Any = "10", **parts: Any) -> dict:
    return {"id": str(quantity), "quantity": str(quantity), "value": value, **parts}


def reason_of(call: Any, *arguments: Any) -> str:
    with pytest.raises(Skip) as caught:
        call(*arguments)
    return caught.value.reason


def test_a_total_stops_at_zero_once_and_a_sum_of_lines_for_each_line() -> None:
    parts = [0, 1], [30, -10], MILLION
    assert (total_of(parts), total_of_lines(parts)) == ((20, MILLION), (30, MILLION))
    parts = [0, 1], [3, -10], MILLION
    assert (total_of(parts), total_of_lines(parts)) == ((0, MILLION), (3, MILLION))


def test_the_value_of_a_line_is_converted_after_its_components_were_subtracted() -> None:
    # (20 − 5) × 1.1 = 16.5
    facts = facts_of(sale("20", currency="EUR", exchange_rate="1.1", tip="5", lines=lines("20")), **MONEY)
    _, [value], denominator = parts_of_value(facts, [0], ("tip",))
    assert value * 10 == denominator * 165


def test_a_bill_below_zero_gives_nothing() -> None:
    facts = facts_of(sale("-1", lines=[bundle(2, extended_fields={"nights": 3})]))
    zero = [0], [0], MILLION
    assert parts_of_value(facts, [0], ()) == zero
    assert parts_of_quantity(facts, [0]) == zero
    assert parts_of_field(facts, [0], "nights") == zero


def test_a_bill_of_zero_gives_its_lines() -> None:
    assert parts_of_quantity(facts_of(sale("0", lines=[bundle(2)])), [0]) == ([0], [2 * MILLION], MILLION)


def test_a_line_of_a_quantity_below_zero_gives_no_units() -> None:
    facts = facts_of(sale(lines=[bundle("2"), bundle("-1"), bundle("0")]))
    assert bought(facts, ([0, 1, 2], [10, 7, 5], MILLION)) == ([0, 1, 2], [10, 0, 5], MILLION)


@pytest.mark.parametrize(("quantity", "units"), [("10", 10), ("1", 1), ("2.5", 1), ("0.3", 1), ("0", 1), ("-3", 1)])
def test_a_quantity_that_is_no_whole_number_is_one_unit(quantity: str, units: int) -> None:
    assert units_of(facts_of(sale(lines=[bundle(quantity)])), ([0], [10], MILLION)) == [units]


def test_a_selection_must_have_a_line() -> None:
    facts = facts_of(sale())
    assert reason_of(selected, lambda _facts: [], facts) == "no_matching_lines"
    assert selected(lambda _facts: [3], facts) == [3]


def test_a_field_must_be_on_one_of_the_lines() -> None:
    facts = facts_of(sale(lines=[bundle(1), bundle(2, extended_fields={"nights": "4"})]))
    assert parts_of_field(facts, [0, 1], "nights") == ([0, 1], [0, 4 * MILLION], MILLION)
    assert reason_of(parts_of_field, facts, [0], "nights") == "missing_field"


def test_a_field_must_have_a_number() -> None:
    assert number_of_field({"tip": "1.5"}, "custom_fields", "tip") == 1_500_000
    assert number_of_field({"tip": None}, "custom_fields", "tip") is None
    assert reason_of(number_of_field, {"tip": "ten"}, "custom_fields", "tip") == "invalid_field"
