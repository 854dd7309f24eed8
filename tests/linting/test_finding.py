"""A finding of the linter: its words and its identity."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from loyalty_rules.linting.finding import Finding

PARTS = {
    "path": "$.promotions[0].ends_at",
    "code": "never_active",
    "found": "the promotion ends before it begins",
    "why": "it never issues anything",
    "do": "swap starts_at and ends_at",
}


def test_a_finding_is_shown_in_three_lines() -> None:
    assert str(Finding(**PARTS)) == (
        "$.promotions[0].ends_at: the promotion ends before it begins [never_active]\n"
        "  why: it never issues anything\n"
        "  do: swap starts_at and ends_at"
    )


def test_equal_findings_are_one_in_a_set() -> None:
    assert {Finding(**PARTS), Finding(**PARTS)} == {Finding(**PARTS)}


@pytest.mark.parametrize("part", PARTS)
def test_findings_with_another_part_are_different(part: str) -> None:
    assert Finding(**PARTS) != Finding(**{**PARTS, part: "another"})


def test_a_finding_is_frozen() -> None:
    finding: Any = Finding(**PARTS)

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        finding.code = "another"
