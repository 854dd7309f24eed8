"""The gaps of an event: the numbers that would make more promotions fire, and the way to each milestone, as data.

A shop shows them at checkout: "spend 12.50 more for free shipping", "two visits to the next reward". Source:
semantics 16.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

import attrs

from loyalty_rules.engine.condition_report import window_result
from loyalty_rules.engine.plan import Plan
from loyalty_rules.intents import AdvanceTracker, Intent
from loyalty_rules.rules.base_values import LineItemValue, TransactionValue
from loyalty_rules.rules.comparisons import Subject, bind_to
from loyalty_rules.rules.conditions import (
    AllOf,
    AnyOf,
    BaseTest,
    Comparison,
    Condition,
    LineTest,
    Operators,
    TrackerTest,
)
from loyalty_rules.rules.facts import NO_RATE, Facts
from loyalty_rules.rules.predicates import base_subject, bind, event_subject, measure_subject
from loyalty_rules.values.amounts import MICRO, decimal_of, number_in
from loyalty_rules.values.money import cent_of

__all__ = ["Needed", "needed"]


@attrs.frozen
class Needed:
    """One number that is too low, and the value from which it is enough.

    `promotion` would fire if all of its rows were met; it is None for the next milestone of a tracker. `path` is that
    of the condition: `amount`, `tenders.card`, `balances.points`, `lines.quantity`, `base.transaction_value`,
    `trackers.visits`. `missing` is `need` less `have`.
    """

    promotion: str | None
    path: str
    have: Decimal
    need: Decimal
    missing: Decimal


@attrs.frozen
class _Gap:
    """A value in millionths that is below the least value that is enough."""

    path: str
    have: int
    need: int

    @property
    def share(self) -> Fraction:
        """The missing part of the need: the measure of nearness, comparable across units."""
        return Fraction(self.need - self.have, self.need)


Gaps: TypeAlias = list[_Gap] | None
"""The gaps of a condition: none if it holds, None if higher numbers cannot make it hold."""


def needed(plan: Plan, facts: Facts, intents: Iterable[Intent]) -> tuple[Needed, ...]:
    """Return the gaps of each promotion that did not fire and each next milestone, nearest first.

    A promotion counts if it has the event's trigger, is active, and would fire if some numbers were higher: bounds
    from below (`at_least`, `more_than`, `between`), lines that must be there, trackers to reach. A promotion that
    needs anything else is left out. Of several alternatives the nearest counts. The distance is `missing` as a share of
    `need`; equal ones stay in document order, promotions before milestones.
    """
    found = [(promotion, gap) for promotion, gaps in _gaps_of_promotions(plan, facts) for gap in gaps]
    found += [(None, gap) for gap in _milestones(plan, facts, intents)]
    return tuple(
        Needed(promotion, gap.path, decimal_of(gap.have), decimal_of(gap.need), decimal_of(gap.need - gap.have))
        for promotion, gap in sorted(found, key=lambda each: each[1].share)
    )


def _gaps_of_promotions(plan: Plan, facts: Facts) -> Iterator[tuple[str | None, list[_Gap]]]:
    walk = _Walk(facts, cent_of(plan.money))
    for bound in plan.promotions:
        promotion = bound.promotion
        if promotion.trigger != facts.event.type or promotion.when is None:
            continue
        if window_result(promotion, facts).holds:
            yield promotion.id, walk.gaps(promotion.when) or []


def _milestones(plan: Plan, facts: Facts, intents: Iterable[Intent]) -> Iterator[_Gap]:
    """Yield the gap to the next milestone of each tracker that the event's member has, after the event."""
    advances = {each.tracker: each for each in intents if isinstance(each, AdvanceTracker)}
    for tracker in plan.trackers if facts.member is not None else ():
        standing = facts.standing(tracker.id)
        if tracker.id in advances:  # a tracker of awards counts after all actions
            standing = attrs.evolve(standing, contribution=number_in(advances[tracker.id].value) or 0)
        if standing.is_anyones and standing.is_known and standing.gap_after > 0:
            yield _tracker_gap(tracker.id, standing.after, standing.gap_after)


def _tracker_gap(tracker: str, value: int, gap: int) -> _Gap:
    return _Gap(f"trackers.{tracker}", value, value + gap)


class _Walk:
    """A walk over conditions with the facts of one event; `cent` is the least step of money, in millionths."""

    def __init__(self, facts: Facts, cent: int) -> None:
        self.facts = facts
        self.cent = cent

    def gaps(self, condition: Condition) -> Gaps:
        """Return the gaps of a condition."""
        if bind(condition)(self.facts):
            return []
        find = _FINDERS.get(type(condition))
        return find(self, condition) if find is not None else None

    def of_all(self, condition: AllOf) -> Gaps:
        """Return the gaps of all parts; None if one of them cannot be met."""
        parts = [self.gaps(each) for each in condition.all]
        known = [each for each in parts if each is not None]
        return [gap for each in known for gap in each] if len(known) == len(parts) else None

    def of_any(self, condition: AnyOf) -> Gaps:
        """Return the gaps of the nearest part: that with the smallest of its largest shares."""
        parts = [each for part in condition.any if (each := self.gaps(part)) is not None]
        return min(parts, key=lambda each: max(gap.share for gap in each), default=None)

    def of_comparison(self, test: Comparison) -> Gaps:
        return self.gap(test.field, event_subject(test.field), test, self.step_of(test.field))

    def of_base(self, test: BaseTest) -> Gaps:
        is_money = isinstance(test.base, (TransactionValue, LineItemValue))
        name = getattr(test.base, "type", "")
        return self.gap(f"base.{name}", base_subject(test), test, self.cent if is_money else MICRO)

    def of_lines(self, test: LineTest) -> Gaps:
        measured = measure_subject(test)
        if measured is None:
            return [_Gap("lines.count", 0, MICRO)]
        name = next(name for name in ("quantity", "value", "count") if getattr(test, name) is not None)
        return self.gap(f"lines.{name}", measured[0], measured[1], self.cent if name == "value" else MICRO)

    def of_tracker(self, test: TrackerTest) -> Gaps:
        """Return the gap to the target or, for a crossing, to the next milestone; a negated test has none."""
        standing = self.facts.standing(test.tracker)
        if self.facts.member is None or not standing.is_anyones or not standing.is_known:
            return None
        gap = standing.gap_after if test.crossed else standing.target - standing.after if test.reached else 0
        return [_tracker_gap(test.tracker, standing.after, gap)] if gap > 0 else None

    def step_of(self, path: str) -> int:
        """Return the step by which a number exceeds another: a cent of money, one of anything else."""
        return self.cent if path in _MONEY or path.startswith("tenders.") else MICRO

    def gap(self, path: str, subject: Subject, test: Operators, step: int) -> Gaps:
        """Return the gap between a number and the bound from below that it misses."""
        value = subject.get(self.facts)
        if subject.kind == "free":
            value, subject = number_in(value), Subject(subject.get, "number")
        if subject.kind != "number" or value is NO_RATE or (value is None and not path.startswith("tenders.")):
            return None
        least = _least(test, step)
        if least is None or least <= 0 or not bind_to(test, _constant(least))(self.facts):
            return None  # a bound from above, or another operator, would still fail
        have = (value or 0) * MICRO // subject.unit
        return [_Gap(path, have, least)] if have < least else None


def _least(test: Operators, step: int) -> int | None:
    """Return the least value in millionths that meets the bounds from below; None if there is no such bound."""
    bounds = []
    for name, operand in test.tests():
        number = number_in(operand[0] if name == "between" else operand) if name in _BOUNDS else None
        if number is not None:
            bounds.append(number + (step if name == "more_than" else 0))
    return max(bounds, default=None)


def _constant(value: int) -> Subject:
    return Subject(lambda _facts: value, "number")


_BOUNDS = ("at_least", "more_than", "between")
_MONEY = ("amount", "tax", "shipping", "tip")
_FINDERS: Mapping[type, Callable[[_Walk, Any], Gaps]] = {
    AllOf: _Walk.of_all,
    AnyOf: _Walk.of_any,
    Comparison: _Walk.of_comparison,
    BaseTest: _Walk.of_base,
    LineTest: _Walk.of_lines,
    TrackerTest: _Walk.of_tracker,
}
"""The conditions that higher numbers can make hold; negations, samples, levels and anniversaries are not among them."""
