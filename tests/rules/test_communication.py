"""Communication: the channels of a message. Source: semantics 10."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from loyalty_rules.events import Contact
from loyalty_rules.rules.communication import Channels, Communication, is_reachable, plan_channels


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        (None, False),
        (True, True),
        (False, False),
        ("a@example.com", True),
        ("", False),
        (Contact(to="a@example.com"), True),
        (Contact(to=True), True),
        (Contact(to=False), False),
        (Contact(), False),
        (Contact(to="a@example.com", consent=True, suppressed=False), True),
        (Contact(to="a@example.com", consent=False), False),
        (Contact(to="a@example.com", suppressed=True), False),
    ],
)
def test_a_contact_is_reachable(contact: str | bool | Contact | None, expected: bool) -> None:
    assert is_reachable(contact) is expected


@pytest.mark.parametrize(
    ("mandatory", "priority", "reachable", "used", "fallbacks"),
    [
        ([], [], [], (), ()),
        (["print"], [], [], ("print",), ()),
        ([], ["app", "sms", "email"], ["sms", "email"], ("sms",), ("email",)),
        ([], ["app", "sms"], [], (), ()),
        (["print"], ["app", "sms"], ["app", "sms"], ("print", "app"), ("sms",)),
        (["app"], ["app", "sms"], ["app", "sms"], ("app",), ("sms",)),  # each channel once
        (["print", "print"], [], [], ("print",), ()),
        (["sms"], ["app", "sms", "email"], ["app", "sms", "email"], ("sms", "app"), ("email",)),
    ],
)
def test_a_message_uses_mandatory_channels_and_the_first_reachable_one(
    mandatory: list[str], priority: list[str], reachable: list[str], used: tuple, fallbacks: tuple
) -> None:
    communication = Communication(template="t", mandatory=mandatory, priority=priority)

    assert plan_channels(communication, dict.fromkeys(reachable, True)) == Channels(used, fallbacks)


def test_a_mandatory_channel_needs_no_contact() -> None:
    communication = Communication(template="t", mandatory=["sms"])

    assert plan_channels(communication, {"sms": Contact(to="1", consent=False)}).used == ("sms",)


def test_a_message_needs_a_template() -> None:
    with pytest.raises(lr.InvalidValueError) as caught:
        Communication(template="")

    assert caught.value.name == "template"
