"""The option --as-of: an instant, or a date, which means the end of that day in each program's zone."""

import argparse
from datetime import date, datetime, timedelta
from typing import TypeAlias

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.program import Program
from loyalty_rules.values.dates import date_in, read_event_instant

__all__ = ["AsOf", "add_as_of", "instant_of", "read_as_of"]

AsOf: TypeAlias = datetime | date
"""An instant, or a day that counts as a whole."""

_MOMENT = timedelta(microseconds=1)


def add_as_of(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option --as-of; `what` names the answer that it is about."""
    parser.add_argument(
        "--as-of",
        metavar="INSTANT",
        type=read_as_of,
        help=f"the instant of the {what}, or a date, which counts as a whole; default: the latest recorded",
    )


def read_as_of(text: str) -> AsOf:
    """Read an instant with an offset or a date, for argparse."""
    day = date_in(text)
    if day is not None:
        return day
    try:
        return read_event_instant(text)
    except InvalidValueError:
        raise argparse.ArgumentTypeError(
            f"expected an instant such as 2025-01-31T18:00:00Z, or a date such as 2025-01-31; found {text[:60]!a}"
        ) from None


def instant_of(program: Program, as_of: AsOf) -> datetime:
    """Return the instant: of a date the last moment of that day in the program's zone."""
    return as_of if isinstance(as_of, datetime) else program.plan.end_of(as_of) - _MOMENT
