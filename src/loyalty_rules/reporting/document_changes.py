"""The differences of two programs' documents, in words."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from loyalty_rules.documents.structuring import unstructure
from loyalty_rules.errors import path_step
from loyalty_rules.program import Program

__all__ = ["document_changes"]

_LONGEST = 60


def document_changes(old: Program, new: Program) -> tuple[str, ...]:
    """Return a line for each difference of two programs, with its JSON path, the old value and the new one.

    Documents are compared with their defaults filled in. Items that have an id are matched by it, so a promotion that
    only moves within the list is no change of the promotion.
    """
    return tuple(_changes("$", unstructure(old), unstructure(new)))


def _changes(path: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _changes_of_items(old, new, lambda name: path + path_step(name))
    elif _have_ids(old) and _have_ids(new):
        before, after = _by_id(old), _by_id(new)
        yield from _changes_of_items(before, after, lambda name: f"{path}[{name}]")
        yield from _changes_of_order(path, [*before], [*after])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _changes(f"{path}[{place}]", before, after)
    elif old != new:
        yield f"{path}: {_words(old)} → {_words(new)}"


def _changes_of_items(old: Mapping[str, Any], new: Mapping[str, Any], path_of: Callable[[str], str]) -> Iterator[str]:
    for name in [*old, *(each for each in new if each not in old)]:
        if name not in new:
            yield f"{path_of(name)}: {_words(old[name])} is removed"
        elif name not in old:
            yield f"{path_of(name)}: {_words(new[name])} is added"
        else:
            yield from _changes(path_of(name), old[name], new[name])


def _changes_of_order(path: str, before: list[str], after: list[str]) -> Iterator[str]:
    stayed, now = [each for each in before if each in after], [each for each in after if each in before]
    if stayed != now:
        yield f"{path}: the order {', '.join(stayed)} → {', '.join(now)}"


def _have_ids(items: object) -> bool:
    return isinstance(items, list) and bool(items) and all(isinstance(each, dict) and "id" in each for each in items)


def _by_id(items: list[Any]) -> dict[str, Any]:
    return {each["id"]: each for each in items}


def _words(value: Any) -> str:
    """Return a value as JSON if that is short, else its name or its size."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= _LONGEST:
        return text
    if isinstance(value, Mapping):
        name = value.get("title") or value.get("id") or value.get("type")
        return f"an object ({name})" if name else f"an object of {len(value)} keys"
    return f"a list of {len(value)}" if isinstance(value, list) else text[: _LONGEST - 1] + "…"
