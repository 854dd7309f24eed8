"""Conditions on events and lines, as values, and the paths that they can name. Source: semantics 7.

`predicates` evaluates them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from operator import eq, ge, le
from typing import Any, Literal, TypeAlias

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe, shorten
from loyalty_rules.values.amounts import (
    NUMBER_LIMIT,
    UnreadNumber,
    decimal_of,
    number_in,
    read_decimal,
    read_whole,
    text_of,
)
from loyalty_rules.values.checked import checked, nearest
from loyalty_rules.values.dates import instant_text, read_instant
from loyalty_rules.values.identifiers import MAX_TEXT, list_schema, read_id, read_list, read_text
from loyalty_rules.values.json_schema import (
    any_of,
    at_most_one_of,
    declare,
    one_of,
    schema_rules,
    whole_number_schema,
)

__all__ = [
    "ANNIVERSARY_SCOPE",
    "CONTRIBUTION_SCOPE",
    "EVENT_SCOPE",
    "LINE_SCOPE",
    "OPERATORS",
    "TEXT_SCOPE",
    "AllOf",
    "Anniversary",
    "AnyOf",
    "BaseTest",
    "ComparableBase",
    "Comparison",
    "Condition",
    "LineTest",
    "Measure",
    "Not",
    "Operand",
    "Operators",
    "Sample",
    "Scope",
    "TierTest",
    "TrackerTest",
    "is_free_path",
    "is_numeric_path",
    "parts_of",
    "read_comparable",
    "read_condition",
]

Operand: TypeAlias = str | int | bool | Decimal


# -- paths -----------------------------------------------------------------------------------------------------------

_EVENT_PATHS = (
    *("type", "amount", "currency", "store", "brand", "channel", "status", "weekday", "local_date", "local_time"),
    *("day_of_month", "month"),
    *("tax", "shipping", "tip", "member.id", "member.tier", "member.group", "member.tags"),
)
_FREE_FAMILIES = ("custom_fields.", "extended_fields.", "member.extended_fields.")
_EVENT_FAMILIES = (*_FREE_FAMILIES, "tenders.", "tiers.", "balances.")
_LINE_PATHS = ("sku", "category", "brand", "tags", "unit_price", "discount", "quantity", "value")
_LINE_FAMILIES = ("extended_fields.",)
_NUMERIC = frozenset(
    [
        *("amount", "value", "unit_price", "discount", "quantity", "tax", "shipping", "tip"),
        *("day_of_month", "month"),
    ]
)
_NUMERIC_FAMILIES = ("tenders.", "balances.")


def is_numeric_path(path: str) -> bool:
    """Return whether the value at a path always compares as a number."""
    return path in _NUMERIC or path.startswith(_NUMERIC_FAMILIES)


def is_free_path(path: str) -> bool:
    """Return whether the value at a path may be of any kind."""
    return path.startswith(_FREE_FAMILIES)


@attrs.frozen
class Scope:
    """The paths and tests allowed in a condition on an event, on an event that a tracker measures, or on a line."""

    name: str
    paths: tuple[str, ...]
    families: tuple[str, ...]
    line_tests: bool = True
    tracker_tests: bool = True

    def check(self, path: str) -> None:
        """Raise `InvalidValueError` if there is no such path; the message names the nearest path."""
        if path in self.paths:
            return
        for family in self.families:
            if path.startswith(family) and 1 <= len(path) - len(family) <= 128:
                return
        near = nearest(path, [*self.paths, *(family + "NAME" for family in self.families)])
        hint = f"; did you mean {near!r}?" if near else ""
        raise InvalidValueError("", "unknown_path", f"{self.name} has no path {shorten(path)}{hint}")


EVENT_SCOPE = Scope("an event", _EVENT_PATHS, _EVENT_FAMILIES)
CONTRIBUTION_SCOPE = attrs.evolve(EVENT_SCOPE, name="an event that a tracker measures", tracker_tests=False)
LINE_SCOPE = Scope("a line", _LINE_PATHS, _LINE_FAMILIES, line_tests=False, tracker_tests=False)
TEXT_SCOPE = Scope(
    "a text of an event",
    tuple(path for path in _EVENT_PATHS if path not in _NUMERIC and path != "member.tags"),
    (*_FREE_FAMILIES, "tiers."),
    line_tests=False,
    tracker_tests=False,
)
ANNIVERSARY_SCOPE = Scope("an anniversary", ("member.registered_on",), ("member.extended_fields.",))


# -- operators -------------------------------------------------------------------------------------------------------


def _read_operand(value: Operand) -> Operand:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return read_text(value)
    if isinstance(value, (int, float, Decimal, UnreadNumber)):
        number = read_decimal(value)
        return value if isinstance(value, int) else number
    if isinstance(value, datetime):
        return instant_text(read_instant(value))  # a TOML date-time compares as text
    if isinstance(value, (date, time)):
        return value.isoformat()
    raise InvalidValueError("", "not_an_operand", f"expected a text, a number, true or false; found {describe(value)}")


declare(
    _read_operand,
    {
        "description": "The value to compare with: a text, a number, true or false.",
        "type": ["string", "number", "boolean"],
        "maxLength": MAX_TEXT,
        "exclusiveMinimum": -NUMBER_LIMIT,
        "exclusiveMaximum": NUMBER_LIMIT,
    },
    name="operand",
)


def _read_operands(value: Sequence[Operand]) -> tuple[Operand, ...]:
    return read_list(value, _read_operand, "operands")


declare(_read_operands, list_schema({"$ref": _read_operand}))


def _each(operand: Any, change: Callable[[Operand], Operand]) -> Any:
    if isinstance(operand, tuple):
        return tuple(change(each) for each in operand)
    return operand if isinstance(operand, bool) else change(operand)


def _strictly(operand: Any) -> Any:
    """Return a key that distinguishes operands which are equal in Python and compare differently: 1 and true."""
    if isinstance(operand, tuple):
        return tuple((type(each), each) for each in operand)
    return type(operand), operand


def _read_range(value: Sequence[Operand]) -> tuple[Operand, ...]:
    operands = _read_operands(value)
    if len(operands) != 2:
        raise InvalidValueError("", "out_of_range", f"expected the two ends of a range, found {len(operands)} operands")
    return operands


declare(_read_range, list_schema({"$ref": _read_operand}, minItems=2) | {"maxItems": 2})


@attrs.frozen(field_transformer=checked, kw_only=True)
class Operators:
    """The operators of a comparison, each with its operand: all of those that are set must hold."""

    is_: Operand | None = attrs.field(default=None, converter=optional(_read_operand), eq=_strictly)
    is_not: Operand | None = attrs.field(default=None, converter=optional(_read_operand), eq=_strictly)
    in_: tuple[Operand, ...] | None = attrs.field(default=None, converter=optional(_read_operands), eq=_strictly)
    not_in: tuple[Operand, ...] | None = attrs.field(default=None, converter=optional(_read_operands), eq=_strictly)
    at_least: Operand | None = attrs.field(default=None, converter=optional(_read_operand), eq=_strictly)
    more_than: Operand | None = attrs.field(default=None, converter=optional(_read_operand), eq=_strictly)
    at_most: Operand | None = attrs.field(default=None, converter=optional(_read_operand), eq=_strictly)
    less_than: Operand | None = attrs.field(default=None, converter=optional(_read_operand), eq=_strictly)
    exists: bool | None = None
    has: Operand | None = attrs.field(default=None, converter=optional(_read_operand), eq=_strictly)
    starts_with: str | None = attrs.field(default=None, converter=optional(read_text))
    between: tuple[Operand, ...] | None = attrs.field(default=None, converter=optional(_read_range), eq=_strictly)

    def __attrs_post_init__(self) -> None:
        if not self.tests():
            raise InvalidValueError("", "required", f"needs at least one operator: {', '.join(OPERATORS)}")
        for operator, operand in self.tests():
            if operator == "starts_with":  # always a text
                continue
            # As numbers, `100`, `"100"` and `"100.0"` are one operand, so the two programs are equal.
            object.__setattr__(self, OPERATORS[operator], _each(operand, self._operand))

    def _operand(self, operand: Operand) -> Operand:
        number = number_in(operand)
        return decimal_of(number) if number is not None else operand

    def tests(self) -> tuple[tuple[str, Any], ...]:
        """Return the operators that are set, named as in a document, each with its operand."""
        pairs = ((operator, getattr(self, name)) for operator, name in OPERATORS.items())
        return tuple((operator, operand) for operator, operand in pairs if operand is not None)


OPERATORS: Mapping[str, str] = {
    name.removesuffix("_"): name
    for name in [
        *("is_", "is_not", "in_", "not_in", "at_least", "more_than", "at_most", "less_than", "exists", "has"),
        *("starts_with", "between"),
    ]
}
"""The name of each operator in a document, with its name in Python."""


def _read_path(value: str) -> str:
    return read_text(value)


declare(_read_path, {"$ref": Scope})  # a path in the scope of the condition


@schema_rules(any_of(*OPERATORS))
@attrs.frozen(field_transformer=checked)
class Comparison(Operators):
    """A comparison of the value at a path: all given operators must hold.

    On an absent or null field every operator except `exists` is false, even `is_not` and `not_in`.
    """

    field: str = attrs.field(converter=_read_path)

    def _operand(self, operand: Operand) -> Operand:
        if is_numeric_path(self.field):
            return super()._operand(operand)
        if not isinstance(operand, Decimal):
            return operand
        if is_free_path(self.field):  # a free-form field compares a fraction as its decimal text
            return text_of(operand)
        raise InvalidValueError(
            "", "not_an_operand", f'{self.field} compares as text: write {text_of(operand)} as "{text_of(operand)}"'
        )


@schema_rules(any_of(*OPERATORS))
@attrs.frozen(field_transformer=checked)
class Measure(Operators):
    """The comparison of the sum or count of a line test."""


# -- conditions ------------------------------------------------------------------------------------------------------


def _read_conditions(value: "Sequence[Condition]") -> "tuple[Condition, ...]":
    return read_list(value, read_condition, "conditions")


def read_condition(value: "Condition") -> "Condition":
    """Return a condition unchanged. Raise `InvalidValueError` for any other value."""
    if not isinstance(value, _KINDS):
        raise InvalidValueError("", "wrong_type", f"expected a condition, found {describe(value)}")
    return value


@attrs.frozen(field_transformer=checked)
class AllOf:
    """A condition that holds if all of its conditions hold. It holds for an empty list."""

    all: "tuple[Condition, ...]" = attrs.field(converter=_read_conditions)


@attrs.frozen(field_transformer=checked)
class AnyOf:
    """A condition that holds if at least one of its conditions holds. It does not hold for an empty list."""

    any: "tuple[Condition, ...]" = attrs.field(converter=_read_conditions)


@attrs.frozen(field_transformer=checked)
class Not:
    """A condition that holds if its condition does not."""

    not_: "Condition" = attrs.field(converter=read_condition)


@schema_rules(at_most_one_of("quantity", "value", "count"))
@attrs.frozen(field_transformer=checked)
class LineTest:
    """A test of the matching lines: of their quantity, value or count; without a measure, at least one must match."""

    lines: "Condition" = attrs.field(converter=read_condition)
    quantity: Measure | None = None
    value: Measure | None = None
    count: Measure | None = None

    def __attrs_post_init__(self) -> None:
        if sum(measure is not None for measure in (self.quantity, self.value, self.count)) > 1:
            raise InvalidValueError("", "ambiguous", "a line test has one measure: quantity, value or count")


def _read_anniversary_path(value: str) -> str:
    return read_text(value)


declare(_read_anniversary_path, {"$ref": ANNIVERSARY_SCOPE})


@attrs.frozen(field_transformer=checked)
class Anniversary:
    """A test that the event date is an anniversary (`day`) of the date at the path, or in its month (`month`).

    29 February counts as the 28th in a common year.
    """

    anniversary: str = attrs.field(converter=_read_anniversary_path)
    unit: Literal["day", "month"]


@schema_rules(one_of("crossed", "reached"))
@attrs.frozen(field_transformer=checked)
class TrackerTest:
    """A test that the event takes the tracker across its target (`crossed`), or that it has reached it (`reached`)."""

    tracker: str = attrs.field(converter=read_id)
    crossed: bool | None = None
    reached: bool | None = None

    def __attrs_post_init__(self) -> None:
        if (self.crossed is None) == (self.reached is None):
            raise InvalidValueError("", "required", "a tracker test has either crossed or reached, true or false")


class ComparableBase:
    """The parent of the base values that an event has by itself, without a tracker, an account or another action.

    `base_values` has the classes. Source: semantics 7.
    """

    __slots__ = ()


def read_comparable(value: ComparableBase) -> ComparableBase:
    """Return a base value of the event unchanged. Raise `InvalidValueError` for any other value."""
    if not isinstance(value, ComparableBase):
        raise InvalidValueError("", "wrong_type", f"expected a base value of the event, found {describe(value)}")
    if getattr(value, "aggregate", "total") == "each_unit":
        raise InvalidValueError("aggregate", "misplaced", "each_unit is for the base of a proration")
    return value


@schema_rules(any_of(*OPERATORS))
@attrs.frozen(field_transformer=checked, kw_only=True)
class BaseTest(Operators):
    """A comparison of a base value of the event, in the program's money and without rounding.

    A base that the event does not have compares false.
    """

    base: "ComparableBase" = attrs.field(
        converter=read_comparable
    )  # `base_values` resolves it to the union of the classes


@schema_rules(any_of("at_least", "at_most", "is"))
@attrs.frozen(field_transformer=checked)
class TierTest:
    """A comparison of the member's level in a tier, in the order of the tier's levels; false without a member."""

    tier: str = attrs.field(converter=read_id)
    at_least: str | None = attrs.field(default=None, converter=optional(read_id))
    at_most: str | None = attrs.field(default=None, converter=optional(read_id))
    is_: str | None = attrs.field(default=None, converter=optional(read_id))

    def __attrs_post_init__(self) -> None:
        if not self.tests():
            raise InvalidValueError("", "required", "a tier test needs at_least, at_most or is, with a level")

    def tests(self) -> tuple[tuple[Callable[[int, int], bool], str], ...]:
        """Return the comparisons of two positions in the list of levels, each with its level."""
        pairs = ((ge, self.at_least), (le, self.at_most), (eq, self.is_))
        return tuple((compare, level) for compare, level in pairs if level is not None)


def _read_share(value: int) -> int:
    return read_whole(value, 0, 100)


declare(_read_share, whole_number_schema(0, 100))


@attrs.frozen(field_transformer=checked)
class Sample:
    """A test that holds for a fixed share of the texts at a path, such as members or stores.

    A text has a number from 0 to 99, by its hash with the salt; the test holds if `from` ≤ number < `below`.
    """

    sample: str = attrs.field(converter=_read_path)
    salt: str = attrs.field(converter=read_text)
    from_: int = attrs.field(converter=_read_share)
    below: int = attrs.field(converter=_read_share)


Condition: TypeAlias = (
    AllOf | AnyOf | Not | Comparison | LineTest | Anniversary | TrackerTest | BaseTest | TierTest | Sample
)

declare(read_condition, {"$ref": Condition})
declare(_read_conditions, list_schema({"$ref": Condition}))

_KINDS = (AllOf, AnyOf, Not, Comparison, LineTest, Anniversary, TrackerTest, BaseTest, TierTest, Sample)

for _class in (AllOf, AnyOf, Not, LineTest):  # conditions nest: their annotations refer to later classes
    attrs.resolve_types(_class, globals())


def parts_of(condition: Condition | None) -> Iterator[Condition]:
    """Yield a condition and all conditions inside it; nothing for None."""
    waiting = [condition] if condition is not None else []
    for each in waiting:  # the loop appends to the list
        yield each
        match each:
            case AllOf(parts) | AnyOf(parts):
                waiting += parts
            case Not(part) | LineTest(part):
                waiting.append(part)
