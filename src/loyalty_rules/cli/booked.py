"""A run with books: events are recorded into a ledger, with what happens after the sale, and reported at the end."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from loyalty_rules.amounts import micros, micros_text
from loyalty_rules.cli.running import Totals
from loyalty_rules.cli.streams import complain
from loyalty_rules.cli.tables import Table
from loyalty_rules.events import Activity, Event, Transaction
from loyalty_rules.intents import Intent
from loyalty_rules.ledger import IdempotencyConflict, MemoryLedger, Receipt
from loyalty_rules.ledger.reports import Issuance, Liability, issuance, liability
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["BookedRun", "book_tables"]

_AN_INSTANT = timedelta(microseconds=1)


class BookedRun:
    """Records events into a ledger in memory, in the order in which they are given.

    Promises are settled as time passes: those that were due before an event before it, those due at its instant
    after it, so that a return at that instant comes first. Source: semantics 6.
    """

    def __init__(self, program: Program, serials: SerialGenerator | None = None) -> None:
        self.program = program
        self.serials = serials
        self.ledger = MemoryLedger()
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
            self.totals.later[event.type] += 1
            return self.ledger.process(self.program, event)
        with self.ledger.transaction():
            snapshot = self.ledger.snapshot(self.program, event)
            evaluation = self.program.evaluate(event, snapshot, serials=self.serials)
            receipt = self.ledger.record(evaluation)
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
    tables = [_issuance(issuance(running.program, rows)), _liability(liability(running.program, rows))]
    return [table for table in tables if table.rows]


def _issuance(rows: Sequence[Issuance]) -> Table:
    columns = ("issued", "redeemed", "expired", "reversed", "voided", "outstanding")
    return Table(
        ("of", *columns),
        [(row.of, *(_text(getattr(row, column)) for column in columns)) for row in rows],
    )


def _liability(owed: Liability) -> Table:
    points = [
        (
            row.currency,
            row.expires_in or "never",
            _text(row.available),
            _text(row.promised),
            _money(row.available_value),
        )
        for row in owed.points
    ]
    coupons = [(row.coupon_type, "coupons", str(row.outstanding), "0", _money(row.most)) for row in owed.coupons]
    return Table(("liability", "expires in", "available", "promised", "at most"), [*points, *coupons], texts=2)


def _text(amount: Decimal) -> str:
    return micros_text(micros(amount))


def _money(amount: Decimal | None) -> str:
    return "not known" if amount is None else _text(amount)
