"""The preview of an event: an evaluation whose coupons have no serial, since nothing of it is ever recorded."""

import attrs

from loyalty_rules.engine.evaluation import Evaluator
from loyalty_rules.engine.plan import BoundCouponAction, BoundPromotion, Plan
from loyalty_rules.intents import Intent, IssueCoupon, Skipped
from loyalty_rules.rules.facts import Facts

__all__ = ["preview"]


def preview(plan: Plan, facts: Facts) -> tuple[tuple[Intent, ...], tuple[Skipped, ...]]:
    """Evaluate an event without serials; return its intents and the actions that issue nothing.

    A coupon with a serial of its own has the serial None, and an empty line for the till: both come with its issue.
    """
    evaluator = _Previewer(plan, facts, None)
    evaluator.run()
    return tuple(map(_without_serial, evaluator.intents)), tuple(evaluator.skipped)


class _Previewer(Evaluator):
    """An evaluator that needs no generator of serials."""

    def serial(self, bound: BoundPromotion, action: BoundCouponAction, ordinal: int) -> str:  # noqa: ARG002
        """Return no serial."""
        return ""


def _without_serial(intent: Intent) -> Intent:
    if not isinstance(intent, IssueCoupon) or intent.serial is None:
        return intent
    return attrs.evolve(intent, serial=None, till_message="")
