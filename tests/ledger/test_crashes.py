"""Processes killed with `kill -9` at each point of a transaction, and a server of PostgreSQL likewise.

What was acknowledged is recorded, what was not is recorded once when it is tried again, and in the end all is as if
nobody had died. Source: faults T6 and T7. A naive ledger, which commits the claim by itself, loses what it claimed.
`LOYALTY_DEEP` asks for 50 deaths at each point instead of 2, and for 500 at any time instead of 6.

Not shown: the loss of power, and disks that lie, for what a killed process has written the system keeps.
"""

from __future__ import annotations

import multiprocessing
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
from .racing import ANNA, bill
from .servers import VARIABLE, Server, start_server

DEEP = bool(os.environ.get("LOYALTY_DEEP"))
SALES = 53 if DEEP else 8
# With fewer deaths than sales: the first sale, which brings the program, and the one for which a part is left.
VICTIMS = [*range(50)] if DEEP else [0, SALES - 3]
AT_ANY_TIME = 50 if DEEP else 6
SEEDS = range(10 if DEEP else 1)
ROUNDS = 20 if DEEP else 2
WRITERS = 4
PATIENCE = 60.0

# Started from a process that has imported what takes long, and has done nothing else.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "psycopg", "sqlalchemy.dialects.postgresql", "loyalty_rules.ledger.sql"])

State = dict[str, list[tuple[Any, ...]]]


def start(work: Callable[..., None], *given: Any) -> Any:
    process = PROCESSES.Process(target=work, args=given, daemon=True)
    process.start()
    return process


def end_of(process: Any) -> int:
    """Wait for a process to end; say how it did."""
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        raise TimeoutError(f"{process} takes longer than {PATIENCE} seconds")
    code: int = process.exitcode
    process.close()
    return code


def record(plan: Plan) -> int:
    return end_of(start(record_all, plan))


# -- what is in the database -----------------------------------------------------------------------------------------


def state_of(url: str) -> State:
    """Give all rows of all tables without the numbers that the database gives them, in the order of those."""
    tables = Tables()
    engine = create_engine(url)
    with engine.connect() as connection:
        state = {each.name: [*rows_of(connection, each)] for each in (*tables.log, *tables.state)}
    engine.dispose()
    return state


def rows_of(connection: Connection, table: Any) -> Iterator[tuple[Any, ...]]:
    kept = [each for each in table.c if each.name not in ("number", "id", "batch")]
    for row in connection.execute(select(*kept).order_by(*table.primary_key)):
        yield tuple(row)


def recorded_in(url: str) -> list[str]:
    """Give the sales of which there is a receipt."""
    tables = Tables()
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [*connection.execute(select(tables.batches.c.event).join(tables.receipts)).scalars()]
    engine.dispose()
    return found


def new_ledger(url: str) -> None:
    with closing(opened(url)) as ledger:
        ledger.create_all()


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> State:
    """What is in a database when nobody dies."""
    return calm_of(SALES, tmp_path_factory.mktemp("calm"))


def calm_of(sales: int, folder: Path) -> State:
    url = f"sqlite:///{folder / 'calm.db'}"
    new_ledger(url)
    with closing(opened(url)) as ledger:
        for number in range(sales):
            assert ledger.process(shop(sales), bill(f"T{number}")).status == "recorded"
    return state_of(url)


def wrong_after_a_death(plan: Plan) -> list[str]:
    """Say what must not be, whoever has died: all that is recorded is whole, and of what is acknowledged none is lost.

    Here, for in another try what is lost would be recorded again.
    """
    lost = acknowledged(plan.acknowledged).difference(recorded_in(plan.url))
    with closing(opened(plan.url)) as ledger:
        broken = ledger.check_invariants()
    return [*broken, *(f"{each} is acknowledged and lost" for each in sorted(lost))]


def wrong_in_the_end(plan: Plan, calm: State) -> list[str]:
    """Say what is not as it would be had nobody died, once all has been tried again."""
    wrong = wrong_after_a_death(plan)
    every = {f"T{number}" for number in range(plan.sales)}
    if acknowledged(plan.acknowledged) != every:
        wrong.append("not all is acknowledged")
    if sorted(recorded_in(plan.url)) != sorted(every):
        wrong.append("not every sale is recorded once")
    with closing(opened(plan.url)) as ledger:
        balance = ledger.balance("acme", ANNA, "points", bill("T0").occurred_at)
    if balance.available != expected_points(plan.sales):
        wrong.append(f"{balance.available} points instead of {expected_points(plan.sales)}")
    state = state_of(plan.url)
    return [*wrong, *(f"{name} is not as it would be" for name in calm if state[name] != calm[name])]


# -- at each point ---------------------------------------------------------------------------------------------------


def deaths(plan: Plan, point: str, victims: Sequence[int]) -> Iterator[str]:
    """Kill a process in each of these sales, and say what is wrong then."""
    for victim in victims:
        assert record(attrs.evolve(plan, point=point, victim=victim)) == -signal.SIGKILL
        assert f"T{victim}" not in acknowledged(plan.acknowledged)
        yield from wrong_after_a_death(plan)


@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_dies_loses_nothing(point: str, database: str, tmp_path: Path, calm: State) -> None:
    new_ledger(database)
    plan = Plan(database, tmp_path / "acknowledged", SALES)
    victims = VICTIMS if point != "program" else VICTIMS[:1]
    assert [*deaths(plan, point, victims)] == []
    assert len(recorded_in(database)) == max(victims) + (point == "committed")
    assert record(plan) == 0
    assert wrong_in_the_end(plan, calm) == []


@pytest.mark.parametrize("point", ["lots", "counters", "entries", "receipt"])
def test_a_naive_process_that_dies_loses_what_it_claimed(
    point: str, database: str, tmp_path: Path, calm: State
) -> None:
    new_ledger(database)
    plan = Plan(database, tmp_path / "acknowledged", SALES, naive=True)
    victim = VICTIMS[-1]
    [*_] = deaths(plan, point, [victim])
    assert record(plan) == 0
    wrong = wrong_in_the_end(plan, calm)
    assert f"T{victim} is acknowledged and lost" in wrong
    assert "not every sale is recorded once" in wrong


def test_a_naive_process_of_which_nobody_dies_loses_nothing(database: str, tmp_path: Path, calm: State) -> None:
    new_ledger(database)
    plan = Plan(database, tmp_path / "acknowledged", SALES, naive=True)
    assert record(plan) == 0
    assert wrong_in_the_end(plan, calm) == []


# -- at any time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_process_that_dies_at_any_time_loses_nothing(seed: int, database: str, tmp_path: Path) -> None:
    """Each process goes on where the one before it has acknowledged the last sale."""
    new_ledger(database)
    chance = random.Random(seed)
    most = 40
    plan = Plan(database, tmp_path / "acknowledged", most * AT_ANY_TIME)
    died = 0
    while died < AT_ANY_TIME:
        known = len(acknowledged(plan.acknowledged))
        process = start(record_all, attrs.evolve(plan, first=known, most=most))
        wait_for([plan.acknowledged], 1)
        time.sleep(chance.uniform(0.0, 0.02))
        process.kill()
        died += end_of(process) == -signal.SIGKILL
        assert wrong_after_a_death(plan) == []
    assert record(plan) == 0
    assert wrong_in_the_end(plan, calm_of(plan.sales, tmp_path)) == []


def wait_for(paths: Sequence[Path], more: int) -> None:
    """Wait until so many more sales are acknowledged in each file."""
    wanted = {path: len(acknowledged(path)) + more for path in paths}
    until = time.monotonic() + PATIENCE
    while any(len(acknowledged(path)) < number for path, number in wanted.items()):
        assert time.monotonic() < until, "nobody writes"
        time.sleep(0.001)


# -- the server ------------------------------------------------------------------------------------------------------


@pytest.fixture
def mortal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of our own, even where one is given, for it is killed."""
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
    # A writer stops when it has acknowledged what it has recorded.
    known = set[str]().union(*(acknowledged(path) for path in paths))
    assert sorted(recorded_in(url)) == sorted(known)
    with closing(opened(url)) as ledger:
        assert ledger.check_invariants() == []
        for number, path in enumerate(paths):
            assert points_of(ledger, f"member-{number}") == 10 * len(acknowledged(path))


def points_of(ledger: SQLLedger, member: str) -> Any:
    return ledger.balance("acme", Account("member", member), "points", bill("T0").occurred_at).available
