"""Receipts from files: events as JSON lines, plain or gzip, with a complaint for each malformed line."""

import os
import zlib
from collections.abc import Callable, Iterable
from operator import attrgetter

import attrs

from loyalty_rules.cli.line_files import open_lines, shown
from loyalty_rules.cli.streams import complain
from loyalty_rules.errors import DocumentError
from loyalty_rules.events import Event
from loyalty_rules.loading import load_event

__all__ = ["Receipts", "read_receipts", "total_bytes"]


@attrs.define
class Receipts:
    """The events of files in order of time, the number of malformed lines, and of unreadable files."""

    events: list[Event] = attrs.field(factory=list)
    malformed: int = 0
    unreadable: int = 0


def read_receipts(names: Iterable[str], advance: Callable[[int], object]) -> Receipts:
    """Read the events of all files and sort them by time; events of one instant keep their order.

    Complaints go to standard error at once; `advance` is called with the number of bytes read.
    """
    receipts = Receipts()
    for name in names:
        try:
            _read_file(name, receipts, advance)
        except (OSError, EOFError, zlib.error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            complain([f"{shown(name)}: can't be read: {reason}"])
            receipts.unreadable += 1
    receipts.events.sort(key=attrgetter("occurred_at"))
    return receipts


def total_bytes(names: Iterable[str]) -> int | None:
    """Return the number of bytes to read; None if it is unknown, as for standard input or a pipe."""
    try:
        return sum(os.stat(name).st_size for name in names) or None
    except OSError:
        return None


def _read_file(name: str, receipts: Receipts, advance: Callable[[int], object]) -> None:
    with open_lines(name, advance) as lines:
        for number, line in enumerate(lines, 1):
            if line.isspace():
                continue
            try:
                receipts.events.append(load_event(line))
            except DocumentError as error:
                receipts.malformed += 1
                complain(f"{shown(name)}:{number}: {problem}" for problem in error.problems)
