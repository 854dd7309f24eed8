"""A run with a ledger: events are recorded, returns and other later events included, and reported at the end."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from loyalty_rules.cli.report_tables import issuance_table, liability_table
from loyalty_rules.cli.streams import complain
from loyalty_rules.cli.tables import Table
from loyalty_rules.cli.totals import Totals
from loyalty_rules.events import Event
from loyalty_rules.intents import Intent
from loyalty_rules.ledger import IdempotencyConflict, Ledger, Receipt, SaleReceipt
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["RecordingRun", "ledger_tables"]

_MICROSECOND = timedelta(microseconds=1)


class RecordingRun:
    """A recording of events into a ledger, in the order given.

    Promises due before an event are settled before it. Promises due at its very instant are settled after it, so that
    a return at that instant comes first. Source: semantics 6.

    The intents that an earlier run has recorded are returned again: that run may have died before it wrote them.
    """

    def __init__(self, program: Program, ledger: Ledger, serials: SerialGenerator | None = None) -> None:
        self._decided: set[str] = set()  # ids of events
        self.program = program
        self.serials = serials
        self.ledger = ledger
        self.totals = Totals()

    def decide(self, event: Event) -> tuple[Intent, ...]:
        """Return the intents recorded for one event: releases of promises due before it, then its own."""
        due = self._settled(event.occurred_at - _MICROSECOND)
        try:
            receipt = self._record(event)
        except IdempotencyConflict as error:
            complain([f"event {event.id!a}: {error}"])
            self.totals.conflicts += 1
            return due
        is_repeated = event.id in self._decided
        self._decided.add(event.id)
        if receipt.status == "already_recorded":
            self.totals.seen_before += 1
            return due if is_repeated else (*due, *receipt.intents)
        if receipt.refusal is not None:
            complain([f"event {event.id!a} is refused: {receipt.refusal.detail}"])
            self.totals.refused.update(receipt.refusal.reasons)
        return (*due, *receipt.intents)

    def recorded_sweeps(self, events: Sequence[Event]) -> tuple[Intent, ...]:
        """Return the intents of the settlements and expiries that an earlier run over these events has recorded."""
        sweeps = getattr(self.ledger, "sweeps", None)
        if sweeps is None or not events:
            return ()
        first, last = events[0].occurred_at - _MICROSECOND, events[-1].occurred_at
        return _intents_of(sweeps(self.program.id, first, last))

    def finish(self, at: datetime) -> tuple[Intent, ...]:
        """Settle the promises due by an instant, and record the expiries up to it."""
        return (*self._settled(at), *_intents(self.ledger.expire(self.program, at)))

    def _record(self, event: Event) -> Receipt:
        receipt = self.ledger.process(self.program, event, serials=self.serials)
        if not isinstance(receipt, SaleReceipt):
            self.totals.later[event.type] += receipt.status != "already_recorded"
        elif receipt.status == "recorded":
            self.totals.count(receipt)
        return receipt

    def _settled(self, at: datetime) -> tuple[Intent, ...]:
        return _intents(self.ledger.settle(self.program, at))


def _intents(receipts: Iterable[Receipt]) -> tuple[Intent, ...]:
    return _intents_of(receipt for receipt in receipts if receipt.status == "recorded")


def _intents_of(receipts: Iterable[Receipt]) -> tuple[Intent, ...]:
    return tuple(intent for receipt in receipts for intent in receipt.intents)


def ledger_tables(running: RecordingRun, at: datetime) -> list[Table]:
    """Build the tables of issuance and liability as of an instant."""
    program, ledger = running.program, running.ledger
    tables = [
        issuance_table(ledger.issuance(program, at)),
        liability_table(ledger.liability(program, at), program.money),
    ]
    return [table for table in tables if table.rows]
