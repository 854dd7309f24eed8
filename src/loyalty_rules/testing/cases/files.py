"""Files of cases: each holds a list of cases."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import attrs

from loyalty_rules.errors import DocumentError, InvalidValueError, Problem
from loyalty_rules.serials import DerivedSerials, SerialRequest

__all__ = ["Case", "PrintedSerials", "load_cases"]

_TEST_KEY = bytes(range(32))


class PrintedSerials:
    """Serials that a host has printed, given out in the order of the coupons and found in any spelling."""

    def __init__(self, serials: Sequence[str]) -> None:
        self._serials = serials
        self._given: dict[SerialRequest, str] = {}

    def serial(self, request: SerialRequest) -> str:
        """Return the next printed serial; the same request gets the same one again."""
        return self._given.setdefault(request, self._serials[len(self._given) % len(self._serials)])

    def serial_under(self, key_id: str, request: SerialRequest) -> str:  # noqa: ARG002  (printed serials have no keys)
        """Return the serial of a request."""
        return self.serial(request)

    def fingerprint(self, serial: str) -> bytes | None:
        """Return the folded form of a printed serial, and None for any other text."""
        folded = _folded(serial)
        return folded.encode() if folded in map(_folded, self._serials) else None


def _folded(text: str) -> str:
    kept = (each for each in unicodedata.normalize("NFC", text).casefold() if not each.isspace() and each != "-")
    return "".join(kept)


@attrs.frozen
class Case:
    """One case: its name, the calculation behind its numbers, its programs by name, its steps and the end."""

    name: str
    why: str
    programs: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    end: Mapping[str, Any]
    pool: Sequence[str] | None = None

    def __str__(self) -> str:
        return self.name

    def serials(self) -> Any:
        """Return new serials for one replay: the printed ones of the case, else those of a fixed test key."""
        return PrintedSerials(self.pool) if self.pool is not None else DerivedSerials.from_master(_TEST_KEY)


def load_cases(path: str | PathLike[str]) -> list[Case]:
    """Read the cases of a JSON file, or of all in a folder. Raises `DocumentError` for a case without its parts."""
    found = Path(path)
    files = sorted(found.glob("*.json")) if found.is_dir() else [found]
    cases = [case for file in files for case in _cases_of(file)]
    names = [case.name for case in cases]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidValueError("name", "duplicate_id", f"several cases have the name {', '.join(repeated)}")
    return cases


def _cases_of(file: Path) -> list[Case]:
    documents = json.loads(file.read_text(encoding="utf-8"))
    problems = [
        Problem(f"$[{place}].{key}", "required", "is missing; a case has a name, a why and steps")
        for place, document in enumerate(documents)
        for key in ("name", "why", "steps")
        if key not in document
    ]
    problems += [
        Problem(f"$[{place}].program", "required", "is missing; a case has a program, or several by name")
        for place, document in enumerate(documents)
        if not document.get("program") and not document.get("programs")
    ]
    if problems:
        raise DocumentError(problems, f"file {file.name}")
    return [
        Case(
            each["name"],
            each["why"],
            each.get("programs") or {"program": each["program"]},
            each["steps"],
            each.get("finally", {}),
            each.get("serials", {}).get("pool"),
        )
        for each in documents
    ]
