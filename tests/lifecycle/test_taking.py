"""The units that a sale is due: held, newest first, its own lots, the keys of reversals."""

from __future__ import annotations

import attrs

import loyalty_rules as lr
from loyalty_rules.intents import IssueCurrency
from loyalty_rules.lifecycle.records import Lot, Sale
from loyalty_rules.lifecycle.taking import held_units, newest_first, own_lots, reversals
from loyalty_rules.values.amounts import decimal_of
from shop import earn, fixed, program, sale

SHOP = lr.load_program(program(earn(fixed(10))))
EVENT = lr.load_event(sale())
EVALUATION = SHOP.evaluate(EVENT)
(ISSUE,) = EVALUATION.intents
BACK = lr.Return(id="R-1", occurred_at="2025-01-20T10:00:00Z", of="T-1", amount="100")  # type: ignore[arg-type]


def lot(units: int, order: int = 1, taken: int = 0, **changes: object) -> Lot:
    assert isinstance(ISSUE, IssueCurrency)
    issue = attrs.evolve(ISSUE, **changes)
    amount = decimal_of(units)
    return Lot(issue, order, issued=amount, outstanding=amount, taken_back=decimal_of(taken))


def the_sale() -> Sale:
    assert isinstance(EVENT, lr.Transaction)
    return Sale(SHOP, EVENT, EVALUATION.basis.snapshot)


def test_units_that_returns_have_claimed_are_not_held() -> None:
    assert held_units(lot(10, taken=3)) == 7


def test_the_newest_lot_of_an_action_gives_first_and_none_gives_more_than_it_holds() -> None:
    older, newer = lot(10, 1, key="acme/T-1/p/earn"), lot(5, 2, taken=1, key="acme/A-1/p/earn")
    assert newest_first([older, newer], 7) == {"acme/A-1/p/earn": 4, "acme/T-1/p/earn": 3}


def test_the_lots_of_a_sale_are_those_that_it_issued_in_their_order() -> None:
    first, second = lot(10, 1), lot(10, 2, key="acme/A-1/p/earn")
    moved = attrs.evolve(lot(10, 3, key="acme/T-1/p/earn/release/U-1"), origin="acme/T-1/p/earn")
    other = lot(10, 4, event="T-2")
    assert own_lots(the_sale(), [other, second, moved, first]) == [first, second]


def test_the_reversal_of_an_issue_of_an_amendment_has_a_key_of_its_own() -> None:
    lots = [lot(10, 1), lot(10, 2, key="acme/A-1/p/earn")]
    taken = [*reversals(the_sale(), BACK, [(each, 10) for each in lots], lots)]
    assert [each.key for each in taken] == ["acme/R-1/p/earn/reverse", "acme/R-1/p/earn/reverse/A-1"]
    assert [each.issue for each in taken] == ["acme/T-1/p/earn", "acme/A-1/p/earn"]


def test_a_lot_that_is_due_nothing_has_no_reversal() -> None:
    assert [*reversals(the_sale(), BACK, [(lot(10), 0)], [lot(10)])] == []
