"""The comparison: numbers by value, objects by their expected keys, each expected object with one of its own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.testing.cases.comparison import matches, plain, unlike, unmatched


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ("5", "5.00", True),
        ("5", 5, True),
        ("5", "5.01", False),
        (True, 1, False),
        (None, "0", False),
        (None, None, True),
        ("gold", "gold", True),
        ({"a": "1"}, {"a": "1.0", "b": "2"}, True),
        ({"a": "1", "b": "2"}, {"a": "1"}, False),
        (["1", "2"], ["1", "2.0"], True),
        (["1"], ["1", "2"], False),
    ],
)
def test_values_match_by_their_meaning(expected: Any, found: Any, same: bool) -> None:
    assert matches(expected, found) is same


def test_each_expected_object_needs_a_found_one_of_its_own() -> None:
    assert [*unmatched([{"a": "1"}], [{"a": "1"}, {"a": "2"}])] == []
    assert [*unmatched([{"a": "1"}, {"a": "1"}], [{"a": "1"}])] == ['expected {"a": "1"}, found []']


def test_a_difference_says_both_values() -> None:
    assert [*unlike("available", "5", Decimal(5))] == []
    assert [*unlike("available", "5", Decimal("4.50"))] == ["available: expected 5, found 4.50"]


def test_a_value_is_written_as_in_a_document() -> None:
    assert plain({"on": date(2025, 1, 15), "amounts": (Decimal("1.50"), None)}) == {
        "on": "2025-01-15", "amounts": ["1.50", None],
    }  # fmt: skip
