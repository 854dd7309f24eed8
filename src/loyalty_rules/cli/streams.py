"""Standard input as bytes, standard output and error as lines."""

import io
import sys
from collections.abc import Iterable
from typing import BinaryIO

__all__ = ["STDIN", "STDOUT", "complain", "print_text", "standard_input"]

STDIN = STDOUT = "-"


def standard_input() -> BinaryIO:
    """Return standard input as bytes; a text stream that a host has put there is encoded as UTF-8."""
    buffer: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    return buffer if buffer is not None else io.BytesIO(sys.stdin.read().encode())


def print_text(text: str) -> None:
    """Print a text on standard output; characters outside its encoding are escaped."""
    try:
        print(text)
    except UnicodeEncodeError:
        print(text.encode("ascii", "backslashreplace").decode())


def complain(lines: Iterable[str]) -> None:
    """Print each complaint on standard error, as one line each; characters that a terminal would obey are escaped."""
    for line in lines:
        print("".join(map(_printable, " ".join(line.splitlines()))), file=sys.stderr)


def _printable(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]
