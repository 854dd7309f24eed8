"""The records of the reference model: the rest of a sale, worked by hand. Amounts are in hundredths."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from loyalty_rules.testing.ledgers.reference_programs import FIRST, Bill
from loyalty_rules.testing.ledgers.reference_records import Counters, GoodsBack, Sale


def sale(*returns: GoodsBack, amount: int = 2000, pieces: int = 2) -> Sale:
    """Return a sale of two pieces for 20.00 after some returns."""
    bill = Bill("T1", datetime(2025, 1, 27, 6, 30, tzinfo=UTC), "anna", "S1", amount, pieces)
    return Sale(bill, FIRST, Counters(), {}, [*returns])


@pytest.mark.parametrize(
    ("returns", "pieces", "goods"),
    [
        ([], 0, 0),
        ([GoodsBack(1000, 1)], 1, 1000),  # one of two pieces, with its part of the value
        ([GoodsBack(500, 0, 500)], 0, 500),  # a price adjustment of 5.00, without goods
        ([GoodsBack(500, 0, 500), GoodsBack(1000, 1)], 1, 1500),  # and then one piece: 5.00 and 10.00
        ([GoodsBack(500)], Fraction(1, 2), 500),  # a quarter of the bill, without lines
    ],
)
def test_pieces_and_value_come_back_as_named_or_in_proportion(
    returns: list[GoodsBack], pieces: Fraction, goods: Fraction
) -> None:
    assert (sale(*returns).pieces_back(), sale(*returns).goods_back()) == (pieces, goods)


@pytest.mark.parametrize(
    ("returns", "is_whole"),
    [
        ([], False),
        ([GoodsBack(1000, 1)], False),
        ([GoodsBack(2000)], True),  # the whole amount
        ([GoodsBack(1500, 2)], True),  # every piece, though 5.00 of postage stays
    ],
)
def test_a_sale_is_back_with_its_whole_amount_or_all_its_pieces(returns: list[GoodsBack], is_whole: bool) -> None:
    assert sale(*returns).is_whole() is is_whole


@pytest.mark.parametrize("back", [GoodsBack(1001), GoodsBack(0, 2), GoodsBack(0, 0, 1001)])
def test_no_more_comes_back_than_was_bought(back: GoodsBack) -> None:
    assert sale().allows(back)
    assert not sale(GoodsBack(1000, 1, 1000)).allows(back)
