"""Base values: the amount from which an award is computed. A table has one row for each kind.

A base is a `Ratio` of zero or more. Money is in the program's currency. A base over lines keeps one part for each
selected line: `each_line` prorates the parts one by one, and the shares of an award follow them.
Source: semantics 3.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.keys import action_key, split_action_key
from loyalty_rules.rules.components import component_of, read_components
from loyalty_rules.rules.conditions import BaseTest, ComparableBase, Condition, read_comparable, read_condition
from loyalty_rules.rules.facts import Facts, Standing
from loyalty_rules.rules.line_parts import (
    Parts,
    bought,
    number_of_field,
    parts_of_field,
    parts_of_quantity,
    parts_of_value,
    selected,
    total_of,
    total_of_lines,
    units_of,
)
from loyalty_rules.rules.line_predicates import bind_selection
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import MICRO, RATE_UNIT, Ratio
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import (
    ID_PATTERN,
    list_schema,
    read_id,
    read_list,
    read_name,
)
from loyalty_rules.values.json_schema import declare, text_schema

__all__ = [
    "BASES",
    "Awarded",
    "Balance",
    "BasePolicy",
    "BaseValue",
    "Comparable",
    "Count",
    "Crossings",
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
    "bind_balance",
    "bind_base",
    "bind_comparable",
    "bind_parts",
    "bind_requirement",
    "describe_base",
    "require_tracker",
    "total_of",
    "units_of",
]

Aggregate: TypeAlias = Literal["total", "each_line"]
ValueAggregate: TypeAlias = Literal["total", "each_line", "each_unit"]


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
class TransactionValue(ComparableBase):
    """The amount of the bill minus the components in `less`: `tax`, `shipping`, `tip`, `tenders.TYPE`."""

    type: ClassVar[str] = "transaction_value"
    less: tuple[str, ...] = attrs.field(default=(), converter=read_components)


@attrs.frozen(field_transformer=checked)
class TransactionExtendedField(ComparableBase):
    """The number in one of the event's extended fields."""

    type: ClassVar[str] = "transaction_extended_field"
    field: str = attrs.field(converter=read_name)


@attrs.frozen(field_transformer=checked)
class TransactionCustomField(ComparableBase):
    """The number in one of the event's custom fields."""

    type: ClassVar[str] = "transaction_custom_field"
    field: str = attrs.field(converter=read_name)


@attrs.frozen(field_transformer=checked)
class LineItemValue(ComparableBase):
    """The value of the selected lines minus their parts of the components in `less`; `lines=None` selects all.

    A component is spread over all lines by value. With `each_unit` one unit is rounded and prorated, and the result is
    multiplied by the quantity: 10 mugs of 940 at 1 %, rounded down, are 90 and not 94.
    """

    type: ClassVar[str] = "line_item_value"
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    aggregate: ValueAggregate = "total"
    less: tuple[str, ...] = attrs.field(default=(), converter=read_components)


@attrs.frozen(field_transformer=checked)
class LineItemQuantity(ComparableBase):
    """The quantity of the selected lines; `lines=None` selects all."""

    type: ClassVar[str] = "line_item_quantity"
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    aggregate: Aggregate = "total"


@attrs.frozen(field_transformer=checked)
class LineItemExtendedField(ComparableBase):
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
class Crossings:
    """The number of milestones of a tracker that this event passes."""

    type: ClassVar[str] = "crossings"
    tracker: str = attrs.field(converter=read_id)


@attrs.frozen(field_transformer=checked)
class Balance:
    """The units of a currency that the member's account has available.

    These are the balance before the event, plus the units issued at once by earlier actions of this evaluation, minus
    those spent by earlier promotions.
    """

    type: ClassVar[str] = "balance"
    currency: str = attrs.field(converter=read_id)


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
TrackerBase: TypeAlias = GapBefore | EventValue | GapAfter | Surplus | Crossings
Comparable: TypeAlias = TransactionValue | TransactionExtendedField | TransactionCustomField | LineBase
BaseValue: TypeAlias = (
    TransactionValue | TransactionExtendedField | TransactionCustomField | LineBase | TrackerBase | Balance | Awarded
)

# A base names line conditions, and a condition names a base: the annotation of the latter can be resolved only here.
attrs.resolve_types(BaseTest, {"ComparableBase": Comparable})
declare(read_comparable, {"$ref": Comparable})


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
    reads and a program names: components of the bill and free-form fields. `requires` is for `bind_requirement`, None
    if the base needs neither a member nor a group. `needs_sale` is true if an activity never
    has the base. `is_rounded` is true if `rounding.value` applies to it (Source: semantics 4).
    """

    bind: Callable[[Any], BoundBase]
    describe: Callable[[Any], str] = _kind
    reads: Callable[[Any], tuple[str, ...]] = _nothing
    requires: Callable[[Any], Callable[[Facts], None]] | None = None
    needs_sale: bool = False
    is_rounded: bool = True


def bind_base(base: BaseValue | ComparableBase | Count) -> BoundBase:
    """Bind a base to a function of an event's facts and of the awards of earlier actions (in millionths).

    The function raises `Skip` with `no_member`, `no_group`, `missing_field`, `invalid_field`, `no_matching_lines` or
    `no_exchange_rate`. A balance is bound by `bind_balance`.
    """
    if isinstance(base, LineBase) and base.aggregate == "each_line":
        parts_of = bind_parts(base)
        return lambda facts, _awarded: total_of_lines(parts_of(facts))
    return BASES[type(base)].bind(base)


def bind_requirement(base: BaseValue | None) -> Callable[[Facts], None] | None:
    """Bind the check that an event has the member or the group whose tracker or account is the base; None if none is.

    The function raises `Skip` with `no_member` or `no_group`, which come before every other reason of an amount.
    """
    requires = BASES[type(base)].requires if base is not None else None
    return requires(base) if requires is not None else None


def bind_comparable(base: ComparableBase) -> Callable[[Facts], Ratio]:
    """Bind a base of the event itself to a function of its facts, for a comparison or a tracker. It is not rounded."""
    bound = bind_base(base)
    return lambda facts: bound(facts, {})


def bind_balance(base: Balance, issues: Sequence[str], spends: Sequence[str]) -> BoundBase:
    """Bind a balance: `issues` are the earlier actions that issue the currency at once to the member's account.

    `spends` are the actions of earlier promotions that spend it. Both are named as `PROMOTION/ACTION`.
    """

    def balance(facts: Facts, awarded: dict[str, int]) -> Ratio:
        before = facts.balance(base.currency)
        if before is None:
            raise Skip("no_member", "an account belongs to a member, and the event is anonymous")
        issued = sum(awarded.get(action, 0) for action in issues)
        spent = sum(awarded.get(action, 0) for action in spends)
        return max(before + issued - spent, 0), MICRO

    return balance


def describe_base(base: BaseValue | ComparableBase) -> str:
    """Return the words for a base, with the fields, tracker or actions that it reads."""
    return BASES[type(base)].describe(base)


def bind_parts(base: LineBase) -> Callable[[Facts], Parts]:
    """Bind a base over lines to the function that returns its parts, one for each selected line."""
    select = bind_selection(base.lines)
    match base:
        case LineItemValue(aggregate="each_unit", less=less):
            return lambda facts: bought(facts, parts_of_value(facts, selected(select, facts), less))
        case LineItemValue(less=less):
            return lambda facts: parts_of_value(facts, selected(select, facts), less)
        case LineItemQuantity():
            return lambda facts: parts_of_quantity(facts, selected(select, facts))
        case LineItemExtendedField(field):
            return lambda facts: parts_of_field(facts, selected(select, facts), field)


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
        amount -= component_of(facts, component)
    return facts.in_money(max(amount, 0), MICRO)


def _bind_extended_field(base: TransactionExtendedField) -> BoundBase:
    name = base.field
    return lambda facts, _awarded: _field(facts.event.extended_fields, "extended_fields", name)


def _bind_custom_field(base: TransactionCustomField) -> BoundBase:
    name = base.field
    return lambda facts, _awarded: _field(facts.event.custom_fields, "custom_fields", name)


def _field(fields: Any, where: str, name: str) -> Ratio:
    number = number_of_field(fields, where, name)
    if number is None:
        raise Skip("missing_field", f"{where}.{name} is absent")
    return max(number, 0), MICRO


# -- lines -----------------------------------------------------------------------------------------------------------


def _bind_lines(base: LineBase) -> BoundBase:
    parts_of = bind_parts(base)
    return lambda facts, _awarded: total_of(parts_of(facts))


# -- trackers, awards, counts ----------------------------------------------------------------------------------------


def _bind_gap_before(base: GapBefore) -> BoundBase:
    tracker = base.tracker
    return lambda facts, _awarded: (_anyones(facts, tracker).gap_before, MICRO)


def _bind_event_value(base: EventValue) -> BoundBase:
    tracker = base.tracker
    return lambda facts, _awarded: (_known(facts, tracker).contribution, MICRO)


def _bind_gap_after(base: GapAfter) -> BoundBase:
    tracker = base.tracker
    return lambda facts, _awarded: (_known(facts, tracker).gap_after, MICRO)


def _bind_surplus(base: Surplus) -> BoundBase:
    tracker = base.tracker

    def surplus(facts: Facts, _awarded: dict[str, int]) -> Ratio:
        standing = _known(facts, tracker)
        return max(standing.contribution - standing.gap_before, 0), MICRO

    return surplus


def _bind_crossings(base: Crossings) -> BoundBase:
    tracker = base.tracker
    return lambda facts, _awarded: (_known(facts, tracker).crossings * MICRO, MICRO)


def _require_tracker(base: TrackerBase) -> Callable[[Facts], None]:
    return require_tracker(base.tracker)


def require_tracker(tracker: str) -> Callable[[Facts], None]:
    """Return the check that the event has the member, or the group, to whom a tracker belongs."""

    def check(facts: Facts) -> None:
        _anyones(facts, tracker)

    return check


def _anyones(facts: Facts, tracker: str) -> Standing:
    """Return the standing of a tracker; raise `Skip` if the event has no member, or no group, for it."""
    if facts.member is None:
        raise Skip("no_member", "a tracker belongs to a member, and the event is anonymous")
    standing = facts.standing(tracker)
    if not standing.is_anyones:
        raise Skip("no_group", f"tracker {tracker} belongs to groups, and member {facts.member.id} has none")
    return standing


def _known(facts: Facts, tracker: str) -> Standing:
    """Return the standing of a tracker; raise `Skip` if the event's contribution to it is unknown, too."""
    standing = _anyones(facts, tracker)
    if not standing.is_known:
        raise Skip("no_exchange_rate", f"tracker {tracker} counts money, and the event has no exchange_rate")
    return standing


def _bind_balance_alone(base: Balance) -> BoundBase:
    return bind_balance(base, (), ())


def _require_member(_base: Balance) -> Callable[[Facts], None]:
    def check(facts: Facts) -> None:
        if facts.member is None:
            raise Skip("no_member", "an account belongs to a member, and the event is anonymous")

    return check


def _bind_awarded(base: Awarded) -> BoundBase:
    actions = base.actions
    return lambda _facts, awarded: (sum(awarded.get(action, 0) for action in actions), MICRO)


def _bind_count(_base: Count) -> BoundBase:
    return lambda _facts, _awarded: (MICRO, MICRO)


# -- in words --------------------------------------------------------------------------------------------------------


def _describe_less(base: TransactionValue | LineItemValue) -> str:
    return f"{_kind(base)} less {', '.join(base.less)}" if base.less else _kind(base)


def _describe_field(base: TransactionExtendedField | TransactionCustomField | LineItemExtendedField) -> str:
    return f"{_kind(base)} of {base.field}"


def _describe_tracker(base: TrackerBase) -> str:
    return f"{_kind(base)} of {base.tracker}"


def _describe_balance(base: Balance) -> str:
    return f"balance of {base.currency}"


def _describe_awarded(base: Awarded) -> str:
    return f"awards of {', '.join(base.actions)}"


# -- the table -------------------------------------------------------------------------------------------------------

BASES: Mapping[type, BasePolicy] = {
    TransactionValue: BasePolicy(
        bind=_bind_bill,
        describe=_describe_less,
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
    LineItemValue: BasePolicy(
        bind=_bind_lines,
        describe=_describe_less,
        reads=lambda base: base.less,
        needs_sale=True,
    ),
    LineItemQuantity: BasePolicy(bind=_bind_lines, needs_sale=True, is_rounded=False),
    LineItemExtendedField: BasePolicy(
        bind=_bind_lines,
        describe=_describe_field,
        reads=lambda base: (f"line:extended_fields.{base.field}",),
        needs_sale=True,
    ),
    GapBefore: BasePolicy(bind=_bind_gap_before, describe=_describe_tracker, requires=_require_tracker),
    EventValue: BasePolicy(
        bind=_bind_event_value, describe=_describe_tracker, requires=_require_tracker, needs_sale=True
    ),
    GapAfter: BasePolicy(bind=_bind_gap_after, describe=_describe_tracker, requires=_require_tracker),
    Surplus: BasePolicy(bind=_bind_surplus, describe=_describe_tracker, requires=_require_tracker, needs_sale=True),
    Crossings: BasePolicy(bind=_bind_crossings, describe=_describe_tracker, requires=_require_tracker, needs_sale=True),
    Balance: BasePolicy(
        bind=_bind_balance_alone, describe=_describe_balance, requires=_require_member, is_rounded=False
    ),
    Awarded: BasePolicy(bind=_bind_awarded, describe=_describe_awarded, is_rounded=False),
    Count: BasePolicy(bind=_bind_count),
}
"""The policy of each kind of base. A new kind is one class and one row."""
