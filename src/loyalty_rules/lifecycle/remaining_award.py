"""The award of the remainder of a sale: the issues, coupons and contributions that it would have had.

The remainder is decided as the sale was: under its program, by its snapshot, with its updates. Source: semantics 11.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence

from loyalty_rules.engine.evaluation import Evaluator
from loyalty_rules.events import Activity, Amendment, Return, Transaction
from loyalty_rules.intents import AdvanceTracker, Intent, IssueCoupon, IssueCurrency
from loyalty_rules.keys import action_key, event_in
from loyalty_rules.lifecycle.claims import unit_of_issue
from loyalty_rules.lifecycle.records import Lot, Sale
from loyalty_rules.lifecycle.remainder import remaining_sale
from loyalty_rules.serials import SerialRequest
from loyalty_rules.values.amounts import micros

__all__ = ["RemainingAward", "action_of", "amendment_of"]


class RemainingAward:
    """The remainder of a sale after some returns, and its award, evaluated once.

    `sale` is None if the whole sale has come back; the return of an activity is always a whole one. `intents` are all
    that the remainder would give. `base` and `returned` are the bill and its part that came back, over all amendments:
    a bill that was lowered counts as a part that came back. `come_back` is the part of the returns alone;
    `has_come_back` is true after any return, also one of nothing, or a lowered bill.
    """

    def __init__(self, sale: Sale, returns: Sequence[Return]) -> None:
        event = sale.current()
        self.terms = sale
        self.sale: Transaction | Activity | None = event if not returns else None
        if isinstance(event, Transaction):
            self.sale = remaining_sale(event, returns, sale.program.plan.line_fields)
        self.base, lowered = _amended_bill(sale)
        self.come_back = sum(micros(each.amount) for each in returns if each.amount is not None)
        self.returned = lowered + self.come_back
        self.has_come_back = bool(returns) or lowered > 0
        self.intents: list[Intent] = []
        self.issues: list[IssueCurrency] = []
        self.coupons: list[IssueCoupon] = []
        self.tracked: dict[str, int] = {}
        if self.sale is not None:
            self._evaluate(self.sale)

    def _evaluate(self, remaining: Transaction | Activity) -> None:
        plan = self.terms.program.plan
        evaluator = Evaluator(plan, plan.facts(remaining, self.terms.snapshot), _Unnamed())
        evaluator.run()
        self.intents = [*evaluator.intents]
        self.issues = [each for each in evaluator.intents if isinstance(each, IssueCurrency)]
        self.coupons = [each for each in evaluator.intents if isinstance(each, IssueCoupon)]
        advances = [each for each in evaluator.intents if isinstance(each, AdvanceTracker)]
        self.tracked = {each.tracker: micros(each.value) for each in advances}

    def policy(self, issue: IssueCurrency | IssueCoupon) -> str:
        """Return the policy `on_return` of the action of an issue."""
        return self.terms.action_of(issue).action.on_return

    def by_action(self, lots: Iterable[Lot]) -> list[tuple[str, list[Lot]]]:
        """Return lots by the action that issued them, in the order of the program's document."""
        found: dict[str, list[Lot]] = {}
        for lot in lots:
            found.setdefault(action_of(lot.issue), []).append(lot)
        return sorted(found.items(), key=lambda pair: self.position(pair[0]))

    def position(self, action: str) -> int:
        """Return the position of an action in the program's document."""
        return self._positions[action]

    @functools.cached_property
    def _positions(self) -> Mapping[str, int]:
        promotions = self.terms.program.promotions
        actions = (action_key(promotion.id, each.id) for promotion in promotions for each in promotion.actions)
        return {action: number for number, action in enumerate(actions)}

    def proportion_due(self, lot: Lot) -> int:
        """Return the units of a lot that are due in proportion to the bill's part that came back, in millionths.

        They are rounded down, cumulatively: no return takes more than its proportion, and the last takes the rest.
        """
        if self.base <= 0:
            return 0
        unit = unit_of_issue(self.terms.program, lot.issue)
        returned = min(self.returned, self.base)  # of an exchange, and then a lowered bill, more may have come back
        return micros(lot.issued) * returned // (self.base * unit) * unit - micros(lot.taken_back)


def _amended_bill(sale: Sale) -> tuple[int, int]:
    """Return a bill with all that amendments raised it by, and all that they lowered it by, in millionths."""
    if not isinstance(sale.event, Transaction):
        return 0, 0
    base = before = micros(sale.event.amount)
    lowered = 0
    for change in sale.updates:
        if isinstance(change, Amendment) and change.amount is not None:
            step = micros(change.amount) - before
            base, lowered, before = base + max(step, 0), lowered + max(-step, 0), micros(change.amount)
    return base, lowered


class _Unnamed:
    """Serials for coupons that are only counted."""

    def serial(self, request: SerialRequest) -> str:  # noqa: ARG002
        return "0" * 18


def amendment_of(issue: IssueCurrency | IssueCoupon) -> str | None:
    """Return the id of the amendment that issued something; None if the sale itself did."""
    event = event_in(issue.key)
    return event if event != issue.event else None


def action_of(issue: IssueCurrency | IssueCoupon) -> str:
    """Return `PROMOTION/ACTION` of an issue."""
    return action_key(issue.promotion, issue.action)
