"""Eight processes at one ledger: nothing is issued, redeemed or spent twice, on both databases. Source: ledger P4.

Each race also runs against a naive ledger, which exceeds the limits; this proves that the processes do interfere.
`LOYALTY_DEEP` asks for ten times as many attempts.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from .racing import ANNA, NOON, PRICE, RACES, WORKERS, Outcome, Race, Workers, drop_unique_keys, opened
from .servers import Server

pytestmark = pytest.mark.slow

DEEP = bool(os.environ.get("LOYALTY_DEEP"))
AT = datetime.fromisoformat(NOON)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with closing(Workers()) as workers:
        yield workers


def run(workers: Workers, race: Race) -> list[Outcome]:
    """Create and prepare the ledger of a race, and run the race."""
    with closing(opened(race)) as ledger:
        ledger.create_all()
        if race.naive:
            drop_unique_keys(ledger._bind)  # type: ignore[arg-type]
        given: Any = RACES[race.name].prepare(ledger, race)
    return workers.run(race, given)


def limit_is_exceeded(workers: Workers, postgres: Server, name: str, size: int, attempts: int = WORKERS) -> bool:
    """Run a race against up to five naive ledgers; return whether one exceeds its limit. Mostly the first does."""
    races = (Race(name, postgres.new_database(), size, attempts, naive=True) for _ in range(5))
    return any(exceeds_limit(race, recorded(run(workers, race))) for race in races)


def exceeds_limit(race: Race, counts: Counter[str]) -> bool:
    if race.name == "conversion":
        return lost(race) != 0
    prices = {"spends": 7, "rewards": PRICE}
    limit = race.size // prices[race.name] if race.name in prices else race.size if race.name == "cap" else 1
    return max(counts.values()) > limit


def violations(race: Race) -> list[str]:
    with closing(opened(race)) as ledger:
        return [*ledger.check_invariants()]


def points_of(race: Race) -> Decimal:
    with closing(opened(race)) as ledger:
        return ledger.balance("acme", ANNA, "points", AT).available


def statuses(outcomes: list[Outcome]) -> Counter[str]:
    return Counter(status for _, status in outcomes)


def recorded(outcomes: list[Outcome]) -> Counter[str]:
    """Return how often each attempt was recorded, by its name."""
    return Counter(what for what, status in outcomes if status == "recorded")


# -- a coupon is redeemed once ---------------------------------------------------------------------------------------

COUPONS = 2_000 if DEEP else 200


def test_each_coupon_is_redeemed_once(workers: Workers, database: str) -> None:
    race = Race("coupons", database, COUPONS)
    outcomes = run(workers, race)
    assert len(recorded(outcomes)) == COUPONS
    assert statuses(outcomes) == {"recorded": COUPONS, "refused": (WORKERS - 1) * COUPONS}
    assert violations(race) == []


def test_a_naive_ledger_redeems_a_coupon_more_than_once(workers: Workers, postgres: Server) -> None:
    assert limit_is_exceeded(workers, postgres, "coupons", 50)


# -- an event is recorded once ---------------------------------------------------------------------------------------

EVENTS = 1_500 if DEEP else 150


def test_each_event_is_recorded_once(workers: Workers, database: str) -> None:
    race = Race("events", database, EVENTS)
    outcomes = run(workers, race)
    assert len(recorded(outcomes)) == EVENTS
    assert statuses(outcomes) == {"recorded": EVENTS, "already_recorded": (WORKERS - 1) * EVENTS}
    assert points_of(race) == 10 * EVENTS
    assert violations(race) == []


def test_a_naive_ledger_records_an_event_more_than_once(workers: Workers, postgres: Server) -> None:
    assert limit_is_exceeded(workers, postgres, "events", 50)


# -- a cap is not exceeded -------------------------------------------------------------------------------------------

CAP, SALES = (100, 800) if DEEP else (20, 160)


def test_a_cap_is_never_exceeded(workers: Workers, database: str) -> None:
    race = Race("cap", database, CAP, SALES)
    outcomes = run(workers, race)
    assert statuses(outcomes) == {"recorded": CAP, "nothing": SALES - CAP}
    assert violations(race) == []


def test_a_naive_ledger_exceeds_a_cap(workers: Workers, postgres: Server) -> None:
    assert limit_is_exceeded(workers, postgres, "cap", CAP, SALES)


# -- a balance is not overspent --------------------------------------------------------------------------------------

POINTS, SPENDS = (1_000, 800) if DEEP else (300, 80)


def test_a_balance_is_never_overspent(workers: Workers, database: str) -> None:
    race = Race("spends", database, POINTS, SPENDS)
    outcomes = run(workers, race)
    sevens, remainder = divmod(POINTS, 7)
    assert statuses(outcomes) == {"recorded": sevens, "refused": SPENDS - sevens}
    assert points_of(race) == remainder == 6
    assert violations(race) == []


def test_a_naive_ledger_overspends_a_balance(workers: Workers, postgres: Server) -> None:
    assert limit_is_exceeded(workers, postgres, "spends", POINTS, SPENDS)


# -- a price is paid for each reward ---------------------------------------------------------------------------------

REWARDS, WANTED = (50, 800) if DEEP else (4, 24)


def vouchers_of(race: Race) -> int:
    with closing(opened(race)) as ledger:
        return len(ledger.coupons("acme", "anna"))


def test_no_reward_is_taken_without_its_price(workers: Workers, database: str) -> None:
    race = Race("rewards", database, REWARDS * PRICE + 100, WANTED)
    outcomes = run(workers, race)
    assert statuses(outcomes) == {"recorded": REWARDS, "nothing": WANTED - REWARDS}
    assert (points_of(race), vouchers_of(race)) == (100, REWARDS)
    assert violations(race) == []


def test_a_naive_ledger_gives_rewards_without_their_price(workers: Workers, postgres: Server) -> None:
    assert limit_is_exceeded(workers, postgres, "rewards", REWARDS * PRICE + 100, WANTED)


# -- every 500 points become a voucher, and the rest is kept -----------------------------------------------------------

CONVERTED = 800 if DEEP else 24


def lost(race: Race) -> Decimal:
    """Return the points that are neither in vouchers nor in the balance; below zero if there are too many."""
    return 300 * race.attempts - PRICE * vouchers_of(race) - points_of(race)


def test_a_conversion_loses_no_points_and_makes_none(workers: Workers, database: str) -> None:
    race = Race("conversion", database, CONVERTED, CONVERTED)
    outcomes = run(workers, race)
    assert statuses(outcomes) == {"recorded": CONVERTED}
    vouchers, rest = divmod(300 * CONVERTED, PRICE)
    assert (vouchers_of(race), points_of(race)) == (vouchers, rest)
    assert lost(race) == 0
    assert violations(race) == []


def test_a_naive_ledger_converts_points_twice(workers: Workers, postgres: Server) -> None:
    assert limit_is_exceeded(workers, postgres, "conversion", CONVERTED, CONVERTED)
