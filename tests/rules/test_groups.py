"""Exclusive groups: the refusals of a group. Source: semantics 8."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from rules.actions import problem_of
from shop import program


def test_a_group_keeps_its_first_promotion_unless_it_says_otherwise() -> None:
    document = lr.dump(lr.load_program(program(groups={"the weekend": {}})))

    assert document["groups"] == {"the weekend": {"choose": "first", "of": None, "keep": 1}}


@pytest.mark.parametrize(
    ("group", "path", "code", "message"),
    [
        ({"choose": "most"}, ".of", "required", "is missing; choosing the most needs a currency"),
        ({"choose": "least", "of": "point"}, ".of", "unknown_reference",
         "there is no currency 'point'; did you mean 'points'?"),
        ({"keep": 0}, ".keep", "out_of_range", "expected 1 to 1,000, found the number 0"),
    ],
)  # fmt: skip
def test_a_group_that_cannot_choose_is_refused(group: dict, path: str, code: str, message: str) -> None:
    assert problem_of(program(groups={"weekend": group})) == (f"$.groups.weekend{path}", code, message)
