"""A run: events one after the other, each with what those before it have left in the counters."""

from collections import Counter

import attrs

from loyalty_rules.cli.tally import Tally
from loyalty_rules.engine.counters import make_snapshot
from loyalty_rules.events import Activity, Event, Transaction
from loyalty_rules.intents import Intent, IssueCoupon, IssueCurrency
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.amounts import micros

__all__ = ["Amounts", "Run", "Totals"]


@attrs.define
class Amounts:
    """What one promotion gave in one currency: how often, and how much in millionths, before any return."""

    issues: int = 0
    issued: int = 0
    promised: int = 0


@attrs.define
class Totals:
    """What came of the events of a run. `amounts` are by promotion and currency, `not_evaluated` by type of event.

    `undecided` are the events whose counters no snapshot can hold. With books, `later` are the returns, updates and
    confirmations, `refused` counts why some were, `conflicts` the events whose id had come with another content.
    """

    evaluated: int = 0
    without_effect: int = 0
    seen_before: int = 0
    undecided: int = 0
    conflicts: int = 0
    refused: Counter[str] = attrs.field(factory=Counter)
    later: Counter[str] = attrs.field(factory=Counter)
    not_evaluated: Counter[str] = attrs.field(factory=Counter)
    amounts: dict[tuple[str, str], Amounts] = attrs.field(factory=dict)
    coupons: Counter[str] = attrs.field(factory=Counter)
    skipped: Counter[str] = attrs.field(factory=Counter)

    def count(self, evaluation: Evaluation) -> None:
        """Add what follows from one event."""
        self.evaluated += 1
        self.without_effect += not evaluation.intents
        self.skipped.update(each.reason for each in evaluation.skipped)
        for intent in evaluation.intents:
            if isinstance(intent, IssueCurrency):
                self._count_currency(intent)
            elif isinstance(intent, IssueCoupon):
                self.coupons[intent.coupon_type] += 1

    def _count_currency(self, intent: IssueCurrency) -> None:
        amounts = self.amounts.setdefault((intent.promotion, intent.currency), Amounts())
        amounts.issues += 1
        if intent.state == "issued":
            amounts.issued += micros(intent.amount)
        else:
            amounts.promised += micros(intent.amount)


class Run:
    """Evaluates events in the order in which they are given, and carries trackers and caps from one to the next."""

    def __init__(self, program: Program, serials: SerialGenerator | None = None) -> None:
        self.program = program
        self.serials = serials
        self.tally = Tally()
        self.totals = Totals()
        self._seen: set[str] = set()

    def decide(self, event: Event) -> tuple[Intent, ...]:
        """Give what follows from one event: nothing where its id was seen before, since no receipt earns twice.

        Returns, updates and confirmations are counted and not evaluated. Raises `MissingSerialsError` as
        `Program.evaluate` does, and `InvalidValueError` where a counter has grown past 15 digits.
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
