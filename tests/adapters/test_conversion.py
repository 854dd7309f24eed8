"""Conversions: what comes through, what is listed, and how versions of one order meet."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.adapters import Conversion, NotCarried
from loyalty_rules.adapters.conversion import Converter, converted
from loyalty_rules.adapters.payload import Payload
from loyalty_rules.events import Amendment, Update


def take(converter: Converter, part: Payload) -> None:
    """Convert a document of a system for these tests."""
    at = part["at"].required_instant(converter.zone)
    sale = lr.Transaction(
        id=part["id"].required_text(),
        occurred_at=at,
        amount=part["amount"].value,
        status=part["status"].text(),
        tip=part["tip"].value,
        store=converter.label(part["store"]),
    )
    converter.add_sale(part, sale, at, included=False)


def convert(source: Any, known: tuple[lr.Transaction, ...] = ()) -> Conversion:
    return converted(
        source, take, ("orders", "data"), zone="Europe/Berlin", enrich=None, tax_in_prices=None, known=known
    )


A = {"id": "A", "at": "2026-01-15T10:00:00Z", "amount": "10", "status": "placed", "tip": "1"}
LATER = "2026-01-16T10:00:00Z"


@pytest.mark.parametrize(
    "source", [A, [A], {"orders": [A]}, {"data": {"orders": [A]}}, ({"data": A} for _ in range(1))]
)
def test_documents_come_alone_in_a_list_or_in_an_envelope(source: Any) -> None:
    assert [event.id for event in convert(source).events] == ["A"]


def test_a_document_that_cannot_be_read_does_not_stop_the_others() -> None:
    conversion = convert([{**A, "amount": "much"}, {**A, "id": "B"}, "no document"])

    assert [event.id for event in conversion.events] == ["B"]
    assert [(each.path, each.whole) for each in conversion.not_carried] == [("$[0] (amount)", True), ("$[2].at", True)]


def test_the_changes_of_a_later_version_are_an_amendment_and_an_update() -> None:
    conversion = convert([A, {**A, "at": LATER, "amount": "12", "status": "paid", "tip": None, "store": "S2"}])

    _, amendment, update = conversion.events
    assert isinstance(amendment, Amendment)
    assert isinstance(update, Update)
    assert amendment.replaced() == {"amount": 12, "tip": 0}
    assert update.replaced() == {"status": "paid"}
    assert amendment.id == "A@2026-01-16T11:00:00+01:00"
    assert update.id == "A@2026-01-16T11:00:00+01:00/status"
    assert [each.why for each in conversion.not_carried] == [
        "a later version changes occurred_at; an amendment cannot",
        "a later version changes store; an amendment cannot",
    ]


def test_a_version_of_a_sale_of_an_earlier_call_is_compared_with_it() -> None:
    (first,) = convert(A).events
    assert isinstance(first, lr.Transaction)

    conversion = convert({**A, "amount": "9"}, known=(first,))

    (amendment,) = conversion.events
    assert isinstance(amendment, Amendment)
    assert amendment.replaced() == {"amount": 9}


def test_an_equal_version_is_nothing_new_and_an_older_one_is_listed() -> None:
    conversion = convert([{**A, "at": LATER}, {**A, "at": LATER}, A])

    assert len(conversion.events) == 1
    assert [each.why for each in conversion.not_carried] == ["a later version of this order came before"]


def test_a_name_that_an_event_cannot_hold_is_listed_and_white_space_is_dropped() -> None:
    conversion = convert([{**A, "store": "  S  1 "}, {**A, "id": "B", "store": "x" * 129}])

    assert [event.store for event in conversion.events if isinstance(event, lr.Transaction)] == ["S 1", None]
    assert [each.path for each in conversion.not_carried] == ["$[1].store"]


def test_a_part_that_is_not_carried_is_told_in_one_line() -> None:
    assert str(NotCarried("$.tip", "5", "has no place")) == "$.tip: found 5: has no place"
    assert str(NotCarried("$.tip", "", "has no place")) == "$.tip: has no place"


@pytest.mark.parametrize(("source", "error"), [("{", lr.DocumentError), (b"[1.5", lr.DocumentError)])
def test_a_text_that_is_not_json_is_an_error(source: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        convert(source)


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected an IANA time zone"):
        converted(A, take, (), zone="Mars", enrich=None, tax_in_prices=None, known=())


def test_a_document_of_endless_envelopes_ends() -> None:
    nested: Any = A
    for _ in range(100):
        nested = {"data": nested}

    assert convert(nested).events == ()
