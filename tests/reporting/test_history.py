"""A history of events under one program."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from loyalty_rules.events import Event
from loyalty_rules.reporting.history import History, in_order
from shop import earn, fixed

from .histories import HISTORY, bought, version


def recorded(*events: Event, **parts: Any) -> History:
    history = History(version("10", **parts))
    for event in events:
        history.record(event)
    return history


def test_returns_count() -> None:
    lots = [each.lot for each in recorded(*HISTORY).rows().lots]
    assert [(lot.issued, lot.reversed, lot.outstanding) for lot in lots] == [(10, 4, 6), (5, 0, 5), (1, 0, 1)]


def test_an_event_that_is_sent_again_counts_once() -> None:
    history = recorded(HISTORY[0], HISTORY[0])
    assert [each.lot.issued for each in history.rows().lots] == [10]
    assert history.not_counted == {"already_recorded": 1}


@pytest.mark.parametrize(
    ("first", "event", "reason"),
    [
        (HISTORY[0], attrs.evolve(HISTORY[0], amount=Decimal(99)), "conflict"),
        (HISTORY[1], HISTORY[2], "unknown_sale"),
    ],
)
def test_an_event_that_changes_nothing_is_counted_by_its_reason(first: Event, event: Event, reason: str) -> None:
    assert recorded(first, event).not_counted == {reason: 1}


def test_a_promise_that_is_due_by_the_last_event_is_settled() -> None:
    promise = earn(fixed("7"), timing={"type": "delayed", "days": 3})
    history = recorded(bought(1, "anna", "1"), bought(5, "ben", "1"), promotions=[{"id": "p", "actions": [promise]}])
    lots = [each.lot for each in history.rows().lots]
    assert [(lot.promised, lot.outstanding) for lot in lots] == [(0, 7), (7, 0)]


def test_an_empty_history_has_no_rows() -> None:
    rows = recorded().rows()
    assert (rows.lots, rows.coupons) == ((), ())


def test_the_order_is_that_of_instants_and_then_of_ids() -> None:
    first, second = bought(1, "anna", "1"), bought(2, "anna", "1")
    at_the_same_time = attrs.evolve(second, id="T-0")
    assert [event.id for event in in_order([second, first, at_the_same_time])] == ["T-1", "T-0", "T-2"]
