"""The law on returns: a sale and its full return leave no points and no coupons."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from loyalty_rules.lifecycle import returns
from loyalty_rules.testing.laws.returning import returning
from loyalty_rules.testing.laws.searching import Effort
from shop import earn, fixed, program, proportional

from .proofs import COUPON, GIFT, assert_broken, assert_kept

BROKEN: list[tuple[str, dict, dict, str]] = [
    ("returning", program(earn(fixed("7"), on_return="keep")), {}, "a sale of 1 and its full return leave 7 points"),
    (
        "returning",
        program({**COUPON, "on_return": "keep"}, coupon_types=GIFT),
        {},
        "a sale of 1 and its full return leave 1 coupon gift",
    ),
]

KEPT: list[tuple[str, dict, dict]] = [
    ("returning", program(earn(fixed("7"))), {}),
    ("returning", program(earn(proportional("7"), on_return="proportional")), {}),
    ("returning", program(earn(fixed("7"), on_return="keep")), {"apart_from": ["p/earn"]}),
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


def test_the_return_of_a_counterexample_is_of_its_whole_sale_on_the_next_day() -> None:
    found = returning(lr.load_program(program(earn(fixed("7"), on_return="keep"))), effort=Effort(examples=10))

    assert found is not None
    sale, back = found.receipts
    assert (back["type"], back["of"], back["amount"]) == ("return", sale["id"], sale["amount"])
    assert (sale["occurred_at"], back["occurred_at"]) == ("2025-01-01T12:00:00Z", "2025-01-02T12:00:00Z")
    assert found.sentence.endswith("leave 7 points (of p/earn)")


def two_rates() -> dict:
    """Return a program of double points from 100 and single points below."""
    single = {"type": "multiplier", "percent": "100"}
    double = {"type": "multiplier", "percent": "200"}
    large = {"field": "amount", "at_least": "100"}
    return program(
        promotions=[
            {"id": "double", "when": large, "exclusive": "rate", "priority": 1, "actions": [earn(double)]},
            {"id": "single", "exclusive": "rate", "actions": [earn(single)]},
        ]
    )


def test_a_partial_return_leaves_the_award_of_the_rest() -> None:
    assert returning(lr.load_program(two_rates()), effort=Effort(examples=100)) is None


def test_a_decision_of_each_action_by_itself_breaks_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    awards = returns._awards
    monkeypatch.setattr(
        returns,
        "_awards",
        lambda rest, pool, issued: {key: each for key, each in awards(rest, pool, issued).items() if key in issued},
    )
    found = returning(lr.load_program(two_rates()), effort=Effort(examples=100))

    assert found is not None
    assert "and a return of" in found.sentence
    assert found.sentence.endswith("which is not the award of the rest")
