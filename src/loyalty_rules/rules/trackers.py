"""Trackers: sums over a member's transactions within a window. Source: semantics 7."""

from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.events import Member, Transaction
from loyalty_rules.rules.base_values import (
    Count,
    LineBase,
    LineItemValue,
    TransactionCustomField,
    TransactionExtendedField,
    TransactionValue,
    bind_comparable,
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
from loyalty_rules.values.json_schema import declare

__all__ = ["AwardedCurrency", "MeasuredBy", "Tracker", "bind_applies", "bind_tracker"]


@attrs.frozen(field_transformer=checked)
class AwardedCurrency:
    """The amount of a currency that an event awards to the tracker's account, promised or issued, after caps.

    It is known only after all actions, so that conditions and bases of the same event see a contribution of zero.
    """

    type: ClassVar[str] = "awarded"
    currency: str = attrs.field(converter=read_id)


MeasuredBy: TypeAlias = (
    TransactionValue | TransactionExtendedField | TransactionCustomField | LineBase | Count | AwardedCurrency
)


def _read_measure(value: MeasuredBy) -> MeasuredBy:
    if not isinstance(value, MeasuredBy):
        raise InvalidValueError("", "wrong_type", f"expected the measure of a tracker, found {describe(value)}")
    if isinstance(value, LineItemValue) and value.aggregate == "each_unit":
        raise InvalidValueError("aggregate", "misplaced", "each_unit is for the base of a proration")
    return value


declare(_read_measure, {"$ref": MeasuredBy})


@attrs.frozen(field_transformer=checked)
class Tracker:
    """The sum of a `measure` over a member's transactions for which `when` holds, within a window.

    `target` is more than zero. With `repeats` each multiple of it is a milestone. `per` is whose tracker it is: the
    member's, or that of the member's group. A contribution is rounded to 6 decimals, half up, before any rule reads it.
    """

    id: str = attrs.field(converter=read_id)
    measure: MeasuredBy = attrs.field(converter=_read_measure)
    target: Decimal = attrs.field(converter=read_positive)
    when: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    window: Window = LIFETIME
    repeats: bool = False
    per: Literal["member", "member_group"] = "member"

    def holder(self, member: Member) -> str | None:
        """Return the member or the group whose tracker an event of a member advances; None if it has no group."""
        return member.id if self.per == "member" else member.group


def bind_tracker(tracker: Tracker) -> Callable[[Facts], Standing]:
    """Bind a tracker to the function that returns its standing for an event and its member."""
    target = micros(tracker.target)
    measure = _bind_measure(tracker.measure)
    when = bind(tracker.when) if tracker.when is not None else None
    repeats, is_of_group = tracker.repeats, tracker.per == "member_group"

    def standing(facts: Facts) -> Standing:
        given = facts.snapshot.trackers.get(tracker.id)
        before = micros(given) if given is not None else 0
        # A missing field contributes zero. Only a missing exchange rate makes the contribution unknown.
        if not isinstance(facts.event, Transaction) or facts.member is None or (when is not None and not when(facts)):
            return _unmoved(facts, before)
        if is_of_group and facts.member.group is None:
            return _unmoved(facts, before)
        try:
            return Standing(target, before, quantize_to_micros(measure(facts)), repeats=repeats)
        except Skip as skip:
            return Standing(target, before, 0, skip.reason != "no_exchange_rate", repeats)

    def _unmoved(facts: Facts, before: int) -> Standing:
        is_anyones = not is_of_group or (facts.member is not None and facts.member.group is not None)
        return Standing(target, before, 0, repeats=repeats, is_anyones=is_anyones)

    return standing


def bind_applies(tracker: Tracker) -> Callable[[Facts], bool]:
    """Bind a tracker of awards to the test whether the awards of an event count: whether its `when` holds."""
    when = bind(tracker.when) if tracker.when is not None else None
    return when if when is not None else lambda _facts: True


def _bind_measure(measure: MeasuredBy) -> Callable[[Facts], Ratio]:
    if isinstance(measure, AwardedCurrency):
        return lambda _facts: (0, 1)
    if isinstance(measure, Count):
        return lambda _facts: (1, 1)
    return bind_comparable(measure)
