"""Files of lines: plain or gzip, or standard input, each line bounded in length."""

import contextlib
import gzip
import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

from loyalty_rules.cli.streams import STDIN, standard_input
from loyalty_rules.documents.sources import MAX_BYTES

__all__ = ["open_lines", "shown"]

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 16


@contextlib.contextmanager
def open_lines(name: str, advance: Callable[[int], object]) -> Iterator[Iterator[bytes]]:
    """Open a file, or standard input for `-`, and yield its lines; `advance` is called with the bytes read.

    Gzip is detected by its first bytes. A line longer than a document may be is cut off.
    """
    with _opened(name) as file:
        yield _lines(_unpacked(file, advance))


def shown(name: str) -> str:
    """Return the name of a file for a complaint."""
    return "<stdin>" if name == STDIN else name


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; of one that is longer than a document may be, only its beginning."""
    while line := file.readline(MAX_BYTES + 1):
        yield line
        while len(line) > MAX_BYTES and not line.endswith(b"\n"):  # the rest is dropped: gzip can unpack to any size
            line = file.readline(MAX_BYTES + 1)


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
