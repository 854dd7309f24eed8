"""The rounding modes, in one table, and the two roundings of an award.

Only values of zero or more are ever rounded: a debit is the difference of two awards. Source: semantics 4.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

import attrs

from loyalty_rules.values.amounts import MICRO, Ratio
from loyalty_rules.values.checked import checked

__all__ = ["MODES", "Mode", "Rounding", "quantize_to_micros", "round_to_units"]

Mode: TypeAlias = Literal["actual", "up", "down", "nearest", "half_even", "half_down"]


def _up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _down(numerator: int, denominator: int) -> int:
    return numerator // denominator


def _nearest(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _half_down(numerator: int, denominator: int) -> int:
    return -((denominator - 2 * numerator) // (2 * denominator))


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


MODES: Mapping[str, Callable[[int, int], int]] = MappingProxyType(
    {
        "up": _up,  # to the next whole number
        "down": _down,  # to the whole number below
        "nearest": _nearest,  # half up, never banker's rounding
        "half_even": _half_even,  # 101.5 -> 102, 102.5 -> 102
        "half_down": _half_down,  # 50.5 -> 50
    }
)
"""The function of each mode from a ratio to a whole number. `actual` keeps every digit and has no function."""


@attrs.frozen(field_transformer=checked)
class Rounding:
    """The rounding of the base (`value`) and of the result (`currency`) of an award, independent of each other.

    `value` rounds the base to a whole number once, after the sum and before proration. `currency` rounds the result
    to the currency's decimals, before caps. Source: semantics 4.
    """

    value: Mode = "actual"
    currency: Mode = "actual"


ACTUAL = Rounding()


def round_to_units(amount: Ratio, mode: str, decimals: int) -> Ratio:
    """Round `amount` (zero or more) by `mode` to that many decimals; `actual` returns it unchanged."""
    if mode == "actual":
        return amount
    numerator, denominator = amount
    scale: int = 10**decimals
    return MODES[mode](numerator * scale, denominator), scale


def quantize_to_micros(amount: Ratio) -> int:
    """Round an amount half up to 6 decimals, a ledger's scale, and return it in millionths. Source: semantics 2."""
    numerator, denominator = amount
    return (2 * MICRO * numerator + denominator) // (2 * denominator)
