"""Exact numbers as fractions: reading, rounding, writing and splitting. Source: semantics 2, 4 and 11."""

from __future__ import annotations

import math
import re
from fractions import Fraction

DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
HALF = Fraction(1, 2)
LEDGER_DECIMALS = 6

# "Two independent settings, each actual (default), up, down, nearest, half_even or half_down." Only values of
# zero or more are rounded, so "up" is the ceiling and "down" the floor.
MODES = {
    "up": math.ceil,
    "down": math.floor,
    "nearest": lambda value: math.floor(value + HALF),
    "half_even": round,
    "half_down": lambda value: math.ceil(value - HALF),
}


def number(value: object) -> Fraction | None:
    """Return the decimal of a scalar of a document, or None if it is not a decimal."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Fraction(value) if abs(value) < 10**15 else None
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        return Fraction(value)
    return None


def given(value: object) -> Fraction:
    """Return the decimal at a key of a valid document; an absent one is 0."""
    return Fraction(0) if value is None else Fraction(str(value))


def rounded(value: Fraction, mode: str, decimals: int = 0) -> Fraction:
    """Round a value to ``decimals`` places by the named mode; ``actual`` keeps every digit."""
    if mode == "actual":
        return value
    scale = 10**decimals
    return Fraction(MODES[mode](value * scale), scale)


def held(value: Fraction) -> Fraction:
    """Round to the scale of the ledger.
    "Held to 6 decimals, the scale of the ledger … rounded to the nearest (half up) at the sixth".
    """
    return rounded(value, "nearest", LEDGER_DECIMALS)


def places(value: Fraction) -> int:
    """Return the number of decimals of a value without trailing zeros."""
    count = 0
    while (value * 10**count).denominator != 1:
        count += 1
        if count > 100:
            raise ArithmeticError(f"{value} is no finite decimal")
    return count


def text(value: Fraction | int) -> str:
    """Return canonical text: no exponent, no trailing zeros, no ``-0``."""
    value = Fraction(value)
    decimals = places(value)
    digits = str(abs(value.numerator) * 10**decimals // value.denominator).rjust(decimals + 1, "0")
    sign = "-" if value < 0 else ""
    if decimals == 0:
        return sign + digits
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def split(amount: Fraction, weights: list[Fraction], decimals: int) -> list[Fraction]:
    """Return the shares of ``amount`` by largest remainder.

    "Largest remainder at the currency's decimals (or at the amount's own, where those are more), ties to the
    larger weight and then the earlier line, zero weight gets zero; the shares sum to the amount exactly".
    """
    weights = [max(weight, Fraction(0)) for weight in weights]
    if not any(weights):
        weights = [Fraction(1) for _ in weights]
    unit = 10 ** max(decimals, places(amount))
    exact = [amount * unit * weight / sum(weights) for weight in weights]
    units = [math.floor(quota) for quota in exact]
    left = int(amount * unit) - sum(units)
    by_remainder = sorted(
        range(len(weights)),
        key=lambda index: (-(exact[index] - units[index]), -weights[index], index),
    )
    for index in by_remainder[:left]:
        units[index] += 1
    return [Fraction(count, unit) for count in units]
