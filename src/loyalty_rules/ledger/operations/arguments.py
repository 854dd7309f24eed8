"""Arguments of calls that are not values: read like those of events, with errors that name them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Event
from loyalty_rules.values.dates import read_instant

__all__ = ["read_argument", "recording_instant"]

T = TypeVar("T")


def read_argument(read: Callable[[Any], T], name: str, value: Any) -> T:
    """Read an argument; an `InvalidValueError` names the argument."""
    try:
        return read(value)
    except InvalidValueError as error:
        raise error.under(name) from None


def recording_instant(event: Event, at: datetime | None) -> datetime:
    """Return the instant of the record: the event's own, unless the host passes another."""
    return read_argument(read_instant, "recorded_at", at) if at is not None else event.occurred_at
