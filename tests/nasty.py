"""Hostile values, which every reader must refuse or read safely."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any


class RaisingZone(dt.tzinfo):
    """A zone that raises an error for its offset."""

    def utcoffset(self, _when: dt.datetime | None) -> dt.timedelta:
        raise RuntimeError("no offset today")


class HugeZone(dt.tzinfo):
    """A zone with an offset of more than a day, which a datetime refuses."""

    def utcoffset(self, _when: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(days=5)


class OffsetlessZone(dt.tzinfo):
    """A zone that has no offset: a datetime in it is naive."""

    def utcoffset(self, _when: dt.datetime | None) -> None:
        return None


class Instant(dt.datetime):
    """A subclass of datetime, as a host may have."""


class Text(str):
    """A subclass of str, as a host may have."""

    __slots__ = ()


class Unprintable:
    """A value whose representation raises an error."""

    def __repr__(self) -> str:
        raise RuntimeError("not to be shown")

    __str__ = __repr__


class Anything:
    """A value that pretends to have every attribute."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def nested(depth: int, wrap: Callable[[Any], Any], inside: Any) -> Any:
    value = inside
    for _ in range(depth):
        value = wrap(value)
    return value


def cyclic_object() -> dict:
    value: dict = {}
    value["self"] = value
    return value


def cyclic_list() -> list:
    value: list = []
    value.append(value)
    return value


def cyclic_condition() -> dict:
    value: dict = {"all": []}
    value["all"].append(value)
    return value


UTC = dt.UTC


def _given(value: Any) -> Any:
    return value


NASTY: dict[str, Callable[[], Any]] = {
    name: partial(_given, value)
    for name, value in {
        "None": None,
        "True": True,
        "False": False,
        "0": 0,
        "-1": -1,
        "10**15": 10**15,
        "10**40": 10**40,
        "10**5000": 10**5000,
        "-0.0": -0.0,
        "0.1": 0.1,
        "float nan": float("nan"),
        "float inf": float("inf"),
        "complex": 1j,
        "Fraction": Fraction(1, 3),
        "Decimal NaN": Decimal("NaN"),
        "Decimal sNaN": Decimal("sNaN"),
        "Decimal Infinity": Decimal("-Infinity"),
        "Decimal -0": Decimal("-0"),
        "Decimal 0E+1000000": Decimal("0E+1000000"),
        "Decimal 1E+20": Decimal("1E+20"),
        "Decimal 1E-7": Decimal("1E-7"),
        "Decimal of 5,000 digits": Decimal("1" * 5000),
        "Decimal of 5,000 zeros": Decimal("1." + "0" * 5000),
        "empty text": "",
        "space": " ",
        "NUL": "\0",
        "new line": "a\nb",
        "lone surrogate": "\ud800",
        "right-to-left": "\u202eabc",
        "emoji": "🎁",
        "long text": "x" * 20_000,
        "long non-ASCII text": "ü" * 20_000,
        "text of a host": Text("5"),
        "NaN text": "NaN",
        "1E+1000000 text": "1E+1000000",
        "1_000 text": "1_000",
        "+1 text": "+1",
        "Arabic digits": "١٢",
        "full-width digits": "１２",
        "date text": "2025-02-30",
        "naive text": "2025-01-15T10:00:00",
        "year 0": "0000-01-01T00:00:00Z",
        "year 1": "0001-01-01T00:00:00+14:00",
        "year 9999": "9999-12-31T23:59:59-14:00",
        "leap second": "2016-12-31T23:59:60Z",
        "offset of a day": "2025-01-15T10:00:00+24:00",
        "bytes": b"5",
        "bytes that are no UTF-8": b"\xff\xfe",
        "bytearray": bytearray(b"{}"),
        "empty object": {},
        "empty list": [],
        "tuple": (1, "a"),
        "list of lists": [[[]]],
        "object with odd keys": {1: 2, None: 3, ("a",): 4},
        "object with a lone surrogate": {"\ud800": "\ud800"},
        "object with a long key": {"k" * 20_000: 1},
        "object of an unknown type": {"type": "nonsense"},
        "object whose type is a list": {"type": ["a"]},
        "set": {1, 2},
        "frozenset": frozenset("a"),
        "naive datetime": dt.datetime(2025, 1, 15),
        "datetime of a raising zone": dt.datetime(2025, 1, 15, tzinfo=RaisingZone()),
        "datetime of a huge zone": dt.datetime(2025, 1, 15, tzinfo=HugeZone()),
        "datetime without an offset": dt.datetime(2025, 1, 15, tzinfo=OffsetlessZone()),
        "datetime of a host": Instant(2025, 1, 15, tzinfo=UTC),
        "first datetime": dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5, seconds=1))),
        "last datetime": dt.datetime.max.replace(tzinfo=dt.timezone(-dt.timedelta(hours=23, minutes=59))),
        "date": dt.date(2025, 1, 15),
        "first date": dt.date.min,
        "last date": dt.date.max,
        "time": dt.time(10),
        "timedelta": dt.timedelta(1),
        "class": dt.datetime,
        "function": len,
        "object": object(),
        "something unprintable": Unprintable(),
        "something with any attribute": Anything(),
        "Ellipsis": ...,
        "range": range(5),
        "deep object": nested(500, lambda value: {"a": value}, 1),
        "deep list": nested(500, lambda value: [value], 1),
        "deep condition": nested(500, lambda value: {"not": value}, {"field": "store", "is": "S1"}),
        "wide condition": {"any": [{"field": "store", "is": "S1"}] * 500},
        "cyclic object": cyclic_object(),
        "cyclic list": cyclic_list(),
        "cyclic condition": cyclic_condition(),
    }.items()
}
NASTY["generator"] = lambda: (each for each in "ab")
