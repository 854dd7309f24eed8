"""The gaps of an event: what is missing for more promotions and for the next milestones. Source: semantics 16."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from shop import earn, fixed, lines, program, sale

MUGS = {"field": "sku", "is": "MUG"}


def missing(when: Any, event: dict | None = None, snapshot: dict | None = None, **parts: Any) -> list[tuple[str, ...]]:
    """Return the rows of `needed` for a shop whose promotion `p` has a condition: path, have, need, missing."""
    shop = lr.load_program(program(promotions=[{"id": "p", "when": when, "actions": [earn(fixed("1"))]}], **parts))
    known = lr.load_snapshot(snapshot) if snapshot is not None else None
    rows = shop.evaluate(lr.load_event(event or sale("40")), known).needed()
    assert {row.promotion for row in rows} <= {"p", None}
    return [(row.path, *(format(each, "f") for each in (row.have, row.need, row.missing))) for row in rows]


@pytest.mark.parametrize(("when", "rows"), [
    ({"field": "amount", "at_least": "50"}, [("amount", "40", "50", "10")]),
    ({"field": "amount", "more_than": "40"}, [("amount", "40", "40.01", "0.01")]),
    ({"field": "amount", "between": ["45", "60"]}, [("amount", "40", "45", "5")]),
    ({"field": "amount", "at_least": "50", "at_most": "60"}, [("amount", "40", "50", "10")]),
    ({"field": "amount", "at_least": "40"}, []),                                     # it fires
    ({"field": "amount", "at_most": "30"}, []),                                      # less would be needed
    ({"field": "amount", "is": "50"}, []),
    ({"field": "store", "is": "S9"}, []),
    ({"not": {"field": "amount", "less_than": "50"}}, []),
    ({"field": "tenders.card", "at_least": "10"}, [("tenders.card", "0", "10", "10")]),
    ({"field": "custom_fields.nights", "at_least": 3}, [("custom_fields.nights", "2", "3", "1")]),
    ({"field": "custom_fields.nights", "more_than": 2}, [("custom_fields.nights", "2", "3", "1")]),
    ({"field": "custom_fields.other", "at_least": 3}, []),                           # absent: nobody knows
    ({"base": {"type": "transaction_value", "less": ["tax"]}, "at_least": "35"},
     [("base.transaction_value", "34", "35", "1")]),
    ({"lines": MUGS}, [("lines.count", "0", "1", "1")]),
    ({"lines": MUGS, "quantity": {"at_least": 3}}, [("lines.quantity", "0", "3", "3")]),
    ({"lines": {"field": "value", "at_least": "1"}, "value": {"more_than": "40"}},
     [("lines.value", "40", "40.01", "0.01")]),
    ({"lines": {"field": "value", "at_least": "1"}, "count": {"more_than": 2}}, [("lines.count", "2", "3", "1")]),
])  # fmt: skip
def test_a_number_that_is_too_low_names_what_is_missing(when: dict, rows: list[tuple[str, ...]]) -> None:
    event = sale("40", tax="6", store="S1", custom_fields={"nights": 2}, lines=lines("15", "25"))
    assert missing(when, event) == rows


def test_of_all_conditions_each_gap_is_needed_and_one_that_cannot_be_met_ends_it() -> None:
    amount, nights = {"field": "amount", "at_least": "50"}, {"field": "custom_fields.nights", "at_least": 4}
    event = sale("40", custom_fields={"nights": 1})
    # 3 of 4 nights are missing, 10 of 50 of the bill: the bill is nearer
    assert [row[0] for row in missing({"all": [nights, amount]}, event)] == ["amount", "custom_fields.nights"]
    assert missing({"all": [amount, {"field": "store", "is": "S9"}]}, event) == []


def test_of_several_alternatives_the_nearest_counts() -> None:
    far, near = {"field": "amount", "at_least": "80"}, {"field": "amount", "at_least": "50"}
    closed = {"field": "store", "is": "S9"}
    assert missing({"any": [far, closed, near]}) == [("amount", "40", "50", "10")]
    assert missing({"any": [closed]}) == []


VISITS = {"visits": {"measure": {"type": "count"}, "target": "10", "repeats": True}}


def test_the_next_milestone_of_a_tracker_is_told_with_and_without_a_promotion() -> None:
    at_seven = {"trackers": {"visits": "7"}}
    crossed = {"tracker": "visits", "crossed": True}
    assert missing(crossed, snapshot=at_seven, trackers=VISITS) == [("trackers.visits", "8", "10", "2")] * 2
    at_nine = {"trackers": {"visits": "9"}}  # this visit is the tenth, and the next milestone is 20
    assert missing(crossed, snapshot=at_nine, trackers=VISITS) == [("trackers.visits", "10", "20", "10")]


def test_a_tracker_test_of_an_anonymous_event_or_a_past_target_has_no_gap() -> None:
    spent = {"spent": {"measure": {"type": "transaction_value"}, "target": "100"}}
    crossed = {"tracker": "spent", "crossed": True}
    assert missing(crossed, snapshot={"trackers": {"spent": "150"}}, trackers=spent) == []
    assert missing(crossed, sale("40", member=None), trackers=spent) == []
    assert missing({"tracker": "spent", "reached": False}, sale("100"), trackers=spent) == []
    assert missing({"tracker": "spent", "reached": True}, trackers=spent)[0] == ("trackers.spent", "40", "100", "60")


def test_a_tracker_of_awards_counts_what_the_event_awards() -> None:
    earned = {"earned": {"measure": {"type": "awarded", "currency": "points"}, "target": "5"}}
    assert missing(None, trackers=earned) == [("trackers.earned", "1", "5", "4")]


def test_a_balance_is_needed_for_a_reward() -> None:
    found = missing({"field": "balances.points", "at_least": "500"}, snapshot={"balances": {"points": "420"}})
    assert found == [("balances.points", "420", "500", "80")]


def test_a_promotion_of_another_trigger_or_another_time_needs_nothing() -> None:
    when = {"field": "amount", "at_least": "50"}
    promotion = {"id": "p", "when": when, "actions": [earn(fixed("1"))]}
    for change in ({"trigger": "registration", "when": None}, {"starts_at": "2026-01-01T00:00:00Z"}):
        shop = lr.load_program(program(promotions=[{**promotion, **change}]))
        assert shop.evaluate(lr.load_event(sale("40"))).needed() == ()


def test_rows_are_plain_data_and_the_smallest_missing_share_comes_first() -> None:
    promotions = [
        {"id": name, "when": {"field": "amount", "at_least": least}, "actions": [earn(fixed("1"))]}
        for name, least in (("far", "400"), ("near", "50"), ("also-near", "50"))
    ]
    rows = lr.load_program(program(promotions=promotions)).evaluate(lr.load_event(sale("40"))).needed()
    assert [lr.dump(row) for row in rows] == [
        {"promotion": "near", "path": "amount", "have": "40", "need": "50", "missing": "10"},
        {"promotion": "also-near", "path": "amount", "have": "40", "need": "50", "missing": "10"},
        {"promotion": "far", "path": "amount", "have": "40", "need": "400", "missing": "360"},
    ]


def test_a_cent_is_that_of_the_programs_money() -> None:
    assert missing({"field": "amount", "more_than": "40"}, money="JPY") == [("amount", "40", "41", "1")]
