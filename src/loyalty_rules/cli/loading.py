"""Loading of the documents and keys that a command names; problems are collected and reported together."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import attrs

from loyalty_rules.cli.places import Places
from loyalty_rules.cli.streams import STDIN, standard_input
from loyalty_rules.documents.sources import MAX_BYTES, Source
from loyalty_rules.errors import DocumentError, MissingSerialsError
from loyalty_rules.events import Event, Snapshot
from loyalty_rules.loading import load_event, load_program, load_snapshot
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials, InvalidKeyError

__all__ = ["Loading", "missing_key", "source_of"]

T = TypeVar("T")

_MAX_KEY_BYTES = 64 * 1024


@attrs.define
class Loading:
    """A collector of problems: each method returns None for an unusable input, and adds to `complaints`."""

    complaints: list[str] = attrs.field(factory=list)

    def program(self, name: str) -> Program | None:
        """Load the program of a file."""
        return self.document(name, Path(name), load_program)

    def event(self, name: str) -> Event | None:
        """Load the event of a file, or of standard input."""
        return self.document(name, source_of(name), load_event)

    def snapshot(self, name: str | None) -> Snapshot | None:
        """Load the snapshot of a file, or of standard input, if one is named."""
        return self.document(name, source_of(name), load_snapshot) if name is not None else None

    def serials(self, key_file: str | None) -> DerivedSerials | None:
        """Build the serial generator from a file that holds the master key, byte for byte."""
        if key_file is None:
            return None
        try:
            with Path(key_file).open("rb") as file:
                master = file.read(_MAX_KEY_BYTES + 1)
            if len(master) > _MAX_KEY_BYTES:
                self.complaints.append(f"{key_file}: expected a key of at most {_MAX_KEY_BYTES:,} bytes")
                return None
            if master and not any(master):
                self.complaints.append(f"{key_file}: zeros are no key: expected random bytes")
                return None
            return DerivedSerials.from_master(master)
        except OSError as error:
            self.complaints.append(f"{key_file}: can't be read: {error.strerror}")
        except InvalidKeyError as error:
            self.complaints.append(f"{key_file}: {error.problem}")
        return None

    def document(self, name: str, source: Source, load: Callable[[Source], T]) -> T | None:
        """Load a document; `name` stands for it in complaints."""
        try:
            return load(source)
        except DocumentError as error:
            places = Places(name, source)
            self.complaints += [
                f"{places.of(problem.path)}: {problem.message} [{problem.code}]" for problem in error.problems
            ]
        return None


def source_of(name: str) -> Source:
    """Return the source of a named document: the text of standard input, or a path."""
    return standard_input().read(MAX_BYTES + 1) if name == STDIN else Path(name)


def missing_key(error: MissingSerialsError) -> str:
    """Return the complaint that a program's coupons need --key-file."""
    return (
        f"each coupon of type {error.coupon_type!r} has a serial of its own, derived from a secret key: "
        "give --key-file FILE, a file of at least 32 random bytes"
    )
