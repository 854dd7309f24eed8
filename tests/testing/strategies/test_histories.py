"""A history is in order of time, with unique ids, and its later events belong to its sales."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.testing import strategies as kit
from properties.examples import drawn, examples


@examples(100)
@given(kit.programs().map(lr.load_program).flatmap(lambda shop: st.tuples(st.just(shop), kit.histories(shop))))
def test_a_history_is_in_order_with_unique_ids_and_later_events_of_its_sales(
    drawn: tuple[lr.Program, list[dict]],
) -> None:
    events = [lr.load_event(document) for document in drawn[1]]
    sold = {event.id for event in events if isinstance(event, lr.Transaction)}

    assert [event.occurred_at for event in events] == sorted(event.occurred_at for event in events)
    assert len({event.id for event in events}) == len(events)
    assert {event.of for event in events if isinstance(event, (lr.Return, lr.Update))} <= sold


def test_a_history_has_at_most_the_given_events_and_days() -> None:
    for history in drawn(kit.histories(most_events=3, months=1, later=False), 60):
        assert 1 <= len(history) <= 3
        assert {event["type"] for event in history} <= {"transaction", "registration", "visit"}
        days = [date.fromisoformat(event["occurred_at"][:10]) for event in history]
        assert all(date(2025, 1, 1) <= day <= date(2025, 1, 30) for day in days)


@pytest.mark.slow
def test_a_sale_has_at_most_one_return() -> None:
    for history in drawn(kit.histories(), 60):
        returned = [event["of"] for event in history if event["type"] == "return"]
        assert len(returned) == len(set(returned))


@pytest.mark.slow
def test_returns_and_updates_are_both_drawn() -> None:
    kinds = {event["type"] for history in drawn(kit.histories(), 60) for event in history}

    assert {"transaction", "return", "update"} <= kinds


def test_every_event_of_a_history_without_anonymous_ones_has_a_member() -> None:
    for history in drawn(kit.histories(anonymous=False, later=False), 30):
        assert all("member" in event for event in history)
