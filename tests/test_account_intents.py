"""The intents of operations on an account: each names the host's reason and who did it."""

from __future__ import annotations

import attrs
import pytest

from loyalty_rules import account_intents, intents


@pytest.mark.parametrize("name", account_intents.__all__)
def test_each_intent_names_a_reason_and_a_person(name: str) -> None:
    cls = getattr(account_intents, name)
    assert {"key", "reason", "by"} <= {field.name for field in attrs.fields(cls)}


def test_the_module_of_intents_exports_them() -> None:
    assert {*account_intents.__all__} <= {*intents.__all__}
