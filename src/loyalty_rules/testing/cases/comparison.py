"""The comparison of expected with found values: numbers by value, objects by the keys that are expected."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from loyalty_rules.loading import dump

__all__ = ["matches", "plain", "unlike", "unmatched"]


def plain(value: Any) -> Any:
    """Return a value as a document has it."""
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else dump(value)


def matches(expected: Any, found: Any) -> bool:
    """Return whether a document is as expected."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(matches(each, found.get(key)) for key, each in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and len(expected) == len(found) and all(map(matches, expected, found))
    if isinstance(expected, bool) or isinstance(found, bool) or expected is None or found is None:
        return expected is found
    return bool(_number(expected) == _number(found))


def _number(value: Any) -> Any:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return value


def unmatched(expected: Iterable[Any], found: Iterable[Any]) -> Iterator[str]:
    """Yield a sentence for each expected object that no further found one matches."""
    left = [*found]
    for each in expected:
        place = next((place for place, one in enumerate(left) if matches(each, one)), None)
        if place is None:
            yield f"expected {json.dumps(each)}, found {json.dumps(left, default=str)}"
        else:
            del left[place]


def unlike(name: str, expected: Any, found: Any) -> Iterator[str]:
    """Yield a sentence if a value is not as expected."""
    document = plain(found)
    if not matches(expected, document):
        yield f"{name}: expected {expected}, found {document}"
