"""The words of a recorded event: intents, lots and coupons. Source: semantics 16."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from loyalty_rules.intents import AdvanceTracker, CancelPromise, ChangeTier, ReverseCurrency, SpendCurrency
from loyalty_rules.lifecycle.explaining import EventExplanation, intent_text, state_of_lot

from .accounts import lot

AT = datetime(2025, 1, 15, 10, tzinfo=UTC)


@pytest.mark.parametrize(("intent", "words"), [
    (AdvanceTracker("k", "visits", "anna", Decimal(-1), None, None), "k: tracker visits changed by -1"),
    (ChangeTier("k", "status", "anna", None, "bronze", "gold", date(2025, 1, 15), None),
     "k: from bronze to gold, without an end"),
    (ReverseCurrency("k", "acme/T-1/p/earn", "T-1", "anna", None, "points", Decimal(10), (), Decimal(4), True, ()),
     "k: 10 points taken back of acme/T-1/p/earn, 4 short, which the account owes"),
    (SpendCurrency("k", "T-2", "anna", None, "points", Decimal("1.5")), "k: 1.5 points spent"),
    (CancelPromise("k", "acme/T-1/p/earn", None, "lapsed", Decimal(3), ()), "k: 3 pending units lapsed"),
])  # fmt: skip
def test_an_intent_in_words(intent: object, words: str) -> None:
    assert intent_text(intent) == words  # type: ignore[arg-type]


def test_the_state_of_a_lot_names_its_buckets_and_its_last_day() -> None:
    moved = lot("a", 10, date(2025, 3, 1)).moved("available", "spent", Decimal(3))
    moved = moved.moved("available", "expired", Decimal(7))
    assert state_of_lot(moved).endswith("of 10 points 3 spent, 7 expired, valid until 2025-03-01 (inclusive)")


def test_an_event_without_a_trace_has_a_heading_of_its_own() -> None:
    assert str(EventExplanation("R-1", "acme", None, ("one",), ("two",))).splitlines() == [
        "R-1 under the program acme:",
        "  recorded:",
        "    one",
        "  since then:",
        "    two",
    ]
