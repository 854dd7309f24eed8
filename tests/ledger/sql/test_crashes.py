"""Processes that are killed with `kill -9` at each point of a transaction, and a server of PostgreSQL that is killed.

Every acknowledged sale is recorded, and every other sale is recorded once by a retry. In the end the database is as if
no process had died. Source: faults T6 and T7. A naive ledger, which commits each claim by itself, loses sales.
`LOYALTY_DEEP` asks for 50 deaths at each point instead of 2, and for 500 at any time instead of 6.

Not tested: power failures, and disks that acknowledge too early. The system keeps the writes of a killed process.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import Connection, create_engine, select

from loyalty_rules.ledger.sql import SQLLedger, Tables
from loyalty_rules.lifecycle.records import Account

from .crashing import POINTS, Plan, acknowledged, expected_points, opened, record_all, record_until, shop
from .racing import ANNA, PROCESSES, bill
from .servers import VARIABLE, Server, start_server

pytestmark = pytest.mark.slow

DEEP = bool(os.environ.get("LOYALTY_DEEP"))
SALES = 53 if DEEP else 8
# Without DEEP: the first sale, which stores the program, and the one that gets the rest of the cap.
VICTIMS = [*range(50)] if DEEP else [0, SALES - 3]
AT_ANY_TIME = 50 if DEEP else 6
SEEDS = range(10 if DEEP else 1)
ROUNDS = 20 if DEEP else 2
WRITERS = 4
PATIENCE = 60.0

State = dict[str, list[tuple[Any, ...]]]


def start(work: Callable[..., None], *given: Any) -> Any:
    process = PROCESSES.Process(target=work, args=given, daemon=True)
    process.start()
    return process


def end_of(process: Any) -> int:
    """Wait for a process to end, and return its exit code."""
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        raise TimeoutError(f"{process} takes longer than {PATIENCE} seconds")
    code: int = process.exitcode
    process.close()
    return code


def record(plan: Plan) -> int:
    return end_of(start(record_all, plan))


# -- the content of a database ---------------------------------------------------------------------------------------


def state_of(url: str) -> State:
    """Return all rows of all tables in their order, without the numbers that the database generates."""
    tables = Tables()
    engine = create_engine(url)
    with engine.connect() as connection:
        state = {each.name: [*rows_of(connection, each)] for each in (*tables.log, *tables.state)}
    engine.dispose()
    return state


def rows_of(connection: Connection, table: Any) -> Iterator[tuple[Any, ...]]:
    columns = [each for each in table.c if each.name not in ("number", "id", "batch")]
    for row in connection.execute(select(*columns).order_by(*table.primary_key)):
        yield tuple(row)


def recorded_in(url: str) -> list[str]:
    """Return the ids of the sales that have a receipt."""
    tables = Tables()
    engine = create_engine(url)
    with engine.connect() as connection:
        sales = [*connection.execute(select(tables.batches.c.event).join(tables.receipts)).scalars()]
    engine.dispose()
    return sales


def new_ledger(url: str) -> None:
    with closing(opened(url)) as ledger:
        ledger.create_all()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> State:
    """Return the content of a database if no process dies."""
    return undisturbed_state(SALES, tmp_path_factory.mktemp("undisturbed"))


def undisturbed_state(sales: int, folder: Path) -> State:
    url = f"sqlite:///{folder / 'undisturbed.db'}"
    new_ledger(url)
    with closing(opened(url)) as ledger:
        for number in range(sales):
            assert ledger.process(shop(sales), bill(f"T{number}")).status == "recorded"
    return state_of(url)


def faults_after_a_death(plan: Plan) -> list[str]:
    """Return violated invariants and lost sales as sentences, before a retry could record a lost sale again."""
    lost = acknowledged(plan.acknowledged).difference(recorded_in(plan.url))
    with closing(opened(plan.url)) as ledger:
        broken = ledger.check_invariants()
    return [*broken, *(f"{each} is acknowledged and lost" for each in sorted(lost))]


def faults_in_the_end(plan: Plan, undisturbed: State) -> list[str]:
    """Return, after all retries, the differences from a database in which no process has died, as sentences."""
    faults = faults_after_a_death(plan)
    every = {f"T{number}" for number in range(plan.sales)}
    if acknowledged(plan.acknowledged) != every:
        faults.append("not every sale is acknowledged")
    if sorted(recorded_in(plan.url)) != sorted(every):
        faults.append("not every sale is recorded once")
    with closing(opened(plan.url)) as ledger:
        balance = ledger.balance("acme", ANNA, "points", bill("T0").occurred_at)
    if balance.available != expected_points(plan.sales):
        faults.append(f"{balance.available} points instead of {expected_points(plan.sales)}")
    state = state_of(plan.url)
    return [*faults, *(f"{name} differs" for name in undisturbed if state[name] != undisturbed[name])]


# -- at each point ---------------------------------------------------------------------------------------------------


def deaths(plan: Plan, point: str, victims: Sequence[int]) -> Iterator[str]:
    """Kill a process in each of these sales; yield the faults after each death."""
    for victim in victims:
        assert record(attrs.evolve(plan, point=point, victim=victim)) == -signal.SIGKILL
        assert f"T{victim}" not in acknowledged(plan.acknowledged)
        yield from faults_after_a_death(plan)


@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_dies_loses_nothing(point: str, database: str, tmp_path: Path, undisturbed: State) -> None:
    new_ledger(database)
    plan = Plan(database, tmp_path / "acknowledged", SALES)
    victims = VICTIMS if point != "program" else VICTIMS[:1]
    assert [*deaths(plan, point, victims)] == []
    assert len(recorded_in(database)) == max(victims) + (point == "committed")
    assert record(plan) == 0
    assert faults_in_the_end(plan, undisturbed) == []


@pytest.mark.parametrize("point", ["lots", "counters", "entries", "receipt"])
def test_a_naive_process_that_dies_loses_what_it_claimed(
    point: str, database: str, tmp_path: Path, undisturbed: State
) -> None:
    new_ledger(database)
    plan = Plan(database, tmp_path / "acknowledged", SALES, naive=True)
    victim = VICTIMS[-1]
    [*_] = deaths(plan, point, [victim])
    assert record(plan) == 0
    faults = faults_in_the_end(plan, undisturbed)
    assert f"T{victim} is acknowledged and lost" in faults
    assert "not every sale is recorded once" in faults


def test_a_naive_process_that_does_not_die_loses_nothing(database: str, tmp_path: Path, undisturbed: State) -> None:
    new_ledger(database)
    plan = Plan(database, tmp_path / "acknowledged", SALES, naive=True)
    assert record(plan) == 0
    assert faults_in_the_end(plan, undisturbed) == []


# -- at any time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_process_that_dies_at_any_time_loses_nothing(seed: int, database: str, tmp_path: Path) -> None:
    """Each process continues after the last sale that the previous one acknowledged."""
    new_ledger(database)
    chance = random.Random(seed)
    maximum = 40
    plan = Plan(database, tmp_path / "acknowledged", maximum * AT_ANY_TIME)
    died = 0
    while died < AT_ANY_TIME:
        known = len(acknowledged(plan.acknowledged))
        process = start(record_all, attrs.evolve(plan, first=known, maximum=maximum))
        wait_for([plan.acknowledged], 1)
        time.sleep(chance.uniform(0.0, 0.02))
        process.kill()
        died += end_of(process) == -signal.SIGKILL
        assert faults_after_a_death(plan) == []
    assert record(plan) == 0
    assert faults_in_the_end(plan, undisturbed_state(plan.sales, tmp_path)) == []


def wait_for(paths: Sequence[Path], more: int) -> None:
    """Wait until each file has a number of further acknowledged sales."""
    wanted = {path: len(acknowledged(path)) + more for path in paths}
    until = time.monotonic() + PATIENCE
    while any(len(acknowledged(path)) < number for path, number in wanted.items()):
        assert time.monotonic() < until, "no process writes"
        time.sleep(0.001)


# -- the server ------------------------------------------------------------------------------------------------------


@pytest.fixture
def mortal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Yield a server of our own, even if the environment names one, because the test kills it."""
    monkeypatch.delenv(VARIABLE, raising=False)
    with closing(start_server()) as server:
        yield server


def test_a_server_that_dies_under_four_writers_loses_nothing(mortal: Server, tmp_path: Path) -> None:
    url = mortal.new_database()
    new_ledger(url)
    stop = tmp_path / "stop"
    paths = [tmp_path / f"acknowledged-{number}" for number in range(WRITERS)]
    writers = [start(record_until, url, number, path, stop) for number, path in enumerate(paths)]
    for _ in range(ROUNDS):
        wait_for(paths, 25)
        mortal.kill()
        known = set[str]().union(*(acknowledged(path) for path in paths))
        mortal.start()
        assert known.difference(recorded_in(url)) == set()
        with closing(opened(url)) as ledger:
            assert ledger.check_invariants() == []
    wait_for(paths, 5)
    stop.touch()
    assert [end_of(each) for each in writers] == [0] * WRITERS
    # A writer acknowledges its last sale before it stops.
    known = set[str]().union(*(acknowledged(path) for path in paths))
    assert sorted(recorded_in(url)) == sorted(known)
    with closing(opened(url)) as ledger:
        assert ledger.check_invariants() == []
        for number, path in enumerate(paths):
            assert points_of(ledger, f"member-{number}") == 10 * len(acknowledged(path))


def points_of(ledger: SQLLedger, member: str) -> Any:
    return ledger.balance("acme", Account("member", member), "points", bill("T0").occurred_at).available
