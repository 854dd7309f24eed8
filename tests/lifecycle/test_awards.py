"""Trackers of awards after the sale: lowered by what is no longer awarded. Source: semantics 7a and 17."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from lifecycle.till import Till
from loyalty_rules.lifecycle.awards import lost_awards, lowered_trackers
from loyalty_rules.lifecycle.records import Sale
from shop import earn, fixed, program, proportional, sale

AWARDS = {"earned": {"measure": {"type": "awarded", "currency": "points"}, "target": "100"}}
PROMISED = {"type": "external"}
GROUP = {"id": "M1", "group": "G1"}


def earned(till: Till, event: dict | None = None) -> str:
    """The value of the tracker for the next sale."""
    next_sale = event or sale("1", id="T-9")
    return lr.dump(till.ledger.snapshot(till.program, lr.load_event(next_sale)))["trackers"]["earned"]


def sold(*actions: dict, trackers: dict = AWARDS, **parts: Any) -> Till:
    till = Till(program(*actions, trackers=trackers))
    till.sell(sale("60", **parts))
    return till


def decide(till: Till, outcome: str) -> None:
    till.process(
        {
            "type": "confirmation",
            "id": "C-1",
            "occurred_at": "2025-01-16T10:00:00Z",
            "promise": "acme/T-1/p/later",
            "outcome": outcome,
        }
    )


def test_a_cancelled_promise_lowers_the_tracker() -> None:
    till = sold(earn(fixed("7")), earn(fixed("5"), "later", timing=PROMISED))
    assert earned(till) == "12"

    decide(till, "cancel")
    assert earned(till) == "7"


def test_a_released_promise_leaves_the_tracker() -> None:
    till = sold(earn(fixed("7")), earn(fixed("5"), "later", timing=PROMISED))
    decide(till, "issue")
    assert earned(till) == "12"


def test_a_lapsed_promise_lowers_the_tracker() -> None:
    lapsing = earn(fixed("5"), "later", timing=PROMISED, expiry={"type": "event_date", "after": {"days": 0}})
    till = sold(earn(fixed("7")), lapsing)
    decide(till, "issue")  # on the day after its last
    assert earned(till) == "7"


def test_a_return_lowers_the_tracker_by_what_is_taken() -> None:
    till = sold(earn(proportional("100")))
    till.take_back("20")
    assert earned(till) == "40"
    till.take_back("40")
    assert earned(till) == "0"


def test_units_that_are_kept_stay_in_the_tracker() -> None:
    till = sold(earn(proportional("100"), on_return="keep"), earn(fixed("9"), "gift"))
    till.take_back("60")
    assert earned(till) == "60"


def test_a_shortfall_counts_as_taken() -> None:
    till = sold(earn(proportional("100")))
    till.spend("50", at="2025-01-16T10:00:00Z")
    till.take_back("60")
    assert earned(till) == "0"


def test_units_of_a_cancelled_promise_lower_the_tracker_once() -> None:
    till = sold(earn(proportional("100"), "later", timing=PROMISED), earn(fixed("7")))
    decide(till, "cancel")
    till.take_back("60")
    assert earned(till) == "0"


def test_a_cap_that_trims_when_recorded_lowers_the_advance() -> None:
    limits = {"cap": {"currency": "points", "per": "member", "amount": "100"}}
    till = Till(program(earn(proportional("100")), trackers=AWARDS, limits=limits))
    till.sell(sale("60"), {})
    till.sell(sale("60", id="T-2"), {})  # the same snapshot at another till: 40 are left
    assert earned(till) == "100"


def test_a_refused_issue_advances_nothing() -> None:
    limits = {"cap": {"currency": "points", "per": "member", "amount": "60"}}
    till = Till(program(earn(proportional("100")), trackers=AWARDS, limits=limits))
    till.sell(sale("60"), {})
    till.sell(sale("60", id="T-2"), {})
    assert earned(till) == "60"


def test_the_tracker_of_a_group_is_lowered_for_the_group() -> None:
    trackers = {"earned": {**AWARDS["earned"], "per": "member_group"}}
    till = sold(earn(proportional("100"), recipient="member_group"), trackers=trackers, member=GROUP)
    other = sale("1", id="T-9", member={"id": "M2", "group": "G1"})
    assert earned(till, other) == "60"

    receipt = till.take_back("20")
    [advance] = [lr.dump(each) for each in receipt.intents if each.type == "advance_tracker"]
    assert (advance["member"], advance["group"], advance["value"]) == ("M1", "G1", "-20")
    assert earned(till, other) == "40"


def frozen(**parts: Any) -> Sale:
    loaded = lr.load_program(program(earn(fixed("1")), trackers=AWARDS))
    event = lr.load_event(sale("60", **parts))
    assert isinstance(event, lr.Transaction)
    return Sale(loaded, event, lr.load_snapshot({}))


@pytest.mark.parametrize("surplus", [{}, {"earned": 0}, {"earned": -1}])
def test_only_a_surplus_lowers_a_tracker(surplus: dict[str, int]) -> None:
    assert [*lowered_trackers(frozen(), "acme/R-1", surplus)] == []


def test_an_anonymous_sale_lowers_no_tracker() -> None:
    assert [*lowered_trackers(frozen(member=None), "acme/R-1", {"earned": 1})] == []


def test_nothing_lost_is_zero() -> None:
    assert lost_awards(frozen(), []) == {"earned": 0}
