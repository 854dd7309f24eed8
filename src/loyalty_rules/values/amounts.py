"""Exact numbers: reading, arithmetic in integers, writing.

The public API takes and returns a `decimal.Decimal` of at most 15 integer and 6 fractional digits. The engine
computes with whole **millionths** (micros). Integers are exact, do not depend on the host's decimal context, and are
eight times faster. Between two roundings a number is a `Ratio` of two integers, numerator and denominator. Only this
module computes with `decimal`. Source: semantics 2.
"""

from __future__ import annotations

import decimal
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeAlias

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.values.json_schema import Json, declare, text_schema, whole_number_schema
from loyalty_rules.values.plain import plain_decimal, plain_text

__all__ = [
    "MICRO",
    "NUMBER_LIMIT",
    "RATE_UNIT",
    "Number",
    "Ratio",
    "UnreadNumber",
    "decimal_of",
    "each_in_micros",
    "micros",
    "micros_text",
    "number_in",
    "rate_units",
    "ratio_text",
    "read_count",
    "read_decimal",
    "read_drawn",
    "read_non_negative",
    "read_positive",
    "read_rate",
    "read_sum",
    "read_whole",
    "text_of",
    "unread",
    "whole_decimals",
]

Number: TypeAlias = Decimal | int | str
"""A number as an argument: a Decimal, an integer, or a decimal text."""

Ratio: TypeAlias = tuple[int, int]
"""An exact number between two roundings: numerator and (positive) denominator."""

MICRO = 10**6
RATE_UNIT = 10**12
NUMBER_LIMIT = 10**15
"""The limit of a number: its magnitude is smaller."""

_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")
_RATE = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,12})?")
_SUM = re.compile(r"-?[0-9]{1,24}(?:\.[0-9]{1,6})?")
_SUM_LIMIT = 10**24
_RATE_LIMIT = 10**9
_INTEGER_DIGITS = {NUMBER_LIMIT: 15, _SUM_LIMIT: 24, _RATE_LIMIT: 9}
_LAST_PLACE = {
    NUMBER_LIMIT: Decimal("0.000001"),
    _SUM_LIMIT: Decimal("0.000001"),
    _RATE_LIMIT: Decimal("0.000000000001"),
}

# Independent of the host's decimal context; it raises instead of rounding. Threads may share it: they write only its
# flags.
_EXACT = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN, Emin=-999, Emax=999, capitals=1, clamp=0)
_EXACT.traps = dict.fromkeys(_EXACT.traps, True)
_EXACT.traps[decimal.Rounded] = False  # dropping a zero is not a loss; Inexact is
_SCALED = _EXACT.scaleb
_SIX, _TWELVE = Decimal(6), Decimal(12)  # plain integers would be converted in every call


_WHOLE = tuple(map(Decimal, range(1_024)))


_UNSIGNED_DECIMAL = _DECIMAL.pattern.removeprefix("-?")
_UNSIGNED_SUM = _SUM.pattern.removeprefix("-?")
_UNSIGNED_RATE = _RATE.pattern.removeprefix("-?")


def _number_schema(description: str, pattern: str, **bounds: Any) -> Json:
    accepted = 'a text such as "10.5", an integer, or a plain fraction in the text of a document.'
    return {
        "description": f"{description}: {accepted}",
        "type": ["string", "number"],
        "pattern": f"^(?:{pattern})$",
        **bounds,
    }


class UnreadNumber:
    """A number of a JSON or TOML text that is outside the limits, as written, so that a problem can show it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def read_decimal(value: Number) -> Decimal:
    """Read a number of at most 15 integer and 6 fractional digits, of either sign; `-0` becomes `0`.

    Raises `InvalidValueError` for floats, booleans, NaN, infinities, exponents and values of other types.
    Source: semantics 2, documents (scalars).
    """
    return _read(value, _DECIMAL, NUMBER_LIMIT, "15 integer and 6 fractional digits")


declare(
    read_decimal,
    _number_schema("A number", f"-?{_UNSIGNED_DECIMAL}", exclusiveMinimum=-NUMBER_LIMIT, exclusiveMaximum=NUMBER_LIMIT),
    name="decimal",
)


def read_rate(value: Number) -> Decimal:
    """Read an exchange rate: more than zero, at most 9 integer and 12 fractional digits. Source: semantics 2 and 3."""
    rate = _read(value, _RATE, _RATE_LIMIT, "9 integer and 12 fractional digits")
    if rate.is_signed() or not rate:
        raise InvalidValueError(
            "", "out_of_range", f"expected an exchange rate of more than zero, found {text_of(rate)}"
        )
    return rate


declare(
    read_rate,
    _number_schema(
        "An exchange rate of more than zero",
        f"(?=.*[1-9]){_UNSIGNED_RATE}",
        exclusiveMinimum=0,
        exclusiveMaximum=_RATE_LIMIT,
    ),
    name="rate",
)


def read_sum(value: Number) -> Decimal:
    """Read a sum of many amounts: at most 24 integer and 6 fractional digits, of either sign."""
    return _read(value, _SUM, _SUM_LIMIT, "24 integer and 6 fractional digits")


declare(
    read_sum,
    _number_schema("A sum", f"-?{_UNSIGNED_SUM}", exclusiveMinimum=-_SUM_LIMIT, exclusiveMaximum=_SUM_LIMIT),
    name="sum",
)


def read_drawn(value: Number) -> Decimal:
    """Read a sum of zero or more, within the limits of `read_sum`."""
    number = read_sum(value)
    if number.is_signed():
        raise InvalidValueError("", "out_of_range", f"must be zero or more; found {text_of(number)}")
    return number


declare(
    read_drawn,
    _number_schema(
        "A sum of zero or more",
        rf"-0{{1,24}}(?:\.0{{1,6}})?|{_UNSIGNED_SUM}",
        minimum=0,
        exclusiveMaximum=_SUM_LIMIT,
    ),
    name="drawn",
)


def read_non_negative(value: Number) -> Decimal:
    """Read a number of zero or more, within the limits of `read_decimal`."""
    number = read_decimal(value)
    if number.is_signed():
        raise InvalidValueError("", "out_of_range", f"must be zero or more; found {text_of(number)}")
    return number


declare(
    read_non_negative,
    _number_schema(
        "A number of zero or more",
        rf"-0{{1,15}}(?:\.0{{1,6}})?|{_UNSIGNED_DECIMAL}",
        minimum=0,
        exclusiveMaximum=NUMBER_LIMIT,
    ),
    name="non_negative",
)


def read_positive(value: Number) -> Decimal:
    """Read a number of more than zero, within the limits of `read_decimal`."""
    number = read_decimal(value)
    if number.is_signed() or not number:
        raise InvalidValueError("", "out_of_range", f"must be more than zero; found {text_of(number)}")
    return number


declare(
    read_positive,
    _number_schema(
        "A number of more than zero",
        f"(?=.*[1-9]){_UNSIGNED_DECIMAL}",
        exclusiveMinimum=0,
        exclusiveMaximum=NUMBER_LIMIT,
    ),
    name="positive",
)


def read_whole(value: int, least: int, most: int) -> int:
    """Read a whole number from `least` to `most`; booleans and texts are refused."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValueError("", "not_a_whole_number", f"expected a whole number, found {_shown(value)}")
    if not least <= value <= most:
        raise InvalidValueError("", "out_of_range", f"expected {least:,} to {most:,}, found {describe(value)}")
    return value


def read_count(value: int) -> int:
    """Read a count: a whole number of zero or more, of at most 15 digits."""
    return read_whole(value, 0, NUMBER_LIMIT - 1)


declare(read_count, whole_number_schema(0, NUMBER_LIMIT - 1))


def _read(value: object, grammar: re.Pattern[str], limit: int, digits: str) -> Decimal:
    if isinstance(value, str):
        value = plain_text(value)
        if len(value) > 32 or grammar.fullmatch(value) is None:
            raise InvalidValueError(
                "",
                "not_a_decimal",
                f'expected a decimal of at most {digits} such as "10.5", found {_shown(value)}{_advice(value)}',
            )
        return _unsigned_zero(Decimal(value))
    if isinstance(value, bool):
        raise InvalidValueError("", "not_a_decimal", f'expected a decimal such as "10.5", found {describe(value)}')
    if isinstance(value, int):
        if not -limit < value < limit:
            raise InvalidValueError("", "out_of_range", f"expected at most {digits}, found {describe(value)}")
        return Decimal(value)
    if isinstance(value, Decimal):
        return _unsigned_zero(_within(plain_decimal(value), limit, digits))
    if isinstance(value, float):
        raise InvalidValueError(
            "", "float", f'a float is not exact: write it as a text such as "10.5"; found {describe(value)}'
        )
    raise InvalidValueError("", "not_a_decimal", f'expected a decimal such as "10.5", found {_shown(value)}')


_SIGNED_PERCENTAGE = re.compile(r"(-?[0-9]{1,15}(?:\.[0-9]{1,6})?) ?%")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2},[0-9]{3}")
_WITH_COMMAS = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3}){2,4}(?:\.[0-9]{1,6})?|-?[1-9][0-9]{0,2},[0-9]{3}\.[0-9]{1,6}")
_WITH_A_COMMA = re.compile(r"-?[0-9]{1,15},[0-9]{1,6}")


def _advice(text: str) -> str:
    """Return how to write a number that people often write in another way; empty if it is none of those."""
    if len(text) > 32:
        return ""
    if found := _SIGNED_PERCENTAGE.fullmatch(text):
        return f'; a percentage has no sign: write "{found[1]}"'
    if _THOUSANDS.fullmatch(text):
        return f'; write "{text.replace(",", "")}" for thousands, or "{text.replace(",", ".")}" for a fraction'
    if _WITH_COMMAS.fullmatch(text):
        return f'; a number has no commas: write "{text.replace(",", "")}"'
    if _WITH_A_COMMA.fullmatch(text):
        return f'; a fraction has a point: write "{text.replace(",", ".")}"'
    return ""


def _within(value: Decimal, limit: int, digits: str) -> Decimal:
    if not value.is_finite():
        kind = "NaN" if value.is_nan() else "infinity"
        raise InvalidValueError("", "not_finite", f"expected a decimal, found {kind}")
    # `adjusted` is the place of the first digit. Quantizing a number of unlimited size could take forever.
    if value and not -12 <= value.adjusted() < _INTEGER_DIGITS[limit]:
        raise InvalidValueError("", "out_of_range", f"expected at most {digits}")
    try:
        _EXACT.quantize(value, _LAST_PLACE[limit])
    except decimal.DecimalException:
        raise InvalidValueError("", "out_of_range", f"expected at most {digits}") from None
    return value


def _unsigned_zero(value: Decimal) -> Decimal:
    return value if value else Decimal(0)


def micros(value: Decimal) -> int:
    """Convert a number that `read_decimal` or `read_sum` accepts to whole millionths."""
    return int(_SCALED(value, _SIX))


def each_in_micros(values: Iterable[Decimal | None]) -> list[int]:
    """Convert several numbers to whole millionths; none of them may be None."""
    return [int(_SCALED(value, _SIX)) for value in values]  # type: ignore[arg-type]


def rate_units(rate: Decimal) -> int:
    """Convert an exchange rate that `read_rate` accepts to whole units of 10⁻¹²."""
    return int(_SCALED(rate, _TWELVE))


def decimal_of(value: int) -> Decimal:
    """Convert millionths to a Decimal without trailing zeros; from one upward it has no exponent."""
    return Decimal(micros_text(value)) if value % MICRO else Decimal(value // MICRO)


def whole_decimals(values: Iterable[int], most: int) -> Iterator[Decimal]:
    """Yield whole numbers from zero to `most` as Decimals; small ones come from a table."""
    return map(_WHOLE.__getitem__ if most < len(_WHOLE) else Decimal, values)


def micros_text(value: int) -> str:
    """Write millionths as canonical text: no exponent, no trailing zeros. Source: documents (evaluation)."""
    return _canonical(value, 6)


def text_of(value: Decimal) -> str:
    """Write a number or an exchange rate as canonical text: `101.5`, `100`, `0.1`."""
    whole = int(value)  # exact, and independent of the context
    return str(whole) if whole == value else _canonical(rate_units(value), 12)


declare(
    text_of,
    text_schema("A number as it is written: without exponent and trailing zeros.", r"-?[0-9]+(?:\.[0-9]*[1-9])?"),
    name="amount",
)


def _canonical(value: int, places: int) -> str:
    sign = "-" if value < 0 else ""
    whole, fraction = divmod(abs(value), 10**places)
    return f"{sign}{whole}.{fraction:0{places}}".rstrip("0") if fraction else f"{sign}{whole}"


def ratio_text(value: Ratio) -> str:
    """Write a ratio as canonical text, to the last digit; its denominator must be a power of ten."""
    numerator, denominator = value
    places = len(str(denominator)) - 1
    return _canonical(numerator, places)


def number_in(value: object) -> int | None:
    """Return the number in a free-form value as millionths, or None if the value is not a number.

    A number is an integer, a decimal text, or a Decimal from the text of a JSON or TOML document. Booleans are not
    numbers. Floats are not either, since the decimal that was meant is unknown. Source: semantics 3 and 7, documents
    (scalars).
    """
    if isinstance(value, str):
        return micros(Decimal(value)) if len(value) <= 32 and _DECIMAL.fullmatch(value) else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value * MICRO if -NUMBER_LIMIT < value < NUMBER_LIMIT else None
    return micros(value) if isinstance(value, Decimal) else None


def unread(text: str) -> Decimal | UnreadNumber:
    """Convert a number of a JSON or TOML text exactly, or keep it as written if it is outside the limits."""
    if len(text) <= 32 and (_DECIMAL.fullmatch(text) or _RATE.fullmatch(text)):
        return Decimal(text)
    return UnreadNumber(text)


def _shown(value: object) -> str:
    if isinstance(value, UnreadNumber):
        return f"the number {value.text[:40]}" + ("…" if len(value.text) > 40 else "")
    return describe(value)
