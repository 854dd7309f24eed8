"""Random histories of coupons and of paying a bill: the product decides as the reference does, in memory and in SQL.

Set `LOYALTY_EXAMPLES` for more histories, and `LOYALTY_SEED` for others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction

import pytest

import loyalty_rules as lr
from ledger.sql.empty_ledgers import SQLiteTemplate
from loyalty_rules.ledger import MemoryLedger
from reference import redemptions
from reference.redemption_histories import differences

FIRST = 1000 * int(os.environ.get("LOYALTY_SEED", "0"))
IN_MEMORY = range(FIRST, FIRST + int(os.environ.get("LOYALTY_EXAMPLES", "60")))
ON_SQLITE = IN_MEMORY[::8]


def serials() -> lr.DerivedSerials:
    return lr.DerivedSerials.from_master(bytes(range(32)))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteTemplate]:
    with closing(SQLiteTemplate(tmp_path_factory.mktemp("template"))) as template:
        yield template


def test_the_product_decides_as_the_reference_in_memory() -> None:
    found = {seed: differences(seed, MemoryLedger(serials()), serials()) for seed in IN_MEMORY}
    assert [(seed, each) for seed, each in found.items() if each] == []


def test_the_product_decides_as_the_reference_on_sqlite(template: SQLiteTemplate) -> None:
    found = {seed: differences(seed, template.new_ledger(serials()), serials()) for seed in ON_SQLITE}
    assert [(seed, each) for seed, each in found.items() if each] == []


# -- controls: a planted mistake is found ----------------------------------------------------------------------------


def first_difference() -> str:
    """Return the first difference in longer histories, as many as it takes."""
    found = (differences(seed, MemoryLedger(serials()), serials(), 25) for seed in range(FIRST, FIRST + 500))
    return next((each[0] for each in found if each), "")


def test_a_discount_that_is_rounded_down_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(amount: Fraction, _left: Fraction, decimals: int) -> Fraction:
        return Fraction(amount * 10**decimals // 1, 10**decimals)

    monkeypatch.setattr(redemptions, "to_the_cent", down)
    assert "the product" in first_difference()


def test_a_bill_that_forgets_its_rest_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redemptions.Bill, "all_lines", lambda bill: bill.lines)
    assert "the product" in first_difference()


def test_units_that_are_taken_twice_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redemptions.Line, "take_units", lambda line, _units, amount: line.take(amount))
    assert "the product" in first_difference()
