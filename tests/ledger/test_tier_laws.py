"""Laws of levels, over drawn histories: the order of arrival, a second review, and the return of a sale.

Each law also runs with a mistake planted, and must then fail. Source: semantics 14.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import strategies as st

import loyalty_rules as lr
from lifecycle.laws import holds, is_broken
from loyalty_rules.ledger import MemoryLedger, posting
from loyalty_rules.ledger.operations import review
from shop import program

YEARLY = {"measure": {"type": "transaction_value"}, "target": "1000", "window": {"type": "calendar", "unit": "year"}}
STATUS: dict[str, Any] = {
    "levels": ["bronze", "silver", "gold"],
    "by": "spend",
    "from": {"silver": "1000", "gold": "3000"},
    "keep_from": {"silver": "700"},
    "lasts": {"type": "fixed_period", "after": {"years": 1}, "through": "year"},
}
START = datetime(2025, 1, 1, 10, tzinfo=UTC)
END = datetime(2031, 1, 1, tzinfo=UTC)
PROGRAMS = {
    falls: lr.load_program(program(trackers={"spend": YEARLY}, tiers={"status": {**STATUS, "falls": falls}}))
    for falls in ("one", "earned", "never")
}

Step: TypeAlias = tuple[int, int]
"""A day after 1 January 2025, and the amount of a sale; 0 is a review."""

amounts = st.sampled_from([300, 700, 1000, 1500, 3000])
days = st.integers(0, 3 * 365)
sales = st.lists(st.tuples(days, amounts), min_size=1, max_size=5, unique_by=lambda step: step[0])
reviews = st.lists(
    st.tuples(days.map(lambda day: day + 365), st.just(0)), min_size=1, max_size=2, unique_by=lambda step: step[0]
)
terms = st.sampled_from(["one", "earned", "never"])


def at(day: int) -> datetime:
    return START + timedelta(days=day)


def recorded(falls: str, steps: Iterable[Step]) -> MemoryLedger:
    """Return a ledger after steps in this order."""
    ledger = MemoryLedger()
    for day, amount in steps:
        if amount:
            ledger.process(PROGRAMS[falls], sale(day, amount))
        else:
            ledger.review_tiers(PROGRAMS[falls], at(day) + timedelta(hours=9))
    return ledger


def sale(day: int, amount: int) -> Any:
    when = at(day).isoformat()
    document = {"type": "transaction", "id": f"T-{day}", "occurred_at": when, "amount": str(amount)}
    return lr.load_event({**document, "member": {"id": "M1"}})


def level(ledger: MemoryLedger, falls: str, when: datetime = END) -> tuple[str, str]:
    held = ledger.tier(PROGRAMS[falls], "M1", "status", when)
    return held.level, str(held.until)


# -- the order of arrival ----------------------------------------------------------------------------------------------


def level_does_not_depend_on_the_order_of_arrival(falls: str, steps: list[Step], order: Any) -> None:
    """The sales of a year arrive in any order: at the end of the year the level is the same."""
    in_a_year = [(day % 365, amount) for day, amount in steps]
    in_a_year = [*dict(in_a_year).items()]
    shuffled = [*in_a_year]
    order.shuffle(shuffled)
    one, other = recorded(falls, sorted(in_a_year)), recorded(falls, shuffled)
    assert level(one, falls) == level(other, falls)


def reviews_do_not_depend_on_the_order_of_arrival(
    falls: str, early: list[Step], judged: list[Step], late: list[Step]
) -> None:
    """Some sales arrive after all reviews, also after those that they come before."""
    late = [step for step in late if step[0] not in dict(early)]
    before = recorded(falls, sorted([*early, *judged, *late]))
    after = recorded(falls, [*sorted([*early, *judged]), *sorted(late)])
    for ledger in (before, after):
        ledger.review_tiers(PROGRAMS[falls], END)
    assert level(before, falls) == level(after, falls)


def test_the_level_does_not_depend_on_the_order_of_arrival() -> None:
    holds(level_does_not_depend_on_the_order_of_arrival, terms, sales, st.randoms(use_true_random=False), tries=20)


def test_a_mistake_about_the_order_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake: a sale that is dated before the last one changes no level."""
    evaluate, seen = posting.Posting.change_tier, [START]

    def ignoring_late_ones(self: Any, intent: Any) -> Any:
        late, seen[0] = self.at < seen[0], max(seen[0], self.at)
        return None if late else evaluate(self, intent)

    def law(falls: str, steps: list[Step], order: Any) -> None:
        seen[0] = START
        in_a_year = [*{day % 365: amount for day, amount in steps}.items()]
        one = level(recorded(falls, sorted(in_a_year)), falls)
        seen[0] = START
        order.shuffle(in_a_year)
        assert level(recorded(falls, in_a_year), falls) == one

    monkeypatch.setitem(posting._POSTS, lr.ChangeTier, ignoring_late_ones)  # type: ignore[arg-type]
    is_broken(law, terms, sales, st.randoms(use_true_random=False), tries=20)


def test_reviews_do_not_depend_on_the_order_of_arrival() -> None:
    holds(reviews_do_not_depend_on_the_order_of_arrival, terms, sales, reviews, sales, tries=20)


def test_a_review_that_is_not_judged_again_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "reviews_again", lambda *_: [])
    is_broken(reviews_do_not_depend_on_the_order_of_arrival, terms, sales, reviews, sales, tries=20)


# -- a second review ---------------------------------------------------------------------------------------------------


def a_second_review_changes_nothing(falls: str, steps: list[Step], day: int) -> None:
    ledger, when = recorded(falls, sorted(steps)), at(day + 365)
    ledger.review_tiers(PROGRAMS[falls], when)
    held = level(ledger, falls)
    assert ledger.review_tiers(PROGRAMS[falls], when) == []
    assert level(ledger, falls) == held


def test_a_second_review_changes_nothing() -> None:
    holds(a_second_review_changes_nothing, terms, sales, days, tries=20)


def test_a_review_that_ends_too_early_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake: one review judges one period only, so that a second one has more to do."""

    def judging_once(ledger: MemoryLedger, of: lr.Program, when: datetime) -> list[Any]:
        due = ledger.read(lambda queries: queries.reviewable(of, when))
        done = [ledger.execute(review.Review(of, tier, account, until, when)) for tier, account, until in due]
        return [each for each in done if each.status == "recorded"]

    monkeypatch.setattr(MemoryLedger, "review_tiers", judging_once)
    is_broken(a_second_review_changes_nothing, terms, sales, days, tries=20)


# -- the return of a sale ----------------------------------------------------------------------------------------------


def the_return_of_the_last_sale_gives_its_level_back(falls: str, steps: list[Step], amount: int) -> None:
    ledger = recorded(falls, sorted(steps))
    day = max(day for day, _ in steps) + 1
    before = level(ledger, falls, at(day) - timedelta(seconds=1))
    ledger.process(PROGRAMS[falls], sale(day, amount))
    back = {"type": "return", "id": "R", "of": f"T-{day}", "occurred_at": at(day).isoformat(), "amount": str(amount)}
    ledger.process(PROGRAMS[falls], lr.load_event(back))
    assert level(ledger, falls, at(day)) == before


def test_the_return_of_the_last_sale_gives_its_level_back() -> None:
    holds(the_return_of_the_last_sale_gives_its_level_back, terms, sales, amounts, tries=20)


def test_a_level_that_a_return_leaves_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "levels_taken_back", lambda *_: [])
    is_broken(the_return_of_the_last_sale_gives_its_level_back, terms, sales, amounts, tries=20)
