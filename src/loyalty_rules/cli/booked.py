"""A run with books: events are recorded into a ledger, with what happens after the sale, and reported at the end."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from loyalty_rules.cli.report_tables import issuance_table, liability_table
from loyalty_rules.cli.running import Totals
from loyalty_rules.cli.streams import complain
from loyalty_rules.cli.tables import Table
from loyalty_rules.events import Activity, Event, Transaction
from loyalty_rules.intents import Intent
from loyalty_rules.ledger import IdempotencyConflict, Ledger, Receipt
from loyalty_rules.ledger.reports import issuance, liability
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["BookedRun", "ReportableLedger", "book_tables"]

_AN_INSTANT = timedelta(microseconds=1)


class ReportableLedger(Ledger, Protocol):
    """A ledger that can make several operations one: in memory, or in a database."""

    def transaction(self) -> AbstractContextManager[LedgerService]:
        """Make several operations one: all are recorded or, where an error leaves the block, none."""


class BookedRun:
    """Records events into a ledger, in the order in which they are given.

    Promises are settled as time passes: those that were due before an event before it, those due at its instant
    after it, so that a return at that instant comes first. Source: semantics 6.
    """

    def __init__(self, program: Program, ledger: ReportableLedger, serials: SerialGenerator | None = None) -> None:
        self.program = program
        self.serials = serials
        self.ledger = ledger
        self.totals = Totals()

    def decide(self, event: Event) -> tuple[Intent, ...]:
        """Give what is recorded because of one event: what became due before it, then what follows from it."""
        due = self._settled(event.occurred_at - _AN_INSTANT)
        try:
            receipt = self._record(event)
        except IdempotencyConflict as error:
            complain([f"event {event.id!a}: {error}"])
            self.totals.conflicts += 1
            return due
        if receipt.status == "already_recorded":
            self.totals.seen_before += 1
            return due
        if receipt.refusal is not None:
            complain([f"event {event.id!a} is refused: {receipt.refusal.detail}"])
            self.totals.refused.update(receipt.refusal.reasons)
        return (*due, *receipt.intents)

    def finish(self, at: datetime) -> tuple[Intent, ...]:
        """Settle what is due by an instant, and write down what has expired by then."""
        return (*self._settled(at), *_intents(self.ledger.expire(self.program, at)))

    def _record(self, event: Event) -> Receipt:
        if not isinstance(event, (Transaction, Activity)):
            receipt = self.ledger.process(self.program, event)
            self.totals.later[event.type] += receipt.status != "already_recorded"
            return receipt
        with self.ledger.transaction() as operations:
            snapshot = operations.snapshot(self.program, event)
            evaluation = self.program.evaluate(event, snapshot, serials=self.serials)
            receipt = operations.record(evaluation)
        if receipt.status == "recorded":
            self.totals.count(evaluation)
        return receipt

    def _settled(self, at: datetime) -> tuple[Intent, ...]:
        return _intents(self.ledger.settle(self.program, at))


def _intents(receipts: Iterable[Receipt]) -> tuple[Intent, ...]:
    return tuple(intent for receipt in receipts if receipt.status == "recorded" for intent in receipt.intents)


def book_tables(running: BookedRun, at: datetime) -> list[Table]:
    """Tell what became of all that was issued, and what is owed, as of an instant."""
    rows = running.ledger.report_rows(running.program.id, at)
    tables = [issuance_table(issuance(running.program, rows)), liability_table(liability(running.program, rows))]
    return [table for table in tables if table.rows]
