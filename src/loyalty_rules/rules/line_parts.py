"""Parts: what each selected line gives to a base over lines. Source: semantics 2 and 3."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from loyalty_rules.errors import describe
from loyalty_rules.rules.components import net_values
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.line_predicates import Selection
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import MICRO, RATE_UNIT, Ratio, micros, number_in

__all__ = [
    "Parts",
    "bases_of_lines",
    "bases_of_units",
    "bought",
    "number_of_field",
    "parts_of_field",
    "parts_of_quantity",
    "parts_of_value",
    "selected",
    "sum_of",
    "sum_of_units",
    "total_of",
    "total_of_lines",
    "units_of",
]

Parts: TypeAlias = tuple[list[int], list[int], int]
"""The parts of a base over lines before rounding: the lines' positions, their values, the common denominator.

A part may be negative (a discount line). The caller decides whether each part or only the sum stops at zero."""


def total_of(parts: Parts) -> Ratio:
    """Return the sum of the parts of a base over lines, or zero if the sum is negative."""
    _, values, denominator = parts
    return max(sum(values), 0), denominator


def total_of_lines(parts: Parts) -> Ratio:
    """Return the sum of the parts of a base over lines, each of which stops at zero."""
    _, values, denominator = parts
    return sum(max(value, 0) for value in values), denominator


def units_of(facts: Facts, parts: Parts) -> list[int]:
    """Return the number of units of each part with `each_unit`: its quantity, or one if that is no whole number."""
    return [_units(facts.event_lines[i].quantity) for i in parts[0]]


def _units(quantity: Decimal) -> int:
    units, rest = divmod(micros(quantity), MICRO)
    return units if units > 0 and not rest else 1


def selected(select: Selection, facts: Facts) -> list[int]:
    """Return the positions of the selected lines; raise `Skip` with `no_matching_lines` if there is none."""
    positions = select(facts)
    if not positions:
        raise Skip("no_matching_lines", "no line is selected")
    return positions


def parts_of_value(facts: Facts, positions: list[int], less: tuple[str, ...]) -> Parts:
    """Return the values of lines, minus their own parts of components, in the program's money."""
    values, unit = facts.values
    factor, denominator = (1, unit) if facts.rate == RATE_UNIT else facts.in_money(1, unit)
    if facts.is_refund:
        return _no_parts(positions)
    if less:
        values = net_values(facts, less)
    if factor == 1:
        return positions, [values[i] for i in positions], denominator
    return positions, [values[i] * factor for i in positions], denominator


def bought(facts: Facts, parts: Parts) -> Parts:
    """Return parts for `each_unit`: a line of a quantity below zero gives nothing."""
    positions, values, denominator = parts
    lines = facts.event_lines
    bought = [value if lines[i].quantity >= 0 else 0 for i, value in zip(positions, values, strict=True)]
    return positions, bought, denominator


def _no_parts(positions: list[int]) -> Parts:
    """Return the parts of a bill below zero: its lines earn nothing. Source: semantics 2."""
    return positions, [0] * len(positions), MICRO


def parts_of_quantity(facts: Facts, positions: list[int]) -> Parts:
    """Return the quantities of lines."""
    lines = facts.event_lines
    if facts.is_refund:
        return _no_parts(positions)
    return positions, [micros(lines[i].quantity) for i in positions], MICRO


def parts_of_field(facts: Facts, positions: list[int], name: str) -> Parts:
    """Return the numbers in a field of lines; raise `Skip` if none has it, or if one has no number there."""
    lines = facts.event_lines
    numbers = [number_of_field(lines[i].extended_fields, f"lines[{i}].extended_fields", name) for i in positions]
    if all(number is None for number in numbers):
        raise Skip("missing_field", f"extended_fields.{name} is absent from every selected line")
    if facts.is_refund:
        return _no_parts(positions)
    return positions, [number or 0 for number in numbers], MICRO


def number_of_field(fields: Any, where: str, name: str) -> int | None:
    """Return the number in a free-form field in millionths, None if it is absent; raise `Skip` for another value."""
    value = fields.get(name)
    if value is None:
        return None
    number = number_in(value)
    if number is None:
        raise Skip("invalid_field", f"{where}.{name} is not a decimal: {describe(value)}")
    return number


# -- line by line ------------------------------------------------------------------------------------------------------


def bases_of_lines(parts: Parts) -> list[Ratio]:
    """Return the part of each line as a base; a base is never below zero."""
    _, values, denominator = parts
    return [(max(value, 0), denominator) for value in values]


def bases_of_units(parts: Parts, units: Sequence[int]) -> list[Ratio]:
    """Return the part of one unit of each line as a base; `units` are the numbers of units of the lines."""
    return [
        (value, denominator * count) for (value, denominator), count in zip(bases_of_lines(parts), units, strict=True)
    ]


def sum_of_units(amounts: Sequence[Ratio], units: Sequence[int]) -> Ratio:
    """Return the sum of the amounts of one unit of each line times their numbers of units, exactly."""
    total = sum((Fraction(*amount) * count for amount, count in zip(amounts, units, strict=True)), Fraction(0))
    return total.as_integer_ratio()


def sum_of(amounts: Sequence[Ratio]) -> Ratio:
    """Return the sum of amounts that have the same denominator, as those of the lines of one base have."""
    return sum(numerator for numerator, _ in amounts), amounts[0][1]
