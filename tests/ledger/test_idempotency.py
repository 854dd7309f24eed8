"""Idempotency: the key and the inputs of a batch, and the comparison of a retry with the recorded inputs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.ledger import IdempotencyConflict, SpendReceipt, Trim
from loyalty_rules.ledger.idempotency import Batch, IdempotencyRecord, check_key, identity_of_event, replayed
from loyalty_rules.loading import dump
from shop import earn, fixed, program, sale

AT = datetime(2025, 1, 15, 10, tzinfo=UTC)
LATER = datetime(2025, 1, 16, 10, tzinfo=UTC)
SHOP = lr.load_program(program(earn(fixed(10))))


def record(**inputs: Any) -> IdempotencyRecord:
    return IdempotencyRecord("acme", "T-1", "spend/points", inputs, AT, AT)


def batch(**inputs: Any) -> Batch:
    trim = Trim("acme/T-1/p/earn", "limit/daily", 2, 1)  # type: ignore[arg-type]
    return Batch(record(**inputs), SpendReceipt("recorded", "acme/T-1#spend/points", trims=(trim,)))


def test_the_key_of_a_batch_is_program_event_and_phase() -> None:
    assert IdempotencyRecord("acme", "T/1", "spend/points", {}, AT, AT).key == "acme/T%2F1#spend/points"
    assert IdempotencyRecord.key_of("acme", "T/1", "event") == "acme/T%2F1#event"


def test_a_key_with_an_unprintable_character_is_an_error() -> None:
    check_key(record())
    with pytest.raises(InvalidValueError, match="printable"):
        check_key(attrs.evolve(record(), phase="spend/\x00"))


# -- the inputs of an event ------------------------------------------------------------------------------------------


def test_a_sale_is_recognised_by_its_document_and_the_version_of_the_program() -> None:
    event = lr.load_event(sale())

    identity = identity_of_event(SHOP, event, LATER)

    assert identity.inputs == {"event": dump(event), "program_version": SHOP.version}
    assert (identity.key, identity.of) == ("acme/T-1#event", "T-1")
    assert (identity.at, identity.recorded_at) == (AT, LATER)


@pytest.mark.parametrize(
    ("document", "of"),
    [
        ({"type": "return", "of": "T-1", "amount": "5"}, "T-1"),
        ({"type": "update", "of": "T-1", "status": "shipped"}, "T-1"),
        ({"type": "confirmation", "promise": "acme/T-1/p/earn", "outcome": "issue"}, "T-1"),
        ({"type": "confirmation", "promise": "elsewhere/T-1/p/earn", "outcome": "issue"}, None),
    ],
)
def test_a_later_event_is_recognised_by_its_document_alone(document: dict[str, Any], of: str | None) -> None:
    event = lr.load_event({"id": "E-1", "occurred_at": AT.isoformat(), **document})

    identity = identity_of_event(SHOP, event, LATER)

    assert identity.inputs == {"event": dump(event)}
    assert (identity.key, identity.of) == ("acme/E-1#event", of)


# -- the comparison of a retry ---------------------------------------------------------------------------------------


def test_a_retry_with_the_same_inputs_returns_the_recorded_receipt() -> None:
    recorded = batch(amount="5")

    receipt = replayed(SpendReceipt, recorded, record(amount="5"))

    assert receipt == attrs.evolve(recorded.receipt, status="already_recorded")
    assert type(receipt) is SpendReceipt


@pytest.mark.parametrize(
    ("recorded", "offered", "field", "values"),
    [
        ({"amount": "5"}, {"amount": "6"}, "amount", ("5", "6")),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "b", (2, 3)),
        ({"a": 1}, {}, "a", (1, None)),
        ({}, {"a": 1}, "a", (None, 1)),
        ({"event": {"id": "T-1", "amount": "5"}}, {"event": {"id": "T-1", "amount": "6"}}, "event.amount", ("5", "6")),
        ({"event": {"lines": [{"id": "1"}, {"id": "2"}]}}, {"event": {"lines": [{"id": "1"}, {"id": "3"}]}},
         "event.lines[1].id", ("2", "3")),
        ({"lines": [1, 2]}, {"lines": [1]}, "lines", ([1, 2], [1])),
        ({"a": True}, {"a": 1}, "a", (True, 1)),
        ({"a": 0}, {"a": False}, "a", (0, False)),
        ({"a": {}}, {"a": None}, "a", ({}, None)),
    ],
)  # fmt: skip
def test_another_input_is_a_conflict_that_names_the_first_difference(
    recorded: dict[str, Any], offered: dict[str, Any], field: str, values: tuple[Any, Any]
) -> None:
    with pytest.raises(IdempotencyConflict) as conflict:
        replayed(SpendReceipt, batch(**recorded), record(**offered))

    assert (conflict.value.key, conflict.value.field) == ("acme/T-1#spend/points", field)
    assert (conflict.value.recorded, conflict.value.offered) == values
    assert conflict.value.receipt == batch(**recorded).receipt


def test_an_ignored_input_may_differ_or_be_absent() -> None:
    recorded = batch(amount="5", program_version="1")

    assert replayed(SpendReceipt, recorded, record(amount="5", program_version="2"), ("program_version",))
    assert replayed(SpendReceipt, recorded, record(amount="5"), ("program_version",))
    with pytest.raises(IdempotencyConflict):
        replayed(SpendReceipt, recorded, record(amount="6"), ("program_version",))
