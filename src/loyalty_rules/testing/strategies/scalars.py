"""Numbers, ids and times as a person writes them; the simplest come first, so that examples shrink towards them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from loyalty_rules.values.amounts import MICRO, Number, micros, micros_text, read_decimal

__all__ = ["Document", "amounts", "counts", "days", "instants", "objects", "periods"]

Document: TypeAlias = dict[str, Any]
"""A JSON-shaped document without defaults, for `load_program` and `load_event`."""

FIRST_DAY = date(2025, 1, 1)
# Noon first; then the edges of a day.
TIMES = ("12:00:00", "00:00:00", "23:59:59", "08:30:00", "18:00:00")


@cache
def amounts(least: Number = 0, most: Number = 1000, places: int = 2) -> st.SearchStrategy[str]:
    """Draw amounts from `least` to `most` as text, with at most `places` (0 to 6) decimals; whole ones are simpler."""
    low, high = micros(read_decimal(least)), micros(read_decimal(most))
    whole = st.integers(-(-low // MICRO), high // MICRO).map(str)
    if places == 0:
        return whole
    unit = 10 ** (6 - places)
    fine = st.integers(-(-low // unit), high // unit).map(lambda units: micros_text(units * unit))
    return whole | fine if -(-low // MICRO) <= high // MICRO else fine


@cache
def counts(least: int = 1, most: int = 5) -> st.SearchStrategy[str]:
    """Draw quantities of whole pieces, as text."""
    return st.integers(least, most).map(str)


def days(first: date = FIRST_DAY, most: int = 365) -> st.SearchStrategy[date]:
    """Draw one of the `most` dates from `first`; the earliest is the simplest."""
    return st.integers(0, most - 1).map(lambda later: first + timedelta(days=later))


@st.composite
def instants(
    draw: st.DrawFn, first: date = FIRST_DAY, most: int = 365, zone: str = "UTC", times: tuple[str, ...] = TIMES
) -> str:
    """Draw instants as text with the offset of `zone`, on one of the `most` days from `first`, at one of `times`."""
    return instant_at(draw(days(first, most)), draw(st.sampled_from(times)), zone)


def instant_at(day: date, time: str, zone: str) -> str:
    """Return the instant of a wall time as text; a time that the clocks skip moves forward."""
    wall = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(zone))
    return wall.astimezone(UTC).astimezone(ZoneInfo(zone)).isoformat().replace("+00:00", "Z")


@cache
def periods(most: int = 400) -> st.SearchStrategy[dict[str, int]]:
    """Draw calendar periods of about `most` days at most."""
    kinds = [st.integers(1, most).map(lambda count: {"days": count})]
    for name, length in (("weeks", 7), ("months", 31), ("years", 366)):
        if most >= length:
            kinds.append(st.integers(1, most // length).map(lambda count, name=name: {name: count}))  # type: ignore[misc]
    return st.one_of(kinds)


def near(number: Decimal) -> list[str]:
    """Return a number, one cent less and one cent more, as texts: the values next to a threshold."""
    value = micros(number)
    return [micros_text(each) for each in (value, value - MICRO // 100, value + MICRO // 100)]


@st.composite
def objects(
    draw: st.DrawFn,
    required: Mapping[str, st.SearchStrategy[Any]],
    optional: Mapping[str, st.SearchStrategy[Any]],
    *,
    percent: int = 50,
) -> Document:
    """Draw objects with the required keys, and with each optional key in `percent` of the cases; absent is simpler."""
    document = {key: draw(strategy) for key, strategy in required.items()}
    for key, strategy in optional.items():
        if draw(_CHANCES) >= 100 - percent:
            document[key] = draw(strategy)
    return document


_CHANCES = st.integers(0, 99)
