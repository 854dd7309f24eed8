"""The laws on caps and budgets: no history exceeds a cap, a limit or a budget."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from loyalty_rules.testing.laws import Expectations
from loyalty_rules.testing.laws.ceilings import budgets, caps
from loyalty_rules.testing.laws.searching import Effort
from shop import earn, fixed, program, proportional

from .proofs import COUPON, GIFT, assert_broken, assert_kept, limit

BROKEN: list[tuple[str, dict, dict, str]] = [
    (
        "caps",
        program(earn(fixed("30")), **limit(per="store")),
        {},
        "60 in total for receipts without a store, but $.limits.cap.amount allows 50",
    ),
    (
        "caps",
        program({**COUPON, "quantity": 1}, coupon_types={"gift": {**GIFT["gift"], "caps": {"per_store": 1}}}),
        {},
        "2 in total for receipts without a store, but $.coupon_types.gift.caps.per_store allows 1",
    ),
    (
        "budgets",
        program(earn(proportional("100"))),
        {"budgets": {"points": "1000"}},
        "the budget of points allows 1000",
    ),
    (
        "budgets",
        program({**COUPON, "quantity": 1}, coupon_types={"gift": {**GIFT["gift"], "caps": {"total": 2}}}),
        {"budgets": {"gift": "1"}},
        "2 in total, but the budget of gift allows 1",
    ),
]

KEPT: list[tuple[str, dict, dict]] = [
    ("caps", program(earn(fixed("30")), **limit(per="member")), {}),
    ("caps", program(earn(fixed("30")), **limit(per="total", window={"type": "rolling", "days": 3})), {}),
    ("budgets", program(earn(proportional("100")), **limit(per="total", amount="1000")), {"budgets": {"points": 1000}}),
    ("budgets", program(earn(proportional("100"))), {}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("law", "document", "expectations", "sentence"), BROKEN)
def test_a_program_that_breaks_a_law_has_a_counterexample_of_at_most_two_receipts(
    law: str, document: dict, expectations: dict, sentence: str
) -> None:
    assert_broken(law, document, expectations, sentence)


@pytest.mark.slow
@pytest.mark.parametrize(("law", "document", "expectations"), KEPT)
def test_a_program_that_keeps_the_law_has_no_counterexample(law: str, document: dict, expectations: dict) -> None:
    assert_kept(law, document, expectations)


def test_a_program_without_caps_is_not_searched() -> None:
    assert caps(lr.load_program(program(earn(fixed("30")))), effort=Effort(examples=0)) is None


def test_a_program_without_budgets_is_not_searched() -> None:
    assert budgets(lr.load_program(program(earn(fixed("30")))), Expectations(), Effort(examples=0)) is None
