"""Base values: the amount from which an award is computed. A table has one row for each kind.

A base is a `Ratio` of zero or more. Money is in the program's currency. A base over lines keeps one part for each
selected line: `each_line` prorates the parts one by one, and the shares of an award follow them.
Source: semantics 3.
"""

from collections.abc import Callable, Mapping
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
from loyalty_rules.values.identifiers import (
    ID_PATTERN,
    MAX_NAME,
    NAME_PATTERN,
    list_schema,
    read_id,
    read_list,
    read_name,
)
from loyalty_rules.values.json_schema import declare, text_schema

__all__ = [
    "BASES",
    "Awarded",
    "BasePolicy",
    "BaseValue",
    "Count",
    "EventValue",
    "GapAfter",
    "GapBefore",
    "LineBase",
    "LineItemExtendedField",
    "LineItemQuantity",
    "LineItemValue",
    "Parts",
    "Surplus",
    "TransactionCustomField",
    "TransactionExtendedField",
    "TransactionValue",
    "bind_base",
    "bind_parts",
    "describe_base",
    "total_of",
]

Aggregate: TypeAlias = Literal["total", "each_line"]


def _read_less(value: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    names = read_list(value, _read_component, "components")
    if len(set(names)) < len(names):
        raise InvalidValueError("", "duplicate", "each component is subtracted once, so name it once")
    return names


def _read_component(value: str) -> str:
    if value in ("tax", "shipping", "tip"):
        return value
    if isinstance(value, str) and value.startswith("tenders."):
        return "tenders." + read_name(value.removeprefix("tenders."))
    raise InvalidValueError("", "not_a_choice", f"expected tax, shipping, tip or tenders.TYPE; found {describe(value)}")


declare(
    _read_component,
    {
        "description": "A component of the bill: `tax`, `shipping`, `tip` or `tenders.TYPE`.",
        "type": "string",
        "anyOf": [
            {"enum": ["tax", "shipping", "tip"]},
            {"pattern": rf"^tenders\.{NAME_PATTERN}$", "maxLength": len("tenders.") + MAX_NAME},
        ],
    },
    name="component",
)
declare(_read_less, list_schema({"$ref": _read_component}, uniqueItems=True))


def _read_action_keys(value: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return read_list(value, _read_action_key, "actions")


def _read_action_key(value: str) -> str:
    try:
        promotion, action = split_action_key(value)
    except (AttributeError, ValueError):
        raise InvalidValueError("", "not_an_id", f'expected "PROMOTION/ACTION", found {describe(value)}') from None
    return action_key(read_id(promotion), read_id(action))


declare(
    _read_action_key,
    text_schema("An action that stands earlier in the program, as `PROMOTION/ACTION`.", f"{ID_PATTERN}/{ID_PATTERN}"),
    name="action_key",
)
declare(_read_action_keys, list_schema({"$ref": _read_action_key}))


@attrs.frozen(field_transformer=checked)
class TransactionValue:
    """The amount of the bill minus the components in `less`: `tax`, `shipping`, `tip`, `tenders.TYPE`."""

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
    """The value of the selected lines; `lines=None` selects all."""

    type: ClassVar[str] = "line_item_value"
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    aggregate: Aggregate = "total"


@attrs.frozen(field_transformer=checked)
class LineItemQuantity:
    """The quantity of the selected lines; `lines=None` selects all."""

    type: ClassVar[str] = "line_item_quantity"
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    aggregate: Aggregate = "total"


@attrs.frozen(field_transformer=checked)
class LineItemExtendedField:
    """The number in a field of each selected line, not multiplied by the line's quantity."""

    type: ClassVar[str] = "line_item_extended_field"
    field: str = attrs.field(converter=read_name)
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    aggregate: Aggregate = "total"


@attrs.frozen(field_transformer=checked)
class GapBefore:
    """The gap between a tracker's value before this event and its target: G."""

    type: ClassVar[str] = "gap_before"
    tracker: str = attrs.field(converter=read_id)


@attrs.frozen(field_transformer=checked)
class EventValue:
    """The contribution of this event to a tracker: E."""

    type: ClassVar[str] = "event_value"
    tracker: str = attrs.field(converter=read_id)


@attrs.frozen(field_transformer=checked)
class GapAfter:
    """The gap between a tracker's value after this event and its target: G − E."""

    type: ClassVar[str] = "gap_after"
    tracker: str = attrs.field(converter=read_id)


@attrs.frozen(field_transformer=checked)
class Surplus:
    """The part of this event's contribution beyond the gap to a tracker's target: E − G."""

    type: ClassVar[str] = "surplus"
    tracker: str = attrs.field(converter=read_id)


@attrs.frozen(field_transformer=checked)
class Awarded:
    """The amount that earlier actions (`PROMOTION/ACTION`) issued or promised in this evaluation, after their caps."""

    type: ClassVar[str] = "awarded"
    actions: tuple[str, ...] = attrs.field(converter=_read_action_keys)


@attrs.frozen
class Count:
    """One for each event. Only a tracker's measure uses it."""

    type: ClassVar[str] = "count"


LineBase: TypeAlias = LineItemValue | LineItemQuantity | LineItemExtendedField
TrackerBase: TypeAlias = GapBefore | EventValue | GapAfter | Surplus
BaseValue: TypeAlias = (
    TransactionValue | TransactionExtendedField | TransactionCustomField | LineBase | TrackerBase | Awarded
)


Parts: TypeAlias = tuple[list[int], list[int], int]
"""The parts of a base over lines before rounding: the lines' positions, their values, the common denominator.

A part may be negative (a discount line). The caller decides whether each part or only the sum stops at zero."""

BoundBase: TypeAlias = Callable[[Facts, dict[str, int]], Ratio]
"""A base, bound: a function of an event's facts and of the awards of earlier actions in millionths."""


def _kind(base: BaseValue | Count) -> str:
    return base.type.replace("_", " ")


def _nothing(_base: BaseValue | Count) -> tuple[str, ...]:
    return ()


@attrs.frozen(eq=False)
class BasePolicy:
    """One row of the table of bases. Each function takes a base of the row's class.

    `bind` is for `bind_base`, `describe` for `describe_base`. `reads` returns the paths of the event that the base
    reads and a program names: components of the bill and free-form fields. `needs_sale` is true if an activity never
    has the base. `is_rounded` is true if `rounding.value` applies to it (Source: semantics 4).
    """

    bind: Callable[[Any], BoundBase]
    describe: Callable[[Any], str] = _kind
    reads: Callable[[Any], tuple[str, ...]] = _nothing
    needs_sale: bool = False
    is_rounded: bool = True


def bind_base(base: BaseValue | Count) -> BoundBase:
    """Bind a base to a function of an event's facts and of the awards of earlier actions (in millionths).

    The function raises `Skip` with `no_member`, `missing_field`, `invalid_field`, `no_matching_lines` or
    `no_exchange_rate`.
    """
    return BASES[type(base)].bind(base)


def describe_base(base: BaseValue) -> str:
    """Return the words for a base, with the fields, tracker or actions that it reads."""
    return BASES[type(base)].describe(base)


def bind_parts(base: LineBase) -> Callable[[Facts], Parts]:
    """Bind a base over lines to the function that returns its parts, one for each selected line."""
    select = bind_selection(base.lines)
    match base:
        case LineItemValue():
            return lambda facts: _value_parts(facts, _selected(select, facts))
        case LineItemQuantity():
            return lambda facts: _quantity_parts(facts, _selected(select, facts))
        case LineItemExtendedField(field):
            return lambda facts: _field_parts(facts, _selected(select, facts), field)


def total_of(parts: Parts) -> Ratio:
    """Return the sum of the parts of a base over lines, or zero if the sum is negative."""
    _, values, denominator = parts
    return max(sum(values), 0), denominator


# -- the bill and free-form fields -----------------------------------------------------------------------------------


def _bind_bill(base: TransactionValue) -> BoundBase:
    less = base.less
    return (lambda facts, _awarded: _bill_less(facts, less)) if less else _bill


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
    """Return a component of the bill; below zero (change given) it counts as zero."""
    if name.startswith("tenders."):
        return max(facts.tenders.get(name.removeprefix("tenders."), 0), 0)
    if name == "tax" and facts.lines_tax is not None:
        return facts.lines_tax
    value = getattr(facts.event, name)
    return micros(value) if value is not None else 0


def _bind_extended_field(base: TransactionExtendedField) -> BoundBase:
    name = base.field
    return lambda facts, _awarded: _field(facts.event.extended_fields, "extended_fields", name)


def _bind_custom_field(base: TransactionCustomField) -> BoundBase:
    name = base.field
    return lambda facts, _awarded: _field(facts.event.custom_fields, "custom_fields", name)


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
        raise Skip("invalid_field", f"{where}.{name} is not a decimal: {describe(value)}")
    return number


# -- lines -----------------------------------------------------------------------------------------------------------


def _bind_lines(base: LineBase) -> BoundBase:
    parts_of = bind_parts(base)
    return lambda facts, _awarded: total_of(parts_of(facts))


def _selected(select: Selection, facts: Facts) -> list[int]:
    positions = select(facts)
    if not positions:
        raise Skip("no_matching_lines", "no line is selected")
    return positions


def _value_parts(facts: Facts, positions: list[int]) -> Parts:
    values, unit = facts.values
    factor, denominator = (1, unit) if facts.rate == RATE_UNIT else facts.in_money(1, unit)
    if facts.is_refund:
        return _no_parts(positions)
    if factor == 1:
        return positions, [values[i] for i in positions], denominator
    return positions, [values[i] * factor for i in positions], denominator


def _no_parts(positions: list[int]) -> Parts:
    """Return the parts of a bill below zero: its lines earn nothing. Source: semantics 2."""
    return positions, [0] * len(positions), MICRO


def _quantity_parts(facts: Facts, positions: list[int]) -> Parts:
    lines = facts.event_lines
    if facts.is_refund:
        return _no_parts(positions)
    return positions, [micros(lines[i].quantity) for i in positions], MICRO


def _field_parts(facts: Facts, positions: list[int], name: str) -> Parts:
    lines = facts.event_lines
    numbers = [_number(lines[i].extended_fields, f"lines[{i}].extended_fields", name) for i in positions]
    if all(number is None for number in numbers):
        raise Skip("missing_field", f"extended_fields.{name} is absent from every selected line")
    if facts.is_refund:
        return _no_parts(positions)
    return positions, [number or 0 for number in numbers], MICRO


# -- trackers, awards, counts ----------------------------------------------------------------------------------------


def _bind_gap_before(base: GapBefore) -> BoundBase:
    tracker = base.tracker

    def gap_before(facts: Facts, _awarded: dict[str, int]) -> Ratio:
        _needs_member(facts)
        return facts.standing(tracker).gap_before, MICRO

    return gap_before


def _bind_event_value(base: EventValue) -> BoundBase:
    tracker = base.tracker
    return lambda facts, _awarded: (_known_contribution(facts, tracker), MICRO)


def _bind_gap_after(base: GapAfter) -> BoundBase:
    tracker = base.tracker

    def gap_after(facts: Facts, _awarded: dict[str, int]) -> Ratio:
        _known_contribution(facts, tracker)
        standing = facts.standing(tracker)
        return max(standing.target - standing.after, 0), MICRO

    return gap_after


def _bind_surplus(base: Surplus) -> BoundBase:
    tracker = base.tracker

    def surplus(facts: Facts, _awarded: dict[str, int]) -> Ratio:
        return max(_known_contribution(facts, tracker) - facts.standing(tracker).gap_before, 0), MICRO

    return surplus


def _needs_member(facts: Facts) -> None:
    if facts.member is None:
        raise Skip("no_member", "a tracker belongs to a member, and the event is anonymous")


def _known_contribution(facts: Facts, tracker: str) -> int:
    _needs_member(facts)
    standing = facts.standing(tracker)
    if not standing.is_known:
        raise Skip("no_exchange_rate", f"tracker {tracker} counts money, and the event has no exchange_rate")
    return standing.contribution


def _bind_awarded(base: Awarded) -> BoundBase:
    actions = base.actions
    return lambda _facts, awarded: (sum(awarded.get(action, 0) for action in actions), MICRO)


def _bind_count(_base: Count) -> BoundBase:
    return lambda _facts, _awarded: (MICRO, MICRO)


# -- in words --------------------------------------------------------------------------------------------------------


def _describe_bill(base: TransactionValue) -> str:
    return f"{_kind(base)} less {', '.join(base.less)}" if base.less else _kind(base)


def _describe_field(base: TransactionExtendedField | TransactionCustomField | LineItemExtendedField) -> str:
    return f"{_kind(base)} of {base.field}"


def _describe_tracker(base: TrackerBase) -> str:
    return f"{_kind(base)} of {base.tracker}"


def _describe_awarded(base: Awarded) -> str:
    return f"awards of {', '.join(base.actions)}"


# -- the table -------------------------------------------------------------------------------------------------------

BASES: Mapping[type, BasePolicy] = {
    TransactionValue: BasePolicy(
        bind=_bind_bill,
        describe=_describe_bill,
        reads=lambda base: base.less,
        needs_sale=True,
    ),
    TransactionExtendedField: BasePolicy(
        bind=_bind_extended_field,
        describe=_describe_field,
        reads=lambda base: (f"extended_fields.{base.field}",),
    ),
    TransactionCustomField: BasePolicy(
        bind=_bind_custom_field,
        describe=_describe_field,
        reads=lambda base: (f"custom_fields.{base.field}",),
    ),
    LineItemValue: BasePolicy(bind=_bind_lines, needs_sale=True),
    LineItemQuantity: BasePolicy(bind=_bind_lines, needs_sale=True, is_rounded=False),
    LineItemExtendedField: BasePolicy(
        bind=_bind_lines,
        describe=_describe_field,
        reads=lambda base: (f"line:extended_fields.{base.field}",),
        needs_sale=True,
    ),
    GapBefore: BasePolicy(bind=_bind_gap_before, describe=_describe_tracker),
    EventValue: BasePolicy(bind=_bind_event_value, describe=_describe_tracker, needs_sale=True),
    GapAfter: BasePolicy(bind=_bind_gap_after, describe=_describe_tracker),
    Surplus: BasePolicy(bind=_bind_surplus, describe=_describe_tracker, needs_sale=True),
    Awarded: BasePolicy(bind=_bind_awarded, describe=_describe_awarded, is_rounded=False),
    Count: BasePolicy(bind=_bind_count),
}
"""The policy of each kind of base. A new kind is one class and one row."""
