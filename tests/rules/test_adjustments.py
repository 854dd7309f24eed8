"""The terms of adjustments: what a document may say, and what it means to say nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.adjustments import ANY, Adjustments
from shop import program


def test_a_program_without_adjustments_allows_every_reason_and_amount() -> None:
    assert lr.load_program(program()).adjustments is None
    assert Adjustments() == ANY == Adjustments(reasons=None, most=None, approve_over=None)


def test_the_terms_are_read_from_a_document() -> None:
    terms = {"reasons": ["goodwill"], "most": "500", "approve_over": "100.5"}

    adjustments = lr.load_program(program(adjustments=terms)).adjustments

    assert adjustments == Adjustments(reasons=("goodwill",), most=Decimal(500), approve_over=Decimal("100.5"))


@pytest.mark.parametrize(
    ("terms", "path"),
    [
        ({"most": "-1"}, "$.adjustments.most"),
        ({"approve_over": 0.5}, "$.adjustments.approve_over"),
        ({"reasons": ["", "x"]}, "$.adjustments.reasons[0]"),
        ({"reason": ["x"]}, "$.adjustments.reason"),
    ],
)
def test_a_problem_is_named_by_its_path(terms: dict, path: str) -> None:
    with pytest.raises(lr.DocumentError) as error:
        lr.load_program(program(adjustments=terms))

    assert [each.path for each in error.value.problems] == [path]
