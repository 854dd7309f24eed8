"""Claims of anonymous sales, as a program configures them."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from shop import earn, fixed, program


def test_a_program_says_how_long_a_sale_can_be_claimed() -> None:
    claims = lr.load_program(program(earn(fixed(1)), claims={"within": {"months": 1}})).claims
    assert claims is not None
    assert (claims.within.months, claims.within.days) == (1, 0)
    assert lr.load_program(program(earn(fixed(1)))).claims is None


def test_claims_without_a_period_are_a_problem() -> None:
    with pytest.raises(lr.DocumentError) as caught:
        lr.load_program(program(earn(fixed(1)), claims={}))
    assert [(each.path, each.code) for each in caught.value.problems] == [("$.claims.within", "required")]
