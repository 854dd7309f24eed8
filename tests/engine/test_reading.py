"""The conditions and bases that a program reads."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from shop import earn, fixed, program

NIGHTS = {"type": "line_item_extended_field", "field": "nights"}


@pytest.mark.parametrize(
    "parts",
    [
        {"promotions": [{"id": "p", "when": {"not": {"base": NIGHTS, "is": "1"}}, "actions": [earn(fixed("1"))]}]},
        {"trackers": {"t": {"measure": {"type": "count"}, "target": "1", "when": {"base": NIGHTS, "is": "1"}}}},
        {"coupon_types": {"card": {"benefit": {"type": "stored_value", "amount": NIGHTS}}}},
    ],
    ids=["a condition", "the condition of a tracker", "a stored value"],
)
def test_a_field_that_a_base_of_a_condition_or_a_card_reads_comes_back_with_its_line(parts: dict) -> None:
    assert lr.load_program(program(earn(fixed("1")), **parts)).plan.line_fields == {"nights"}
