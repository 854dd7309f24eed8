"""The sources of a document: a mapping, JSON text or bytes, or a path to a .json or .toml file.

The result is a plain mapping with exact numbers. A fraction in a text becomes a Decimal; a number outside the limits
becomes an `UnreadNumber`, so that a problem can show it. A key that occurs twice in one object is a problem, since
the intended value is unknown. Source: documents (Python names, scalars).
"""

import json
import os
import tomllib
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from loyalty_rules.documents.toml_keys import MAX_PARTS, longest_dotted_key
from loyalty_rules.errors import DocumentError, Problem, describe, path_step, shorten
from loyalty_rules.values.amounts import UnreadNumber, unread

__all__ = ["MAX_BYTES", "Source", "read_json", "read_source", "read_text_source"]

Source: TypeAlias = Mapping[str, Any] | str | bytes | bytearray | os.PathLike[str]

MAX_BYTES = 8 * 1024 * 1024
_MAX_TOML_BYTES = 2 * 1024 * 1024


def read_source(source: Source, kind: str) -> Mapping[str, Any]:
    """Read a document from its source; `kind` names the document in the error. Raises `DocumentError`."""
    if isinstance(source, Mapping):
        return source
    if isinstance(source, os.PathLike) or (isinstance(source, str) and _is_path(source)):
        return _object_of(_read_file(_path(source, kind), kind), kind)
    if isinstance(source, (str, bytes, bytearray)):
        return _object_of(read_json(source, kind), kind)
    raise _refusal(kind, "wrong_type", f"expected a mapping, JSON text or bytes, or a path; found {describe(source)}")


def read_text_source(text: str | bytes | bytearray, kind: str) -> Mapping[str, Any]:
    """Read a document from JSON text alone, which never names a file. Raises `DocumentError`."""
    if not isinstance(text, (str, bytes, bytearray)):
        raise _refusal(kind, "wrong_type", f"expected JSON text or bytes; found {describe(text)}")
    return _object_of(read_json(text, kind), kind)


def _is_path(source: str) -> bool:
    return len(source) < 4096 and source.endswith((".json", ".toml")) and not source.lstrip().startswith(("{", "["))


def _path(source: str | os.PathLike[str], kind: str) -> Path:
    try:
        return Path(source)
    except Exception:  # noqa: BLE001  (a path object of the host's may raise anything)
        raise _refusal(kind, "unreadable", f"expected a path to a file, found {describe(source)}") from None


def _object_of(document: Any, kind: str) -> Mapping[str, Any]:
    if isinstance(document, Mapping):
        return document
    raise _refusal(kind, "not_an_object", f"expected an object, found {describe(document)}")


def _refusal(kind: str, code: str, message: str) -> DocumentError:
    return DocumentError([Problem("$", code, message)], kind)


def _read_file(path: Path, kind: str) -> Any:
    toml = path.suffix == ".toml"
    most = _MAX_TOML_BYTES if toml else MAX_BYTES
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _refusal(kind, "unreadable", f"{describe(str(path))} cannot be read: {reason}") from None
    if len(data) > most:
        raise _refusal(kind, "too_large", f"a {'TOML' if toml else 'JSON'} file is at most {most:,} bytes")
    return _read_toml(data, kind) if toml else read_json(data, kind)


# -- JSON ------------------------------------------------------------------------------------------------------------


class _RepeatedKey(ValueError):
    """An object with a key that occurs twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise _RepeatedKey
    return document


class _NotJson(ValueError):
    pass


def _constant(text: str) -> Any:
    raise _NotJson(f"{text} is not a JSON value")


def _whole(text: str) -> int | UnreadNumber:
    return int(text) if len(text) <= 1_000 else UnreadNumber(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=unread, parse_int=_whole, parse_constant=_constant, strict=True
)


def read_json(text: str | bytes | bytearray, kind: str) -> Any:
    """Read one JSON document with exact numbers. Raises `DocumentError` with the line and column of a syntax error."""
    if len(text) > MAX_BYTES:
        raise _refusal(kind, "too_large", f"a JSON text is at most {MAX_BYTES:,} bytes, found {len(text):,}")
    try:
        if not isinstance(text, str):
            text = bytes(text).decode("utf-8-sig")
        return _decoded(text, kind)
    except UnicodeDecodeError as error:
        raise _refusal(kind, "not_json", f"expected UTF-8, found an invalid byte at position {error.start:,}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _refusal(kind, "not_json", f"the text is not JSON: {error.msg} at {where}") from None
    except _NotJson as error:
        raise _refusal(kind, "not_json", f"the text is not JSON: {error}") from None
    except RecursionError:
        raise _refusal(kind, "too_deep", "the document is nested too deeply") from None


def _decoded(text: str, kind: str) -> Any:
    try:
        return _DECODER.decode(text)
    except _RepeatedKey:
        # A second pass finds the paths of the repeated keys; the rest of the text may have a syntax error, too.
        raise DocumentError(_repeated_keys(text), kind) from None


class _Pairs(list[tuple[str, Any]]):
    """The pairs of an object, so that a repeated key is not lost."""


_PAIRS_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=str, parse_float=str, parse_constant=_constant)
_MAX_REPEATED = 100


def _repeated_keys(text: str) -> list[Problem]:
    problems: list[Problem] = []
    waiting: deque[tuple[str, Any]] = deque([("$", _PAIRS_DECODER.decode(text))])
    while waiting and len(problems) < _MAX_REPEATED:
        path, value = waiting.popleft()
        if isinstance(value, _Pairs):
            times = Counter(key for key, _ in value)
            problems += [
                Problem(path, "duplicate_key", f"the key {shorten(key)} occurs {count} times in one object")
                for key, count in times.items()
                if count > 1
            ]
            steps: Iterable[tuple[str, Any]] = ((path_step(key), each) for key, each in value)
        else:
            steps = ((f"[{index}]", each) for index, each in enumerate(value))
        waiting.extend((path + step, each) for step, each in steps if isinstance(each, list))
    return problems[:_MAX_REPEATED]


# -- TOML ------------------------------------------------------------------------------------------------------------


def _fraction(text: str) -> Decimal | UnreadNumber:
    return unread(text.replace("_", "").removeprefix("+"))  # TOML allows underscores and a plus sign


def _read_toml(data: bytes, kind: str) -> Any:
    try:
        text = data.decode("utf-8-sig")  # some editors begin with a mark
        parts = longest_dotted_key(text)
        if parts <= MAX_PARTS:
            return tomllib.loads(text, parse_float=_fraction)
    except UnicodeDecodeError as error:
        raise _refusal(kind, "not_toml", f"expected UTF-8, found an invalid byte at position {error.start:,}") from None
    except tomllib.TOMLDecodeError as error:
        raise _refusal(kind, "not_toml", f"the text is not TOML: {error}") from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise _refusal(kind, "not_toml", f"the text is not TOML: {str(error)[:100]}") from None
    except RecursionError:
        raise _refusal(kind, "too_deep", "the document is nested too deeply") from None
    raise _refusal(kind, "too_deep", f"expected keys of at most {MAX_PARTS} parts, found one of {parts:,}")
