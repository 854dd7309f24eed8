"""Prorations: how a base becomes an amount. A table has one row for each kind. Source: semantics 3.

base → round the base → prorate → round the currency. All numbers are integers or ratios of integers, and only the two
rounding steps round.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from math import gcd
from typing import Any, ClassVar, TypeAlias

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.rules.base_values import BASES, BaseValue, TransactionValue, bind_requirement, require_tracker
from loyalty_rules.rules.conditions import TEXT_SCOPE
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.predicates import event_subject
from loyalty_rules.rules.rounding import MODES, Rounding
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import (
    MICRO,
    NUMBER_LIMIT,
    Number,
    Ratio,
    decimal_of,
    micros,
    read_non_negative,
    read_positive,
    text_of,
)
from loyalty_rules.values.checked import TupleOf, checked
from loyalty_rules.values.identifiers import mapping_schema, read_id, read_mapping, read_text
from loyalty_rules.values.json_schema import declare, schema_rules

__all__ = [
    "PRORATIONS",
    "AmountOf",
    "Band",
    "Banded",
    "Fixed",
    "Multiplier",
    "Percent",
    "PercentBy",
    "Proportional",
    "Proration",
    "ProrationPolicy",
    "Resolve",
    "Stepped",
    "Steps",
    "bind_amount",
    "bind_proration",
    "bind_resolution",
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


def _read_path(value: str) -> str:
    return read_text(value)


declare(_read_path, {"$ref": TEXT_SCOPE})


def _read_percentages(value: Mapping[str, Number]) -> Mapping[str, Decimal]:
    percentages = read_mapping(value, read_non_negative, "percentages")
    if not percentages:
        raise InvalidValueError("", "required", "needs at least one text with its percentage")
    return percentages


declare(_read_percentages, mapping_schema({"$ref": read_non_negative}) | {"minProperties": 1})


@attrs.frozen(field_transformer=checked)
class PercentBy:
    """A percentage that depends on the text at a path: 300 at gold, 200 at silver, else 100.

    Without a match and without `else` the action is skipped with `missing_field`.
    """

    by: str = attrs.field(converter=_read_path)
    of: Mapping[str, Decimal] = attrs.field(converter=_read_percentages, hash=False)
    else_: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))

    @property
    def percentages(self) -> tuple[Decimal, ...]:
        """All percentages that it can be."""
        return (*self.of.values(), *((self.else_,) if self.else_ is not None else ()))


Percent: TypeAlias = Decimal | PercentBy


def _read_percent(value: Number | PercentBy) -> Percent:
    return value if isinstance(value, PercentBy) else read_non_negative(value)


declare(
    _read_percent,
    {
        "description": "A percentage of zero or more, or one by the text at a path.",
        "type": ["string", "number", "object"],
        "if": {"type": "object"},
        "then": {"$ref": PercentBy},
        "else": {"$ref": read_non_negative},
    },
)


@attrs.frozen(field_transformer=checked)
class Multiplier:
    """base × percent ÷ 100; `of` is the transaction value by default. 200 % of 50 is 100."""

    type: ClassVar[str] = "multiplier"
    percent: Percent = attrs.field(converter=_read_percent)
    of: BaseValue = TRANSACTION_VALUE


@attrs.frozen(field_transformer=checked)
class Proportional:
    """base × percent ÷ 100: 10 % of 500 is 50."""

    type: ClassVar[str] = "proportional"
    percent: Percent = attrs.field(converter=_read_percent)
    of: BaseValue


@attrs.frozen(field_transformer=checked)
class Stepped:
    """⌊base ÷ step_size⌋ × points_per_step: the remainder earns nothing. 150, 5 a step: 449.99 is 10, 450 is 15."""

    type: ClassVar[str] = "stepped"
    step_size: Decimal = attrs.field(converter=read_positive)
    points_per_step: Decimal = attrs.field(converter=read_non_negative)
    of: BaseValue = TRANSACTION_VALUE


@attrs.frozen(field_transformer=checked)
class Band:
    """A band of a base, up to `up_to` (None in the last band), and the percentage that this part of the base earns."""

    up_to: Decimal | None = attrs.field(default=None, converter=optional(read_positive))
    percent: Percent = attrs.field(converter=_read_percent, kw_only=True)


def _check_aggregate(of: BaseValue) -> None:
    if getattr(of, "aggregate", "total") != "total":
        raise InvalidValueError("of.aggregate", "misplaced", "bands are for a base as a whole: use total")


# JSON Schema cannot compare the ends of bands, nor look into the base.
@schema_rules({"properties": {"bands": {"minItems": 1}}})
@attrs.frozen(field_transformer=checked)
class Banded:
    """Marginal bands: each part of the base earns at the percentage of the band in which it lies.

    The base is laid from 0 upward or, with `over`, from the value of that tracker before the event. `of` is the
    transaction value by default. With 1 % up to 5000, 1.2 % up to 7500 and 1.5 % beyond, 5000 on top of 4000 are
    10 + 30 + 22.5.
    """

    type: ClassVar[str] = "banded"
    bands: tuple[Band, ...] = attrs.field(converter=TupleOf[Band])
    of: BaseValue = TRANSACTION_VALUE
    over: str | None = attrs.field(default=None, converter=optional(read_id))

    def __attrs_post_init__(self) -> None:
        if not self.bands:
            raise InvalidValueError("bands", "required", "needs at least one band")
        *limited, last = self.bands
        if last.up_to is not None:
            raise InvalidValueError(
                f"bands[{len(limited)}].up_to", "misplaced", "the last band has no end: leave up_to out"
            )
        end = Decimal(0)
        for index, band in enumerate(limited):
            if band.up_to is None:
                raise InvalidValueError(f"bands[{index}].up_to", "unreachable", "only the last band has no end")
            if band.up_to <= end:
                raise InvalidValueError(
                    f"bands[{index}].up_to", "out_of_range", f"expected more than {text_of(end)}, where the band begins"
                )
            end = band.up_to
        _check_aggregate(self.of)


Proration: TypeAlias = Fixed | Multiplier | Proportional | Stepped | Banded

Prorate: TypeAlias = Callable[[Ratio], Ratio]
"""A proration, bound: from a base to an amount, both exact."""

Steps: TypeAlias = Callable[[Ratio], Ratio]
"""The steps from one base (or one line's part of it) to an amount: round → prorate → round."""

AmountOf: TypeAlias = Callable[[int, int], int]
"""The same steps for a whole base, given as numerator and denominator; the result is in millionths."""


def _any_amount(_proration: Proration) -> None:
    return None


Resolve: TypeAlias = Callable[[Facts], Proration]
"""A proration that depends on the event, bound: from an event's facts to the proration that holds for it."""


def _never(_proration: Proration) -> None:
    return None


def _no_thresholds(_proration: Proration) -> tuple[Decimal, ...]:
    return ()


@attrs.frozen(eq=False)
class ProrationPolicy:
    """One row of the table of prorations. Each function takes a proration of the row's class.

    - `bind` is for `bind_proration`. `bind_amount` also takes the rounding of the base (None: not rounded), the
      rounding of the amount and the scale that the amount is rounded at.
    - `describe` takes the words for the base too.
    - `rate` is the field whose zero makes every award zero, None if no field alone does.
    - `resolve` is for `bind_resolution`; None if no event changes the proration.
    - `unit` returns the amount of which every award is a whole multiple, or None if there is no such amount.
    - `thresholds` returns the values of the base at which the award jumps, apart from multiples of them.
    """

    bind: Callable[[Any], Prorate]
    bind_amount: Callable[[Any, _Round | None, _Round, int], AmountOf]
    describe: Callable[[Any, str], str]
    rate: str | None
    resolve: Callable[[Any], Resolve | None] = _never
    unit: Callable[[Any], Decimal | None] = _any_amount
    thresholds: Callable[[Any], tuple[Decimal, ...]] = _no_thresholds


def rounds_base(base: BaseValue | None) -> bool:
    """Return whether `rounding.value` applies: to every base except quantities and awards. Source: semantics 4."""
    return base is not None and BASES[type(base)].is_rounded


def describe_proration(proration: Proration, base: str) -> str:
    """Return the words for a proration. `base` is the words for its base; a fixed amount does not use them."""
    return PRORATIONS[type(proration)].describe(proration, base)


def bind_resolution(proration: Proration) -> Resolve | None:
    """Bind a proration to the function that returns it for an event, with percentages alone and without `over`.

    None if the proration is the same for every event. The function raises `Skip` with `no_member` or `no_group` if the
    base or the bands lack one, then with `missing_field` if a percentage has no match. Source: semantics 3 and 8.
    """
    resolve = PRORATIONS[type(proration)].resolve(proration)
    require = bind_requirement(proration.of)
    if resolve is None or require is None:
        return resolve

    def resolved(facts: Facts) -> Proration:
        require(facts)
        return resolve(facts)

    return resolved


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


def _plain(percent: Percent) -> int:
    """Return a percentage in millionths; a proration is bound only after its percentages have been resolved."""
    assert not isinstance(percent, PercentBy)
    return micros(percent)


def _bind_percentage(proration: Multiplier | Proportional) -> Prorate:
    percent, hundred = _plain(proration.percent), MICRO * 100
    return lambda base: (base[0] * percent, base[1] * hundred)


def _bind_percentage_amount(
    proration: Multiplier | Proportional, round_base: _Round | None, round_amount: _Round, scale: int
) -> AmountOf:
    times, per = _reduced(_plain(proration.percent) * scale, MICRO * 100)
    unit = MICRO // scale
    if round_base is None:
        return lambda numerator, denominator: round_amount(numerator * times, denominator * per) * unit
    return lambda numerator, denominator: round_amount(round_base(numerator, denominator) * times, per) * unit


def _describe_percentage(proration: Multiplier | Proportional, base: str) -> str:
    return f"{_describe_percent(proration.percent)} of {base}"


def _describe_percent(percent: Percent) -> str:
    if not isinstance(percent, PercentBy):
        return f"{text_of(percent)} %"
    cases = [f"{text_of(each)} % for {describe(text).removeprefix('the text ')}" for text, each in percent.of.items()]
    others = [f"else {text_of(percent.else_)} %"] if percent.else_ is not None else []
    return f"({', '.join([*cases, *others])}, by {percent.by})"


def _bind_percent(percent: Percent) -> Callable[[Facts], Decimal]:
    """Bind a percentage to an event; the function raises `Skip` with `missing_field` if no text matches."""
    if not isinstance(percent, PercentBy):
        return lambda _facts: percent
    get, of, other = event_subject(percent.by).get, percent.of, percent.else_

    def resolved(facts: Facts) -> Decimal:
        text = get(facts)
        found = of.get(text, other) if isinstance(text, str) else other
        if found is None:
            raise Skip("missing_field", f"{percent.by} has no percentage: {describe(text)}")
        return found

    return resolved


def _resolve_percentage(proration: Multiplier | Proportional) -> Resolve | None:
    if not isinstance(proration.percent, PercentBy):
        return None
    percent_of = _bind_percent(proration.percent)
    return lambda facts: attrs.evolve(proration, percent=percent_of(facts))


# -- bands -----------------------------------------------------------------------------------------------------------


def _bind_banded(proration: Banded) -> Prorate:
    assert proration.over is None
    bands = [(micros(each.up_to) if each.up_to is not None else None, _plain(each.percent)) for each in proration.bands]

    def prorate(base: Ratio) -> Ratio:
        numerator, denominator = base[0] * MICRO, base[1]  # in millionths
        amount, start = 0, 0
        for up_to, percent in bands:
            end = up_to * denominator if up_to is not None else numerator
            if numerator <= end:
                amount += (numerator - start) * percent
                break
            amount += (end - start) * percent
            start = end
        return amount, denominator * MICRO * MICRO * 100

    return prorate


def _bind_banded_amount(proration: Banded, round_base: _Round | None, round_amount: _Round, scale: int) -> AmountOf:
    prorate, unit = _bind_banded(proration), MICRO // scale

    def amount_of(numerator: int, denominator: int) -> int:
        base = (round_base(numerator, denominator), 1) if round_base is not None else (numerator, denominator)
        amount, per = prorate(base)
        return round_amount(amount * scale, per) * unit

    return amount_of


def _describe_banded(proration: Banded, base: str) -> str:
    bands = [
        f"{_describe_percent(each.percent)} {f'up to {text_of(each.up_to)}' if each.up_to is not None else 'beyond'}"
        for each in proration.bands
    ]
    over = f", laid over tracker {proration.over}" if proration.over is not None else ""
    return f"{', '.join(bands)} of {base}{over}"


def _resolve_banded(proration: Banded) -> Resolve | None:
    if proration.over is None and not any(isinstance(each.percent, PercentBy) for each in proration.bands):
        return None
    over, require = proration.over, require_tracker(proration.over) if proration.over is not None else None
    percents = [_bind_percent(each.percent) for each in proration.bands]

    def resolved(facts: Facts) -> Proration:
        if require is not None:
            require(facts)
        start = facts.standing(over).before if over is not None else 0
        bands = [
            Band(each.up_to, percent=percent(facts)) for each, percent in zip(proration.bands, percents, strict=True)
        ]
        return Banded(tuple(_above(start, bands)), proration.of)

    return resolved


def _above(start: int, bands: Sequence[Band]) -> Iterator[Band]:
    """Yield the bands above a start in millionths, counted from there: what lies below it has been earned before."""
    for band in bands:
        if band.up_to is None:
            yield band
        elif micros(band.up_to) - start >= NUMBER_LIMIT * MICRO:  # no base reaches beyond it
            yield attrs.evolve(band, up_to=None)
            return
        elif micros(band.up_to) > start:
            yield attrs.evolve(band, up_to=decimal_of(micros(band.up_to) - start))


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
    resolve=_resolve_percentage,
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
    Banded: ProrationPolicy(
        bind=_bind_banded,
        bind_amount=_bind_banded_amount,
        describe=_describe_banded,
        rate=None,
        resolve=_resolve_banded,
        thresholds=lambda proration: tuple(each.up_to for each in proration.bands if each.up_to is not None),
    ),
}
"""The policy of each kind of proration. A new kind is one class and one row."""
