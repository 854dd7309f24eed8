"""A backtest: the figures of a history of events under one program."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from loyalty_rules.events import Event
from loyalty_rules.ledger.records import ReportRows
from loyalty_rules.ledger.reports import By, Issuance, Liability, issuance, liability
from loyalty_rules.program import Program
from loyalty_rules.reporting.history import History, in_order

__all__ = ["Backtest", "backtest"]


@attrs.frozen
class Backtest:
    """The ledger of a program at the end of a history of events.

    `rows` are the rows of every report in `loyalty_rules.ledger.reports`, as of `at`, the instant of the last event;
    None if there is none. `not_counted` has the numbers of events that changed nothing, by the reason:
    `already_recorded`, `conflict`, `out_of_range`, or the reason of a refusal.
    """

    program: Program
    at: datetime | None
    rows: ReportRows
    not_counted: Mapping[str, int]

    def issuance(self, by: Sequence[By] = ()) -> tuple[Issuance, ...]:
        """Return issued, redeemed, expired and outstanding units, as `ledger.reports.issuance` does."""
        return issuance(self.program, self.rows, by)

    def liability(self, values: Mapping[str, Decimal] | None = None) -> Liability:
        """Return the liability at the end, as `ledger.reports.liability` does."""
        return liability(self.program, self.rows, values)


def backtest(program: Program, events: Iterable[Event]) -> Backtest:
    """Record a history of events under a program in a ledger in memory, and return it as of the last event.

    Events are taken in the order of (instant, id). Returns, caps, trackers and tiers count, due promises are settled,
    and units expire by time. Nothing outside is read or changed.
    """
    history = History(program)
    for event in in_order(events):
        history.record(event)
    return Backtest(program, history.at, history.rows(), dict(history.not_counted))
