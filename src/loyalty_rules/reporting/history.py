"""A history of events under one program, decided and recorded in a ledger of its own in memory."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import attrs

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Activity, Event, Transaction
from loyalty_rules.ledger import IdempotencyConflict, MemoryLedger
from loyalty_rules.ledger.errors import AmountOutOfRangeError
from loyalty_rules.ledger.records import ReportRows
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import DerivedSerials, SerialGenerator

__all__ = ["History", "in_order"]

_MICROSECOND = timedelta(microseconds=1)
_NO_EVENT = datetime(1, 1, 1, tzinfo=UTC)
_NO_SECRET = DerivedSerials.from_master(b"a history prints no serial at all")
"""Serials of a history stay in it, so their key needs no secret."""


@attrs.define
class History:
    """The ledger of one program, filled event by event in the order of time.

    Promises that are due before an event are settled before it; those due at its very instant are settled after it.
    `at` is the instant of the last event. `not_counted` has the number of events that changed nothing, by the reason.
    Source: semantics 6.
    """

    program: Program
    serials: SerialGenerator = _NO_SECRET
    at: datetime | None = None
    not_counted: Counter[str] = attrs.field(factory=Counter)
    _ledger: MemoryLedger = attrs.field(factory=MemoryLedger, init=False)

    def record(self, event: Event) -> Evaluation | None:
        """Record an event; return its evaluation if it is a sale or an activity that was recorded now."""
        self.at = event.occurred_at
        self._ledger.settle(self.program, self.at - _MICROSECOND)
        try:
            return self._recorded(event)
        except IdempotencyConflict:
            self.not_counted["conflict"] += 1
        except (InvalidValueError, AmountOutOfRangeError):
            self.not_counted["out_of_range"] += 1
        return None

    def _recorded(self, event: Event) -> Evaluation | None:
        if not isinstance(event, (Transaction, Activity)):
            receipt = self._ledger.process(self.program, event)
            self.not_counted.update(receipt.refusal.reasons if receipt.refusal is not None else ())
            return None
        with self._ledger.transaction() as operations:
            snapshot = operations.snapshot(self.program, event)
            evaluation = self.program.evaluate(event, snapshot, serials=self.serials)
            status = operations.record(evaluation).status
        if status == "recorded":
            return evaluation
        self.not_counted[status] += 1
        return None

    def rows(self) -> ReportRows:
        """Settle the promises that are due by the last event, and return the rows of reports as of it."""
        if self.at is None:
            return ReportRows(_NO_EVENT, (), ())
        self._ledger.settle(self.program, self.at)
        return self._ledger.report_rows(self.program.id, self.at)


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return events in the order of a history: by instant, then by id. Source: semantics 1."""
    return sorted(events, key=lambda event: (event.occurred_at, event.id))
