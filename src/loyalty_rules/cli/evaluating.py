"""A run without a ledger: each event is evaluated with the counters that earlier events advanced."""

from loyalty_rules.cli.tally import Tally
from loyalty_rules.cli.totals import Totals
from loyalty_rules.engine.counters import make_snapshot
from loyalty_rules.events import Activity, Event, Transaction
from loyalty_rules.intents import Intent
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["EvaluatingRun"]


class EvaluatingRun:
    """An evaluation of events in the order given; trackers and caps carry over from one to the next."""

    def __init__(self, program: Program, serials: SerialGenerator | None = None) -> None:
        self.program = program
        self.serials = serials
        self.tally = Tally()
        self.totals = Totals()
        self._seen: set[str] = set()

    def decide(self, event: Event) -> tuple[Intent, ...]:
        """Return the intents of one event; none if an earlier event had its id, since no receipt earns twice.

        Returns, updates and confirmations are counted and not evaluated. Raises `MissingSerialsError` as
        `Program.evaluate` does, and `InvalidValueError` if a counter has grown past 15 digits.
        """
        if event.id in self._seen:
            self.totals.seen_before += 1
            return ()
        self._seen.add(event.id)
        if not isinstance(event, (Transaction, Activity)):
            self.totals.not_evaluated[event.type] += 1
            return ()
        return self._evaluate(event).intents

    def _evaluate(self, event: Transaction | Activity) -> Evaluation:
        counters = self.program.counters(event)
        snapshot = make_snapshot(counters, self.tally.value_of)
        evaluation = self.program.evaluate(event, snapshot, serials=self.serials)
        self.tally.count(evaluation.intents, counters)
        self.totals.count(evaluation)
        return evaluation
