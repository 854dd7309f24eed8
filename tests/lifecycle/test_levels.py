"""The level of an account as of an instant. Source: semantics 14."""

from __future__ import annotations

from datetime import UTC, date, datetime

from loyalty_rules.events import TierStanding
from loyalty_rules.lifecycle.levels import standing_at
from loyalty_rules.lifecycle.records import Account, LevelChange
from loyalty_rules.rules.expiry import Never
from loyalty_rules.rules.tiers import Tier

ANNA = Account("member", "M1")
STATUS = Tier("status", ("bronze", "silver", "gold"), "spend", {"silver": "1", "gold": "2"}, Never())
LATE = datetime(2030, 1, 1, tzinfo=UTC)
YEAR = date(2026, 12, 31)


def change(day: int, level: str, until: date | None, *, review: bool = False) -> LevelChange:
    at = datetime(2025, 1, day, tzinfo=UTC)
    key = f"acme/review/status/M1/2024-12-{day:02}" if review else f"acme/T-{day}/tier/status"
    return LevelChange(key, "status", ANNA, at, level, until, review)


def test_the_first_level_is_everybodys() -> None:
    assert standing_at(STATUS, [], LATE) == TierStanding("bronze")
    assert standing_at(STATUS, [change(9, "gold", YEAR)], datetime(2025, 1, 8, tzinfo=UTC)) == TierStanding("bronze")


def test_changes_count_in_the_order_of_their_instants_whenever_they_are_recorded() -> None:
    silver, gold = change(5, "silver", date(2027, 12, 31)), change(9, "gold", YEAR)

    assert standing_at(STATUS, [gold, silver], LATE) == TierStanding("gold", YEAR)
    assert standing_at(STATUS, [gold, silver], datetime(2025, 1, 6, tzinfo=UTC)) == TierStanding(
        "silver", date(2027, 12, 31)
    )


def test_an_event_never_lowers_a_level_or_its_last_day_but_a_review_does() -> None:
    gold = change(5, "gold", YEAR)

    assert standing_at(STATUS, [gold, change(6, "silver", None)], LATE) == TierStanding("gold", YEAR)
    assert standing_at(STATUS, [gold, change(6, "gold", date(2025, 12, 31))], LATE) == TierStanding("gold", YEAR)
    assert standing_at(STATUS, [gold, change(6, "gold", None)], LATE) == TierStanding("gold")
    assert standing_at(STATUS, [gold, change(6, "silver", YEAR, review=True)], LATE) == TierStanding("silver", YEAR)


def test_reviews_of_one_instant_count_in_the_order_of_their_periods() -> None:
    of_2025, of_2026 = (
        LevelChange(f"acme/review/status/M1/{until}", "status", ANNA, LATE, level, None, True)
        for until, level in (("2025-12-31", "silver"), ("2026-12-31", "bronze"))
    )

    assert standing_at(STATUS, [of_2026, of_2025], LATE).level == "bronze"
