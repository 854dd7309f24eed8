"""Sales that are recorded after a review that they come before, worked out by hand. Source: semantics 14."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.ledger import MemoryLedger
from shop import earn, fixed, program, sale

YEARLY = {"measure": {"type": "transaction_value"}, "target": "1000", "window": {"type": "calendar", "unit": "year"}}
STATUS: dict[str, Any] = {
    "levels": ["bronze", "silver", "gold"],
    "by": "spend",
    "from": {"silver": "1000", "gold": "5000"},
    "keep_from": {"silver": "700"},
    "lasts": {"type": "fixed_period", "after": {"years": 1}, "through": "year"},
}


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def history(*steps: tuple[str, str]) -> tuple[MemoryLedger, lr.Program]:
    """A ledger after steps in this order: a sale of an amount on a day, or a review."""
    loaded = lr.load_program(program(earn(fixed("1")), trackers={"spend": YEARLY}, tiers={"status": STATUS}))
    ledger = MemoryLedger()
    for what, day in steps:
        if what == "review":
            ledger.review_tiers(loaded, at(day))
        else:
            ledger.process(loaded, lr.load_event(sale(what, id=f"T-{day}", occurred_at=f"{day}T10:00:00Z")))
    return ledger, loaded


SILVER = ("1000", "2025-03-01")
REVIEW = ("review", "2027-01-02")


@pytest.mark.parametrize(
    ("late", "level", "until"),
    [
        (("700", "2026-12-30"), "silver", "2027-12-31"),  # keeps silver
        (("699", "2026-12-30"), "bronze", None),
        (("1000", "2026-12-30"), "silver", "2027-12-31"),  # reaches silver again, so there is nothing to judge
        (("700", "2027-01-01"), "bronze", None),  # after the last day: only by reaching a level again
    ],
)
def test_the_order_of_a_sale_and_a_review_makes_no_difference(late: tuple, level: str, until: str | None) -> None:
    ledgers = [history(SILVER, late, REVIEW), history(SILVER, REVIEW, late)]
    held = [ledger.tier(loaded, "M1", "status", at("2027-01-03")) for ledger, loaded in ledgers]

    assert [(each.level, str(each.until) if each.until else None) for each in held] == [(level, until)] * 2
    assert [ledger.check_invariants() for ledger, _ in ledgers] == [[], []]


def test_the_batch_of_the_sale_names_the_change() -> None:
    ledger, loaded = history(SILVER, REVIEW)
    event = lr.load_event(sale("700", id="T-late", occurred_at="2026-12-30T10:00:00Z"))
    receipt = ledger.process(loaded, event)
    [change] = [each for each in receipt.intents if isinstance(each, lr.ChangeTier)]

    assert (change.key, change.from_level, change.to_level) == ("acme/T-late/tier/status/review", "bronze", "silver")
    assert ledger.tier(loaded, "M1", "status", at("2026-12-31")).level == "silver"


def test_two_reviews_in_a_row_are_both_judged_again() -> None:
    """Gold of 2025, nothing in 2026 and 2027: silver, then bronze. 5,000 of 2026 make it gold, then silver."""
    ledger, loaded = history(("5000", "2025-03-01"), ("review", "2028-01-02"), ("5000", "2026-05-01"))
    held = ledger.tier(loaded, "M1", "status", at("2028-01-03"))

    assert (held.level, str(held.until)) == ("silver", "2028-12-31")


def test_a_late_sale_that_ends_a_period_earlier_makes_one_more_period_pass() -> None:
    """Silver until 2027 fell in 2028. Gold of January 2025 ends with 2026: silver until 2027, and then bronze."""
    ledger, loaded = history(
        ("1500", "2025-01-01"), ("1000", "2026-01-01"), ("review", "2028-01-01"), ("3500", "2025-01-02")
    )

    held = ledger.tier(loaded, "M1", "status", at("2028-01-02"))
    assert (held.level, held.until) == ("bronze", None)
    assert ledger.tier(loaded, "M1", "status", at("2027-12-31")).level == "gold"  # no review had run by then
    assert ledger.review_tiers(loaded, at("2031-01-01")) == []
