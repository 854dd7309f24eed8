"""The allocation of a price between goods and points, by hand. Source: IFRS 15."""

from __future__ import annotations

from decimal import Decimal

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.reports.allocation import Allocation, allocate, stand_alone_price


def amounts(*texts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, texts))


def test_a_flight_for_800_with_2000_miles() -> None:
    # A mile is worth 0.01, and 96 % are redeemed: 2,000 miles stand alone at 19.20.
    miles = stand_alone_price(*amounts("2000", "0.01", "0.96"))
    assert miles == Decimal("19.2")
    # 800 × 19.2 ÷ 819.2 = 18.75
    assert allocate(Decimal(800), Decimal(800), miles) == Allocation(*amounts("781.25", "18.75"))


@pytest.mark.parametrize(("price", "goods", "points", "money", "expected"), [
    ("100", "100", "0", None, ("100", "0")),
    ("100", "0", "5", None, ("0", "100")),
    ("10", "10", "10", None, ("5", "5")),
    ("0.01", "1", "1", None, ("0", "0.01")),          # half a cent goes up, and the rest is that of the goods
    ("100", "2", "1", None, ("66.67", "33.33")),
    ("100", "2", "1", "JPY", ("67", "33")),
    ("100", "2", "1", "KWD", ("66.667", "33.333")),
    ("90", "120", "30", "EUR", ("72", "18")),         # a discount is allocated, too
])  # fmt: skip
def test_the_parts_are_the_price(price: str, goods: str, points: str, money: str | None, expected: tuple) -> None:
    parts = allocate(*amounts(price, goods, points), money)
    assert (parts.goods, parts.points) == amounts(*expected)
    assert parts.goods + parts.points == Decimal(price)


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="stand-alone price"):
        allocate(*amounts("1", "0", "0"))
    with pytest.raises(InvalidValueError, match="from 0 to 1"):
        stand_alone_price(*amounts("1", "1", "1.1"))
    with pytest.raises(InvalidValueError):
        allocate(*amounts("-1", "1", "1"))
