"""The smallest unit of a currency. Source: semantics 17 (rounding)."""

from __future__ import annotations

import pytest

from loyalty_rules.values.money import cent_of


@pytest.mark.parametrize(
    ("money", "cent"),
    [("EUR", 10_000), ("JPY", 1_000_000), ("KWD", 1_000), ("CLF", 100), ("XXX", 10_000), (None, 10_000)],
)
def test_a_cent_is_the_smallest_unit_of_the_money(money: str | None, cent: int) -> None:
    assert cent_of(money) == cent
