"""Receipts from files: events as JSON lines, plain or gzip, with a complaint for each malformed line."""

import contextlib
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any, BinaryIO, cast

import attrs

from loyalty_rules.cli.streams import STDIN, complain, standard_input
from loyalty_rules.documents.sources import MAX_BYTES
from loyalty_rules.errors import DocumentError
from loyalty_rules.events import Event
from loyalty_rules.loading import load_event

__all__ = ["Receipts", "read_receipts", "total_bytes"]

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 16


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
            complain([f"{_shown(name)}: can't be read: {reason}"])
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
    with _opened(name) as file:
        for number, line in enumerate(_lines(_unpacked(file, advance)), 1):
            if line.isspace():
                continue
            try:
                receipts.events.append(load_event(line))
            except DocumentError as error:
                receipts.malformed += 1
                complain(f"{_shown(name)}:{number}: {problem}" for problem in error.problems)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; of one that is longer than a document may be, only its beginning."""
    while line := file.readline(MAX_BYTES + 1):
        yield line
        while len(line) > MAX_BYTES and not line.endswith(b"\n"):  # the rest is dropped: gzip can unpack to any size
            line = file.readline(MAX_BYTES + 1)


def _shown(name: str) -> str:
    return "<stdin>" if name == STDIN else name


@contextlib.contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == STDIN:
        yield standard_input()
        return
    with open(name, "rb") as file:
        yield file


def _unpacked(file: BinaryIO, advance: Callable[[int], object]) -> BinaryIO:
    head = file.read(len(_GZIP))
    whole = io.BufferedReader(_Rejoined(head, file, advance), _CHUNK)
    # GzipFile has every method used here, but the type checker does not see it as a BinaryIO.
    return cast(BinaryIO, gzip.GzipFile(fileobj=whole)) if head == _GZIP else whole


class _Rejoined(io.RawIOBase):
    """A stream with its first bytes put back: they were read to detect gzip, and a pipe cannot seek."""

    def __init__(self, head: bytes, rest: BinaryIO, advance: Callable[[int], object]) -> None:
        super().__init__()
        self._head = head
        self._rest = rest
        self._advance = advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head or self._rest.read(len(buffer))
        self._head = b""
        buffer[: len(data)] = data
        self._advance(len(data))
        return len(data)
