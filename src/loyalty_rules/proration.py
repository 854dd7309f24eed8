"""How a base becomes an amount: fixed, multiplier, proportional, stepped. Source: semantics 3.

base → round the base → prorate → round the currency. All of it in integers; only the two roundings round.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar, TypeAlias

import attrs

from loyalty_rules.amounts import MICRO, Ratio, micros, read_non_negative, read_positive
from loyalty_rules.base_values import Awarded, BaseValue, LineItemQuantity, TransactionValue
from loyalty_rules.rounding import MODES, Rounding
from loyalty_rules.values import checked

__all__ = [
    "Fixed",
    "Multiplier",
    "Proportional",
    "Proration",
    "Stepped",
    "Steps",
    "bind_proration",
    "bind_steps",
    "rounds_base",
]

TRANSACTION_VALUE = TransactionValue()


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


def bind_steps(proration: Proration, rounding: Rounding, decimals: int) -> Steps:
    """Bind a proration with its rounding to a currency of so many decimals."""
    prorate = bind_proration(proration)
    rounded = not isinstance(proration, Fixed) and rounds_base(proration.of)
    round_base = MODES.get(rounding.value) if rounded else None  # `actual` is in no table
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
