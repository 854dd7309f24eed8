"""The explanation of an evaluation: every promotion, condition and step of an amount. Source: documents (evaluation).

It is a second, traced evaluation over the same plan. So an evaluation without an explanation does no work for it.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

import attrs

from loyalty_rules.engine.capping import cap_name
from loyalty_rules.engine.condition_report import ConditionResult, condition_result, window_result
from loyalty_rules.engine.evaluation import Evaluator
from loyalty_rules.engine.plan import Award, BoundAction, BoundCouponAction, BoundPromotion, BoundSpendAction, Plan
from loyalty_rules.intents import (
    AdvanceTracker,
    ChangeTier,
    ExtendExpiry,
    IssueCoupon,
    IssueCurrency,
    SendMessage,
    SpendCurrency,
)
from loyalty_rules.rules.base_values import describe_base
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.line_parts import (
    Parts,
    bases_of_lines,
    bases_of_units,
    sum_of,
    sum_of_units,
    total_of,
    units_of,
)
from loyalty_rules.rules.proration import bind_proration, describe_proration, rounds_base
from loyalty_rules.rules.rounding import quantize_to_micros, round_to_units
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import MICRO, Ratio, micros_text, ratio_text, text_of
from loyalty_rules.values.dates import instant_text

__all__ = ["ActionTrace", "Explanation", "PromotionTrace", "explain"]


@attrs.frozen
class ActionTrace:
    """One action of a promotion that fired: its outcome, and each step to it."""

    action: str
    outcome: str
    steps: tuple[str, ...]


@attrs.frozen
class PromotionTrace:
    """One promotion that has the event's trigger: the outcomes of its actions, or the reasons why it did not fire.

    `finding` is the result of its condition; None if it has no condition.
    """

    promotion: str
    title: str | None
    fired: bool
    because: tuple[str, ...]
    finding: ConditionResult | None
    actions: tuple[ActionTrace, ...]


@attrs.frozen
class Explanation:
    """The reasons for the result of an event: every promotion of its trigger, and the trackers that it advanced.

    `str` formats it for people; `dump` converts it to plain data.
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


def explain(plan: Plan, facts: Facts) -> Explanation:
    """Evaluate the event again and trace each step; no step shows a serial."""
    traced = _TracedEvaluator(plan, facts, None)
    traced.run()
    return Explanation(facts.event.id, plan.program, tuple(traced.promotions()), tuple(traced.trackers()))


class _TracedEvaluator(Evaluator):
    """An evaluator that traces its steps."""

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
            elif isinstance(intent, ChangeTier):
                until = f"until {intent.until} (inclusive)" if intent.until is not None else "without an end"
                yield f"tier {intent.tier} goes from {intent.from_level} to {intent.to_level}, {until}"

    # -- the trace ---------------------------------------------------------------------------------------------------

    def act(self, bound: BoundPromotion, action: BoundAction, stop: Skip | None) -> None:
        self.steps = []
        before, skipped, extended = len(self.intents), len(self.skipped), len(self.extensions)
        super().act(bound, action, stop)
        if len(self.skipped) > skipped:
            reason = self.skipped[-1]
            outcome = f"nothing, {reason.reason}: {reason.detail}"
        else:
            outcome = self.outcome(before)
            self.trace_extensions(extended)
            outcome = outcome or "extended"
        traces = self.actions.setdefault(bound.promotion.id, [])
        traces.append(ActionTrace(action.action.id, outcome, tuple(self.steps)))

    def outcome(self, before: int) -> str:
        """Return the outcome of an action that issued something, and trace its dates and its message."""
        issued = self.intents[before:]
        coupons = [intent for intent in issued if isinstance(intent, IssueCoupon)]
        outcome = ""
        for intent in issued:
            if isinstance(intent, IssueCurrency):
                outcome = f"{text_of(intent.amount)} {intent.currency} {intent.state}"
                self.trace_dates(intent)
            elif isinstance(intent, SpendCurrency):
                outcome = f"{text_of(intent.amount)} {intent.currency} spent"
            elif isinstance(intent, SendMessage):
                fallbacks = f", fallback {', '.join(intent.fallbacks)}" if intent.fallbacks else ""
                channels = ", ".join(intent.channels) or "the recipient's channels, which the host knows"
                self.steps.append(f"message {intent.template!r} by {channels}{fallbacks}")
        if coupons:
            first = coupons[0]
            if first.worth is not None:
                worths = ", ".join(text_of(each.worth) for each in coupons if each.worth is not None)
                self.steps.append(f"worth {worths}")
            until = f"until {first.expires_on} (inclusive)" if first.expires_on is not None else "without an end"
            self.steps.append(f"valid from {instant_text(first.valid_from)} {until}")
            outcome = f"{len(coupons)} × coupon {first.coupon_type}"
        return outcome

    def trace_extensions(self, before: int) -> None:
        for intent in self.extensions[before:]:
            if isinstance(intent, ExtendExpiry):
                self.steps.append(f"live {intent.currency} extended to {intent.expires_on} (inclusive)")

    def trace_dates(self, intent: IssueCurrency) -> None:
        if self.facts.member is None or intent.member != self.facts.member.id:
            self.steps.append(f"issued to the member {intent.member}")
        if intent.group is not None:
            self.steps.append(f"issued to the account of the group {intent.group}")
        if intent.release is not None:
            due = f", due at {instant_text(intent.due_at)}" if intent.due_at is not None else ""
            self.steps.append(f"promised ({intent.release.type}){due}")
        if intent.expires_on is not None:
            self.steps.append(f"valid until {intent.expires_on} (inclusive)")
        if intent.expires_by is not None:
            self.steps.append(f"never extended beyond {intent.expires_by} (inclusive)")

    def resolved(self, resolve: Callable[[Facts], Award]) -> Award:
        award = super().resolved(resolve)
        self.steps.append(f"for this event: {describe_proration(award.proration, 'the base')}")
        return award

    def amount(self, award: Award, parts: Parts | None) -> int:
        of = award.proration.of
        if of is not None:
            self.steps.append(f"base: {describe_base(of)}{_AGGREGATES[getattr(of, 'aggregate', 'total')]}")
        units = units_of(self.facts, parts) if parts is not None and award.each_unit else None
        amounts = [self.traced_steps(award, base) for base in self.bases(award, parts, units)]
        amount = sum_of(amounts) if units is None else sum_of_units(amounts, units)
        if units is not None:
            self.steps.append(f"times {', '.join(map(str, units))} units is {shown(amount)}")
        self.traced_rounding(amount, (quantize_to_micros(amount), MICRO), "to 6 decimals")
        return super().amount(award, parts)

    def bases(self, award: Award, parts: Parts | None, units: Sequence[int] | None) -> list[Ratio]:
        if parts is not None and units is not None:
            return bases_of_units(parts, units)
        if parts is not None:
            return bases_of_lines(parts) if award.each_line else [total_of(parts)]
        return [award.base(self.facts, self.awarded)]

    def traced_steps(self, award: Award, base: Ratio) -> Ratio:
        """Convert a base to an amount by the steps of the award, and trace each of them."""
        proration, mode = award.proration, award.rounding.value
        if rounds_base(proration.of):
            base = self.traced_rounding(base, round_to_units(base, mode, 0), mode)
        amount = bind_proration(proration)(base)
        words = describe_proration(proration, shown(base))
        self.steps.append(words if proration.of is None else f"{words} is {shown(amount)}")
        mode = award.rounding.currency
        return self.traced_rounding(amount, round_to_units(amount, mode, award.decimals), mode)

    def traced_rounding(self, before: Ratio, after: Ratio, mode: str) -> Ratio:
        if before[0] * after[1] != after[0] * before[1]:
            self.steps.append(f"{shown(before)} rounded ({mode}) is {shown(after)}")
        return after

    def serial(self, bound: BoundPromotion, action: BoundCouponAction, ordinal: int) -> str:  # noqa: ARG002
        return ""

    def available(self, action: BoundSpendAction) -> int:
        available = super().available(action)
        self.steps.append(f"{micros_text(available)} {action.action.currency} available")
        return available

    def trim(self, amount: int, remaining: int, cap: str, maximum: Decimal | int) -> int:
        trimmed = super().trim(amount, remaining, cap, maximum)
        if trimmed < amount:
            name = cap_name(cap, maximum)
            self.steps.append(f"{micros_text(amount)} trimmed to {micros_text(trimmed)} by the {name}")
        return trimmed


_AGGREGATES = {"total": "", "each_line": ", line by line", "each_unit": ", unit by unit"}
_PLACES = 24


def shown(value: Ratio) -> str:
    """Write a ratio as a decimal, or as a fraction if it has no end: a unit of three for 10.00 is 10/3."""
    fraction = Fraction(*value)
    numerator, denominator = fraction.as_integer_ratio()
    scale, rest = divmod(10**_PLACES, denominator)
    return f"{numerator}/{denominator}" if rest else ratio_text((numerator * scale, 10**_PLACES))
