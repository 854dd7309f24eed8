"""Predicates: truth tables of conditions. Source: semantics 7."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.conditions import Condition
from loyalty_rules.rules.predicates import bind
from rules.actions import SPEND, facts_of
from shop import earn, evaluate, fixed, lines, program, sale


def loaded(condition: dict) -> Condition:
    promotion = {"id": "p", "when": condition, "actions": [earn(fixed("1"))]}
    when = lr.load_program(program(promotions=[promotion], trackers=SPEND)).promotions[0].when
    assert when is not None
    return when


def holds(condition: dict, event: dict, snapshot: dict | None = None, **parts: Any) -> bool:
    return bind(loaded(condition))(facts_of(event, snapshot, trackers=SPEND, **parts))


# -- comparisons -------------------------------------------------------------------------------------------------------

# sale() is of 100, on Wednesday 15 January 2025 at 10:00 in UTC, to the member M1, without a store.
COMPARISONS: list[tuple[dict, dict, bool]] = [
    ({"field": "amount", "is": "100.00"}, {}, True),
    ({"field": "amount", "is_not": 100}, {}, False),
    ({"field": "amount", "at_least": 100}, {}, True),
    ({"field": "amount", "more_than": 100}, {}, False),
    ({"field": "amount", "more_than": "99.999999"}, {}, True),
    ({"field": "amount", "at_most": 100}, {}, True),
    ({"field": "amount", "less_than": 100}, {}, False),
    ({"field": "amount", "at_least": 50, "less_than": 100}, {}, False),  # all operators must hold
    ({"field": "amount", "in": [1, "100"]}, {}, True),
    ({"field": "amount", "not_in": [1, 2]}, {}, True),
    ({"field": "amount", "not_in": [1, 100]}, {}, False),
    ({"field": "amount", "is": "ten"}, {}, False),
    ({"field": "amount", "is_not": "ten"}, {}, False),  # a text and a number don't compare
    ({"field": "tip", "is": 0}, {}, False),  # absent
    ({"field": "tip", "is": 0}, {"tip": "0"}, True),
    ({"field": "tenders.card", "at_least": 30}, {"tenders": [{"type": "card", "amount": "30"}]}, True),
    ({"field": "tenders.cash", "exists": True}, {"tenders": [{"type": "card", "amount": "30"}]}, False),
    ({"field": "store", "is": "S1"}, {"store": "S1"}, True),
    ({"field": "store", "is": "s1"}, {"store": "S1"}, False),
    ({"field": "store", "is_not": "S1"}, {"store": "S2"}, True),
    ({"field": "store", "is_not": "S1"}, {}, False),
    ({"field": "store", "not_in": ["S1"]}, {}, False),
    ({"field": "store", "exists": False}, {}, True),
    ({"field": "store", "exists": True}, {}, False),
    ({"field": "store", "exists": False, "is": "S1"}, {}, False),
    ({"field": "store", "exists": True, "is": "S1"}, {"store": "S1"}, True),
    ({"field": "store", "in": ["S1", "S2"]}, {"store": "S2"}, True),
    ({"field": "store", "more_than": "S1"}, {"store": "S10"}, True),  # as texts
    ({"field": "weekday", "is": "wed"}, {}, True),
    ({"field": "local_date", "is": "2025-01-15"}, {}, True),
    ({"field": "local_date", "is": "2025-01-14"}, {"business_date": "2025-01-14"}, True),
    ({"field": "local_time", "at_least": "10:00", "less_than": "10:01"}, {}, True),
    ({"field": "type", "is": "transaction"}, {}, True),
    ({"field": "member.id", "is": "M1"}, {}, True),
    ({"field": "member.id", "exists": False}, {"member": None}, True),
    ({"field": "member.tier", "is": "gold"}, {"member": {"id": "M1", "tier": "gold"}}, True),
    ({"field": "member.tags", "has": "vip"}, {"member": {"id": "M1", "tags": ["new", "vip"]}}, True),
    ({"field": "member.tags", "has": "vip"}, {"member": {"id": "M1", "tags": []}}, False),
]


@pytest.mark.parametrize(("condition", "parts", "expected"), COMPARISONS)
def test_a_comparison_holds(condition: dict, parts: dict, expected: bool) -> None:
    assert holds(condition, sale(**parts)) is expected


@pytest.mark.parametrize(
    ("operators", "value", "expected"),
    [
        ({"is": 1}, "1.0", True),  # both decimals: as numbers
        ({"is": "1.0"}, 1, True),
        ({"at_least": 9}, "10", True),
        ({"at_least": "9"}, "10", True),
        ({"at_least": "9a"}, "10", False),  # both texts: "10" comes before "9a"
        ({"at_least": 9}, "ten", False),
        ({"is_not": 9}, "ten", False),
        ({"is": True}, True, True),
        ({"is": True}, 1, False),
        ({"is_not": True}, 1, False),
        ({"is_not": True}, False, True),
        ({"at_least": True}, True, False),  # flags have no order
        ({"in": [1, "a"]}, "a", True),
        ({"not_in": [1, "a"]}, "b", False),  # 1 and "b" don't compare
        ({"not_in": ["a", "c"]}, "b", True),
        ({"has": 1}, ["1.0", "x"], True),
        ({"has": "x"}, "x", False),  # not a list
        ({"has": 1}, [True], False),
        ({"is": "a"}, None, False),
        ({"exists": False}, None, True),
        ({"is": "a"}, {"a": 1}, False),
    ],
)
def test_a_free_form_field_compares_by_the_kinds_of_both_sides(operators: dict, value: Any, expected: bool) -> None:
    condition = {"field": "custom_fields.x", **operators}

    assert holds(condition, sale(custom_fields={"x": value})) is expected


def test_foreign_money_without_a_rate_compares_with_nothing() -> None:
    event = sale("100", currency="SEK")

    assert not holds({"field": "amount", "at_least": 1}, event, money="USD")
    assert not holds({"field": "amount", "less_than": 1}, event, money="USD")
    assert holds({"not": {"field": "amount", "at_least": 1}}, event, money="USD")


def test_foreign_money_compares_in_the_money_of_the_program() -> None:
    event = sale("100", currency="SEK", exchange_rate="0.1")

    assert holds({"field": "amount", "is": 10}, event, money="USD")


# -- groups ------------------------------------------------------------------------------------------------------------

YES, NO = {"field": "amount", "is": 100}, {"field": "amount", "is": 1}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"all": []}, True),
        ({"all": [YES]}, True),
        ({"all": [YES, NO]}, False),
        ({"all": [YES, YES, YES]}, True),
        ({"any": []}, False),
        ({"any": [NO, YES]}, True),
        ({"any": [NO, NO]}, False),
        ({"not": YES}, False),
        ({"not": {"all": [YES, NO]}}, True),
        ({"not": {"field": "store", "is": "S1"}}, True),  # absent: the comparison is false
    ],
)
def test_a_group_of_conditions_holds(condition: dict, expected: bool) -> None:
    assert holds(condition, sale()) is expected


# -- lines -------------------------------------------------------------------------------------------------------------

BASKET = [
    {"id": "1", "quantity": "2", "value": "10", "sku": "MUG", "tags": ["gift"]},
    {"id": "2", "quantity": "1.5", "value": "20", "sku": "TEE"},
    {"id": "3", "quantity": "1", "unit_price": "5", "discount": "1", "sku": "MUG"},
]
MUG = {"field": "sku", "is": "MUG"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"lines": MUG}, True),
        ({"lines": {"field": "sku", "is": "CAP"}}, False),
        ({"lines": MUG, "count": {"is": 2}}, True),
        ({"lines": MUG, "quantity": {"is": 3}}, True),
        ({"lines": MUG, "value": {"is": 14}}, True),  # 10 and 1 × 5 − 1
        ({"lines": {"field": "tags", "has": "gift"}, "value": {"at_least": "10.000001"}}, False),
        ({"lines": {"field": "sku", "is": "CAP"}, "count": {"is": 0}}, True),
        ({"lines": {"field": "unit_price", "at_least": 5}, "count": {"is": 1}}, True),
        ({"lines": {"all": [MUG, {"field": "quantity", "more_than": 1}]}, "count": {"is": 1}}, True),
    ],
)
def test_a_line_test_holds(condition: dict, expected: bool) -> None:
    assert holds(condition, sale(lines=BASKET)) is expected


# -- anniversaries, trackers, subjects ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registered", "day", "unit", "expected"),
    [
        ("2020-01-15", "2025-01-15", "day", True),
        ("2020-01-16", "2025-01-15", "day", False),
        ("2020-01-31", "2025-01-15", "month", True),
        ("2020-02-15", "2025-01-15", "month", False),
        ("2020-02-29", "2025-02-28", "day", True),
        ("2020-02-29", "2024-02-28", "day", False),
        ("2020-02-29", "2024-02-29", "day", True),
    ],
)
def test_an_anniversary_holds(registered: str, day: str, unit: str, expected: bool) -> None:
    event = sale(occurred_at=f"{day}T10:00:00Z", member={"id": "M1", "registered_on": registered})

    assert holds({"anniversary": "member.registered_on", "unit": unit}, event) is expected


@pytest.mark.parametrize(("birthday", "expected"), [("1990-01-15", True), ("soon", False), (None, False)])
def test_an_anniversary_of_a_field_needs_a_date(birthday: str | None, expected: bool) -> None:
    event = sale(member={"id": "M1", "extended_fields": {"birthday": birthday}})

    assert holds({"anniversary": "member.extended_fields.birthday", "unit": "day"}, event) is expected


@pytest.mark.parametrize(
    ("before", "crossed", "reached"),
    [
        ("0", False, False),
        ("899.999999", False, False),
        ("900", True, True),
        ("999", True, True),
        ("1000", False, True),
    ],
)
def test_a_tracker_test_holds(before: str, crossed: bool, reached: bool) -> None:
    """The target is 1000, and the sale adds 100."""
    snapshot = {"trackers": {"spend": before}}

    assert holds({"tracker": "spend", "crossed": True}, sale(), snapshot) is crossed
    assert holds({"tracker": "spend", "crossed": False}, sale(), snapshot) is not crossed
    assert holds({"tracker": "spend", "reached": True}, sale(), snapshot) is reached
    assert holds({"tracker": "spend", "reached": False}, sale(), snapshot) is not reached


@pytest.mark.parametrize("test", [{"crossed": False}, {"reached": False}, {"crossed": True}])
def test_a_tracker_test_of_an_anonymous_sale_is_false(test: dict) -> None:
    assert not holds({"tracker": "spend", **test}, sale(member=None))


# -- paths and tests of the second edition -----------------------------------------------------------------------------

STATUS = {
    "tiers": {
        "status": {
            "levels": ["bronze", "silver", "gold"],
            "by": "spend",
            "from": {"silver": "100", "gold": "200"},
            "lasts": {"type": "never"},
        }
    }
}


def reads(condition: dict, event: dict, snapshot: dict | None = None) -> bool:
    promotion = {"id": "p", "when": condition, "actions": [earn(fixed("1"))]}
    loaded = lr.load_program(program(promotions=[promotion], trackers=SPEND, **STATUS))
    when = loaded.promotions[0].when
    assert when is not None
    return bind(when)(loaded.plan.facts(lr.load_event(event), lr.load_snapshot(snapshot or {})))


ANONYMOUS = sale(member=None)
GOLD = {"tiers": {"status": {"level": "gold"}}}

READINGS: list[tuple[dict, dict, dict, bool]] = [
    ({"field": "day_of_month", "is": 15}, sale(), {}, True),
    ({"field": "day_of_month", "at_least": 16}, sale(), {}, False),
    ({"field": "day_of_month", "is": 14}, sale(business_date="2025-01-14"), {}, True),
    ({"field": "month", "between": [1, 3]}, sale(), {}, True),
    ({"field": "month", "in": [2, 3]}, sale(), {}, False),
    ({"field": "local_time", "between": ["10:00", "14:00"]}, sale(), {}, True),
    ({"field": "tenders.a fields.b", "is": 5}, sale(tenders=[{"type": "a fields.b", "amount": "5"}]), {}, True),
    ({"field": "tiers.status", "is": "bronze"}, sale(), {}, True),  # the first level is everybody's
    ({"field": "tiers.status", "is": "gold"}, sale(), GOLD, True),
    ({"field": "tiers.status", "in": ["gold", "silver"]}, sale(), {}, False),
    ({"field": "tiers.status", "exists": True}, ANONYMOUS, GOLD, False),
    ({"field": "balances.points", "at_least": 100}, sale(), {"balances": {"points": "100"}}, True),
    ({"field": "balances.points", "is": 0}, sale(), {}, True),
    ({"field": "balances.points", "less_than": 0}, sale(), {"balances": {"points": "-20"}}, True),
    ({"field": "balances.points", "exists": True}, sale(), {}, True),
    ({"field": "balances.points", "exists": True}, ANONYMOUS, {"balances": {"points": "5"}}, False),
    ({"tier": "status", "at_least": "silver"}, sale(), GOLD, True),
    ({"tier": "status", "at_least": "silver"}, sale(), {}, False),
    ({"tier": "status", "at_most": "silver"}, sale(), GOLD, False),
    ({"tier": "status", "at_most": "silver"}, sale(), {}, True),
    ({"tier": "status", "is": "gold"}, sale(), GOLD, True),
    ({"tier": "status", "at_least": "silver", "at_most": "silver"}, sale(), GOLD, False),
    ({"tier": "status", "at_least": "bronze"}, sale(), {"tiers": {"status": {"level": "platinum"}}}, False),
    ({"tier": "status", "at_least": "bronze"}, ANONYMOUS, {}, False),
    ({"base": {"type": "transaction_value", "less": ["shipping"]}, "at_least": 50}, sale("57", shipping="7"), {}, True),
    (
        {"base": {"type": "transaction_value", "less": ["shipping"]}, "at_least": 50},
        sale("56", shipping="7"),
        {},
        False,
    ),
    ({"base": {"type": "line_item_value"}, "is": 0}, sale(), {}, False),  # no line: no value
    ({"base": {"type": "line_item_value"}, "exists": False}, sale(), {}, True),
    ({"base": {"type": "line_item_value"}, "between": ["9", "9"]}, sale(lines=lines("4.5", "4.5")), {}, True),
    ({"base": {"type": "line_item_value"}, "is": 9}, sale(lines=lines("10", "-1")), {}, True),
    (
        {"base": {"type": "line_item_value", "aggregate": "each_line"}, "is": 10},
        sale(lines=lines("10", "-1")),
        {},
        True,
    ),
    ({"base": {"type": "transaction_custom_field", "field": "n"}, "is": 2}, sale(custom_fields={"n": "2"}), {}, True),
    ({"base": {"type": "transaction_custom_field", "field": "n"}, "is": 2}, sale(custom_fields={"n": "x"}), {}, False),
]


@pytest.mark.parametrize(("condition", "event", "snapshot", "expected"), READINGS)
def test_a_condition_reads_the_date_the_snapshot_and_bases(
    condition: dict, event: dict, snapshot: dict, expected: bool
) -> None:
    assert reads(condition, event, snapshot) is expected


def test_a_base_is_compared_in_the_money_of_the_program() -> None:
    condition = {"base": {"type": "transaction_value", "less": ["tip"]}, "at_least": "135"}
    foreign = {"currency": "EUR", "tip": "10"}
    assert holds(condition, sale("100", exchange_rate="1.5", **foreign), money="USD")
    assert not holds(condition, sale("100", **foreign), money="USD")


# SHA-256 of the salt, a zero byte and the value; its first eight bytes as a number, modulo 100, by hand:
# printf 's\0M1' | sha256sum begins with d9b635d47425b890
NUMBER_OF_M1 = 0xD9B635D47425B890 % 100


@pytest.mark.parametrize(
    ("first", "below", "expected"),
    [
        (NUMBER_OF_M1, NUMBER_OF_M1 + 1, True),
        (0, NUMBER_OF_M1, False),
        (NUMBER_OF_M1 + 1, 100, False),
        (0, 100, True),
        (NUMBER_OF_M1, NUMBER_OF_M1, False),
    ],
)
def test_a_sample_is_a_share_of_texts(first: int, below: int, expected: bool) -> None:
    assert reads({"sample": "member.id", "salt": "s", "from": first, "below": below}, sale()) is expected


@pytest.mark.parametrize("path", ["store", "amount", "member.tags", "custom_fields.n"])
def test_a_sample_is_of_texts_alone(path: str) -> None:
    event = sale(member={"id": "M1", "tags": ["a"]}, custom_fields={"n": 5})
    assert reads({"sample": path, "salt": "s", "from": 0, "below": 100}, event) is False


@pytest.mark.parametrize(
    ("before", "bill", "crossed", "reached"),
    [("8", "1", False, False), ("8", "2", True, True), ("10", "9", False, True), ("19", "1", True, True)],
)
def test_a_tracker_that_repeats_is_crossed_at_each_milestone(
    before: str, bill: str, crossed: bool, reached: bool
) -> None:
    stamps = {"spend": {**SPEND["spend"], "target": "10", "repeats": True}}
    for test, expected in (("crossed", crossed), ("reached", reached)):
        for wanted in (True, False):
            promotion = {"id": "p", "when": {"tracker": "spend", test: wanted}, "actions": [earn(fixed("1"))]}
            document = program(promotions=[promotion], trackers=stamps)
            fired = [
                each["type"] for each in evaluate(document, sale(bill), {"trackers": {"spend": before}})["intents"]
            ]
            assert ("issue_currency" in fired) is (expected is wanted)


@pytest.mark.parametrize("test", [{"crossed": True}, {"crossed": False}, {"reached": True}, {"reached": False}])
def test_a_member_without_a_group_meets_no_test_of_its_tracker(test: dict) -> None:
    grouped = {"spend": {**SPEND["spend"], "per": "member_group"}}
    promotion = {"id": "p", "when": {"tracker": "spend", **test}, "actions": [earn(fixed("1"))]}
    assert evaluate(program(promotions=[promotion], trackers=grouped), sale())["intents"] == []
