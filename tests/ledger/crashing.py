"""A process that records sales and dies of `kill -9` where it is told to, and one that goes on until it is told.

Where a transaction stands is known from the statements that SQLAlchemy runs. What is acknowledged, that is to say
recorded as far as the host knows, is written into a file, and onto the disk, after `process` has returned.
With `naive` the claim of a sale is committed for itself, and the rest in a transaction of its own.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import attrs
import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from loyalty_rules.ledger.idempotency import Batch, IdempotencyRecord
from loyalty_rules.ledger.protocol import Receipt
from loyalty_rules.ledger.sql import SQLLedger
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.program import Program

from .racing import SERIALS, TEN, bill, points, program

__all__ = ["POINTS", "Plan", "acknowledged", "expected_points", "opened", "record_all", "record_until", "shop"]

POINTS = ("begin", "claim", "program", "lots", "coupons", "counters", "entries", "receipt", "commit", "committed")
"""Before the claim; after the claim, and after each of these is written; just before and just after the commit.

The program is written with the first sale alone.
"""

AFTER = {
    "claim": "batches",
    "program": "programs",
    "lots": "lots",
    "coupons": "coupons",
    "counters": "counters",
    "entries": "entries",
    "receipt": "receipts",
}


@attrs.frozen
class Plan:
    """What a process does: the database, the file of what is acknowledged, how many sales and the first of them.

    And after how many it waits to be killed; where it dies, in which sale.
    """

    url: str
    acknowledged: Path
    sales: int
    first: int = 0
    most: int | None = None
    point: str | None = None
    victim: int = -1
    naive: bool = False


# -- the shop --------------------------------------------------------------------------------------------------------


def shop(sales: int) -> Program:
    """Each sale gets a point and a coupon, and ten points as long as there are any.

    For the last but two there are only five left, and for the last two none.
    """
    cap = {"total": {"amount": str(10 * (sales - 3) + 5)}}
    coupon = {"type": "issue_coupon", "id": "thanks", "coupon_type": "gift", "quantity": 1}
    gift: Mapping[str, Any] = {"gift": {"benefit": {"type": "amount_off", "amount": "5"}}}
    return program(points(10, caps=cap), points(1, id="extra"), coupon, coupon_types=gift)


def expected_points(sales: int) -> int:
    return 10 * (sales - 3) + 5 + sales


def opened(url: str) -> SQLLedger:
    return SQLLedger(create_engine(url), serials=SERIALS)


# -- what is acknowledged --------------------------------------------------------------------------------------------


def acknowledge(path: Path, sale: str) -> None:
    with path.open("ab") as file:
        file.write(f"{sale}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def acknowledged(path: Path) -> set[str]:
    return set(path.read_text().split()) if path.exists() else set()


# -- a process that dies ---------------------------------------------------------------------------------------------


def record_all(plan: Plan) -> None:
    """Record the sales, those again that are recorded; die where the plan says."""
    engine = create_engine(plan.url)
    ledger = SQLLedger(engine, serials=SERIALS)
    doomed = [False]
    if plan.point is not None:
        die_at(plan.point, engine, ledger, doomed)
    running = shop(plan.sales)
    with pytest.MonkeyPatch.context() as patch, closing(ledger):
        if plan.naive:
            commit_the_claim(patch)
        for number in range(plan.first, plan.sales):
            if number - plan.first == plan.most:
                signal.pause()
            doomed[0] = number == plan.victim
            ledger.process(running, bill(f"T{number}"))
            acknowledge(plan.acknowledged, f"T{number}")


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody gets here")


def die_at(point: str, engine: Engine, ledger: SQLLedger, doomed: list[bool]) -> None:
    """Listen to what the engine does, and die at a point once `doomed` says so."""
    committed = [False]
    written = getattr(ledger.tables, AFTER.get(point, "batches")).name
    moment = "before_cursor_execute" if point == "begin" else "after_cursor_execute"

    def at_statement(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if doomed[0] and statement.startswith(f"INSERT INTO {written} "):
            die()

    def before_commit(connection: Any) -> None:
        committed[0] = True
        if doomed[0] and point == "commit":
            die()

    def given_back(connection: Any, record: Any) -> None:
        """The connection goes back to the pool, and `process` has not returned yet."""
        if doomed[0] and committed[0]:
            die()
        committed[0] = False

    if point == "begin" or point in AFTER:
        event.listen(engine, moment, at_statement)
    else:
        event.listen(engine, "commit", before_commit)
    if point == "committed":
        event.listen(engine, "checkin", given_back)


# -- the naive ledger ------------------------------------------------------------------------------------------------


def commit_the_claim(patch: pytest.MonkeyPatch) -> None:
    """Commit the claim by itself, so that nobody else takes the sale, and take what is claimed for recorded."""
    claim_batch = SQLStorage.claim_batch

    def open_and_commit(self: SQLStorage, given: IdempotencyRecord, *about: Any) -> Batch | None:
        recorded = claim_batch(self, given, *about)
        if recorded is None:
            self._connection.commit()
            self._dialect.begin(self._connection)
        return recorded

    def claimed(self: SQLStorage, given: IdempotencyRecord) -> Batch:
        return Batch(given, Receipt("recorded", given.key))

    patch.setattr(SQLStorage, "claim_batch", open_and_commit)
    patch.setattr(SQLStorage, "_recorded", claimed)


# -- a process that lives through the death of the server ------------------------------------------------------------


def record_until(url: str, writer: int, path: Path, stop: Path) -> None:
    """Record sales of ten points until a file is there; each again until it is recorded, as a till would."""
    number = 0
    with closing(opened(url)) as ledger:
        while not stop.exists():
            sale = f"T{writer}-{number}"
            try:
                ledger.process(TEN, bill(sale, f"member-{writer}"))
            except DBAPIError:
                time.sleep(0.02)
                continue
            acknowledge(path, sale)
            number += 1
