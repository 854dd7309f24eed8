"""Prorations: how a base becomes an amount. A table has one row for each kind. Source: semantics 3.

base → round the base → prorate → round the currency. All numbers are integers or ratios of integers, and only the two
rounding steps round.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import gcd
from typing import Any, ClassVar, TypeAlias

import attrs

from loyalty_rules.rules.base_values import BASES, BaseValue, TransactionValue
from loyalty_rules.rules.rounding import MODES, Rounding
from loyalty_rules.values.amounts import MICRO, Ratio, micros, read_non_negative, read_positive, text_of
from loyalty_rules.values.checked import checked

__all__ = [
    "PRORATIONS",
    "AmountOf",
    "Fixed",
    "Multiplier",
    "Proportional",
    "Proration",
    "ProrationPolicy",
    "Stepped",
    "Steps",
    "bind_amount",
    "bind_proration",
    "bind_steps",
    "describe_proration",
    "rounds_base",
]

TRANSACTION_VALUE = TransactionValue()
_Round: TypeAlias = Callable[[int, int], int]


@attrs.frozen(field_transformer=checked)
class Fixed:
    """`amount`, for any value of the event. Activities, which have no value, can earn it too."""

    type: ClassVar[str] = "fixed"
    of: ClassVar[None] = None
    amount: Decimal = attrs.field(converter=read_non_negative)


@attrs.frozen(field_transformer=checked)
class Multiplier:
    """base × percent ÷ 100; `of` is the transaction value by default. 200 % of 50 is 100."""

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

Prorate: TypeAlias = Callable[[Ratio], Ratio]
"""A proration, bound: from a base to an amount, both exact."""

Steps: TypeAlias = Callable[[Ratio], Ratio]
"""The steps from one base (or one line's part of it) to an amount: round → prorate → round."""

AmountOf: TypeAlias = Callable[[int, int], int]
"""The same steps for a whole base, given as numerator and denominator; the result is in millionths."""


def _any_amount(_proration: Proration) -> None:
    return None


def _no_thresholds(_proration: Proration) -> tuple[Decimal, ...]:
    return ()


@attrs.frozen(eq=False)
class ProrationPolicy:
    """One row of the table of prorations. Each function takes a proration of the row's class.

    - `bind` is for `bind_proration`. `bind_amount` also takes the rounding of the base (None: not rounded), the
      rounding of the amount and the scale that the amount is rounded at.
    - `describe` takes the words for the base too.
    - `rate` is the field whose zero makes every award zero.
    - `unit` returns the amount of which every award is a whole multiple, or None if there is no such amount.
    - `thresholds` returns the values of the base at which the award jumps, apart from multiples of them.
    """

    bind: Callable[[Any], Prorate]
    bind_amount: Callable[[Any, _Round | None, _Round, int], AmountOf]
    describe: Callable[[Any, str], str]
    rate: str
    unit: Callable[[Any], Decimal | None] = _any_amount
    thresholds: Callable[[Any], tuple[Decimal, ...]] = _no_thresholds


def rounds_base(base: BaseValue | None) -> bool:
    """Return whether `rounding.value` applies: to every base except quantities and awards. Source: semantics 4."""
    return base is not None and BASES[type(base)].is_rounded


def describe_proration(proration: Proration, base: str) -> str:
    """Return the words for a proration. `base` is the words for its base; a fixed amount does not use them."""
    return PRORATIONS[type(proration)].describe(proration, base)


def bind_proration(proration: Proration) -> Prorate:
    """Bind a proration to the function from a base to an amount. Both are exact, neither is rounded."""
    return PRORATIONS[type(proration)].bind(proration)


def bind_steps(proration: Proration, rounding: Rounding, decimals: int) -> Steps:
    """Bind a proration and its rounding to a currency with so many decimals."""
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
    """Bind the same steps as one computation, whose constants are multiplied and reduced once, here.

    `actual` rounds to the nearest sixth decimal, since a ledger stores no more decimals. Source: semantics 2.
    """
    round_amount = MODES.get(rounding.currency, MODES["nearest"])
    scale = 10**decimals if rounding.currency in MODES else MICRO
    bind = PRORATIONS[type(proration)].bind_amount
    return bind(proration, _base_rounding(proration, rounding), round_amount, scale)


def _base_rounding(proration: Proration, rounding: Rounding) -> _Round | None:
    """Return the rounding of the base; None for `actual` and for a base that is never rounded."""
    return MODES.get(rounding.value) if rounds_base(proration.of) else None


def _reduced(numerator: int, denominator: int) -> Ratio:
    divisor = gcd(numerator, denominator)
    return numerator // divisor, denominator // divisor


# -- fixed -----------------------------------------------------------------------------------------------------------


def _bind_fixed(proration: Fixed) -> Prorate:
    amount = micros(proration.amount), MICRO
    return lambda _base: amount


def _bind_fixed_amount(proration: Fixed, _round_base: _Round | None, round_amount: _Round, scale: int) -> AmountOf:
    amount = round_amount(micros(proration.amount) * scale, MICRO) * (MICRO // scale)
    return lambda _numerator, _denominator: amount


def _describe_fixed(proration: Fixed, _base: str) -> str:
    return f"a fixed {text_of(proration.amount)}"


# -- percentages -----------------------------------------------------------------------------------------------------


def _bind_percentage(proration: Multiplier | Proportional) -> Prorate:
    percent, hundred = micros(proration.percent), MICRO * 100
    return lambda base: (base[0] * percent, base[1] * hundred)


def _bind_percentage_amount(
    proration: Multiplier | Proportional, round_base: _Round | None, round_amount: _Round, scale: int
) -> AmountOf:
    times, per = _reduced(micros(proration.percent) * scale, MICRO * 100)
    unit = MICRO // scale
    if round_base is None:
        return lambda numerator, denominator: round_amount(numerator * times, denominator * per) * unit
    return lambda numerator, denominator: round_amount(round_base(numerator, denominator) * times, per) * unit


def _describe_percentage(proration: Multiplier | Proportional, base: str) -> str:
    return f"{text_of(proration.percent)} % of {base}"


# -- steps -----------------------------------------------------------------------------------------------------------


def _bind_stepped(proration: Stepped) -> Prorate:
    size, points = micros(proration.step_size), micros(proration.points_per_step)
    return lambda base: (base[0] * MICRO // (base[1] * size) * points, MICRO)


def _bind_stepped_amount(proration: Stepped, round_base: _Round | None, round_amount: _Round, scale: int) -> AmountOf:
    per, size = _reduced(MICRO, micros(proration.step_size))
    points, unit = micros(proration.points_per_step) * scale, MICRO // scale
    if round_base is None:
        return lambda numerator, denominator: (
            round_amount(numerator * per // (denominator * size) * points, MICRO) * unit
        )
    return lambda numerator, denominator: (
        round_amount(round_base(numerator, denominator) * per // size * points, MICRO) * unit
    )


def _describe_stepped(proration: Stepped, base: str) -> str:
    return f"{text_of(proration.points_per_step)} for each whole {text_of(proration.step_size)} of {base}"


# -- the table -------------------------------------------------------------------------------------------------------

_PERCENTAGE = ProrationPolicy(
    bind=_bind_percentage,
    bind_amount=_bind_percentage_amount,
    describe=_describe_percentage,
    rate="percent",
)

PRORATIONS: Mapping[type, ProrationPolicy] = {
    Fixed: ProrationPolicy(
        bind=_bind_fixed,
        bind_amount=_bind_fixed_amount,
        describe=_describe_fixed,
        rate="amount",
        unit=lambda proration: proration.amount,
    ),
    Multiplier: _PERCENTAGE,
    Proportional: _PERCENTAGE,
    Stepped: ProrationPolicy(
        bind=_bind_stepped,
        bind_amount=_bind_stepped_amount,
        describe=_describe_stepped,
        rate="points_per_step",
        unit=lambda proration: proration.points_per_step,
        thresholds=lambda proration: (proration.step_size,),
    ),
}
"""The policy of each kind of proration. A new kind is one class and one row."""
