"""Loading and dumping of documents: the entry points of the library. Source: documents (Python names)."""

from collections.abc import Mapping
from typing import Any, TypeVar

from loyalty_rules.documents.references import unresolved
from loyalty_rules.documents.sources import Source, read_source, read_text_source
from loyalty_rules.documents.structuring import MAX_PROBLEMS, problems_of, share_parts, structure, unstructure
from loyalty_rules.errors import DocumentError, Problem, describe
from loyalty_rules.events import EVENT_TYPES, Activity, Event, Snapshot
from loyalty_rules.program import FORMAT, Evaluation, Program

__all__ = [
    "dump",
    "load_event",
    "load_program",
    "load_snapshot",
    "loads_event",
    "loads_program",
    "loads_snapshot",
]

T = TypeVar("T")


def load_program(source: Source) -> Program:
    """Load a program from a mapping, JSON text or bytes, or a path to a .json or .toml file.

    Raises `DocumentError` with all problems at once: invalid values, unknown keys, names that refer to nothing.
    """
    document = _document(source, "program")
    problems: list[Problem] = []
    if document.get("format") is None:
        problems.append(Problem("$.format", "required", f"is missing; expected {FORMAT!r}"))
    try:
        program = _structured(document, Program, "program")
        known: dict[Any, Any] = {}
        for promotion in program.promotions:
            share_parts(promotion, known)
        if not problems:
            return program
    except DocumentError as error:
        problems += error.problems
    reported = {problem.path for problem in problems}
    problems += [problem for problem in unresolved(document) if problem.path not in reported]
    raise DocumentError(problems[:MAX_PROBLEMS], "program")


def load_event(source: Source) -> Event:
    """Load an event. `type` selects its class; a type other than those of `EVENT_TYPES` is the name of an activity.

    Raises `DocumentError` with all problems at once.
    """
    document = _document(source, "event")
    event: Event = _structured(document, _event_class(document), "event")
    return event


def load_snapshot(source: Source) -> Snapshot:
    """Load a snapshot, the facts beyond the event. Raises `DocumentError` with all problems at once."""
    return _structured(_document(source, "snapshot"), Snapshot, "snapshot")


def loads_program(text: str | bytes | bytearray) -> Program:
    """Load a program from JSON text, as `load_program` does; a text never names a file."""
    return load_program(read_text_source(text, "program"))


def loads_event(text: str | bytes | bytearray) -> Event:
    """Load an event from JSON text, such as the body of a request; a text never names a file."""
    return load_event(read_text_source(text, "event"))


def loads_snapshot(text: str | bytes | bytearray) -> Snapshot:
    """Load a snapshot from JSON text; a text never names a file."""
    return load_snapshot(read_text_source(text, "snapshot"))


def dump(value: Any) -> dict[str, Any]:
    """Return an evaluation, or any loaded value, as a plain document that `json.dumps` can write.

    Decimals are texts without exponent and trailing zeros, instants have an offset, defaults are filled in.
    """
    document: dict[str, Any] = unstructure(value)
    return {**document, "trace": []} if isinstance(value, Evaluation) else document


_SIGNS: Mapping[str, tuple[frozenset[str], str]] = {
    "program": (frozenset({"promotions", "currencies"}), "load_program"),
    "event": (frozenset({"type", "occurred_at"}), "load_event"),
}
"""The keys that only a program, or only an event, has; and the function that loads it."""


def _document(source: Source, kind: str) -> Mapping[str, Any]:
    """Read a document; raise `DocumentError` with one problem if it is obviously of another kind."""
    document = read_source(source, kind)
    for other, (keys, load) in _SIGNS.items():
        if other != kind and keys <= document.keys() and not (kind in _SIGNS and _SIGNS[kind][0] & document.keys()):
            message = f"this looks like {_article(other)}, not {_article(kind)}: load it with {load}"
            raise DocumentError([Problem("$", "wrong_document", message)], kind)
    return document


def _article(kind: str) -> str:
    return f"{'an' if kind == 'event' else 'a'} {kind}"


def _event_class(document: Mapping[str, Any]) -> type:
    kind = document.get("type")
    if kind is None:
        raise DocumentError([Problem("$.type", "required", "is missing")], "event")
    if not isinstance(kind, str):
        raise DocumentError([Problem("$.type", "not_a_text", f"expected a text, found {describe(kind)}")], "event")
    return EVENT_TYPES.get(kind, Activity)


def _structured(document: Mapping[str, Any], cls: type[T], kind: str) -> T:
    try:
        return structure(document, cls)
    except DocumentError:
        raise
    except Exception as error:  # noqa: BLE001  (every failure is reported as problems)
        problems = []
        for problem in problems_of(error):
            problems.append(problem)
            if len(problems) >= MAX_PROBLEMS:
                break
        raise DocumentError(problems, kind) from None
