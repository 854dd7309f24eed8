"""The personal parts of recorded inputs, which a ledger keeps apart so that `forget` can erase them.

They are the contacts, tags and extended fields of a member, and the free-form fields of an event and of its lines. The
rest of the inputs stays for ever. Source: semantics 13.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast

from loyalty_rules.events import Event
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.loading import dump, load_event

__all__ = ["Parts", "joined", "member_in", "member_of", "split", "without_personal_parts"]

E = TypeVar("E", bound=Event)

Parts: TypeAlias = list[list[Any]]
"""Personal parts, each as its path in the inputs and its value."""

_OF_EVENT: Mapping[str, Any] = {"custom_fields": {}, "extended_fields": {}}
_OF_MEMBER: Mapping[str, Any] = {"contacts": {}, "tags": None, "extended_fields": {}}
_OF_LINE: Mapping[str, Any] = {"extended_fields": {}}
_EVENTS = ("event", "bill")
"""The inputs that are documents of events."""


def split(inputs: Mapping[str, Any]) -> tuple[Mapping[str, Any], Parts]:
    """Return inputs without their personal parts, and these parts.

    An event that is known to be anonymous has none.
    """
    parts: Parts = [[path, place[path[-1]]] for path, place, _ in _places(inputs) if place[path[-1]]]
    if not parts:
        return inputs, []
    public = _copied(inputs)
    for path, place, empty in _places(public):
        if place[path[-1]]:
            place[path[-1]] = {} if isinstance(empty, dict) else empty
    return public, parts


def joined(public: Mapping[str, Any], parts: Parts) -> Mapping[str, Any]:
    """Return the inputs that `split` has split."""
    inputs = _copied(public)
    for path, value in parts:
        place: Any = inputs
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
    return inputs


def member_in(inputs: Mapping[str, Any]) -> str | None:
    """Return the member that inputs name: that of their event or bill, or the one who pays; None if they name none."""
    for name in _EVENTS:
        member = (inputs.get(name) or {}).get("member")
        if member is not None:
            found: str = member["id"]
            return found
    payer: str | None = inputs.get("member")
    return payer


def member_of(sale: Sale | None) -> str | None:
    """Return the member who has a sale now; None if it has none."""
    member = sale.current().member if sale is not None else None
    return member.id if member is not None else None


def without_personal_parts(event: E) -> E:
    """Return an event without its personal parts."""
    public, _ = split({"event": dump(event)})
    return cast(E, load_event(public["event"]))


def _copied(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs with copies of the objects that have personal parts."""
    copied = {**inputs}
    for name in _EVENTS:
        event = copied.get(name)
        if isinstance(event, dict):
            copied[name] = event = {**event}
            if event.get("member") is not None:
                event["member"] = {**event["member"]}
            if event.get("lines") is not None:
                event["lines"] = [{**each} for each in event["lines"]]
    return copied


def _places(inputs: Mapping[str, Any]) -> Iterator[tuple[Sequence[Any], dict[Any, Any], Any]]:
    """Yield the place of each personal part: its path, the object that has it, and its empty value."""
    for name in _EVENTS:
        event = inputs.get(name)
        if not isinstance(event, dict) or _is_anonymous(event, inputs):
            continue
        yield from _fields([name], event, _OF_EVENT)
        if event.get("member") is not None:
            yield from _fields([name, "member"], event["member"], _OF_MEMBER)
        for index, line in enumerate(event.get("lines") or ()):
            yield from _fields([name, "lines", index], line, _OF_LINE)


def _is_anonymous(event: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Return whether an event is a sale or an activity without a member, and nobody pays it by id."""
    is_later = event.get("of") is not None
    return not is_later and event.get("member") is None and inputs.get("member") is None


def _fields(
    path: Sequence[Any], place: dict[Any, Any], empty: Mapping[str, Any]
) -> Iterator[tuple[Sequence[Any], dict[Any, Any], Any]]:
    for name, value in empty.items():
        if name in place:
            yield [*path, name], place, value
