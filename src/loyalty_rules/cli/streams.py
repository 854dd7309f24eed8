"""Standard input as bytes, standard output and error as lines."""

import io
import sys
from collections.abc import Iterable
from typing import BinaryIO

__all__ = ["STDIN", "STDOUT", "complain", "say", "standard_input"]

STDIN = STDOUT = "-"


def standard_input() -> BinaryIO:
    """Give standard input as bytes; where a host has put a text stream there, the text in UTF-8."""
    buffer: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    return buffer if buffer is not None else io.BytesIO(sys.stdin.read().encode())


def say(text: str) -> None:
    """Print a text on standard output; a character that its encoding does not have is escaped."""
    try:
        print(text)
    except UnicodeEncodeError:
        print(text.encode("ascii", "backslashreplace").decode())


def complain(lines: Iterable[str]) -> None:
    """Print each complaint on standard error, on one line whatever it quotes."""
    for line in lines:
        print(" ".join(line.splitlines()), file=sys.stderr)
