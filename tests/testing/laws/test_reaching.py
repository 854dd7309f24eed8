"""The laws on outcomes: every action is reachable, and only expected overlaps and skip reasons occur."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from loyalty_rules.testing.laws import Expectations
from loyalty_rules.testing.laws.reaching import overlapping, reachable
from loyalty_rules.testing.laws.searching import Effort
from shop import earn, fixed, program, proportional

from .proofs import assert_broken, assert_kept, promoted, when

ANNIVERSARY = {"type": "fixed_date", "on": "2025-06-30"}

BROKEN: list[tuple[str, dict, dict, str]] = [
    (
        "reachable",
        promoted({"when": {"all": [when("amount", at_least="10"), when("custom_fields.a", less_than=-1)]}}),
        {},
        "p0/earn issues nothing on any of 1,000 receipts; on the nearest: p0 does not fire",
    ),
    (
        "reachable",
        program(
            earn(fixed("1")),
            earn(proportional("100", {"type": "awarded", "actions": ["p/earn"]}), "b", caps={"per_event": "0"}),
        ),
        {},
        "p/b issues nothing on any of 1,000 receipts; on the nearest: cap_reached",
    ),
    (
        "overlapping",
        promoted({"when": when("amount", at_least="10")}, {"when": {"field": "store", "is": "S1"}}),
        {"together": []},
        "p0 and p1 both issue points on one receipt",
    ),
    (
        "reasons",
        promoted({"actions": [earn(fixed("1"), expiry=ANNIVERSARY)]}),
        {},
        "p0/earn is skipped with already_expired: 2025-06-30 is past when it becomes issued",
    ),
    (
        "reasons",
        program(earn(fixed("1"), caps={"per_member": {"amount": "5"}})),
        {"reasons": ["no_member"]},
        "p/earn is skipped with cap_reached",
    ),
]

KEPT: list[tuple[str, dict, dict]] = [
    ("reachable", promoted({"when": {"all": [when("tip", at_least="5"), when("custom_fields.a", less_than=1)]}}), {}),
    ("reachable", promoted({"trigger": "visit", "when": {"anniversary": "member.registered_on", "unit": "day"}}), {}),
    ("overlapping", promoted({"when": when("amount", at_least="10")}, {}), {"together": []}),
    (
        "overlapping",
        promoted({"when": when("amount", at_least="10")}, {"when": when("amount", at_least="20")}),
        {"together": [["p0", "p1"]]},
    ),
    (
        "overlapping",
        promoted(
            {"when": when("amount", at_least="10"), "exclusive": "g"},
            {"when": when("amount", at_least="20"), "exclusive": "g"},
        ),
        {"together": []},
    ),
    ("reasons", promoted({"ends_at": "2025-07-01T00:00:00Z", "actions": [earn(fixed("1"), expiry=ANNIVERSARY)]}), {}),
    ("reasons", program(earn(fixed("1"), expiry={"type": "transaction_field", "field": "until"})), {}),
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


def test_a_program_without_actions_is_reachable() -> None:
    assert reachable(lr.load_program(program()), effort=Effort(examples=10)) is None


def test_without_an_expectation_every_overlap_is_allowed() -> None:
    document = promoted({"when": when("amount", at_least="1")}, {"when": when("amount", at_least="2")})

    assert overlapping(lr.load_program(document), Expectations(), Effort(examples=0)) is None


def test_a_promotion_that_is_computed_from_the_other_may_issue_with_it() -> None:
    awarded = proportional("100", {"type": "awarded", "actions": ["p0/earn"]})
    document = promoted(
        {"when": when("amount", at_least="1")}, {"when": when("amount", at_least="2"), "actions": [earn(awarded)]}
    )

    assert overlapping(lr.load_program(document), Expectations.of({"together": []}), Effort(examples=0)) is None
