"""A process that records sales and kills itself with `kill -9` at a given point, and one that runs until it is stopped.

The statements that SQLAlchemy runs show how far a transaction is. After `process` has returned, the sale is
acknowledged: its id is appended to a file and synchronised to the disk. With `naive` the claim of a sale is committed
in a transaction of its own, before the rest.
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
from loyalty_rules.ledger.receipts import SaleReceipt
from loyalty_rules.ledger.sql import SQLLedger
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.program import Program

from .racing import SERIALS, TEN, bill, points, program

__all__ = ["POINTS", "Plan", "acknowledged", "expected_points", "opened", "record_all", "record_until", "shop"]

POINTS = ("begin", "claim", "program", "lots", "coupons", "counters", "entries", "receipt", "commit", "committed")
"""The points: before the claim, after the claim, after each of these writes, just before and just after the commit.

The program is written with the first sale only.
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
    """The plan of a process: its database, its file of acknowledged sales, the first sale and the number of sales.

    It waits to be killed after `maximum` sales, and kills itself at `point` of the sale `victim`.
    """

    url: str
    acknowledged: Path
    sales: int
    first: int = 0
    maximum: int | None = None
    point: str | None = None
    victim: int = -1
    naive: bool = False


# -- the shop --------------------------------------------------------------------------------------------------------


def shop(sales: int) -> Program:
    """Return a program: one point and a coupon for each sale, and ten points more under a cap.

    The cap leaves five points for the third last sale, and none for the last two.
    """
    cap = {"total": {"amount": str(10 * (sales - 3) + 5)}}
    coupon = {"type": "issue_coupon", "id": "thanks", "coupon_type": "gift", "quantity": 1}
    gift: Mapping[str, Any] = {"gift": {"benefit": {"type": "amount_off", "amount": "5"}}}
    return program(points(10, caps=cap), points(1, id="extra"), coupon, coupon_types=gift)


def expected_points(sales: int) -> int:
    """Return the points of all sales under the program of `shop`."""
    return 10 * (sales - 3) + 5 + sales


def opened(url: str) -> SQLLedger:
    return SQLLedger(create_engine(url), serials=SERIALS)


# -- acknowledged sales ----------------------------------------------------------------------------------------------


def acknowledge(path: Path, sale: str) -> None:
    """Append the id of a sale to the file of acknowledged sales, and wait for the disk."""
    with path.open("ab") as file:
        file.write(f"{sale}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def acknowledged(path: Path) -> set[str]:
    """Return the ids of the acknowledged sales."""
    return set(path.read_text().split()) if path.exists() else set()


# -- a process that dies ---------------------------------------------------------------------------------------------


def record_all(plan: Plan) -> None:
    """Record all sales, including those that are recorded already; die at the point of the plan."""
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
            if number - plan.first == plan.maximum:
                signal.pause()
            doomed[0] = number == plan.victim
            ledger.process(running, bill(f"T{number}"))
            acknowledge(plan.acknowledged, f"T{number}")


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("the process is dead")


def die_at(point: str, engine: Engine, ledger: SQLLedger, doomed: list[bool]) -> None:
    """Die at a point of the next transaction once `doomed[0]` is true."""
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

    def at_checkin(connection: Any, record: Any) -> None:
        """Die when the connection returns to the pool, before `process` returns."""
        if doomed[0] and committed[0]:
            die()
        committed[0] = False

    if point == "begin" or point in AFTER:
        event.listen(engine, moment, at_statement)
    else:
        event.listen(engine, "commit", before_commit)
    if point == "committed":
        event.listen(engine, "checkin", at_checkin)


# -- the naive ledger ------------------------------------------------------------------------------------------------


def commit_the_claim(patch: pytest.MonkeyPatch) -> None:
    """Commit each claim by itself, so that no other process takes the sale, and treat a claimed batch as recorded."""
    claim_batch = SQLStorage.claim_batch

    def claim_and_commit(self: SQLStorage, record: IdempotencyRecord, *locks: Any) -> Batch | None:
        recorded = claim_batch(self, record, *locks)
        if recorded is None:
            self._connection.commit()
            self._dialect.begin(self._connection)
        return recorded

    def claimed(self: SQLStorage, record: IdempotencyRecord) -> Batch:
        return Batch(record, SaleReceipt("recorded", record.key))

    patch.setattr(SQLStorage, "claim_batch", claim_and_commit)
    patch.setattr(SQLStorage, "_recorded", claimed)


# -- a process that survives the death of the server -----------------------------------------------------------------


def record_until(url: str, writer: int, path: Path, stop: Path) -> None:
    """Record sales of ten points until the file `stop` exists; retry each until it is recorded, as a till does."""
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
