"""Conditions that can't hold and shadowed promotions: programs with a finding, and programs just short of one."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from linting.small_programs import LINE, ON, SPEND, action, coupon, findings, promoted, when
from loyalty_rules.linting import lint
from shop import earn, fixed, program, proportional

HAVE: list[tuple[str, str, dict]] = [
    ("contradiction", "$.promotions[0].when", when({"field": "amount", "at_least": "100", "at_most": "50"})),
    (
        "contradiction",
        "$.promotions[0].when",
        when({"all": [{"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]}),
    ),
    ("contradiction", "$.promotions[0].when", when({"field": "weekday", "is": "monday"})),
    ("contradiction", "$.promotions[0].when", when({"field": "local_time", "at_least": "9:00"})),
    ("contradiction", "$.promotions[0].when", when({"field": "local_date", "is": "2025-02-30"})),
    ("contradiction", "$.promotions[0].when", when({"field": "type", "is": "registration"})),
    ("contradiction", "$.promotions[0].when", when({"field": "amount", "is": "ten"})),
    ("contradiction", "$.promotions[0].when", when({"field": "tax", "less_than": "0"})),
    ("contradiction", "$.promotions[0].when", when({"any": []})),
    ("contradiction", "$.promotions[0].when.not", when({"not": {"any": []}})),
    (
        "contradiction",
        "$.promotions[0].when",
        when({"all": [{"field": "member.tags", "has": "a"}, {"not": {"field": "member.tags", "has": "a"}}]}),
    ),
    (
        "contradiction",
        "$.promotions[0].when",
        when({"all": [{"field": "custom_fields.x", "is": 1}, {"field": "custom_fields.x", "exists": False}]}),
    ),
    (
        "contradiction",
        "$.promotions[0].when",
        when(
            {"all": [{"tracker": "spend", "crossed": True}, {"tracker": "spend", "reached": False}]}, trackers=SPEND
        ),
    ),
    (
        "contradiction",
        "$.promotions[0].when",
        when(
            {
                "all": [
                    {"lines": {"field": "sku", "is": "A"}, "count": {"at_least": 1}},
                    {"not": {"lines": {"field": "sku", "is": "A"}}},
                ]
            }
        ),
    ),
    (
        "contradiction",
        "$.promotions[0].when",
        when({"lines": {"field": "sku", "is": "A"}, "count": {"more_than": 1, "less_than": 2}}),
    ),
    (
        "contradiction",
        "$.promotions[0].when.all[0].any[1]",
        when(
            {
                "all": [
                    {"any": [{"field": "store", "is": "S1"}, {"field": "weekday", "in": ["Sat", "Sun"]}]},
                    {"field": "amount", "at_least": "5"},
                ]
            }
        ),
    ),
    (
        "contradiction",
        "$.promotions[0].when",
        when(
            {
                "all": [
                    {"any": [{"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]},
                    {"field": "store", "is": "S3"},
                ]
            }
        ),
    ),
    ("contradiction", f"{ON}.proration.of.lines", action(proration=proportional(
        "10", {**LINE, "lines": {"all": [{"field": "sku", "is": "A"}, {"field": "sku", "is": "B"}]}}
    ))),
    ("contradiction", "$.trackers.spend.when", program(earn(fixed("1")), trackers={
        "spend": {**SPEND["spend"], "when": {"field": "type", "is": "registration"}}
    })),
    ("contradiction", f"{ON}.timing.when", action(
        timing={"type": "transaction_update", "when": {"not": {"all": []}}}
    )),
    ("contradiction", "$.coupon_types.gift.redemption.when", coupon(
        {"redemption": {"when": {"field": "amount", "more_than": "5", "less_than": "5"}}}
    )),
    ("contradiction", "$.promotions[0].when", promoted(
        {"trigger": "registration", "when": {"field": "amount", "at_least": "1"}}
    )),
    ("shadowed", "$.promotions[1]", promoted(
        {"exclusive": "g", "priority": 5},
        {"exclusive": "g", "when": {"field": "store", "is": "S1"}},
    )),
    ("shadowed", "$.promotions[0]", promoted(
        {"exclusive": "g", "when": {"field": "amount", "at_least": "100"}},
        {"exclusive": "g", "when": {"field": "amount", "at_least": "50"}, "priority": 1},
    )),
    ("shadowed", "$.promotions[1]", promoted(
        {"exclusive": "g", "when": {"field": "store", "in": ["S1", "S2"]}},
        {"exclusive": "g", "when": {"all": [{"field": "store", "is": "S2"}, {"field": "channel", "is": "web"}]}},
    )),
    ("shadowed", "$.promotions[1]", promoted(
        {"exclusive": "g", "ends_at": "2025-03-01T00:00:00Z"},
        {"exclusive": "g", "starts_at": "2025-01-01T00:00:00Z", "ends_at": "2025-02-01T00:00:00Z"},
    )),
]  # fmt: skip

NEARLY: list[tuple[str, dict]] = [
    ("contradiction", when({"field": "amount", "at_least": "50", "at_most": "50"})),
    ("contradiction", when({"any": [{"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]})),
    ("contradiction", when({"all": [{"field": "member.tags", "has": "a"}, {"field": "member.tags", "has": "b"}]})),
    (
        "contradiction",
        when({"all": [{"field": "member.tags", "has": "a"}, {"not": {"field": "member.tags", "has": "b"}}]}),
    ),
    ("contradiction", when({"field": "weekday", "in": ["sat", "Sunday"]})),
    ("contradiction", when({"field": "local_time", "at_least": "09:00", "less_than": "09:01"})),
    ("contradiction", when({"field": "local_date", "more_than": "2025-02-28", "less_than": "2025-03-02"})),
    ("contradiction", when({"field": "status", "more_than": "a", "less_than": "a b"})),
    ("contradiction", when({"field": "amount", "less_than": "0"})),
    ("contradiction", when({"field": "amount", "more_than": "1", "less_than": "1.000001"})),
    ("contradiction", when({"not": {"any": [{"field": "store", "is": "S1"}]}})),
    (
        "contradiction",
        when({"all": [{"not": {"field": "store", "is": "S1"}}, {"not": {"field": "store", "is_not": "S1"}}]}),
    ),
    ("contradiction", when({"all": [{"field": "custom_fields.x", "is": "1"}, {"field": "custom_fields.x", "is": 1}]})),
    ("contradiction", when({"field": "custom_fields.x", "at_least": "10", "at_most": "5"})),  # "3x", as texts,
    (
        "contradiction",
        when(
            {"all": [{"tracker": "spend", "crossed": False}, {"tracker": "spend", "reached": True}]}, trackers=SPEND
        ),
    ),
    (
        "contradiction",
        when(
            {
                "all": [
                    {"lines": {"field": "sku", "is": "A"}, "count": {"at_least": 1}},
                    {"not": {"lines": {"field": "sku", "is": "B"}}},
                ]
            }
        ),
    ),
    ("contradiction", when({"lines": {"field": "sku", "is": "A"}, "quantity": {"more_than": 1, "less_than": 2}})),
    ("contradiction", promoted({"trigger": "registration", "when": {"field": "amount", "exists": False}})),
    ("shadowed", promoted({"exclusive": "g"}, {"exclusive": "g", "priority": 1, "when": {"field": "tip", "is": 1}})),
    ("shadowed", promoted({"exclusive": "g"}, {"exclusive": "h"})),
    ("shadowed", promoted({"exclusive": "g"}, {"exclusive": "g", "trigger": "visit"})),
    ("shadowed", promoted({"exclusive": "g", "ends_at": "2025-03-01T00:00:00Z"}, {"exclusive": "g"})),
    ("shadowed", promoted(
        {"exclusive": "g", "when": {"field": "amount", "at_least": "100"}},
        {"exclusive": "g", "when": {"field": "amount", "at_least": "99.999999"}},
    )),
    # An amount in a foreign currency without a rate is neither at least 10 nor below it.
    ("shadowed", promoted(
        {"exclusive": "g", "when": {"any": [
            {"field": "amount", "at_least": "10"}, {"field": "amount", "less_than": "10"}
        ]}},
        {"exclusive": "g"},
        money="USD",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("code", "path", "document"), HAVE)
def test_a_program_has_a_finding_at_this_path(code: str, path: str, document: dict) -> None:
    assert findings(document) == [(code, path)]


@pytest.mark.parametrize(("code", "document"), NEARLY)
def test_a_program_just_short_of_a_finding_has_none(code: str, document: dict) -> None:
    assert code not in [found for found, _ in findings(document)]


def test_a_contradiction_names_the_tests_that_contradict_each_other() -> None:
    condition = {"all": [{"field": "tip", "is": 1}, {"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]}
    [finding] = lint(lr.load_program(when(condition)))

    assert finding.found == (
        'this can\'t hold: no value meets {"field": "store", "is": "S1"} and {"field": "store", "is": "S2"}'
    )


@pytest.mark.parametrize("count", [1, 12])
def test_a_condition_of_many_alternatives_counts_as_one_that_can_hold(count: int) -> None:
    """2¹² alternatives are not tried: the linter stays fast and reports nothing."""
    choices = [{"any": [{"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]} for _ in range(count)]
    found = findings(when({"all": [*choices, {"field": "store", "is": "S3"}]}))
    assert found == ([("contradiction", "$.promotions[0].when")] if count == 1 else [])


@pytest.mark.parametrize(
    ("group", "codes"), [({}, ["shadowed"]), ({"choose": "most", "of": "points"}, []), ({"keep": 2}, [])]
)
def test_a_group_that_chooses_by_amount_or_keeps_several_shadows_none(group: dict, codes: list[str]) -> None:
    both = [{"id": name, "exclusive": "g", "actions": [earn(fixed("5"))]} for name in "ab"]
    loaded = lr.load_program(program(promotions=both, groups={"g": group}))

    assert [each.code for each in lint(loaded) if each.code == "shadowed"] == codes
