"""A history of events under one program, decided and recorded in a ledger of its own in memory."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import attrs

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Event
from loyalty_rules.ledger import IdempotencyConflict, MemoryLedger, Receipt, SaleReceipt
from loyalty_rules.ledger.errors import AmountOutOfRangeError
from loyalty_rules.ledger.records import ReportRows
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials

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
    at: datetime | None = None
    not_counted: Counter[str] = attrs.field(factory=Counter)
    _ledger: MemoryLedger = attrs.field(factory=MemoryLedger, init=False)

    def record(self, event: Event) -> SaleReceipt | None:
        """Record an event; return the receipt of a sale or an activity that was recorded now."""
        self.at = event.occurred_at
        self._ledger.settle(self.program, self.at - _MICROSECOND)
        try:
            receipt = self._ledger.process(self.program, event, serials=_NO_SECRET)
        except IdempotencyConflict:
            self.not_counted["conflict"] += 1
        except (InvalidValueError, AmountOutOfRangeError):
            self.not_counted["out_of_range"] += 1
        else:
            self.not_counted.update(_reasons(receipt))
            if isinstance(receipt, SaleReceipt) and receipt.status == "recorded":
                return receipt
        return None

    def explanation(self, event: str) -> str:
        """Return the explanation of a recorded sale as text, as of its time."""
        explained = self._ledger.explain(self.program, event)
        return str(explained.trace) if explained is not None else ""

    def rows(self) -> ReportRows:
        """Settle the promises that are due by the last event, and return the rows of reports as of it."""
        if self.at is None:
            return ReportRows(_NO_EVENT, (), ())
        self._ledger.settle(self.program, self.at)
        return self._ledger.report_rows(self.program.id, self.at)


def _reasons(receipt: Receipt) -> Sequence[str]:
    """Return the reasons why a receipt changed nothing."""
    if receipt.refusal is not None:
        return receipt.refusal.reasons
    return [receipt.status] if receipt.status == "already_recorded" else []


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return events in the order of a history: by instant, then by id. Source: semantics 1."""
    return sorted(events, key=lambda event: (event.occurred_at, event.id))
