"""The award of the remainder of a sale: the issues, coupons and contributions that it would have had.

The remainder is decided as the sale was: under its program, by its snapshot, with its updates. Source: semantics 11.
"""

from collections.abc import Sequence

from loyalty_rules.engine.evaluation import Evaluator
from loyalty_rules.events import Return, Transaction
from loyalty_rules.intents import AdvanceTracker, IssueCoupon, IssueCurrency
from loyalty_rules.keys import action_key
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.lifecycle.remainder import remaining_sale
from loyalty_rules.serials import SerialRequest
from loyalty_rules.values.amounts import micros

__all__ = ["RemainingAward", "action_of"]


class RemainingAward:
    """The remainder of a sale after some returns, and its award, evaluated once.

    `sale` is None if the whole sale has come back; the return of an activity is always a whole one.
    """

    def __init__(self, sale: Sale, returns: Sequence[Return]) -> None:
        event = sale.current()
        self.terms = sale
        self.returned = sum(micros(each.amount) for each in returns if each.amount is not None)
        self.amount = 0
        self.sale: Transaction | None = None
        if isinstance(event, Transaction):
            self.amount = micros(event.amount)
            self.sale = remaining_sale(event, returns, sale.program.plan.line_fields)
        self.issues: list[IssueCurrency] = []
        self.coupons: list[IssueCoupon] = []
        self.tracked: dict[str, int] = {}
        if self.sale is not None:
            self._evaluate(self.sale)

    def _evaluate(self, remaining: Transaction) -> None:
        plan = self.terms.program.plan
        evaluator = Evaluator(plan, plan.facts(remaining, self.terms.snapshot), _Unnamed())
        evaluator.run()
        self.issues = [each for each in evaluator.intents if isinstance(each, IssueCurrency)]
        self.coupons = [each for each in evaluator.intents if isinstance(each, IssueCoupon)]
        advances = [each for each in evaluator.intents if isinstance(each, AdvanceTracker)]
        self.tracked = {each.tracker: micros(each.value) for each in advances}

    def policy(self, issue: IssueCurrency | IssueCoupon) -> str:
        """Return the policy `on_return` of the action of an issue."""
        return self.terms.action_of(issue).action.on_return


class _Unnamed:
    """Serials for coupons that are only counted."""

    def serial(self, request: SerialRequest) -> str:  # noqa: ARG002
        return "0" * 18


def action_of(issue: IssueCurrency | IssueCoupon) -> str:
    """Return `PROMOTION/ACTION` of an issue."""
    return action_key(issue.promotion, issue.action)
