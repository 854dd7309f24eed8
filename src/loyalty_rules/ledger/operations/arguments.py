"""Arguments of calls, read like those of events; an error names the argument."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.events import Event
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.identifiers import read_name

__all__ = ["read_argument", "read_program_id", "read_serials", "recording_instant"]

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


def read_program_id(program: Program | str, currency: str | None = None) -> str:
    """Return the id of a program that is given whole or by its id.

    A whole program must have the currency: a misspelt one would otherwise have a balance of 0. Raises
    `InvalidValueError`.
    """
    if not isinstance(program, Program):
        return read_argument(read_name, "program", program)
    known = [each.id for each in program.currencies]
    if currency is not None and currency not in known:
        expected = ", ".join(known) or "none"
        raise InvalidValueError(
            "currency",
            "unknown_reference",
            f"expected a currency of the program: {expected}; found {describe(currency)}",
        )
    return program.id
