"""Reviews of levels, and levels lost with a sale, with values worked out by hand. Source: semantics 11, 14."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.ledger.operations import Review
from loyalty_rules.lifecycle.levels import TierStatus
from shop import earn, fixed, program, sale

ANNA = lr.Account("member", "M1")
YEARLY = {"measure": {"type": "transaction_value"}, "target": "1000", "window": {"type": "calendar", "unit": "year"}}
STATUS: dict[str, Any] = {
    "levels": ["bronze", "silver", "gold"],
    "by": "spend",
    "from": {"silver": "1000", "gold": "5000"},
    "lasts": {"type": "fixed_period", "after": {"years": 1}, "through": "year"},
}


def shop(per: str = "member", **parts: Any) -> lr.Program:
    tiers = {"status": {**STATUS, **parts}}
    return lr.load_program(program(earn(fixed("1")), trackers={"spend": {**YEARLY, "per": per}}, tiers=tiers))


def bought(ledger: MemoryLedger, loaded: lr.Program, amount: str, on: str, **parts: Any) -> None:
    ledger.process(loaded, lr.load_event(sale(amount, id=f"T-{on}", occurred_at=f"{on}T10:00:00Z", **parts)))


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def level(ledger: MemoryLedger, loaded: lr.Program, day: str) -> tuple[str, str | None]:
    held = ledger.tier(loaded, "M1", "status", at(day))
    return held.level, held.until.isoformat() if held.until is not None else None


@pytest.mark.parametrize(
    ("parts", "spent", "expected"),
    [
        ({}, "0", ("silver", "2027-12-31")),  # gold falls by one
        ({"falls": "earned"}, "0", ("bronze", None)),
        ({"falls": "earned"}, "1000", ("silver", "2027-12-31")),
        ({"falls": "never"}, "0", ("gold", "2027-12-31")),
        ({}, "5000", ("gold", "2027-12-31")),
        ({"keep_from": {"gold": "3000"}}, "3000", ("gold", "2027-12-31")),
        ({"keep_from": {"gold": "3000"}}, "2999", ("silver", "2027-12-31")),
    ],
)
def test_a_review_keeps_a_level_or_lets_it_fall(parts: dict, spent: str, expected: tuple) -> None:
    """Gold of 2025 lasts through 2026, and is judged by what was bought in 2026."""
    ledger, loaded = MemoryLedger(), shop(**parts)
    bought(ledger, loaded, "5000", "2025-03-01")
    bought(ledger, loaded, spent, "2026-03-01")
    ledger.review_tiers(loaded, at("2027-01-01"))

    assert level(ledger, loaded, "2027-01-02") == expected
    assert level(ledger, loaded, "2026-12-31")[0] == "gold"
    assert ledger.check_invariants() == []


def test_one_review_judges_every_period_that_has_passed() -> None:
    ledger, loaded = MemoryLedger(), shop()
    bought(ledger, loaded, "5000", "2025-03-01")
    receipts = ledger.review_tiers(loaded, at("2028-01-01"))

    assert [(each.change.key, each.change.to_level) for each in receipts if each.change is not None] == [
        ("acme/review/status/M1/2026-12-31", "silver"),
        ("acme/review/status/M1/2027-12-31", "bronze"),
    ]
    assert ledger.review_tiers(loaded, at("2028-01-01")) == []


def test_a_review_waits_for_the_grace() -> None:
    ledger, loaded = MemoryLedger(), shop(grace={"months": 1})
    bought(ledger, loaded, "1000", "2025-03-01")

    assert ledger.review_tiers(loaded, at("2027-01-31")) == []
    early = ledger.execute(Review(loaded, "status", ANNA, date(2026, 12, 31), at("2027-01-31")))
    assert early.refusal is not None
    assert early.refusal.reasons == ("not_due",)
    assert len(ledger.review_tiers(loaded, at("2027-02-01"))) == 1


def test_a_last_day_that_does_not_move_is_reviewed_once() -> None:
    ledger, loaded = MemoryLedger(), shop(lasts={"type": "fixed_date", "on": "2025-12-31"})
    bought(ledger, loaded, "5000", "2025-03-01")

    assert len(ledger.review_tiers(loaded, at("2026-06-01"))) == 1
    assert level(ledger, loaded, "2026-06-02") == ("gold", "2025-12-31")


def test_a_level_of_a_group_is_reviewed_for_the_group() -> None:
    ledger, loaded = MemoryLedger(), shop("member_group")
    bought(ledger, loaded, "1000", "2025-03-01", member={"id": "M1", "group": "home"})
    [receipt] = ledger.review_tiers(loaded, at("2027-01-01"))

    assert receipt.change is not None
    assert (receipt.change.member, receipt.change.group, receipt.change.to_level) == (None, "home", "bronze")
    assert ledger.tier(loaded, "M2", "status", at("2026-01-01"), group="home").level == "silver"
    assert ledger.tier(loaded, "M1", "status", at("2026-01-01")).level == "bronze"


def test_the_way_to_the_next_level_is_the_missing_amount() -> None:
    ledger, loaded = MemoryLedger(), shop()
    bought(ledger, loaded, "1200", "2025-03-01")

    assert ledger.tier(loaded, "M1", "status", at("2025-03-02")) == TierStatus(
        "silver", date(2026, 12, 31), "gold", Decimal(3800)
    )
    bought(ledger, loaded, "3800", "2025-03-03")
    assert ledger.tier(loaded, "M1", "status", at("2025-03-04")) == TierStatus("gold", date(2026, 12, 31), None, None)
    with pytest.raises(lr.InvalidValueError, match="no tier"):
        ledger.tier(loaded, "M1", "rank", at("2025-03-04"))
