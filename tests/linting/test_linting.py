"""The linter as a whole: every code has an example, and the example programs have no finding."""

from __future__ import annotations

from pathlib import Path

import pytest

import loyalty_rules as lr
from linting import (
    test_accounts,
    test_ceilings,
    test_choices,
    test_contradictions,
    test_coupon_terms,
    test_earnings,
    test_lifetimes,
    test_milestones,
    test_oversights,
)
from linting.small_programs import action
from loyalty_rules.linting import CODES, lint

EXAMPLES = Path(__file__).parents[2] / "examples" / "programs"
MODULES = (
    *(test_accounts, test_ceilings, test_choices, test_contradictions, test_coupon_terms, test_earnings),
    *(test_lifetimes, test_milestones, test_oversights),
)


def test_every_code_has_a_program_with_it_and_a_program_just_short_of_it() -> None:
    over = {code for code, _, _ in test_lifetimes.OVER}
    assert {code for module in MODULES for code, _, _ in module.HAVE} | over == set(CODES)
    assert {code for module in MODULES for code, _ in module.NEARLY} | over == set(CODES)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.toml")))
def test_the_example_programs_have_no_finding(name: str) -> None:
    assert lint(lr.load_program(EXAMPLES / name)) == []


def test_a_finding_has_a_path_a_description_a_reason_and_a_remedy() -> None:
    [finding] = lint(lr.load_program(action(proration={"type": "multiplier", "percent": "2"})))

    assert str(finding) == (
        "$.promotions[0].actions[0].proration.percent: a multiplier of 2 % issues 2 for each 100 [percent_as_factor]\n"
        "  why: a multiplier is a percentage: 200 issues 2 times the base\n"
        "  do: write 200; if you mean 2 %, use proportional"
    )
