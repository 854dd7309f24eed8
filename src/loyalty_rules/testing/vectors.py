"""Vectors: worked cases as data, each a program, an event, and the expected intents.

A file is a JSON list of objects with the keys

| key | value |
|---|---|
| `name` | a name of the case, unique in its file |
| `program`, `event`, `snapshot` | documents; the snapshot is optional |
| `expect` | `intents`, `skipped` or both: exactly so many, in this order, each with at least the keys given |
| `then` | later events of the sale, each `{"event": …, "expect": …}` with `intents`, `refusal` or both; optional |
| `source` | the section or the page that the case comes from; optional |
| `why` | the calculation of the expected values, in words; optional |

Only the given keys are compared. An empty list of `intents` means that no intent may follow. `then` records the sale
in a ledger in memory and processes each later event there; a `refusal` is its list of reasons. Source: documents
(evaluation).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any

from loyalty_rules.documents.sources import read_json
from loyalty_rules.errors import DocumentError, LoyaltyError, Problem, describe
from loyalty_rules.keys import action_key
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.loading import dump, load_event, load_program, load_snapshot
from loyalty_rules.program import Evaluation
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.testing.named_serials import NamedSerials
from loyalty_rules.values.amounts import text_of

__all__ = ["Vector", "check", "load_vectors", "make_vector"]

_KEYS = ("name", "source", "why", "program", "event", "snapshot", "expect", "then")
_PARTS = ("intents", "skipped")
_LATER_PARTS = ("intents", "refusal")


@dataclass(frozen=True)
class Vector:
    """One worked case: the input documents, and the expected intents and skipped actions."""

    name: str
    program: Mapping[str, Any]
    event: Mapping[str, Any]
    expect: Mapping[str, Sequence[Mapping[str, Any]]]
    snapshot: Mapping[str, Any] | None = None
    source: str | None = None
    why: str | None = None
    then: Sequence[Mapping[str, Any]] = ()

    def __str__(self) -> str:
        return self.name


def load_vectors(path: str | PathLike[str]) -> list[Vector]:
    """Load the vectors of a file, or of every `.json` file in a folder, in the order of their names.

    Raises `DocumentError` with every problem of the shape of a file, `OSError` if there is no file. `check` validates
    the documents inside, and reports an invalid program as a difference.
    """
    path = Path(path)
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    return [vector for file in files for vector in _vectors_of(file)]


def make_vector(
    name: str, program: Mapping[str, Any], event: Mapping[str, Any], snapshot: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Evaluate documents, and return a vector that expects the current result: whole intents, skipped actions by name.

    The documents stay as they are written; numbers and dates that JSON does not have become texts. Coupons have the
    serials that `check` gives them. The `detail` of a skipped action is left out, since its words may change. Raises
    `DocumentError` for an invalid document, `WrongEventError` for an event that is not evaluated.
    """
    documents = {"program": program, "event": event, **({"snapshot": snapshot} if snapshot is not None else {})}
    vector = Vector(name, **{key: _plain(each) for key, each in documents.items()}, expect={})
    evaluation = dump(_evaluate(vector, NamedSerials()))
    skipped = [{key: each[key] for key in ("promotion", "action", "reason")} for each in evaluation["skipped"]]
    expect = {"intents": evaluation["intents"], "skipped": skipped}
    return {"name": name, **{key: getattr(vector, key) for key in documents}, "expect": expect}


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case Decimal():
            return text_of(value)
        case datetime() | date() | time():
            return value.isoformat()
    return value


def _vectors_of(file: Path) -> list[Vector]:
    cases = read_json(file.read_bytes(), f"file of vectors {file.name}")
    problems = list(_problems_of(cases))
    if problems:
        raise DocumentError(problems, f"file of vectors {file.name}")
    return [Vector(**case) for case in cases]


def check(vector: Vector, *, serials: SerialGenerator | None = None) -> list[str]:
    """Evaluate a vector and return each difference from its expectations as a sentence; an empty list means it passes.

    `serials` makes the serials of serial-managed coupons; the default is `EVENT-PROMOTION-ACTION-ORDINAL`.
    """
    serials = serials if serials is not None else NamedSerials()
    try:
        evaluation = _evaluate(vector, serials)
        later = _process_later(vector, evaluation, serials)
    except LoyaltyError as error:
        return [f"it can't be evaluated: {error}"]
    return [*_all_differences("", vector.expect, dump(evaluation)), *later]


def _all_differences(where: str, expect: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for part, expected in expect.items():
        if part == "refusal":
            if not _same(found[part], expected):
                yield f"{where}refusal: expected {_shown(expected)}, found {_shown(found[part])}"
        else:
            yield from _differences(f"{where}{part}", expected, found[part])


def _process_later(vector: Vector, evaluation: Evaluation, serials: SerialGenerator) -> list[str]:
    """Record the sale in a ledger, process the later events, and return the differences from their expectations."""
    ledger = MemoryLedger(serials)
    if vector.then:
        ledger.record(evaluation)
    differences: list[str] = []
    for index, step in enumerate(vector.then):
        receipt = ledger.process(evaluation.basis.program, load_event(step["event"]))
        found = {
            "intents": [dump(intent) for intent in receipt.intents],
            "refusal": [*receipt.refusal.reasons] if receipt.refusal is not None else [],
        }
        differences += _all_differences(f"then[{index}].", step["expect"], found)
    return differences


def _evaluate(vector: Vector, serials: SerialGenerator) -> Evaluation:
    program = load_program(vector.program)
    snapshot = load_snapshot(vector.snapshot) if vector.snapshot is not None else None
    event: Any = load_event(vector.event)
    return program.evaluate(event, snapshot, serials=serials)


# -- differences -----------------------------------------------------------------------------------------------------


def _differences(
    part: str, expected: Sequence[Mapping[str, Any]], actual: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    if len(expected) != len(actual):
        yield f"{part}: expected {len(expected)}, found {len(actual)}{_listed(actual)}"
    for index, (wanted, entry) in enumerate(zip(expected, actual, strict=False)):
        for key, value in wanted.items():
            if key not in entry:
                yield f"{part}[{index}] ({_name(entry)}): expected {key} {_shown(value)}, found no such key"
            elif not _same(entry[key], value):
                yield (f"{part}[{index}] ({_name(entry)}): expected {key} {_shown(value)}, found {_shown(entry[key])}")


def _same(actual: object, expected: object) -> bool:
    """Return True if two plain values are equal; unlike `==`, `true` differs from 1."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(_same(actual[key], expected[key]) for key in actual)
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(map(_same, actual, expected))
    return isinstance(actual, bool) == isinstance(expected, bool) and actual == expected


def _listed(entries: Sequence[Mapping[str, Any]]) -> str:
    return ": " + ", ".join(_name(entry) for entry in entries) if entries else ""


def _name(entry: Mapping[str, Any]) -> str:
    """Return an intent as its type and key, a skipped action as its reason, promotion and action."""
    if "key" in entry:
        return f"{entry['type']} {entry['key']}"
    return f"{entry['reason']} {action_key(entry['promotion'], entry['action'])}"


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


# -- the shape of a file ---------------------------------------------------------------------------------------------


def _problems_of(cases: object) -> Iterator[Problem]:
    if not isinstance(cases, list):
        yield Problem("$", "not_a_list", f"expected a list of vectors, found {describe(cases)}")
        return
    names: set[str] = set()
    for index, case in enumerate(cases):
        path = f"$[{index}]"
        if not isinstance(case, dict):
            yield Problem(path, "not_an_object", f"expected a vector, found {describe(case)}")
            continue
        yield from _problems_of_case(case, path)
        name = case.get("name")
        if isinstance(name, str):
            if name in names:
                yield Problem(f"{path}.name", "duplicate_id", f"an earlier vector has the name {describe(name)}")
            names.add(name)


def _problems_of_case(case: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for key in case:
        if key not in _KEYS:
            yield Problem(path, "unknown_key", f"a vector has no key {describe(key)}; it has {', '.join(_KEYS)}")
    if not isinstance(case.get("name"), str):
        yield Problem(f"{path}.name", "not_a_text", f"expected a text, found {describe(case.get('name'))}")
    for key in ("program", "event", "expect"):
        if not isinstance(case.get(key), dict):
            yield Problem(f"{path}.{key}", "not_an_object", f"expected an object, found {describe(case.get(key))}")
    expect = case.get("expect")
    if isinstance(expect, dict):
        yield from _problems_of_expect(expect, f"{path}.expect", _PARTS)
    yield from _problems_of_then(case.get("then", []), f"{path}.then")


def _problems_of_then(steps: object, path: str) -> Iterator[Problem]:
    if not isinstance(steps, list):
        yield Problem(path, "not_a_list", f"expected a list of later events, found {describe(steps)}")
        return
    for index, step in enumerate(steps):
        place = f"{path}[{index}]"
        if not isinstance(step, dict) or step.keys() != {"event", "expect"}:
            yield Problem(place, "not_an_object", "expected an object with the keys event and expect")
            continue
        for key in ("event", "expect"):
            if not isinstance(step[key], dict):
                yield Problem(f"{place}.{key}", "not_an_object", f"expected an object, found {describe(step[key])}")
        if isinstance(step["expect"], dict):
            yield from _problems_of_expect(step["expect"], f"{place}.expect", _LATER_PARTS)


def _problems_of_expect(expect: Mapping[str, Any], path: str, parts: tuple[str, ...]) -> Iterator[Problem]:
    # A case without an expectation would pass with any result.
    if not expect:
        yield Problem(path, "required", f"expected one or both of {', '.join(parts)}")
    for part, entries in expect.items():
        if part not in parts:
            yield Problem(path, "unknown_key", f"expected {' or '.join(parts)}, found {describe(part)}")
        elif part == "refusal":
            if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
                yield Problem(f"{path}.{part}", "not_a_list", "expected a list of reasons")
        elif not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            yield Problem(f"{path}.{part}", "not_a_list", "expected a list of objects")
