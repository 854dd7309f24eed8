"""Levels lost with the sale that gave them, with values worked out by hand. Source: semantics 11, 14."""

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
    ("before", "last", "expected"),
    [
        ("950", "100", ("bronze", None)),  # 950 do not reach silver
        ("1000", "4000", ("silver", "2026-12-31")),  # the level before, with its last day
        ("1000", "100", ("silver", "2026-12-31")),  # still reached
    ],
)
def test_a_level_is_lost_with_the_sale_that_gave_it(before: str, last: str, expected: tuple) -> None:
    ledger, loaded = MemoryLedger(), shop()
    bought(ledger, loaded, before, "2025-03-01")
    bought(ledger, loaded, last, "2025-03-02")
    held = level(ledger, loaded, "2025-03-03")
    back = {"type": "return", "id": "R", "occurred_at": "2025-03-04T10:00:00Z", "of": "T-2025-03-02", "amount": last}
    receipt = ledger.process(loaded, lr.load_event(back))

    assert level(ledger, loaded, "2025-03-05") == expected
    assert level(ledger, loaded, "2025-03-03") == held
    changed = [each for each in receipt.intents if isinstance(each, lr.ChangeTier)]
    assert [each.to_level for each in changed] == ([] if held == expected else [expected[0]])
    assert ledger.check_invariants() == []


def test_a_part_of_a_sale_leaves_a_level_between() -> None:
    """5,000 made gold; 2,000 are left, which reach silver."""
    ledger, loaded = MemoryLedger(), shop()
    bought(ledger, loaded, "5000", "2025-03-02")
    back = {"type": "return", "id": "R", "occurred_at": "2025-03-04T10:00:00Z", "of": "T-2025-03-02", "amount": "3000"}
    ledger.process(loaded, lr.load_event(back))

    assert level(ledger, loaded, "2025-03-05") == ("silver", "2026-12-31")
