"""Arguments of calls, read like those of events; an error names the argument."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, get_args

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.events import Event
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.identifiers import read_name

__all__ = [
    "read_account",
    "read_argument",
    "read_instance",
    "read_program",
    "read_program_id",
    "read_serials",
    "recording_instant",
]

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


def read_instance(cls: type[T], name: str, value: Any) -> T:
    """Read an argument that is an object of the library. Raises `InvalidValueError`, which names the argument."""
    if isinstance(value, cls):
        return value
    raise InvalidValueError(name, "wrong_type", f"expected {cls.__name__}, found {describe(value)}")


def read_program(value: Program) -> Program:
    """Read a whole program. Raises `InvalidValueError`."""
    return read_instance(Program, "program", value)


def read_account(value: Account) -> Account:
    """Read an account. Raises `InvalidValueError`."""
    return read_instance(Account, "account", value)


def recording_instant(event: Event, at: datetime | None) -> datetime:
    """Return the instant of the record: the event's own if `at` is None. Raises `InvalidValueError`."""
    if not isinstance(event, get_args(Event)):
        raise InvalidValueError("event", "wrong_type", f"expected an event, found {describe(event)}: see load_event")
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
