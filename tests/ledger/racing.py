"""Eight processes at one ledger: what each of them does in a race, and how they are started, all at once.

A race is told by its name and its numbers, for it goes to the other processes: `Race.setup` prepares the database,
`attempts` are what all processes together try. With `naive` the ledger is one that reads, decides and writes as a
program would that thinks it is alone: nothing is held, and no write is on a condition.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from functools import partial
from multiprocessing.connection import Connection as Pipe
from typing import Any

import attrs
from sqlalchemy import Connection, Engine, bindparam, create_engine, insert, select, text, update

from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.protocol import Receipt
from loyalty_rules.ledger.sql import SQLLedger
from loyalty_rules.ledger.sql.dialects import PostgreSQL
from loyalty_rules.ledger.sql.statements import CHANGING_OF_COUPON, CHANGING_OF_LOT, Statements
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.loading import load_event, load_program
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials

__all__ = ["ANNA", "NOON", "RACES", "WORKERS", "Outcome", "Race", "Workers", "forget_what_is_unique", "opened"]

WORKERS = 8
PATIENCE = 300.0  # seconds, for a whole race
ANNA = Account("member", "anna")
NOON = "2025-01-15T12:00:00+00:00"
SERIALS = DerivedSerials.from_master(b"a master key for the tests alone")

Outcome = tuple[str, str]
"""What was tried, and what came of it: the status of the receipt."""


@attrs.frozen
class Race:
    """A race: its name among `RACES`, the database, how many there are of what is raced for, and how many tries."""

    name: str
    url: str
    size: int
    tries: int = WORKERS
    naive: bool = False


# -- the shop --------------------------------------------------------------------------------------------------------


def program(*actions: Mapping[str, Any], **parts: Any) -> Program:
    """A program of one promotion with these actions."""
    document = {"format": "loyalty-rules/1", "id": "acme", "time_zone": "UTC", "currencies": {"points": {}}}
    return load_program({**document, "promotions": [{"id": "p", "actions": [*actions]}], **parts})


def points(amount: int, **parts: Any) -> dict[str, Any]:
    issue = {"type": "issue_currency", "id": "earn", "currency": "points", "expiry": {"type": "never"}}
    return {**issue, "proration": {"type": "fixed", "amount": str(amount)}, **parts}


def bill(event: str, member: str = "anna") -> Any:
    return load_event(
        {"type": "transaction", "id": event, "occurred_at": NOON, "amount": "100", "member": {"id": member}}
    )


def opened(race: Race) -> SQLLedger:
    """Open the ledger of a race."""
    ledger = SQLLedger(create_engine(race.url), serials=SERIALS)
    if race.naive:
        make_naive(ledger)
    return ledger


# -- the races: how each begins, and what the attempts are -----------------------------------------------------------

Attempt = tuple[str, Callable[[SQLLedger], Receipt]]
TEN = program(points(10))


@attrs.frozen
class Kind:
    """What is prepared for a race, and what one of the workers tries, one after the other."""

    prepare: Callable[[SQLLedger, Race], Any]
    attempts: Callable[[Race, int, Any], Iterable[Attempt]]


def hand_out(size: int) -> Program:
    coupon = {"type": "issue_coupon", "id": "thanks", "coupon_type": "gift", "quantity": size}
    return program(coupon, coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "5"}}})


def coupons_handed_out(ledger: SQLLedger, race: Race) -> list[str]:
    """Ten coupons, at the most, with each sale, so that a redemption has not all of them to hold."""
    serials: list[str] = []
    while len(serials) < race.size:
        few = min(10, race.size - len(serials))
        receipt = ledger.process(hand_out(few), bill(f"T{len(serials)}"))
        serials += [each.serial for each in receipt.intents if isinstance(each, IssueCoupon) and each.serial]
    return serials


def redeem_each(race: Race, worker: int, serials: Sequence[str]) -> Iterable[Attempt]:
    """Every worker tries every coupon, each in a transaction of its own."""
    running = hand_out(10)
    for number, serial in enumerate(serials):
        transaction = bill(f"R{number}-{worker}")
        yield serial, partial(SQLLedger.redeem, program=running, code=serial, transaction=transaction)


def record_each(race: Race, worker: int, given: Any) -> Iterable[Attempt]:
    """Every worker has the same sales to record."""
    for number in range(race.size):
        yield f"T{number}", partial(SQLLedger.process, program=TEN, event=bill(f"T{number}"))


def issue_under_a_cap(race: Race, worker: int, given: Any) -> Iterable[Attempt]:
    """Each sale would get a point, and there are so many for all; every other till decides first and records then."""
    running = program(points(1, caps={"total": {"times": race.size}}))
    for number in range(worker, race.tries, WORKERS):
        sell = (
            partial(SQLLedger.process, program=running) if worker % 2 else partial(decide_and_record, program=running)
        )
        yield "point", partial(sell, event=bill(f"T{number}", f"member-{number}"))


def decide_and_record(ledger: SQLLedger, program: Program, event: Any) -> Receipt:
    """Decide a sale by what is known now, and record it a moment later."""
    return ledger.record(program.evaluate(event, ledger.snapshot(program, event)))


def rich(ledger: SQLLedger, race: Race) -> None:
    assert ledger.process(program(points(race.size)), bill("T0")).status == "recorded"


def spend_sevens(race: Race, worker: int, given: Any) -> Iterable[Attempt]:
    at = bill("T0").occurred_at
    for number in range(worker, race.tries, WORKERS):
        spend = partial(SQLLedger.spend, program=TEN, account=ANNA, member="anna", currency="points")
        yield "seven", partial(spend, amount=Decimal(7), event=f"S{number}", at=at)


def nothing(ledger: SQLLedger, race: Race) -> None:
    """Nothing is there when the race begins."""


RACES = {
    "coupons": Kind(coupons_handed_out, redeem_each),
    "events": Kind(nothing, record_each),
    "cap": Kind(nothing, issue_under_a_cap),
    "spends": Kind(rich, spend_sevens),
}


def status_of(receipt: Receipt) -> str:
    """Say what came of an attempt; a sale that is recorded and issues nothing got nothing."""
    return "nothing" if receipt.status == "recorded" and not receipt.intents else receipt.status


# -- the naive ledger ------------------------------------------------------------------------------------------------


class Naive(PostgreSQL):
    """Holds nothing but the end of a chain, without which two batches could not be written at all."""

    def lock(self, connection: Connection, scopes: Iterable[LockKey]) -> None:
        super().lock(connection, [each for each in scopes if each[1].startswith("chain/")])

    def claim(
        self, connection: Connection, statements: Statements, row: Mapping[str, Any], scopes: Collection[LockKey]
    ) -> int | None:
        batch = super().claim(connection, statements, row, ())
        self.lock(connection, scopes)
        return batch


def make_naive(ledger: SQLLedger) -> None:
    """Make a ledger read, decide and write, and trust that nobody else does."""
    run, t = ledger._statements, ledger.tables
    ledger._dialect = Naive()
    for name, table, what, changing in (
        ("change_lots", t.lots, "lot", CHANGING_OF_LOT),
        ("change_coupons", t.coupons, "coupon", CHANGING_OF_COUPON),
    ):
        values = {each: bindparam(f"new_{each}") for each in changing}
        setattr(run, name, update(table).where(table.c.key == bindparam(what)).values(values))
    adding = ledger._dialect.insert(t.counters)
    run.draw = adding.on_conflict_do_update(
        index_elements=[t.counters.c.program, t.counters.c.name, t.counters.c.day],
        set_={"value": t.counters.c.value + adding.excluded.value},
    )
    given = [each for each in t.batches.c if each.name != "id"]
    there = select(t.batches.c.id).where(
        *(t.batches.c[name] == bindparam(name, type_=t.batches.c[name].type) for name in ("program", "event", "phase"))
    )
    unless_there = select(*(bindparam(each.name, type_=each.type) for each in given)).where(~there.exists())
    run.claim = insert(t.batches).from_select(given, unless_there).returning(t.batches.c.id)


def forget_what_is_unique(engine: Engine) -> None:
    """Let the tables of PostgreSQL take a batch and a lot twice."""
    with engine.begin() as connection:
        for table, constraint in connection.execute(
            text(
                "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'u' AND conrelid IN "
                "('loyalty_batches'::regclass, 'loyalty_lots'::regclass)"
            )
        ).all():
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")


# -- the processes ---------------------------------------------------------------------------------------------------


class Workers:
    """Processes that wait for races."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._barrier = spawn.Barrier(WORKERS)
        self._pipes: list[Pipe] = []
        self._processes = []
        for number in range(WORKERS):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=work, args=(number, theirs, self._barrier), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def run(self, race: Race, given: Any) -> list[Outcome]:
        """Run a race; give what came of all attempts."""
        if self._barrier.broken:
            self._barrier.reset()
        for pipe in self._pipes:
            pipe.send((race, given))
        outcomes: list[Outcome] = []
        failed: list[str] = []
        for pipe in self._pipes:
            if not pipe.poll(PATIENCE):
                raise TimeoutError(f"{race} takes longer than {PATIENCE} seconds")
            found, error = pipe.recv()
            outcomes += found
            failed += [error] if error else []
        if failed:
            raise AssertionError("\n".join(failed))
        return outcomes

    def close(self) -> None:
        for pipe in self._pipes:
            pipe.close()  # who waits for a race finds that there is none
        for process in self._processes:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()


def work(number: int, pipe: Pipe, barrier: Any) -> None:
    """Run races until no more come: the body of a process."""
    while True:
        try:
            race, given = pipe.recv()
        except EOFError:
            return
        try:
            outcomes, error = take_part(race, number, given, barrier), ""
        except BaseException:  # noqa: BLE001  (it is told by the process that asked)
            barrier.abort()
            outcomes, error = [], traceback.format_exc()
        pipe.send((outcomes, error))


def take_part(race: Race, number: int, given: Any, barrier: Any) -> list[Outcome]:
    """Open the ledger, wait for the others, and then try one thing after the other."""
    attempts = [*RACES[race.name].attempts(race, number, given)]
    with closing(opened(race)) as ledger:
        ledger.latest()  # connected
        barrier.wait(PATIENCE)
        return [(what, status_of(attempt(ledger))) for what, attempt in attempts]
