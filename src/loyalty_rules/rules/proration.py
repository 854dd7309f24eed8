"""How a base becomes an amount: fixed, multiplier, proportional, stepped. Source: semantics 3.

base → round the base → prorate → round the currency. All of it in integers; only the two roundings round.
"""

from collections.abc import Callable
from decimal import Decimal
from math import gcd
from typing import ClassVar, TypeAlias

import attrs

from loyalty_rules.rules.base_values import Awarded, BaseValue, LineItemQuantity, TransactionValue
from loyalty_rules.rules.rounding import MODES, Rounding
from loyalty_rules.values.amounts import MICRO, Ratio, micros, read_non_negative, read_positive
from loyalty_rules.values.checked import checked

__all__ = [
    "Fixed",
    "Multiplier",
    "Proportional",
    "Proration",
    "Stepped",
    "Steps",
    "bind_amount",
    "bind_proration",
    "bind_steps",
    "rounds_base",
]

TRANSACTION_VALUE = TransactionValue()
_Round: TypeAlias = Callable[[int, int], int]


@attrs.frozen(field_transformer=checked)
class Fixed:
    """`amount`, whatever the event's value; also for activities, which carry none."""

    type: ClassVar[str] = "fixed"
    amount: Decimal = attrs.field(converter=read_non_negative)


@attrs.frozen(field_transformer=checked)
class Multiplier:
    """base × percent ÷ 100, of the transaction value unless `of` says otherwise: 200 % of 50 is 100."""

    type: ClassVar[str] = "multiplier"
    percent: Decimal = attrs.field(converter=read_non_negative)
    of: BaseValue = TRANSACTION_VALUE


@attrs.frozen(field_transformer=checked)
class Proportional:
    """base × percent ÷ 100: 10 % of 500 is 50."""

    type: ClassVar[str] = "proportional"
    percent: Decimal = attrs.field(converter=read_non_negative)
    of: BaseValue


@attrs.frozen(field_transformer=checked)
class Stepped:
    """⌊base ÷ step_size⌋ × points_per_step: the remainder earns nothing. 150, 5 a step: 449.99 is 10, 450 is 15."""

    type: ClassVar[str] = "stepped"
    step_size: Decimal = attrs.field(converter=read_positive)
    points_per_step: Decimal = attrs.field(converter=read_non_negative)
    of: BaseValue = TRANSACTION_VALUE


Proration: TypeAlias = Fixed | Multiplier | Proportional | Stepped


def rounds_base(base: BaseValue) -> bool:
    """Say whether `rounding.value` applies to a base: to every one but quantities and awards. Source: semantics 4."""
    return not isinstance(base, (LineItemQuantity, Awarded))


Steps: TypeAlias = Callable[[Ratio], Ratio]
"""The way of one base (or of one line's part of it) to an amount: round → prorate → round."""

AmountOf: TypeAlias = Callable[[int, int], int]
"""The same way for a whole base, numerator and denominator: to the end, what is issued in millionths."""


def bind_steps(proration: Proration, rounding: Rounding, decimals: int) -> Steps:
    """Bind a proration with its rounding to a currency of so many decimals."""
    prorate = bind_proration(proration)
    round_base = _base_rounding(proration, rounding)
    round_amount, scale = MODES.get(rounding.currency), 10**decimals

    def steps(base: Ratio) -> Ratio:
        if round_base is not None:
            base = round_base(*base), 1
        amount = prorate(base)
        if round_amount is None:
            return amount
        numerator, denominator = amount
        return round_amount(numerator * scale, denominator), scale

    return steps


def bind_amount(proration: Proration, rounding: Rounding, decimals: int) -> AmountOf:
    """Bind the same steps as one reckoning, whose constants are multiplied and reduced here, once.

    `actual` is then to the nearest at the sixth decimal, as what is issued is held anyway. Source: semantics 2.
    """
    round_amount = MODES.get(rounding.currency, MODES["nearest"])
    scale = 10**decimals if rounding.currency in MODES else MICRO
    unit = MICRO // scale
    match proration:
        case Fixed(amount):
            fixed = round_amount(micros(amount) * scale, MICRO) * unit
            return lambda _numerator, _denominator: fixed
        case Stepped():
            return _bind_stepped(proration, _base_rounding(proration, rounding), round_amount, scale)
    round_base = _base_rounding(proration, rounding)
    times, per = _reduced(micros(proration.percent) * scale, MICRO * 100)
    if round_base is None:
        return lambda numerator, denominator: round_amount(numerator * times, denominator * per) * unit
    return lambda numerator, denominator: round_amount(round_base(numerator, denominator) * times, per) * unit


def _bind_stepped(proration: Stepped, round_base: _Round | None, round_amount: _Round, scale: int) -> AmountOf:
    per, size = _reduced(MICRO, micros(proration.step_size))
    points, unit = micros(proration.points_per_step) * scale, MICRO // scale
    if round_base is None:
        return lambda numerator, denominator: (
            round_amount(numerator * per // (denominator * size) * points, MICRO) * unit
        )
    return lambda numerator, denominator: (
        round_amount(round_base(numerator, denominator) * per // size * points, MICRO) * unit
    )


def _base_rounding(proration: Proration, rounding: Rounding) -> _Round | None:
    """Give how the base is rounded, None where it is not: by `actual`, or of a base that is never rounded."""
    return MODES.get(rounding.value) if not isinstance(proration, Fixed) and rounds_base(proration.of) else None


def _reduced(numerator: int, denominator: int) -> Ratio:
    divisor = gcd(numerator, denominator)
    return numerator // divisor, denominator // divisor


def bind_proration(proration: Proration) -> Callable[[Ratio], Ratio]:
    """Bind a proration to the function from a base to an amount; both exact, neither rounded."""
    if isinstance(proration, Fixed):
        fixed = micros(proration.amount), MICRO
        return lambda _base: fixed
    if isinstance(proration, Stepped):
        size, points = micros(proration.step_size), micros(proration.points_per_step)
        return lambda base: (base[0] * MICRO // (base[1] * size) * points, MICRO)
    percent, hundred = micros(proration.percent), MICRO * 100
    return lambda base: (base[0] * percent, base[1] * hundred)
