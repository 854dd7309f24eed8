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

STATUS = {
    "trackers": {"spend": {"measure": {"type": "transaction_value"}, "target": "1"}},
    "tiers": {
        "status": {"levels": ["bronze", "gold"], "by": "spend", "from": {"gold": "9000"}, "lasts": {"type": "never"}}
    },
}

BROKEN: list[tuple[str, dict, dict, str]] = [
    (
        "reachable",
        promoted({"when": {"all": [when("amount", at_least="10"), when("custom_fields.a", less_than=-1)]}}),
        {},
        "p0/earn was not reached by any of 1,000 receipts; on the nearest: p0 does not fire",
    ),
    (
        "reachable",
        program(
            earn(fixed("1")),
            earn(proportional("100", {"type": "awarded", "actions": ["p/earn"]}), "b", caps={"per_event": "0"}),
        ),
        {},
        "p/b was not reached by any of 1,000 receipts; on the nearest: cap_reached",
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

KILOMETRES = {"type": "transaction_custom_field", "field": "kilometres"}
TEN_MUGS = {"lines": when("sku", **{"is": "MUG"}), "quantity": {"at_least": 144}}
FEW = {"sample": "member.id", "salt": "hold-out", "from": 98, "below": 100}
SPENT = [{"type": "spend_currency", "id": "price", "currency": "points", "amount": "25000"}, earn(fixed("1"))]
LONGER = {"type": "extend_expiry", "id": "longer", "currency": "points", "after": {"days": 30}}

NEAR_A_THRESHOLD = [
    promoted({"when": when("custom_fields.kilometres", at_least="100000")}),
    program(earn({"type": "stepped", "step_size": "5000", "points_per_step": "1", "of": KILOMETRES})),
    program(earn(proportional("0.1", KILOMETRES), rounding={"currency": "down"})),
    promoted({"when": when("amount", at_least="50000")}),
    promoted({"when": when("shipping", at_least="45")}),
    promoted({"when": {"base": {"type": "transaction_value", "less": ["shipping"]}, "at_least": "7500"}}),
    promoted({"when": TEN_MUGS}),
    promoted({"when": FEW}),
    promoted({"when": {"not": {**FEW, "from": 1}}}),
    promoted({"actions": SPENT}),
    promoted({"actions": [LONGER]}),
    promoted({"when": {"tier": "status", "is": "gold"}}, **STATUS),
    program(earn(proportional({"by": "tiers.status", "of": {"gold": "1"}})), **STATUS),
]
"""Programs whose numbers, names and levels are rarely met by chance."""

KEPT: list[tuple[str, dict, dict]] = [
    ("reachable", promoted({"when": {"all": [when("tip", at_least="5"), when("custom_fields.a", less_than=1)]}}), {}),
    ("reachable", promoted({"trigger": "visit", "when": {"anniversary": "member.registered_on", "unit": "day"}}), {}),
    *[("reachable", document, {}) for document in NEAR_A_THRESHOLD],
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
