"""Messages to members, and the channels that they use. Source: semantics 10."""

from collections.abc import Mapping

import attrs
from attrs.converters import optional

from loyalty_rules.events import Contact
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_name, read_names

__all__ = ["Channels", "Communication", "is_reachable", "plan_channels"]


@attrs.frozen(field_transformer=checked)
class Communication:
    """The message about an issue (`template`) or a promise (`promised_template`), and its channels.

    `mandatory` channels are always used. Of the `priority` channels, the first that reaches the member is used.
    """

    template: str = attrs.field(converter=read_name)
    promised_template: str | None = attrs.field(default=None, converter=optional(read_name))
    mandatory: tuple[str, ...] = attrs.field(default=(), converter=read_names)
    priority: tuple[str, ...] = attrs.field(default=(), converter=read_names)


@attrs.frozen
class Channels:
    """The channels of a message, and the channels to fall back on, in order and without duplicates."""

    used: tuple[str, ...]
    fallbacks: tuple[str, ...]


def plan_channels(communication: Communication, contacts: Mapping[str, str | bool | Contact | None]) -> Channels:
    """Return all mandatory channels and the first priority channel that reaches the member; the rest are fallbacks."""
    reachable = [channel for channel in communication.priority if is_reachable(contacts.get(channel))]
    used = tuple(dict.fromkeys((*communication.mandatory, *reachable[:1])))
    return Channels(used, tuple(dict.fromkeys(channel for channel in reachable if channel not in used)))


def is_reachable(contact: str | bool | Contact | None) -> bool:
    """Return whether a priority channel reaches a contact: it has an address (or True), consent and no suppression."""
    if not isinstance(contact, Contact):
        return bool(contact)
    return bool(contact.to) and contact.consent is not False and contact.suppressed is not True
