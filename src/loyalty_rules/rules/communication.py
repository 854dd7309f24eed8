"""On which channels a message goes out. Source: semantics 10."""

from collections.abc import Mapping

import attrs
from attrs.converters import optional

from loyalty_rules.events import Contact
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_name, read_names

__all__ = ["Channels", "Communication", "is_reachable", "plan_channels"]


@attrs.frozen(field_transformer=checked)
class Communication:
    """What is said when something is issued (`template`) or promised (`promised_template`), and where.

    `mandatory` channels are always used; of the `priority` channels, the first on which the member can be reached.
    """

    template: str = attrs.field(converter=read_name)
    promised_template: str | None = attrs.field(default=None, converter=optional(read_name))
    mandatory: tuple[str, ...] = attrs.field(default=(), converter=read_names)
    priority: tuple[str, ...] = attrs.field(default=(), converter=read_names)


@attrs.frozen
class Channels:
    """The channels that a message uses, and those to fall back on, each in order and once."""

    used: tuple[str, ...]
    fallbacks: tuple[str, ...]


def plan_channels(communication: Communication, contacts: Mapping[str, str | bool | Contact | None]) -> Channels:
    """Choose the channels: all mandatory ones, and the first priority one on which the member can be reached."""
    reachable = [channel for channel in communication.priority if is_reachable(contacts.get(channel))]
    used = tuple(dict.fromkeys((*communication.mandatory, *reachable[:1])))
    return Channels(used, tuple(dict.fromkeys(channel for channel in reachable if channel not in used)))


def is_reachable(contact: str | bool | Contact | None) -> bool:
    """Say whether a contact can be reached by priority: it says where (or just yes), and nothing forbids it."""
    if not isinstance(contact, Contact):
        return bool(contact)
    return bool(contact.to) and contact.consent is not False and contact.suppressed is not True
