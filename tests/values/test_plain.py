"""Plain values: nothing of a subclass passes the readers of documents."""

from __future__ import annotations

import enum
import json
from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.values import amounts, identifiers
from loyalty_rules.values.plain import plain_decimal, plain_int, plain_text
from shop import earn, program, proportional


class Store(str, enum.Enum):  # noqa: UP042  (its text is another one)
    """The ids of the stores of a host."""

    FIRST = "S1"


class Loud(str):
    """A text that prints and compares as another one."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __str__(self) -> str:
        return "LOUD"

    def __format__(self, _: str) -> str:
        return "LOUD"

    def __eq__(self, other: object) -> bool:
        return False


class Money(Decimal):
    """A decimal of a host, which JSON cannot write."""


class Count(int):
    """A whole number of a host, which prints as a text."""

    def __str__(self) -> str:
        return "many"


@pytest.mark.parametrize(
    ("plain", "value", "expected"),
    [
        (plain_text, Store.FIRST, "S1"),
        (plain_text, Loud("quiet"), "quiet"),
        (plain_int, Count(3), 3),
        (plain_decimal, Money("1.50"), Decimal("1.50")),
        (plain_text, "S1", "S1"),
    ],
)
def test_a_value_of_a_subclass_becomes_plain(plain: Any, value: Any, expected: Any) -> None:
    assert type(plain(value)) is type(expected)
    assert plain(value) == expected


def bill() -> dict[str, Any]:
    return {
        "type": "transaction",
        "id": Loud("T1"),
        "occurred_at": "2025-01-15T10:00:00Z",
        "amount": Money("10"),
        "store": Store.FIRST,
        "member": {"id": Loud("anna")},
        "custom_fields": {Loud("x"): Money("1.5"), "y": [Store.FIRST, Count(3)]},
    }


def test_nothing_of_a_subclass_is_in_an_event_or_its_keys() -> None:
    event = lr.load_event(bill())
    assert isinstance(event, lr.Transaction)
    (issue,) = lr.load_program(program(earn(proportional("100")))).evaluate(event).intents

    assert issue.key == "acme/T1/p/earn"
    assert event.member is not None
    assert {type(each) for each in (event.id, event.store, event.member.id, *event.custom_fields)} == {str}
    assert [type(each) for each in event.custom_fields["y"]] == [str, int]
    assert json.loads(json.dumps(lr.dump(event)))["custom_fields"] == {"x": "1.5", "y": ["S1", 3]}


def test_without_the_conversion_a_key_would_be_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identifiers, "plain_text", lambda value: value)
    monkeypatch.setattr(amounts, "plain_decimal", lambda value: value)
    event = lr.load_event(bill())
    assert isinstance(event, lr.Transaction)
    (issue,) = lr.load_program(program(earn(proportional("100")))).evaluate(event).intents

    assert issue.key == "acme/LOUD/p/earn"
    with pytest.raises(TypeError, match="Money"):
        json.dumps(lr.dump(event))
