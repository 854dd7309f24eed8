"""The output of intents: one JSON document a line, on standard output or into a file."""

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from loyalty_rules.cli.streams import STDOUT
from loyalty_rules.intents import Intent
from loyalty_rules.loading import dump

__all__ = ["intent_output", "write_intents"]

_compact = json.JSONEncoder(separators=(",", ":")).encode


@contextlib.contextmanager
def intent_output(name: str) -> Iterator[TextIO]:
    """Yield standard output if the name is `-`, else the file of that name, which is written anew."""
    if name == STDOUT:
        yield sys.stdout
        return
    with open(name, "w", encoding="ascii", newline="\n", opener=_open_privately) as file:
        yield file


def _open_privately(name: str, flags: int) -> int:
    """Open a file that others cannot read if it is new: the intents have addresses and serials."""
    return os.open(name, flags, 0o600)


def write_intents(output: TextIO, intents: Iterable[Intent]) -> None:
    """Write intents as lines."""
    output.writelines(f"{_compact(dump(intent))}\n" for intent in intents)
