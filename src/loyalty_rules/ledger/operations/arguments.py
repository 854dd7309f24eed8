"""Arguments of calls, read like those of events; an error names the argument."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.events import Event
from loyalty_rules.serials import SerialGenerator

__all__ = ["read_argument", "read_serials", "recording_instant"]

T = TypeVar("T")


def read_argument(read: Callable[[Any], T], name: str, value: Any) -> T:
    """Read an argument; an `InvalidValueError` names the argument."""
    try:
        return read(value)
    except InvalidValueError as error:
        raise error.under(name) from None


def read_serials(value: SerialGenerator) -> SerialGenerator:
    """Read a generator of serials: an object with the method `serial`."""
    if not callable(getattr(value, "serial", None)):
        raise InvalidValueError("", "wrong_type", f"expected a generator of serials, found {describe(value)}")
    return value


def recording_instant(event: Event, at: datetime | None) -> datetime:
    """Return the instant of the record: the event's own if `at` is None."""
    return at if at is not None else event.occurred_at
