"""Races of eight processes at one ledger: how the processes are started, and the attempts that each of them makes.

A race is passed to the processes by its name and its numbers. `Kind.prepare` fills the database before the race, and
`Kind.attempts` yields the attempts of one process. With `naive` the ledger reads, decides and writes as if it were
alone: it takes no locks, and no write has a condition.
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
from sqlalchemy import Connection, Engine, Executable, bindparam, create_engine, insert, select, text, update

from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.ledger.sql import SQLLedger
from loyalty_rules.ledger.sql.dialects import PostgreSQL
from loyalty_rules.ledger.sql.statements import COUPON_COLUMNS, LOT_COLUMNS
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.loading import load_event, load_program
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials

__all__ = [
    "ANNA",
    "NOON",
    "PRICE",
    "PROCESSES",
    "RACES",
    "WORKERS",
    "Outcome",
    "Race",
    "Workers",
    "drop_unique_keys",
    "open_and_sell",
    "opened",
]

PROCESSES = multiprocessing.get_context("forkserver")
"""Processes that are forked from one that has done nothing but the slow imports."""
PROCESSES.set_forkserver_preload(["pytest", "psycopg", "sqlalchemy.dialects.postgresql", "loyalty_rules.ledger.sql"])

WORKERS = 8
PATIENCE = 300.0  # seconds, for a whole race
ANNA = Account("member", "anna")
NOON = "2025-01-15T12:00:00+00:00"
SERIALS = DerivedSerials.from_master(b"a master key for the tests alone")

Outcome = tuple[str, str]
"""The name of an attempt, and its result: the status of the receipt."""


@attrs.frozen
class Race:
    """A race: its name in `RACES`, its database, the number of things that it is for, and the number of attempts."""

    name: str
    url: str
    size: int
    attempts: int = WORKERS
    naive: bool = False


# -- the shop --------------------------------------------------------------------------------------------------------


def program(*actions: Mapping[str, Any], **parts: Any) -> Program:
    """Return a program of one promotion with these actions."""
    points = {"redeem": {"points": "100", "value": "1.00"}}
    document = {"format": "loyalty-rules/1", "id": "acme", "time_zone": "UTC", "currencies": {"points": points}}
    return load_program({**document, "promotions": [{"id": "p", "actions": [*actions]}], **parts})


def points(amount: int, **parts: Any) -> dict[str, Any]:
    issue = {"type": "issue_currency", "id": "earn", "currency": "points", "expiry": {"type": "never"}}
    return {**issue, "proration": {"type": "fixed", "amount": str(amount)}, **parts}


TEN = program(points(10))


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


def open_and_sell(url: str, number: int) -> str:
    """Open a ledger and record a sale, as each worker of a web server does when it starts."""
    with closing(SQLLedger.open(url)) as ledger:
        return ledger.process(TEN, bill(f"T{number}")).status


# -- the races -------------------------------------------------------------------------------------------------------

Attempt = tuple[str, Callable[[SQLLedger], Receipt]]


@attrs.frozen
class Kind:
    """A kind of race: the function that prepares it, and the one that yields the attempts of a worker, in order."""

    prepare: Callable[[SQLLedger, Race], Any]
    attempts: Callable[[Race, int, Any], Iterable[Attempt]]


def hand_out(size: int) -> Program:
    coupon = {"type": "issue_coupon", "id": "thanks", "coupon_type": "gift", "quantity": size}
    return program(coupon, coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "5"}}})


def coupons_handed_out(ledger: SQLLedger, race: Race) -> list[str]:
    """Issue at most ten coupons with each sale, so that a redemption does not lock all of them; return the serials."""
    serials: list[str] = []
    while len(serials) < race.size:
        quantity = min(10, race.size - len(serials))
        receipt = ledger.process(hand_out(quantity), bill(f"T{len(serials)}"))
        serials += [each.serial for each in receipt.intents if isinstance(each, IssueCoupon) and each.serial]
    return serials


def redeem_each(race: Race, worker: int, serials: Sequence[str]) -> Iterable[Attempt]:
    """Yield the redemption of every coupon, each in a transaction of its own; all workers have the same coupons."""
    running = hand_out(10)
    for number, serial in enumerate(serials):
        transaction = bill(f"R{number}-{worker}")
        yield serial, partial(SQLLedger.redeem, program=running, code=serial, transaction=transaction)


def record_each(race: Race, worker: int, given: Any) -> Iterable[Attempt]:
    """Yield the sales to record; all workers have the same sales."""
    for number in range(race.size):
        yield f"T{number}", partial(SQLLedger.process, program=TEN, event=bill(f"T{number}"))


def issue_under_a_cap(race: Race, worker: int, given: Any) -> Iterable[Attempt]:
    """Yield sales of one point under a cap of `size`; every second worker evaluates first and records later."""
    running = program(points(1, caps={"total": {"times": race.size}}))
    for number in range(worker, race.attempts, WORKERS):
        sell = (
            partial(SQLLedger.process, program=running) if worker % 2 else partial(decide_and_record, program=running)
        )
        yield "point", partial(sell, event=bill(f"T{number}", f"member-{number}"))


def decide_and_record(ledger: SQLLedger, program: Program, event: Any) -> Receipt:
    """Evaluate a sale with the current counters, and record it in a later transaction."""
    return ledger.record(program.evaluate(event, ledger.snapshot(program, event)))


def issue_points(ledger: SQLLedger, race: Race) -> None:
    """Issue the points that are spent in the race."""
    assert ledger.process(program(points(race.size)), bill("T0")).status == "recorded"


def spend_sevens(race: Race, worker: int, given: Any) -> Iterable[Attempt]:
    """Yield spends of seven points."""
    at = bill("T0").occurred_at
    for number in range(worker, race.attempts, WORKERS):
        spend = partial(SQLLedger.spend, program=TEN, account=ANNA, member="anna", currency="points")
        yield "seven", partial(spend, amount=Decimal(7), event=f"S{number}", at=at)


PRICE = 500
"""The price of a reward, and of a voucher by conversion."""


def price(amount: Any) -> dict[str, Any]:
    return {"type": "spend_currency", "id": "price", "currency": "points", "amount": amount}


def steps_of_balance(units: int) -> dict[str, Any]:
    """Return a proration: so many units for each price that the balance has."""
    balance = {"type": "balance", "currency": "points"}
    return {"type": "stepped", "step_size": str(PRICE), "points_per_step": str(units), "of": balance}


VOUCHERS = {"voucher": {"serial_managed": False, "code": "FIVE", "benefit": {"type": "amount_off", "amount": "5"}}}


def take_rewards(race: Race, worker: int, given: Any) -> Iterable[Attempt]:
    """Yield rewards that a member takes from a catalogue; every second worker evaluates first and records later."""
    reward = {"type": "issue_coupon", "id": "reward", "coupon_type": "voucher"}
    catalogue = {"id": "lunch", "trigger": "lunch", "actions": [price(str(PRICE)), reward]}
    running = program(promotions=[catalogue], coupon_types=VOUCHERS)
    for number in range(worker, race.attempts, WORKERS):
        taken = {"type": "lunch", "id": f"L{number}", "occurred_at": NOON, "member": {"id": "anna"}}
        take = partial(SQLLedger.process if worker % 2 else decide_and_record, program=running)
        yield "reward", partial(take, event=load_event(taken))


def convert(race: Race, worker: int, given: Any) -> Iterable[Attempt]:
    """Yield sales of 300 points, of which each 500 of the balance become a voucher; the rest is kept."""
    voucher = {"type": "issue_coupon", "id": "voucher", "coupon_type": "voucher", "quantity": steps_of_balance(1)}
    conversion = {"id": "convert", "actions": [price(steps_of_balance(PRICE)), voucher]}
    running = program(promotions=[{"id": "base", "actions": [points(300)]}, conversion], coupon_types=VOUCHERS)
    for number in range(worker, race.attempts, WORKERS):
        yield "sale", partial(SQLLedger.process, program=running, event=bill(f"T{number}"))


def prepare_nothing(ledger: SQLLedger, race: Race) -> None:
    """Leave the ledger empty."""


RACES = {
    "coupons": Kind(coupons_handed_out, redeem_each),
    "events": Kind(prepare_nothing, record_each),
    "cap": Kind(prepare_nothing, issue_under_a_cap),
    "spends": Kind(issue_points, spend_sevens),
    "rewards": Kind(issue_points, take_rewards),
    "conversion": Kind(prepare_nothing, convert),
}


def status_of(receipt: Receipt) -> str:
    """Return the status of an attempt: `nothing` for a recorded sale without intents."""
    return "nothing" if receipt.status == "recorded" and not receipt.intents else receipt.status


# -- the naive ledger ------------------------------------------------------------------------------------------------


class Naive(PostgreSQL):
    """A dialect that locks only the end of a chain, without which two batches could not be written at all."""

    def lock(self, connection: Connection, keys: Iterable[LockKey]) -> None:
        super().lock(connection, [each for each in keys if each[1].startswith("chain/")])

    def claim(
        self, connection: Connection, statement: Executable, row: Mapping[str, Any], keys: Collection[LockKey]
    ) -> int | None:
        batch: int | None = connection.execute(statement, row).scalar_one_or_none()
        self.lock(connection, keys)
        return batch


def make_naive(ledger: SQLLedger) -> None:
    """Replace the dialect and the conditional statements of a ledger by ones without locks and conditions."""
    statements, t = ledger._statements, ledger.tables
    ledger._dialect = Naive()
    for name, table, what, changing in (
        ("change_lots", t.lots, "lot", LOT_COLUMNS),
        ("change_coupons", t.coupons, "coupon", COUPON_COLUMNS),
    ):
        values = {each: bindparam(f"new_{each}") for each in changing}
        setattr(statements, name, update(table).where(table.c.key == bindparam(what)).values(values))
    adding = ledger._dialect.insert(t.counters)
    statements.draw = adding.on_conflict_do_update(
        index_elements=[t.counters.c.program, t.counters.c.name, t.counters.c.day],
        set_={"value": t.counters.c.value + adding.excluded.value},
    )
    given = [each for each in t.batches.c if each.name != "id"]
    there = select(t.batches.c.id).where(
        *(t.batches.c[name] == bindparam(name, type_=t.batches.c[name].type) for name in ("program", "event", "phase"))
    )
    unless_there = select(*(bindparam(each.name, type_=each.type) for each in given)).where(~there.exists())
    statements.claim = insert(t.batches).from_select(given, unless_there).returning(t.batches.c.id)


def drop_unique_keys(engine: Engine) -> None:
    """Drop the unique constraints of batches and lots, in PostgreSQL."""
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
    """Eight processes that wait for races."""

    def __init__(self) -> None:
        self._barrier = PROCESSES.Barrier(WORKERS)
        self._pipes: list[Pipe] = []
        self._processes = []
        for number in range(WORKERS):
            ours, theirs = PROCESSES.Pipe()
            process = PROCESSES.Process(target=work, args=(number, theirs, self._barrier), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def run(self, race: Race, given: Any) -> list[Outcome]:
        """Run a race, and return the outcomes of all attempts."""
        if self._barrier.broken:
            self._barrier.reset()
        for pipe in self._pipes:
            pipe.send((race, given))
        outcomes: list[Outcome] = []
        errors: list[str] = []
        for pipe in self._pipes:
            if not pipe.poll(PATIENCE):
                raise TimeoutError(f"{race} takes longer than {PATIENCE} seconds")
            of_worker, error = pipe.recv()
            outcomes += of_worker
            errors += [error] if error else []
        if errors:
            raise AssertionError("\n".join(errors))
        return outcomes

    def close(self) -> None:
        for pipe in self._pipes:
            pipe.close()  # ends the loop of the process
        for process in self._processes:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()


def work(number: int, pipe: Pipe, barrier: Any) -> None:
    """Run races until the pipe is closed: the body of a process."""
    while True:
        try:
            race, given = pipe.recv()
        except EOFError:
            return
        try:
            outcomes, error = take_part(race, number, given, barrier), ""
        except BaseException:  # noqa: BLE001  (the main process raises it)
            barrier.abort()
            outcomes, error = [], traceback.format_exc()
        pipe.send((outcomes, error))


def take_part(race: Race, number: int, given: Any, barrier: Any) -> list[Outcome]:
    """Open the ledger, wait for the other processes, and run the attempts one after the other."""
    attempts = [*RACES[race.name].attempts(race, number, given)]
    with closing(opened(race)) as ledger:
        ledger.latest()  # connects
        barrier.wait(PATIENCE)
        return [(what, status_of(attempt(ledger))) for what, attempt in attempts]
