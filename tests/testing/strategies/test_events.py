"""Events have the fields that their program reads, in the given ranges, next to its thresholds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.testing import strategies as kit
from loyalty_rules.testing.strategies.events import PLAIN, read_words
from loyalty_rules.testing.strategies.words import Words
from properties.examples import drawn, examples
from shop import earn, fixed, program, proportional, stepped

from .shrinking import shrunk

SALE = {"type": "transaction", "id": "T9", "occurred_at": "2025-01-31T12:00:00Z", "amount": "10"}


@examples(100)
@given(kit.transactions(least=5, most=7, most_lines=2, most_days=3, anonymous=False))
def test_sizes_and_ranges_are_kept(sale: dict) -> None:
    event: Any = lr.load_event(sale)

    assert 1 <= len(event.lines) <= 2
    assert all(5 <= line.value <= 7 for line in event.lines)
    assert event.amount == sum(line.value for line in event.lines) + (event.tax or 0)
    assert "2025-01-01" <= sale["occurred_at"][:10] <= "2025-01-03"
    assert event.member is not None


@examples(60)
@given(kit.transactions().flatmap(lambda sale: st.tuples(st.just(sale), kit.returns(sale, whole=True))))
def test_a_whole_return_has_the_whole_amount_and_all_lines(drawn: tuple[dict, dict]) -> None:
    sale, back = drawn

    assert back["amount"] == sale["amount"]
    assert {line["id"]: line["quantity"] for line in back.get("lines", [])} == {
        line["id"]: line["quantity"] for line in sale["lines"]
    }


def test_a_partial_return_is_at_most_the_sale() -> None:
    for back in drawn(kit.returns({**SALE, "lines": [{"id": "1", "quantity": "2", "value": "10"}]}), 60):
        assert back["of"] == "T9"
        assert 0 <= Decimal(back["amount"]) <= 10
        assert all(line.keys() <= {"id", "quantity", "amount"} and line["id"] == "1" for line in back.get("lines", []))
        assert all(0 <= int(line["quantity"]) <= 2 for line in back.get("lines", []))
        assert all(0 <= Decimal(line.get("amount", 0)) <= 10 for line in back.get("lines", []))


@pytest.mark.parametrize("later", [kit.returns, kit.updates])
def test_a_later_event_is_of_the_next_days_at_the_same_time(later: Any) -> None:
    days = {event["occurred_at"] for event in drawn(later(SALE, later_days=2), 60)}

    assert days == {"2025-02-01T12:00:00Z", "2025-02-02T12:00:00Z"}


def test_a_confirmation_issues_or_cancels_its_promise() -> None:
    found = drawn(kit.confirmations("shop/T1/p1/a1", "2025-01-02T12:00:00Z"), 30)

    assert {event["outcome"] for event in found} == {"issue", "cancel"}
    assert {(event["type"], event["promise"]) for event in found} == {("confirmation", "shop/T1/p1/a1")}


def test_an_activity_has_a_type_that_triggers_a_promotion() -> None:
    shop = lr.load_program(program(promotions=[{"id": "p", "trigger": "birthday", "actions": [earn(fixed("1"))]}]))

    assert {event["type"] for event in drawn(kit.activities(shop), 20)} == {"birthday"}
    assert {event["type"] for event in drawn(kit.events(shop), 60)} == {"birthday", "transaction"}


def test_without_activities_every_event_is_a_sale() -> None:
    shop = lr.load_program(program(earn(fixed("1"))))

    assert {event["type"] for event in drawn(kit.events(shop), 30)} == {"transaction"}


def test_a_snapshot_has_the_trackers_limits_and_actions_of_its_program() -> None:
    spend = {"spend": {"measure": {"type": "transaction_value"}, "target": "100"}}
    limits = {"daily": {"currency": "points", "per": "member", "amount": "50"}}
    shop = lr.load_program(program(earn(fixed("1")), trackers=spend, limits=limits))

    found = drawn(kit.snapshots(shop), 100)
    assert {name for known in found for name in known} == {"trackers", "issued", "limits"}
    assert {name for known in found for part in known.values() for name in part} == {"spend", "p/earn", "daily"}
    assert {"99.99", "100", "100.01"} <= {known.get("trackers", {}).get("spend") for known in found}


def test_events_are_drawn_from_a_vocabulary_a_program_or_the_plain_one() -> None:
    words = Words(money="USD")

    assert read_words(words) is words
    assert read_words(lr.load_program(program(money="EUR"))).money == "EUR"
    assert read_words(None) is PLAIN


# -- the words of the program ----------------------------------------------------------------------------------------


def test_a_receipt_has_no_field_that_its_program_does_not_read() -> None:
    shop = lr.load_program(program(earn(proportional("10"))))

    keys = {key for sale in drawn(kit.transactions(shop)) for key in sale}
    assert keys <= {"type", "id", "occurred_at", "amount", "member"}


@pytest.mark.slow
def test_some_receipt_satisfies_several_conditions_at_once() -> None:
    nights = {"type": "line_item_extended_field", "field": "nights", "lines": {"field": "category", "is": "ROOM"}}
    when = {"all": [{"field": "store", "is": "S9"}, {"field": "local_time", "at_least": "17:45"}]}
    promotion = {"id": "p", "when": when, "actions": [earn(proportional("10", nights))]}
    shop = lr.load_program(program(promotions=[promotion]))

    sales = drawn(kit.transactions(shop, anonymous=False), 1_000)
    # A store, a time, a category and a field at once: about one of a hundred has them.
    assert any(shop.evaluate(lr.load_event(sale)).intents for sale in sales)


def test_bills_lie_next_to_the_thresholds_of_their_program() -> None:
    shop = lr.load_program(program(earn(stepped("33.33", "1"))))

    amounts = {sale["amount"] for sale in drawn(kit.transactions(shop), 300)}
    assert {"33.32", "33.33", "33.34"} <= amounts


def test_events_lie_at_the_edges_of_the_windows_of_their_program() -> None:
    window = {"starts_at": "2031-05-01T00:00:00Z", "ends_at": "2031-06-01T00:00:00Z"}
    shop = lr.load_program(program(promotions=[{"id": "p", **window, "actions": [earn(fixed("1"))]}]))

    days = {sale["occurred_at"][:10] for sale in drawn(kit.transactions(shop), 200)}
    assert {"2031-05-01", "2031-05-31", "2031-06-01"} <= days


# -- the simplest ----------------------------------------------------------------------------------------------------


SIMPLEST: list[tuple[st.SearchStrategy[Any], Any]] = [
    (kit.members(), {"id": "M1"}),
    (kit.lines(least=1), {"id": "1", "quantity": "1", "value": "1"}),
    (
        kit.transactions(lr.load_program(program(earn(proportional("10")))), least=1),
        {"type": "transaction", "id": "T1", "occurred_at": "2025-01-01T12:00:00Z", "amount": "1"},
    ),
    (kit.activities(), {"type": "registration", "id": "A1", "occurred_at": "2025-01-01T12:00:00Z"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "simplest"), SIMPLEST)
def test_the_simplest_example_is_short_and_early(strategy: st.SearchStrategy[Any], simplest: Any) -> None:
    assert shrunk(strategy) == simplest
