"""The law on cycles: a sale, a spend, the return and the undo of the spend leave no points."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.lifecycle import undoing
from loyalty_rules.testing.laws.cycling import cycling
from loyalty_rules.testing.laws.expectations import Expectations
from loyalty_rules.testing.laws.searching import Effort
from shop import earn, fixed, program, proportional

FEW = Effort(examples=40)
RATE = {"points": {"redeem": {"points": "1", "value": "0.01"}}}
BLOCKS = {"points": {"redeem": {"points": "1", "value": "0.01", "block": "3", "most": "50"}}}

BROKEN: list[tuple[str, dict, dict, str]] = []  # no program breaks the law: only a mistake in a ledger does
KEPT: list[tuple[str, dict, dict]] = [
    ("cycling", program(earn(proportional("100")), earn(fixed("7"), "more"), currencies=RATE), {}),
    ("cycling", program(earn(proportional("100")), currencies=RATE, shortfall="carry"), {}),
    ("cycling", program(earn(proportional("100")), currencies=RATE, give_back="proportional"), {}),
    ("cycling", program(earn(proportional("100")), currencies=BLOCKS), {}),
    ("cycling", program(earn(fixed("7"), on_return="keep"), currencies=RATE), {}),
    ("cycling", program(earn(fixed("7")), currencies={"points": {}}), {}),  # nothing can be spent
]


@pytest.mark.parametrize(("law", "document", "expectations"), KEPT)
def test_a_program_keeps_the_law(law: str, document: dict[str, Any], expectations: dict[str, Any]) -> None:
    assert (law, expectations) == ("cycling", {})
    assert cycling(lr.load_program(document), effort=FEW) is None


@pytest.mark.parametrize("shortfall", ["write_off", "carry"])
def test_units_that_come_back_and_settle_nothing_break_it(shortfall: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The behaviour of the first edition: the spend is undone, and its units are available again."""
    monkeypatch.setattr(undoing._OpenShortfalls, "settled_by", lambda *_, **__: iter(()))
    shop = lr.load_program(program(earn(fixed("7")), currencies=RATE, shortfall=shortfall))
    found = cycling(shop, effort=FEW)
    assert found is not None
    cycle = "a spend of all points, the return and the undo of the spend leave 7 points more than the return alone"
    assert found.sentence.endswith(cycle)
    assert [each["type"] for each in found.receipts] == ["transaction", "return"]


def test_points_of_actions_that_do_not_count_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undoing._OpenShortfalls, "settled_by", lambda *_, **__: iter(()))
    shop = lr.load_program(program(earn(fixed("7")), currencies=RATE))
    assert cycling(shop, Expectations(apart_from=["p/earn"]), effort=FEW) is None
