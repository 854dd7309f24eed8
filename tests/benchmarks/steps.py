"""The time of an evaluation by step, and its minimum under any design: ten promotions that all match, five lines."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal

import workload
from measure import interleaved, table

import loyalty_rules as lr
from loyalty_rules.engine.evaluation import Evaluator
from loyalty_rules.engine.plan import BoundCurrencyAction
from loyalty_rules.intents import IssueCurrency, Share
from loyalty_rules.program import Evaluation
from loyalty_rules.rules.facts import Facts

__all__ = ["report"]

SNAPSHOT = lr.Snapshot()


def report() -> str:
    """Time the steps of evaluations over the same sales; return their parts of the whole in Markdown."""
    sales = workload.sales_of(workload.ALL_MATCH)
    program = workload.program_of(workload.rules_of(workload.ALL_MATCH))
    taken = [_Taken(program, sale) for sale in sales]
    steps: dict[str, Callable[[_Taken], object]] = {
        "the whole": lambda each: program.evaluate(each.sale),
        "read the event: local time, amount, key": lambda each: each.facts(),
        "find the promotions that fire": lambda each: each.plan.fired(each.evaluator.facts),
        "amounts: base, round, prorate, round": lambda each: each.amounts(),
        "dates: issue and expiry": lambda each: each.dates(),
        "shares: the bill once, then split each amount": lambda each: each.shares(),
        "the objects: intents and shares, by their constructors": lambda each: each.objects(),
    }
    turns = {name: functools.partial(_step, step, taken) for name, step in steps.items()}
    turns["minimum of any design: numbers in and out, one zone, the objects"] = lambda piece: taken[piece].floor()
    times = interleaved(turns, len(sales))
    whole = times["the whole"]
    return table(["step", "of the whole"], [[name, f"{100 * time / whole:.0f} %"] for name, time in times.items()])


def _step(step: Callable[[_Taken], object], taken: list[_Taken], piece: int) -> object:
    return step(taken[piece])


class _Taken:
    """One sale with its evaluation, so that each step can be repeated by itself."""

    def __init__(self, program: lr.Program, sale: lr.Transaction) -> None:
        self.program, self.plan, self.sale = program, program.plan, sale
        self.evaluator = Evaluator(self.plan, self.facts(), None)
        self.evaluator.run()
        self.made = [intent for intent in self.evaluator.intents if isinstance(intent, IssueCurrency)]
        issued = {f"{intent.promotion}/{intent.action}" for intent in self.made}
        bound = [action for each in self.plan.fired(self.evaluator.facts) for action in each.actions]
        self.actions = [each for each in bound if isinstance(each, BoundCurrencyAction) and each.key in issued]
        self.ready = [tuple(getattr(each, name) for name in IssueCurrency.__match_args__) for each in self.made]
        self.split = [(each.line, each.amount) for intent in self.made for each in intent.shares]

    def facts(self) -> Facts:
        return self.plan.facts(self.sale, SNAPSHOT)

    def amounts(self) -> None:
        for action in self.actions:
            parts = action.award.parts(self.evaluator.facts) if action.award.parts is not None else None
            self.evaluator.amount(action.award, parts)

    def dates(self) -> None:
        facts = self.evaluator.facts
        for action in self.actions:
            issue_on, due_at = action.schedule(facts)
            expires_on = action.until(facts, issue_on)
            if expires_on is not None:
                self.evaluator.end_of(expires_on, issue_on, due_at)

    def shares(self) -> None:
        _, weights = self.facts().bill()
        for each in self.made:
            weights.split(int(each.amount))

    def objects(self) -> None:
        for line, amount in self.split:
            Share(line, amount)
        for arguments in self.ready:
            IssueCurrency(*arguments)
        Evaluation("", "", "", (), (), (self.program, self.sale, SNAPSHOT))

    def floor(self) -> None:
        """Do the minimum from decimals to these intents: convert numbers and build objects, without any rule."""
        sale = self.sale
        sale.occurred_at.astimezone(self.plan.zone)
        int(sale.amount.scaleb(6))
        for line in sale.lines:
            if line.value is not None:
                int(line.value.scaleb(6))
        for line, amount in self.split:
            Share(line, Decimal(int(amount)))
        for arguments in self.ready:
            IssueCurrency(*arguments)
