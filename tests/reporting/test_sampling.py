"""A sample of members, and the interval of a sum over all of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.reporting.sampling import Estimate, estimated, read_percent, sampled

from .histories import bought, returned

MEMBERS = [f"M{number}" for number in range(200)]


def drawn(percent: str) -> set[str]:
    events = [bought(1, member, "1") for member in MEMBERS]
    return {event.member.id for event in sampled(events, Decimal(percent))}  # type: ignore[union-attr]


def test_a_larger_sample_has_the_members_of_a_smaller_one() -> None:
    tenth, half = drawn("10"), drawn("50")
    assert tenth < half < drawn("100") == {*MEMBERS}
    assert 8 < len(tenth) < 36  # the hash of an id does not change
    assert 73 < len(half) < 127


def test_a_member_has_all_receipts_or_none() -> None:
    events = [bought(day, member, "1") for day in (1, 2, 3) for member in MEMBERS]
    kept = [event.member.id for event in sampled(events, Decimal(50))]  # type: ignore[union-attr]
    assert kept
    assert all(kept.count(member) == 3 for member in kept)


def test_later_events_follow_their_sale() -> None:
    one, other = (next(m for m in MEMBERS if (m in drawn("50")) is wanted) for wanted in (True, False))
    events = [
        bought(1, one, "1"),
        bought(2, other, "1"),
        returned(3, 1, "1"),
        returned(4, 2, "1"),
        *(confirmed(f"C-{number}", promise) for number, promise in enumerate(("acme/T-1/p/e", "acme/T-2/p/e", "acme"))),
    ]
    assert [event.id for event in sampled(events, Decimal(50))] == ["T-1", "R-3", "C-0"]


def confirmed(name: str, promise: str) -> lr.Confirmation:
    return lr.Confirmation(id=name, occurred_at="2025-01-09T10:00:00Z", promise=promise, outcome="issue")


@pytest.mark.parametrize("percent", [Decimal(0), Decimal("-1"), Decimal("100.01"), 10, "10"])
def test_other_percentages_are_refused(percent: object) -> None:
    with pytest.raises(lr.InvalidValueError, match="expected a Decimal above 0 and at most 100, found"):
        read_percent(percent)  # type: ignore[arg-type]


def test_an_estimate_divides_by_the_part_that_was_drawn() -> None:
    """A quarter: the sum 3 stands for 12. The variance is 0.75 / 0.0625 × (1 + 4) = 60; 1.96 × √60 is 15.182094…"""
    assert estimated([Decimal(1), Decimal(2)], Decimal(25)) == Estimate(
        Decimal(25), Decimal(12), Decimal("-3.182094"), Decimal("27.182094")
    )


def test_the_whole_has_no_interval() -> None:
    whole = estimated([Decimal(1), Decimal(2)], Decimal(100))
    assert whole == Estimate(Decimal(100), Decimal(3), Decimal(3), Decimal(3))
