"""Sell: evaluate a transaction or an activity with the ledger's own snapshot, and record it."""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import attrs

from loyalty_rules.engine.counters import Counter
from loyalty_rules.events import Activity, Transaction
from loyalty_rules.ledger.operations.arguments import read_serials
from loyalty_rules.ledger.operations.lookups import open_event, read_snapshot, sale_locks
from loyalty_rules.ledger.operations.operation import Decision
from loyalty_rules.ledger.operations.sale import SaleOperation
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.program import Look, Program
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant

__all__ = ["Sell"]


@attrs.frozen(field_transformer=checked)
class Sell(SaleOperation):
    """A transaction or an activity, decided under `program`; a retry may come under another version of it."""

    program: Program
    event: Transaction | Activity
    recorded_at: datetime = attrs.field(converter=read_instant)
    serials: SerialGenerator | None = attrs.field(default=None, converter=attrs.converters.optional(read_serials))

    ignoring: ClassVar[tuple[str, ...]] = ("program_version",)

    @functools.cached_property
    def look(self) -> Look:
        """The look at the event."""
        return self.program.look(self.event)

    @property
    def counters(self) -> Sequence[Counter]:
        """The counters of the event's snapshot."""
        return self.look.counters

    def decide(self, storage: Storage) -> Decision:
        """Evaluate the event with a snapshot of its counters."""
        event, look = open_event(storage, self.program, self.event), self.look
        if event is not self.event:  # a merge has brought the member into another one
            look = self.program.look(event)
            storage.lock(sale_locks(self.program, event, look.counters))
        snapshot = read_snapshot(storage, self.program, event, look.counters)
        evaluation = look.evaluate(snapshot, self.serials)
        storage.save_sale(Sale(self.program, event, snapshot))
        return self.noted(evaluation)
