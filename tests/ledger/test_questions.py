"""The questions of a help desk over a storage: frozen terms, merged members, households. Source: semantics 16.

The contract has the facts that hold for every ledger: `testing.ledgers.facts.asking`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.ledger import MemoryLedger
from shop import Serials, earn, fixed, program, sale

AT = datetime(2025, 1, 20, tzinfo=UTC)
COUNT = {"measure": {"type": "count"}, "target": "10"}
SHOP = lr.load_program(
    program(
        earn(fixed("10")),
        {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"},
        trackers={"visits": COUNT, "house": {**COUNT, "per": "member_group"}},
        coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "5"}}},
    )
)


@pytest.fixture
def ledger() -> MemoryLedger:
    ledger = MemoryLedger()
    for number, household in enumerate(("h", None), 1):
        ledger.process(SHOP, bill(f"T-{number}", household), serials=Serials())
    return ledger


def bill(event: str, household: str | None = None) -> Any:
    return lr.load_event(sale(id=event, member={"id": "M1", "group": household}))


def values(ledger: MemoryLedger, member: str, group: str | None = None) -> list[tuple[str, int]]:
    progress = ledger.progress(SHOP, member, AT, group=group)
    return [(each.tracker, int(each.value)) for each in progress.trackers]


def test_a_household_has_its_own_progress(ledger: MemoryLedger) -> None:
    assert values(ledger, "M1") == [("visits", 2)]
    assert values(ledger, "M1", "h") == [("visits", 2), ("house", 1)]
    assert values(ledger, "M2", "h") == [("visits", 0), ("house", 1)]


def test_a_merged_member_has_the_progress_of_the_new_one(ledger: MemoryLedger) -> None:
    ledger.merge(SHOP, "M1", "M9", reason="two cards", by="desk", event="E-1", at=AT)
    assert values(ledger, "M1") == values(ledger, "M9") == [("visits", 2)]
    assert ledger.preview(SHOP, bill("cart")).basis.snapshot.trackers["visits"] == 2


def test_serials_are_in_no_explanation(ledger: MemoryLedger) -> None:
    explained = ledger.explain("acme", "T-1")
    assert "gift" in str(explained)
    assert "S:acme" not in str(explained)


def test_other_ids_are_read_like_those_of_events(ledger: MemoryLedger) -> None:
    with pytest.raises(InvalidValueError, match="member"):
        ledger.progress(SHOP, "", AT)
    with pytest.raises(InvalidValueError, match="event"):
        ledger.explain("acme", " T-1")
