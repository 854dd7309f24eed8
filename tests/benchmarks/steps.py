"""Where the time of an evaluation goes, and what of it no design avoids: ten promotions that all match, five lines."""

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
    """Time the steps of evaluations, each over the same sales, and give Markdown: their part of the whole."""
    sales = workload.sales_of(workload.ALL_MATCH)
    program = workload.program_of(workload.rules_of(workload.ALL_MATCH))
    taken = [_Taken(program, sale) for sale in sales]
    steps: dict[str, Callable[[_Taken], object]] = {
        "the whole": lambda each: program.evaluate(each.sale),
        "look at the event: local time, amount, key": lambda each: each.look(),
        "find what fires": lambda each: each.plan.fired(each.walk.facts),
        "amounts: base, round, prorate, round": lambda each: each.amounts(),
        "dates: when issued, how long it lives": lambda each: each.dates(),
        "shares: the bill once, then split each amount": lambda each: each.shares(),
        "the objects: intents and shares, by their constructors": lambda each: each.objects(),
    }
    turns = {name: functools.partial(_step, step, taken) for name, step in steps.items()}
    turns["no design avoids: numbers in and out, one zone, the objects"] = lambda piece: taken[piece].floor()
    times = interleaved(turns, len(sales))
    whole = times["the whole"]
    return table(["step", "of the whole"], [[name, f"{100 * time / whole:.0f} %"] for name, time in times.items()])


def _step(step: Callable[[_Taken], object], taken: list[_Taken], piece: int) -> object:
    return step(taken[piece])


class _Taken:
    """One sale with all that an evaluation of it comes to, so that each step can be taken by itself."""

    def __init__(self, program: lr.Program, sale: lr.Transaction) -> None:
        self.program, self.plan, self.sale = program, program.plan, sale
        self.walk = Evaluator(self.plan, self.look(), None)
        self.walk.run()
        self.made = [intent for intent in self.walk.intents if isinstance(intent, IssueCurrency)]
        issued = {f"{intent.promotion}/{intent.action}" for intent in self.made}
        bound = [action for each in self.plan.fired(self.walk.facts) for action in each.actions]
        self.actions = [each for each in bound if isinstance(each, BoundCurrencyAction) and each.key in issued]
        self.ready = [tuple(getattr(each, name) for name in IssueCurrency.__match_args__) for each in self.made]
        self.split = [(each.line, each.amount) for intent in self.made for each in intent.shares]

    def look(self) -> Facts:
        return self.plan.facts(self.sale, SNAPSHOT)

    def amounts(self) -> None:
        for action in self.actions:
            parts = action.award.parts(self.walk.facts) if action.award.parts is not None else None
            self.walk.amount(action.award, parts)

    def dates(self) -> None:
        facts = self.walk.facts
        for action in self.actions:
            issue_on, due_at = action.schedule(facts)
            expires_on = action.until(facts, issue_on)
            if expires_on is not None:
                self.walk.end_of(expires_on, issue_on, due_at)

    def shares(self) -> None:
        _, weights = self.look().bill()
        for each in self.made:
            weights.split(int(each.amount))

    def objects(self) -> None:
        for line, amount in self.split:
            Share(line, amount)
        for arguments in self.ready:
            IssueCurrency(*arguments)
        Evaluation("", "", "", (), (), (self.program, self.sale, SNAPSHOT))

    def floor(self) -> None:
        """What any code does that takes decimals and gives these intents: no rule is looked at, nothing reckoned."""
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
