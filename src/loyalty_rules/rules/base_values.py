"""What an award is computed from: the bases, and the function that each is bound to.

A base is a `Ratio` of zero or more, in the program's money where it is money. A base over lines keeps its parts,
one for each selected line: `each_line` works on them, and an award's shares follow them. Source: semantics 3.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeAlias

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.keys import action_key, split_action_key
from loyalty_rules.rules.conditions import Condition, read_condition
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.predicates import Selection, bind_selection
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import MICRO, RATE_UNIT, Ratio, micros, number_in
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_id, read_list, read_name

__all__ = [
    "Awarded",
    "BaseValue",
    "Count",
    "EventValue",
    "GapAfter",
    "GapBefore",
    "LineItemExtendedField",
    "LineItemQuantity",
    "LineItemValue",
    "Parts",
    "Surplus",
    "TransactionCustomField",
    "TransactionExtendedField",
    "TransactionValue",
    "base_name",
    "bind_base",
    "bind_parts",
    "total_of",
]

Aggregate: TypeAlias = Literal["total", "each_line"]


def _read_less(value: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    names = read_list(value, _read_component, "components")
    if len(set(names)) < len(names):
        raise InvalidValueError("", "duplicate", "each component is subtracted once: name it once")
    return names


def _read_component(value: str) -> str:
    if value in ("tax", "shipping", "tip"):
        return value
    if isinstance(value, str) and value.startswith("tenders."):
        return "tenders." + read_name(value.removeprefix("tenders."))
    raise InvalidValueError("", "not_a_choice", f"expected tax, shipping, tip or tenders.TYPE; found {describe(value)}")


def _read_action_keys(value: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return read_list(value, _read_action_key, "actions")


def _read_action_key(value: str) -> str:
    try:
        promotion, action = split_action_key(value)
    except (AttributeError, ValueError):
        raise InvalidValueError("", "not_an_id", f'expected "PROMOTION/ACTION", found {describe(value)}') from None
    return action_key(read_id(promotion), read_id(action))


@attrs.frozen(field_transformer=checked)
class TransactionValue:
    """The bill's amount, less the components named: `tax`, `shipping`, `tip`, `tenders.TYPE`."""

    type: ClassVar[str] = "transaction_value"
    less: tuple[str, ...] = attrs.field(default=(), converter=_read_less)


@attrs.frozen(field_transformer=checked)
class TransactionExtendedField:
    """The number in one of the event's extended fields."""

    type: ClassVar[str] = "transaction_extended_field"
    field: str = attrs.field(converter=read_name)


@attrs.frozen(field_transformer=checked)
class TransactionCustomField:
    """The number in one of the event's custom fields."""

    type: ClassVar[str] = "transaction_custom_field"
    field: str = attrs.field(converter=read_name)


@attrs.frozen(field_transformer=checked)
class LineItemValue:
    """The value of the selected lines."""

    type: ClassVar[str] = "line_item_value"
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    aggregate: Aggregate = "total"


@attrs.frozen(field_transformer=checked)
class LineItemQuantity:
    """The quantity of the selected lines."""

    type: ClassVar[str] = "line_item_quantity"
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    aggregate: Aggregate = "total"


@attrs.frozen(field_transformer=checked)
class LineItemExtendedField:
    """The number in a field of each selected line: once a line, not times its quantity."""

    type: ClassVar[str] = "line_item_extended_field"
    field: str = attrs.field(converter=read_name)
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    aggregate: Aggregate = "total"


@attrs.frozen(field_transformer=checked)
class GapBefore:
    """What is left to a tracker's target before this event: G."""

    type: ClassVar[str] = "gap_before"
    tracker: str = attrs.field(converter=read_id)


@attrs.frozen(field_transformer=checked)
class EventValue:
    """What this event contributes to a tracker: E."""

    type: ClassVar[str] = "event_value"
    tracker: str = attrs.field(converter=read_id)


@attrs.frozen(field_transformer=checked)
class GapAfter:
    """What is left to a tracker's target with this event."""

    type: ClassVar[str] = "gap_after"
    tracker: str = attrs.field(converter=read_id)


@attrs.frozen(field_transformer=checked)
class Surplus:
    """What of this event's contribution lies beyond the gap to a tracker's target: E − G."""

    type: ClassVar[str] = "surplus"
    tracker: str = attrs.field(converter=read_id)


@attrs.frozen(field_transformer=checked)
class Awarded:
    """What earlier actions (`PROMOTION/ACTION`) issued or promised in this evaluation, after their caps."""

    type: ClassVar[str] = "awarded"
    actions: tuple[str, ...] = attrs.field(converter=_read_action_keys)


@attrs.frozen
class Count:
    """One an event: a tracker's measure only."""

    type: ClassVar[str] = "count"


LineBase: TypeAlias = LineItemValue | LineItemQuantity | LineItemExtendedField
TrackerBase: TypeAlias = GapBefore | EventValue | GapAfter | Surplus
BaseValue: TypeAlias = (
    TransactionValue | TransactionExtendedField | TransactionCustomField | LineBase | TrackerBase | Awarded
)


def base_name(base: BaseValue) -> str:
    """Name a base in words, with what it hangs on."""
    name = base.type.replace("_", " ")
    match base:
        case TransactionValue(less) if less:
            return f"{name} less {', '.join(less)}"
        case Awarded(actions):
            return f"what {', '.join(actions)} awarded"
        case _:
            detail = getattr(base, "field", None) or getattr(base, "tracker", None)
            return f"{name} of {detail}" if detail else name


# -- what they mean --------------------------------------------------------------------------------------------------


Parts: TypeAlias = tuple[list[int], list[int], int]
"""What each selected line gives to a base, before it is rounded: lines' positions, values, their denominator.

A part may be below zero (a discount line); whoever uses it decides where it stops at zero."""


def bind_base(base: BaseValue) -> Callable[[Facts, dict[str, int]], Ratio]:
    """Bind a base to a function of an event's facts and of what earlier actions awarded (in millionths).

    It raises `Skip` with `no_member`, `missing_field`, `invalid_field`, `no_matching_lines` or `no_exchange_rate`.
    """
    match base:
        case TransactionValue(()):
            return _bill
        case TransactionValue(less):
            return lambda facts, _awarded: _bill_less(facts, less)
        case TransactionExtendedField(field):
            return lambda facts, _awarded: _field(facts.event.extended_fields, "extended_fields", field)
        case TransactionCustomField(field):
            return lambda facts, _awarded: _field(facts.event.custom_fields, "custom_fields", field)
        case GapBefore(tracker) | EventValue(tracker) | GapAfter(tracker) | Surplus(tracker):
            value = _TRACKER_VALUES[type(base)]
            return lambda facts, _awarded: (value(facts, tracker), MICRO)
        case Awarded(actions):
            return lambda _facts, awarded: (sum(awarded.get(action, 0) for action in actions), MICRO)
        case _:
            parts_of = bind_parts(base)
            return lambda facts, _awarded: total_of(parts_of(facts))


def bind_parts(base: LineBase) -> Callable[[Facts], Parts]:
    """Bind a base over lines to a function that gives what each selected line gives to it."""
    select = bind_selection(base.lines)
    match base:
        case LineItemValue():
            return lambda facts: _value_parts(facts, _selected(select, facts))
        case LineItemQuantity():
            return lambda facts: _quantity_parts(facts, _selected(select, facts))
        case LineItemExtendedField(field):
            return lambda facts: _field_parts(facts, _selected(select, facts), field)


def total_of(parts: Parts) -> Ratio:
    """Sum the parts of a base over lines; the sum stops at zero."""
    _, values, denominator = parts
    return max(sum(values), 0), denominator


def _bill(facts: Facts, _awarded: dict[str, int]) -> Ratio:
    amount = facts.amount
    if amount is None or amount < 0 or facts.rate != RATE_UNIT:
        return _bill_less(facts, ())
    return amount, MICRO


def _bill_less(facts: Facts, components: tuple[str, ...]) -> Ratio:
    amount = facts.amount
    if amount is None:
        raise Skip("missing_field", "amount is absent: an activity has none")
    for component in components:
        amount -= _component(facts, component)
    return facts.in_money(max(amount, 0), MICRO)


def _component(facts: Facts, name: str) -> int:
    if name.startswith("tenders."):
        return facts.tenders.get(name.removeprefix("tenders."), 0)
    value = getattr(facts.event, name)
    return micros(value) if value is not None else 0


def _field(fields: Any, where: str, name: str) -> Ratio:
    number = _number(fields, where, name)
    if number is None:
        raise Skip("missing_field", f"{where}.{name} is absent")
    return max(number, 0), MICRO


def _number(fields: Any, where: str, name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    number = number_in(value)
    if number is None:
        raise Skip("invalid_field", f"{where}.{name} is no decimal: {describe(value)}")
    return number


def _selected(select: Selection, facts: Facts) -> list[int]:
    positions = select(facts)
    if not positions:
        raise Skip("no_matching_lines", "no line is selected")
    return positions


def _value_parts(facts: Facts, positions: list[int]) -> Parts:
    values, unit = facts.values
    if facts.rate == RATE_UNIT:
        return positions, [values[i] for i in positions], unit
    factor, denominator = facts.in_money(1, unit)
    return positions, [values[i] * factor for i in positions], denominator


def _quantity_parts(facts: Facts, positions: list[int]) -> Parts:
    lines = facts.event_lines
    return positions, [micros(lines[i].quantity) for i in positions], MICRO


def _field_parts(facts: Facts, positions: list[int], name: str) -> Parts:
    lines = facts.event_lines
    numbers = [_number(lines[i].extended_fields, f"lines[{i}].extended_fields", name) for i in positions]
    if all(number is None for number in numbers):
        raise Skip("missing_field", f"extended_fields.{name} is absent from every selected line")
    return positions, [number or 0 for number in numbers], MICRO


def _gap_before(facts: Facts, tracker: str) -> int:
    _needs_member(facts)
    return facts.standing(tracker).gap_before


def _event_value(facts: Facts, tracker: str) -> int:
    return _known_contribution(facts, tracker)


def _gap_after(facts: Facts, tracker: str) -> int:
    _known_contribution(facts, tracker)
    standing = facts.standing(tracker)
    return max(standing.target - standing.after, 0)


def _surplus(facts: Facts, tracker: str) -> int:
    return max(_known_contribution(facts, tracker) - facts.standing(tracker).gap_before, 0)


def _needs_member(facts: Facts) -> None:
    if facts.member is None:
        raise Skip("no_member", "a tracker belongs to a member; the event is anonymous")


def _known_contribution(facts: Facts, tracker: str) -> int:
    _needs_member(facts)
    standing = facts.standing(tracker)
    if not standing.is_known:
        raise Skip("no_exchange_rate", f"tracker {tracker} counts money; the event has no exchange_rate")
    return standing.contribution


_TRACKER_VALUES: dict[type, Callable[[Facts, str], int]] = {
    GapBefore: _gap_before,
    EventValue: _event_value,
    GapAfter: _gap_after,
    Surplus: _surplus,
}
