"""The channels of a message. Source: semantics 10."""

from __future__ import annotations


def channels_for(communication: dict, contacts: dict | None) -> tuple[list[str], list[str]]:
    """Return the used channels and the remaining fallbacks.

    "mandatory channels are always used. priority channels are tried in order: the first on which the member can be
    reached is used". "A channel that is mandatory and chosen by priority is used once." Fallbacks are "the remaining
    reachable priority channels that are not already used, in order".
    """
    channels = list(dict.fromkeys(communication.get("mandatory") or []))
    priority = dict.fromkeys(communication.get("priority") or [])
    reachable = [channel for channel in priority if is_reachable((contacts or {}).get(channel))]
    channels += [channel for channel in reachable[:1] if channel not in channels]
    return channels, [channel for channel in reachable if channel not in channels]


def is_reachable(contact: object) -> bool:
    """Return whether a member can be reached by priority.

    "true is reachable; false, null, an empty text, and an object without to are not. … A contact may carry consent:
    false or suppressed: true: not reachable by priority."
    """
    if isinstance(contact, dict):
        refused = contact.get("consent") is False or contact.get("suppressed") is True
        return bool(contact.get("to")) and not refused
    return bool(contact)
