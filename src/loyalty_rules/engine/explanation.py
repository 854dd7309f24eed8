"""The trace: why an event earned what it earned, as a clerk would answer. Source: documents (evaluation).

It is a second walk over the same plan that notes each step, made only when somebody asks; the first walk knows
nothing of it.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import attrs

from loyalty_rules.engine.condition_report import ConditionResult, condition_result, window_result
from loyalty_rules.engine.evaluation import Evaluator, bases_of_lines, cap_name, sum_of
from loyalty_rules.engine.plan import Award, BoundCouponAction, BoundCurrencyAction, BoundPromotion, Plan
from loyalty_rules.intents import AdvanceTracker, IssueCoupon, IssueCurrency, SendMessage
from loyalty_rules.rules.base_values import Parts, describe_base, total_of
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.proration import bind_proration, describe_proration, rounds_base
from loyalty_rules.rules.rounding import quantize_to_micros, round_to_units
from loyalty_rules.serials import SerialRequest
from loyalty_rules.values.amounts import MICRO, Ratio, micros_text, ratio_text, text_of
from loyalty_rules.values.dates import instant_text

__all__ = ["ActionTrace", "Explanation", "PromotionTrace", "explain"]


@attrs.frozen
class ActionTrace:
    """One action of a promotion that fired: what came of it, and each step on the way."""

    action: str
    outcome: str
    steps: tuple[str, ...]


@attrs.frozen
class PromotionTrace:
    """One promotion that the event triggers: whether it fired; if not, why not; else what its actions did."""

    promotion: str
    title: str | None
    fired: bool
    because: tuple[str, ...]
    finding: ConditionResult | None
    actions: tuple[ActionTrace, ...]


@attrs.frozen
class Explanation:
    """Why an event earned what it earned: every promotion of its trigger, and the trackers that it advanced.

    `str` gives it as a clerk would tell it; `dump` as plain data.
    """

    event: str
    program: str
    promotions: tuple[PromotionTrace, ...]
    trackers: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.event} under the program {self.program}:"
        if not self.promotions:
            yield "  no promotion is triggered by it"
        for promotion in self.promotions:
            name = promotion.promotion + (f" ({promotion.title})" if promotion.title else "")
            if not promotion.fired:
                yield f"  {name} did not fire: {'; '.join(promotion.because)}"
                continue
            yield f"  {name} fired:"
            for action in promotion.actions:
                yield f"    {action.action}: {action.outcome}"
                yield from (f"      {step}" for step in action.steps)
        yield from (f"  {tracker}" for tracker in self.trackers)


def explain(plan: Plan, facts: Facts, serials: Mapping[str, str]) -> Explanation:
    """Evaluator again and note each step. `serials` are those of the evaluation, by the keys of their intents."""
    walk = _TracedWalk(plan, facts, _Replayed(serials))
    walk.run()
    return Explanation(facts.event.id, plan.program, tuple(walk.promotions()), tuple(walk.trackers()))


class _Replayed:
    """Gives each coupon the serial that it was given in the evaluation."""

    def __init__(self, serials: Mapping[str, str]) -> None:
        self.serials = iter(serials.values())

    def serial(self, _request: SerialRequest) -> str:
        return next(self.serials)


class _TracedWalk(Evaluator):
    """The walk that notes what it does."""

    steps: list[str]
    actions: dict[str, list[ActionTrace]]

    def run(self) -> None:
        self.steps, self.actions = [], {}
        super().run()

    def promotions(self) -> Iterator[PromotionTrace]:
        fired = {bound.promotion.id for bound in self.plan.fired(self.facts)}
        for bound in self.plan.promotions:
            promotion = bound.promotion
            if promotion.trigger != self.facts.event.type:
                continue
            finding = condition_result(promotion.when, self.facts) if promotion.when is not None else None
            window = window_result(promotion, self.facts)
            because = [window.text] if not window.holds else [*finding.failures()] if finding is not None else []
            yield PromotionTrace(
                promotion.id,
                promotion.title,
                promotion.id in fired,
                tuple(because),
                finding,
                tuple(self.actions.get(promotion.id, ())),
            )

    def trackers(self) -> Iterator[str]:
        for intent in self.intents:
            if isinstance(intent, AdvanceTracker):
                standing = self.facts.standing(intent.tracker)
                yield (
                    f"tracker {intent.tracker} advances by {text_of(intent.value)} to {micros_text(standing.after)} "
                    f"of {micros_text(standing.target)}"
                )

    # -- what is noted -----------------------------------------------------------------------------------------------

    def act(
        self, bound: BoundPromotion, action: BoundCurrencyAction | BoundCouponAction, winner: BoundPromotion | None
    ) -> None:
        self.steps = []
        before, skipped = len(self.intents), len(self.skipped)
        super().act(bound, action, winner)
        if len(self.skipped) > skipped:
            reason = self.skipped[-1]
            outcome = f"nothing, {reason.reason}: {reason.detail}"
        else:
            outcome = self.outcome(before)
        traces = self.actions.setdefault(bound.promotion.id, [])
        traces.append(ActionTrace(action.action.id, outcome, tuple(self.steps)))

    def outcome(self, before: int) -> str:
        """Say what the action issued, and note its dates and its message."""
        issued = self.intents[before:]
        coupons = [intent for intent in issued if isinstance(intent, IssueCoupon)]
        told = ""
        for intent in issued:
            if isinstance(intent, IssueCurrency):
                told = f"{text_of(intent.amount)} {intent.currency} {intent.state}"
                self.note_dates(intent)
            elif isinstance(intent, SendMessage):
                fallbacks = f", falling back on {', '.join(intent.fallbacks)}" if intent.fallbacks else ""
                self.steps.append(f"says {intent.template!r} by {', '.join(intent.channels)}{fallbacks}")
        if coupons:
            first = coupons[0]
            until = f"until the end of {first.expires_on}" if first.expires_on is not None else "for ever"
            self.steps.append(f"valid from {instant_text(first.valid_from)} {until}")
            told = f"{len(coupons)} × coupon {first.coupon_type}"
        return told

    def note_dates(self, intent: IssueCurrency) -> None:
        if intent.group is not None:
            self.steps.append(f"goes to the account of the group {intent.group}")
        if intent.release is not None:
            due = f", due at {instant_text(intent.due_at)}" if intent.due_at is not None else ""
            self.steps.append(f"promised ({intent.release.type}){due}")
        if intent.expires_on is not None:
            self.steps.append(f"lives through {intent.expires_on}")

    def amount(self, award: Award, parts: Parts | None) -> int:
        of = award.proration.of
        if of is not None:
            self.steps.append(f"base: {describe_base(of)}{', line by line' if award.each_line else ''}")
        amount = sum_of([self.noted_steps(award, base) for base in self.bases(award, parts)])
        self.noted_rounding(amount, (quantize_to_micros(amount), MICRO), "to the 6 decimals that a ledger holds")
        return super().amount(award, parts)

    def bases(self, award: Award, parts: Parts | None) -> list[Ratio]:
        if parts is not None:
            return bases_of_lines(parts) if award.each_line else [total_of(parts)]
        return [award.base(self.facts, self.awarded)]

    def noted_steps(self, award: Award, base: Ratio) -> Ratio:
        """Take a base to an amount as the award's steps do, and note each of them."""
        proration, mode = award.proration, award.rounding.value
        if rounds_base(proration.of):
            base = self.noted_rounding(base, round_to_units(base, mode, 0), mode)
        amount = bind_proration(proration)(base)
        words = describe_proration(proration, ratio_text(base))
        self.steps.append(words if proration.of is None else f"{words} is {ratio_text(amount)}")
        mode = award.rounding.currency
        return self.noted_rounding(amount, round_to_units(amount, mode, award.decimals), mode)

    def noted_rounding(self, before: Ratio, after: Ratio, mode: str) -> Ratio:
        if before[0] * after[1] != after[0] * before[1]:
            self.steps.append(f"{ratio_text(before)} rounded ({mode}) is {ratio_text(after)}")
        return after

    def trim(self, amount: int, left: int, cap: str, most: Decimal | int) -> int:
        trimmed = super().trim(amount, left, cap, most)
        if trimmed < amount:
            name = cap_name(cap, most)
            self.steps.append(f"{micros_text(amount)} trimmed to {micros_text(trimmed)} by the {name}")
        return trimmed
