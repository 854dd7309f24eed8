"""What a command is given, loaded; whatever is wrong with any of it is kept and told together."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import attrs

from loyalty_rules.cli.streams import STDIN, standard_input
from loyalty_rules.documents.sources import Source
from loyalty_rules.errors import DocumentError
from loyalty_rules.events import Event, Snapshot
from loyalty_rules.loading import load_event, load_program, load_snapshot
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials, InvalidKeyError

__all__ = ["Loading", "source_of"]

T = TypeVar("T")


@attrs.define
class Loading:
    """Loads documents and keys; what can't be loaded is None, and why is in `complaints`."""

    complaints: list[str] = attrs.field(factory=list)

    def program(self, name: str) -> Program | None:
        return self.document(name, Path(name), load_program)

    def event(self, name: str) -> Event | None:
        return self.document(name, source_of(name), load_event)

    def snapshot(self, name: str | None) -> Snapshot | None:
        return self.document(name, source_of(name), load_snapshot) if name is not None else None

    def serials(self, key_file: str | None) -> DerivedSerials | None:
        """Make the generator of serials from a file that holds the master key, byte for byte."""
        if key_file is None:
            return None
        try:
            return DerivedSerials.from_master(Path(key_file).read_bytes())
        except OSError as error:
            self.complaints.append(f"{key_file}: can't be read: {error.strerror}")
        except InvalidKeyError as error:
            self.complaints.append(f"{key_file}: {error.problem}")
        return None

    def document(self, name: str, source: Source, load: Callable[[Source], T]) -> T | None:
        """Load what is named `name` in complaints."""
        try:
            return load(source)
        except DocumentError as error:
            self.complaints += [f"{name}: {problem}" for problem in error.problems]
        return None


def source_of(name: str) -> Source:
    """Give where a named document is: standard input, or a file."""
    return standard_input().read() if name == STDIN else Path(name)
