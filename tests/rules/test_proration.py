"""Prorations: amounts calculated by hand, and the table of policies. Source: semantics 3."""

from __future__ import annotations

from typing import Any, get_args

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.base_values import (
    Awarded,
    BaseValue,
    LineItemExtendedField,
    LineItemQuantity,
    Surplus,
    TransactionValue,
)
from loyalty_rules.rules.proration import (
    PRORATIONS,
    Band,
    Banded,
    Fixed,
    Multiplier,
    PercentBy,
    Proportional,
    Proration,
    Stepped,
    describe_proration,
    rounds_base,
)
from rules.actions import ACTION, amount, problem_of
from shop import earn, evaluate, fixed, lines, program, proportional, sale, stepped

FIXED = Fixed("12.5")
MULTIPLIER = Multiplier("200")
PROPORTIONAL = Proportional("10", of=LineItemQuantity())
STEPPED = Stepped(step_size="150", points_per_step="5")


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_proration_has_a_row_in_the_table() -> None:
    assert set(PRORATIONS) == set(get_args(Proration))


@pytest.mark.parametrize(
    ("proration", "words"),
    [
        (FIXED, "a fixed 12.5"),
        (MULTIPLIER, "200 % of the bill"),
        (PROPORTIONAL, "10 % of the bill"),
        (STEPPED, "5 for each whole 150 of the bill"),
    ],
)
def test_a_proration_is_described_in_words(proration: Proration, words: str) -> None:
    assert describe_proration(proration, "the bill") == words


@pytest.mark.parametrize("proration", [Fixed("0"), Multiplier("0"), Proportional("0", of=Surplus("s")),
    Stepped(step_size="1", points_per_step="0")])  # fmt: skip
def test_a_rate_of_zero_makes_every_award_zero(proration: Proration) -> None:
    policy = PRORATIONS[type(proration)]

    assert getattr(proration, policy.rate) == 0
    assert policy.bind(proration)((10**12, 7))[0] == 0


@pytest.mark.parametrize(
    ("proration", "unit", "thresholds"),
    [(FIXED, "12.5", []), (MULTIPLIER, "None", []), (PROPORTIONAL, "None", []), (STEPPED, "5", ["150"])],
)
def test_a_proration_has_this_unit_and_these_thresholds(proration: Proration, unit: str, thresholds: list[str]) -> None:
    policy = PRORATIONS[type(proration)]

    assert str(policy.unit(proration)) == unit
    assert [str(each) for each in policy.thresholds(proration)] == thresholds


@pytest.mark.parametrize(
    ("base", "rounded"),
    [
        (None, False),
        (LineItemQuantity(), False),
        (Awarded(["p/a"]), False),
        (TransactionValue(), True),
        (LineItemExtendedField("nights"), True),
        (Surplus("spend"), True),
    ],
)
def test_a_base_of_a_quantity_or_an_award_is_not_rounded(base: BaseValue | None, rounded: bool) -> None:
    assert rounds_base(base) is rounded


# -- amounts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proration", "bill", "expected"),
    [
        (fixed("12.345678"), "1", "12.345678"),
        (proportional("0.5"), "200", "1"),
        (proportional("100"), "0.000001", "0.000001"),
        (proportional("33.333333"), "3", "1"),  # 0.99999999, rounded half up to 6 decimals
        ({"type": "multiplier", "percent": "250"}, "50.2", "125.5"),
        (stepped("0.3", "1.5"), "1", "4.5"),  # three whole steps, and 0.1 over
        (stepped("0.25", "2"), "1", "8"),
    ],
)
def test_a_proration_is_the_amount_calculated_by_hand(proration: dict, bill: str, expected: str) -> None:
    assert amount(program(earn(proration)), sale(bill)) == expected


def test_each_line_is_prorated_and_rounded_alone() -> None:
    """At 10 %, to the nearest: 12.5 is 13, 1.25 is 1, 1.5 is 2; stepped by 150: none of 75 and 55, one of 170."""
    base = {"type": "line_item_value", "aggregate": "each_line"}
    rounded = program(earn(proportional("10", base), rounding={"currency": "nearest"}))
    steps = program(earn(stepped("150", "1", base)))

    assert amount(rounded, sale("1", lines=lines("125", "12.5", "15"))) == "16"
    assert amount(steps, sale("1", lines=lines("75", "55", "170"))) == "1"
    assert (
        amount(
            program(earn(stepped("150", "1", {"type": "line_item_value"}))), sale("1", lines=lines("75", "55", "170"))
        )
        == "2"
    )


# -- bands -------------------------------------------------------------------------------------------------------------

BANDS = [{"up_to": "5000", "percent": "1"}, {"up_to": "7500", "percent": "1.2"}, {"percent": "1.5"}]
SPENT = {"spend": {"measure": {"type": "transaction_value"}, "target": "10000"}}


def banded(**parts: Any) -> dict:
    return {"type": "banded", "bands": BANDS, **parts}


@pytest.mark.parametrize(
    ("bill", "expected"),
    [
        ("4000", "40"),
        ("5000", "50"),
        ("6000", "62"),
        ("7500", "80"),
        ("10000", "117.5"),
        ("0.01", "0.0001"),
    ],
)
def test_each_part_of_the_base_earns_in_its_band(bill: str, expected: str) -> None:
    assert amount(program(earn(banded())), sale(bill)) == expected


@pytest.mark.parametrize(
    ("before", "bill", "expected"),
    [
        ("4000", "5000", "62.5"),  # 10 + 30 + 22.5
        ("0", "4000", "40"),
        ("5000", "2500", "30"),
        ("7500", "100", "1.5"),
        ("99999", "100", "1.5"),
        ("-1000", "6000", "60"),  # the first band reaches down
        ("-1000", "7000", "72"),
        ("4000.5", "1000", "10.001"),  # 999.5 at 1 % and 0.5 at 1.2 %
        ("-999999999999999999", "100", "1"),
    ],
)
def test_bands_are_laid_over_a_tracker(before: str, bill: str, expected: str) -> None:
    document = program(earn(banded(over="spend")), trackers=SPENT)
    assert amount(document, sale(bill), {"trackers": {"spend": before}}) == expected


def test_the_base_is_rounded_before_it_is_laid() -> None:
    action = earn(banded(), rounding={"value": "down", "currency": "down"})
    assert amount(program(action), sale("5083.99")) == "50"  # 5083: 50 + 0.996


def test_bands_are_for_any_base() -> None:
    bands = [{"up_to": "2", "percent": "100"}, {"percent": "50"}]
    document = program(earn({"type": "banded", "bands": bands, "of": {"type": "line_item_quantity"}}))
    assert amount(document, sale("1", lines=[{"id": "1", "quantity": "5", "value": "1"}])) == "3.5"


def test_bands_over_a_tracker_need_its_member_and_group() -> None:
    coupons = {"type": "issue_coupon", "id": "c", "coupon_type": "gift", "quantity": banded(over="spend")}
    gift = {"gift": {"serial_managed": False, "code": "G"}}
    document = program(coupons, trackers=SPENT, coupon_types=gift)
    assert reasons(document, sale("1", member=None)) == ["no_member"]

    grouped = {"spend": {**SPENT["spend"], "per": "member_group"}}
    assert reasons(program(earn(banded(over="spend")), trackers=grouped), sale("1")) == ["no_group"]


def reasons(document: dict, event: dict, snapshot: dict | None = None) -> list[str]:
    return [each["reason"] for each in evaluate(document, event, snapshot)["skipped"]]


@pytest.mark.parametrize(
    ("bands", "path", "code"),
    [
        ([], "bands", "required"),
        ([{"up_to": "5", "percent": "1"}], "bands[0].up_to", "misplaced"),
        ([{"percent": "1"}, {"percent": "2"}], "bands[0].up_to", "unreachable"),
        (
            [{"up_to": "5", "percent": "1"}, {"up_to": "5", "percent": "2"}, {"percent": "3"}],
            "bands[1].up_to",
            "out_of_range",
        ),
        ([{"up_to": "0", "percent": "1"}, {"percent": "3"}], "bands[0].up_to", "out_of_range"),
        ([{"up_to": "5", "percent": "-1"}, {"percent": "3"}], "bands[0].percent", "out_of_range"),
    ],
)
def test_bands_ascend_and_only_the_last_has_no_end(bands: list, path: str, code: str) -> None:
    found = problem_of(program(earn({"type": "banded", "bands": bands})))
    assert found[:2] == (f"{ACTION}.proration.{path}", code)


@pytest.mark.parametrize("aggregate", ["each_line", "each_unit"])
def test_bands_are_for_a_base_as_a_whole(aggregate: str) -> None:
    base = {"type": "line_item_value", "aggregate": aggregate}
    assert problem_of(program(earn(banded(of=base))))[:2] == (f"{ACTION}.proration.of.aggregate", "misplaced")


def test_the_tracker_of_bands_exists() -> None:
    assert problem_of(program(earn(banded(over="spent")), trackers=SPENT)) == (
        f"{ACTION}.proration.over",
        "unknown_reference",
        "there is no tracker 'spent'; did you mean 'spend'?",
    )


# -- percentages by a path ---------------------------------------------------------------------------------------------

BY_TIER = {"by": "member.tier", "of": {"gold": "300", "silver": "200"}, "else": "100"}
STATUS = {
    "status": {
        "levels": ["bronze", "silver", "gold"],
        "by": "spend",
        "from": {"silver": "100", "gold": "200"},
        "lasts": {"type": "never"},
    }
}


def of_tier(tier: str | None) -> dict:
    return sale("50", member={"id": "M1", "tier": tier})


@pytest.mark.parametrize(("tier", "expected"), [("gold", "150"), ("silver", "100"), ("bronze", "50"), (None, "50")])
def test_a_percentage_depends_on_a_text(tier: str | None, expected: str) -> None:
    document = program(earn({"type": "multiplier", "percent": BY_TIER}))
    assert amount(document, of_tier(tier)) == expected


@pytest.mark.parametrize("tier", ["bronze", None])
def test_without_a_match_the_field_is_missing(tier: str | None) -> None:
    percent = {key: value for key, value in BY_TIER.items() if key != "else"}
    document = program(earn({"type": "multiplier", "percent": percent}))
    assert reasons(document, of_tier(tier)) == ["missing_field"]


@pytest.mark.parametrize(("text", "expected"), [("a", "5"), ("b", "10"), (5, "10"), (None, "10")])
def test_a_free_form_field_is_a_text_or_no_match(text: Any, expected: str) -> None:
    percent = {"by": "custom_fields.kind", "of": {"a": "10"}, "else": "20"}
    document = program(earn(proportional(percent)))
    assert amount(document, sale("50", custom_fields={"kind": text})) == expected


@pytest.mark.parametrize(("level", "expected"), [(None, "50"), ("silver", "100"), ("gold", "200")])
def test_a_percentage_depends_on_a_level(level: str | None, expected: str) -> None:
    percent = {"by": "tiers.status", "of": {"bronze": "100", "silver": "200"}, "else": "400"}
    snapshot = {"tiers": {"status": {"level": level}}} if level is not None else {}
    document = program(earn({"type": "multiplier", "percent": percent}), trackers=SPENT, tiers=STATUS)
    assert amount(document, sale("50"), snapshot) == expected


def test_bands_have_percentages_by_a_path() -> None:
    bands = [{"up_to": "10", "percent": BY_TIER}, {"percent": "10"}]
    document = program(earn({"type": "banded", "bands": bands}))
    assert amount(document, of_tier("gold")) == "34"  # 300 % of 10 and 10 % of 40


def test_all_percentages_are_resolved_before_the_base() -> None:
    beyond = [{"up_to": "100", "percent": "1"}, {"percent": {"by": "store", "of": {"S1": "2"}}}]
    document = program(earn({"type": "banded", "bands": beyond, "of": {"type": "line_item_value"}}))
    assert reasons(document, sale("50")) == ["missing_field"]  # not no_matching_lines
    assert reasons(document, sale("50", store="S1")) == ["no_matching_lines"]


def test_the_member_comes_before_the_percentage() -> None:
    percent = {"by": "store", "of": {"S1": "2"}}
    grouped = {"spend": {**SPENT["spend"], "per": "member_group"}}
    document = program(earn(proportional(percent, {"type": "gap_before", "tracker": "spend"})), trackers=grouped)
    assert reasons(document, sale("50")) == ["no_group"]


def test_each_line_has_the_percentage_of_the_event() -> None:
    base = {"type": "line_item_value", "aggregate": "each_line"}
    document = program(earn(proportional(BY_TIER, base), rounding={"value": "down"}))
    assert amount(document, sale("9", lines=lines("1.5", "2.5"), member={"id": "M1", "tier": "gold"})) == "9"


@pytest.mark.parametrize(
    ("percent", "path", "code"),
    [
        ({"by": "amount", "of": {"a": "1"}}, ".by", "unknown_path"),
        ({"by": "member.tags", "of": {"a": "1"}}, ".by", "unknown_path"),
        ({"by": "balances.points", "of": {"a": "1"}}, ".by", "unknown_path"),
        ({"by": "tiers.level", "of": {"gold": "1"}}, ".by", "unknown_reference"),
        ({"by": "tiers.status", "of": {"golden": "1"}}, ".of.golden", "unknown_reference"),
        ({"by": "store", "of": {}}, ".of", "required"),
        ({"by": "store", "of": {"S1": "-1"}}, ".of.S1", "out_of_range"),
        ({"by": "store", "of": {"S1": "1"}, "else": "x"}, ".else", "not_a_decimal"),
        ("-1", "", "out_of_range"),
        ([], "", "not_a_decimal"),
    ],
)
def test_a_malformed_percentage_is_refused(percent: Any, path: str, code: str) -> None:
    document = program(earn({"type": "multiplier", "percent": percent}), trackers=SPENT, tiers=STATUS)
    assert problem_of(document)[:2] == (f"{ACTION}.proration.percent{path}", code)


@pytest.mark.parametrize(
    ("proration", "words"),
    [
        (
            Multiplier(PercentBy(by="member.tier", of={"gold": "300"}, else_="100")),
            "(300 % for 'gold', else 100 %, by member.tier) of the bill",
        ),
        (Multiplier(PercentBy(by="store", of={"S1": "5"})), "(5 % for 'S1', by store) of the bill"),
        (
            Banded([Band("5000", percent="1"), Band(percent="1.5")], over="spend"),
            "1 % up to 5000, 1.5 % beyond of the bill, laid over tracker spend",
        ),
    ],
)
def test_a_proration_of_the_event_is_described_in_words(proration: Proration, words: str) -> None:
    assert describe_proration(proration, "the bill") == words


def test_a_program_with_percentages_by_a_path_is_dumped_as_it_was_loaded() -> None:
    document = lr.dump(lr.load_program(program(earn({"type": "multiplier", "percent": BY_TIER}))))
    assert document["promotions"][0]["actions"][0]["proration"]["percent"] == BY_TIER
    assert lr.load_program(document).version == lr.load_program(lr.dump(lr.load_program(document))).version


@pytest.mark.parametrize("mode", ["up", "down", "nearest"])
def test_bands_that_come_to_a_whole_number_are_not_rounded(mode: str) -> None:
    """100 at 1 % is 1 exactly."""
    assert amount(program(earn(banded(), rounding={"currency": mode})), sale("100")) == "1"


def test_bands_without_a_tracker_name_none() -> None:
    bands = Banded([Band("5000", percent="1"), Band(percent="1.5")])

    assert describe_proration(bands, "the bill") == "1 % up to 5000, 1.5 % beyond of the bill"


def test_a_list_at_the_path_of_a_percentage_is_no_text() -> None:
    percent = {"by": "custom_fields.vip", "of": {"gold": "300"}, "else": "100"}

    assert amount(program(earn(proportional(percent))), sale("50", custom_fields={"vip": ["gold"]})) == "50"


def test_a_text_without_a_percentage_is_told() -> None:
    percent = {"by": "member.tier", "of": {"gold": "300"}}

    [skip] = evaluate(program(earn(proportional(percent))), sale("50", member={"id": "M1", "tier": "blue"}))["skipped"]
    assert skip["detail"] == "member.tier has no percentage: the text 'blue'"
