"""Trackers: sums over a member's transactions within a window. Source: semantics 7."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

import attrs
from attrs.converters import optional

from loyalty_rules.events import Transaction
from loyalty_rules.rules.base_values import (
    Count,
    LineBase,
    Parts,
    TransactionCustomField,
    TransactionExtendedField,
    TransactionValue,
    bind_base,
    bind_parts,
)
from loyalty_rules.rules.conditions import Condition, read_condition
from loyalty_rules.rules.facts import Facts, Standing
from loyalty_rules.rules.predicates import bind
from loyalty_rules.rules.rounding import quantize_to_micros
from loyalty_rules.rules.skips import Skip
from loyalty_rules.rules.windows import LIFETIME, Window
from loyalty_rules.values.amounts import Ratio, micros, read_positive
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_id

__all__ = ["MeasuredBy", "Tracker", "bind_tracker"]

MeasuredBy: TypeAlias = TransactionValue | TransactionExtendedField | TransactionCustomField | LineBase | Count


@attrs.frozen(field_transformer=checked)
class Tracker:
    """The sum of a `measure` over a member's transactions for which `when` holds, within a window.

    `target` is more than zero. A contribution is rounded to 6 decimals, half up, before any rule reads it.
    """

    id: str = attrs.field(converter=read_id)
    measure: MeasuredBy
    target: Decimal = attrs.field(converter=read_positive)
    when: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    window: Window = LIFETIME


def bind_tracker(tracker: Tracker) -> Callable[[Facts], Standing]:
    """Bind a tracker to the function that returns its standing for an event and its member."""
    target = micros(tracker.target)
    measure = _bind_measure(tracker.measure)
    when = bind(tracker.when) if tracker.when is not None else None

    def standing(facts: Facts) -> Standing:
        given = facts.snapshot.trackers.get(tracker.id)
        before = micros(given) if given is not None else 0
        # A missing field contributes zero. Only a missing exchange rate makes the contribution unknown.
        if not isinstance(facts.event, Transaction) or facts.member is None or (when is not None and not when(facts)):
            return Standing(target, before, 0)
        try:
            return Standing(target, before, quantize_to_micros(measure(facts)))
        except Skip as skip:
            return Standing(target, before, 0, is_known=skip.reason != "no_exchange_rate")

    return standing


def _bind_measure(measure: MeasuredBy) -> Callable[[Facts], Ratio]:
    if isinstance(measure, LineBase) and measure.aggregate == "each_line":
        parts_of = bind_parts(measure)
        return lambda facts: _each_line(parts_of(facts))
    base = bind_base(measure)
    return lambda facts: base(facts, {})


def _each_line(parts: Parts) -> Ratio:
    _, values, denominator = parts
    return sum(max(value, 0) for value in values), denominator
