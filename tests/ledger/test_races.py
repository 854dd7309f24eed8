"""Eight processes at one ledger: what there is once is given once, on SQLite and on PostgreSQL. Source: ledger P4.

Each race is run against a naive ledger, too, and more is given then than there is: the race is one.
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

from .racing import ANNA, NOON, RACES, WORKERS, Outcome, Race, Workers, forget_what_is_unique, opened
from .servers import Server

DEEP = bool(os.environ.get("LOYALTY_DEEP"))
AT = datetime.fromisoformat(NOON)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with closing(Workers()) as workers:
        yield workers


def run(workers: Workers, race: Race) -> list[Outcome]:
    """Prepare a new ledger for a race, and run it."""
    with closing(opened(race)) as ledger:
        ledger.create_all()
        if race.naive:
            forget_what_is_unique(ledger._bind)  # type: ignore[arg-type]
        given: Any = RACES[race.name].prepare(ledger, race)
    return workers.run(race, given)


def overdone(workers: Workers, postgres: Server, name: str, size: int, tries: int = WORKERS) -> bool:
    """Run a race against naive ledgers; say whether one of them gives more than there is. Mostly the first does."""
    races = (Race(name, postgres.new_database(), size, tries, naive=True) for _ in range(5))
    return any(gives_too_much(race, recorded(run(workers, race))) for race in races)


def gives_too_much(race: Race, given: Counter[str]) -> bool:
    most = {"coupons": 1, "events": 1, "cap": race.size, "spends": race.size // 7}[race.name]
    return max(given.values()) > most


def what_is_wrong(race: Race) -> list[str]:
    with closing(opened(race)) as ledger:
        return [*ledger.check_invariants()]


def points_of(race: Race) -> Decimal:
    with closing(opened(race)) as ledger:
        return ledger.balance("acme", ANNA, "points", AT).available


def statuses(outcomes: list[Outcome]) -> Counter[str]:
    return Counter(status for _, status in outcomes)


def recorded(outcomes: list[Outcome]) -> Counter[str]:
    """How often each thing was recorded."""
    return Counter(what for what, status in outcomes if status == "recorded")


# -- a coupon is redeemed once ---------------------------------------------------------------------------------------

COUPONS = 2_000 if DEEP else 200


def test_each_coupon_is_redeemed_once(workers: Workers, database: str) -> None:
    race = Race("coupons", database, COUPONS)
    outcomes = run(workers, race)
    assert len(recorded(outcomes)) == COUPONS
    assert statuses(outcomes) == {"recorded": COUPONS, "refused": (WORKERS - 1) * COUPONS}
    assert what_is_wrong(race) == []


def test_naively_a_coupon_is_redeemed_more_than_once(workers: Workers, postgres: Server) -> None:
    assert overdone(workers, postgres, "coupons", 50)


# -- an event is recorded once ---------------------------------------------------------------------------------------

EVENTS = 1_500 if DEEP else 150


def test_each_event_is_recorded_once(workers: Workers, database: str) -> None:
    race = Race("events", database, EVENTS)
    outcomes = run(workers, race)
    assert len(recorded(outcomes)) == EVENTS
    assert statuses(outcomes) == {"recorded": EVENTS, "already_recorded": (WORKERS - 1) * EVENTS}
    assert points_of(race) == 10 * EVENTS
    assert what_is_wrong(race) == []


def test_naively_an_event_is_recorded_more_than_once(workers: Workers, postgres: Server) -> None:
    assert overdone(workers, postgres, "events", 50)


# -- a cap is not passed ---------------------------------------------------------------------------------------------

CAP, SALES = (100, 800) if DEEP else (20, 160)


def test_so_many_get_a_point_as_there_are_points(workers: Workers, database: str) -> None:
    race = Race("cap", database, CAP, SALES)
    outcomes = run(workers, race)
    assert statuses(outcomes) == {"recorded": CAP, "nothing": SALES - CAP}
    assert what_is_wrong(race) == []


def test_naively_more_get_a_point_than_there_are_points(workers: Workers, postgres: Server) -> None:
    assert overdone(workers, postgres, "cap", CAP, SALES)


# -- no more is spent than there is ----------------------------------------------------------------------------------

POINTS, SPENDS = (1_000, 800) if DEEP else (300, 80)


def test_no_more_is_spent_than_there_is(workers: Workers, database: str) -> None:
    race = Race("spends", database, POINTS, SPENDS)
    outcomes = run(workers, race)
    sevens, left = divmod(POINTS, 7)
    assert statuses(outcomes) == {"recorded": sevens, "refused": SPENDS - sevens}
    assert points_of(race) == left == 6
    assert what_is_wrong(race) == []


def test_naively_more_is_spent_than_there_is(workers: Workers, postgres: Server) -> None:
    assert overdone(workers, postgres, "spends", POINTS, SPENDS)
