"""The vocabulary of a program: worked by hand for one program of each kind of part."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.testing.strategies.scalars import FIRST_DAY
from loyalty_rules.testing.strategies.words import Words, words_of
from shop import earn, fixed, program, proportional, stepped


def words(*actions: dict, **promotion: object) -> Words:
    """Return the vocabulary of a program with one promotion."""
    given = {"id": "p", "actions": [*actions] or [earn(fixed("1"))], **promotion}
    return words_of(lr.load_program(program(promotions=[given])))


def test_a_program_of_a_fixed_amount_has_no_words() -> None:
    assert words() == Words()


def test_the_texts_of_a_comparison_are_words_at_its_path() -> None:
    found = words(when={"any": [{"field": "store", "in": ["S1", "S2"]}, {"not": {"field": "store", "is": "S3"}}]})

    assert found.texts == {"store": ["S1", "S2", "S3"]}
    assert found.has_stores


def test_an_existing_field_is_a_path_without_words() -> None:
    assert words(when={"field": "custom_fields.a", "exists": True}).texts == {"custom_fields.a": []}


def test_a_comparison_of_the_amount_is_a_threshold() -> None:
    assert words(when={"field": "amount", "at_least": "25.25"}).numbers == [Decimal("25.25")]


def test_a_step_is_a_threshold() -> None:
    assert words(earn(stepped("33.33", "1"))).numbers == [Decimal("33.33")]


def test_the_base_that_earns_one_unit_is_a_threshold() -> None:
    assert words(earn(proportional("0.3"))).numbers == [Decimal("333.333334")]
    assert words(earn(proportional("0"))).numbers == []


def test_the_pieces_that_a_condition_or_a_step_needs_are_quantities() -> None:
    mugs = {"lines": {"field": "quantity", "at_least": 12}, "quantity": {"more_than": 144}}

    found = words(earn(stepped("10", "1", {"type": "line_item_quantity"})), when=mugs)

    assert found.quantities == [Decimal(12), Decimal(144), Decimal(10)]


def test_the_texts_of_a_percentage_are_words_at_its_path() -> None:
    found = words(earn(proportional({"by": "member.tier", "of": {"gold": "2", "silver": "1"}, "else": "0"})))

    assert found.texts == {"member.tier": ["gold", "silver"]}


def test_a_sample_has_a_member_inside_and_one_outside() -> None:
    """With the salt "spring", `sha256sum` gives M1 a number that is 79 modulo 100, and M2 one that is 38."""
    found = words(when={"sample": "member.id", "salt": "spring", "from": 0, "below": 50})

    assert found.texts == {"member.id": ["M2", "M1"]}


def test_the_bases_and_levels_of_conditions_are_thresholds() -> None:
    net = {"base": {"type": "line_item_value", "less": ["tip"], "lines": {"field": "sku", "is": "MUG"}}, "at_least": 50}

    found = words(when=net)

    assert (found.numbers, found.components, found.texts) == (
        [Decimal(50)],
        {"tip"},
        {"line:": [], "line:sku": ["MUG"]},
    )


def test_the_target_of_a_tracker_is_a_threshold() -> None:
    trackers = {"spend": {"measure": {"type": "transaction_value"}, "target": "100"}}

    assert words_of(lr.load_program(program(trackers=trackers))).numbers == [Decimal(100)]


def test_a_line_test_has_words_of_lines_and_the_thresholds_of_its_measure() -> None:
    found = words(when={"lines": {"field": "category", "is": "FOOD"}, "value": {"at_least": "20"}})

    assert found.texts == {"line:": [], "line:category": ["FOOD"]}
    assert found.numbers == [Decimal(20)]
    assert found.has_lines


def test_a_base_names_its_field_its_component_or_its_tender() -> None:
    tip = proportional("10", {"type": "transaction_custom_field", "field": "tip"})
    net = proportional("10", {"type": "transaction_value", "less": ["tax", "tenders.card"]})

    found = words(earn(tip, "a"), earn(net, "b"))

    assert (found.fields, found.components, found.tenders) == ({"custom_fields.tip"}, {"tax"}, {"card"})


def test_an_expiry_names_a_field_or_a_day() -> None:
    on = {"type": "fixed_date", "on": "2026-06-30"}
    field = {"type": "customer_field", "field": "renewal"}

    found = words(earn(fixed("1"), "a", expiry=on), earn(fixed("1"), "b", expiry=field))

    assert found.days == [date(2026, 6, 30)]
    assert found.dates == {"member.extended_fields.renewal"}


def test_an_anniversary_is_a_date_of_the_member() -> None:
    assert words(when={"anniversary": "member.registered_on", "unit": "day"}).dates == {"member.registered_on"}


def test_a_local_date_is_a_day() -> None:
    assert words(when={"field": "local_date", "at_least": "2025-12-24"}).days == [date(2025, 12, 24)]


@pytest.mark.parametrize(
    ("window", "days"),
    [
        ({}, (FIRST_DAY, None)),
        (
            {"starts_at": "2031-05-01T00:00:00Z", "ends_at": "2031-06-01T00:00:00Z"},
            (date(2031, 5, 1), date(2031, 5, 31)),
        ),
        ({"starts_at": "2031-05-01T00:00:00Z"}, (date(2031, 5, 1), None)),
        ({"ends_at": "2025-06-01T00:00:00Z"}, (FIRST_DAY, date(2025, 5, 31))),
        ({"ends_at": "2020-01-02T00:00:00Z"}, (date(2019, 1, 1), date(2020, 1, 1))),  # 365 days before its last
    ],
)
def test_the_active_days_of_a_promotion_are_a_window(window: dict, days: tuple[date, date | None]) -> None:
    assert words(**window).windows == [days]


def test_a_trigger_is_an_activity_once() -> None:
    promotions = [{"id": f"p{number}", "trigger": "visit", "actions": [earn(fixed("1"))]} for number in range(2)]

    assert words_of(lr.load_program(program(promotions=promotions))).activities == ("visit",)


def test_a_recipient_group_needs_groups() -> None:
    assert words(earn(fixed("1"), recipient="member_group")).has_groups


def test_a_limit_per_store_needs_stores() -> None:
    limits = {"cap": {"currency": "points", "per": "store", "amount": "50"}}

    assert words_of(lr.load_program(program(limits=limits))).has_stores


def test_the_names_at_a_path_come_twice_and_others_once() -> None:
    tiers = Words(texts={"member.tier": ["gold", 5]})

    assert tiers.names("member.tier", "silver") == ["gold", "gold", "silver"]
    assert tiers.names("store", "S1") == []
    assert tiers.said("member.tier") == ["gold", 5]


def test_the_fields_of_a_family_are_sorted() -> None:
    found = Words(texts={"custom_fields.b": []}, fields={"custom_fields.a"}, dates={"extended_fields.c"})

    assert found.below("custom_fields.") == ["a", "b"]
    assert found.below("extended_fields.") == ["c"]
