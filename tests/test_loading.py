"""Loading and dumping of documents. Source: documents (Python names)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.errors import DocumentError
from loyalty_rules.events import Activity, Confirmation, IssuedCounts, Return, Transaction, Update
from loyalty_rules.loading import (
    dump,
    load_event,
    load_program,
    load_snapshot,
    loads_event,
    loads_program,
    loads_snapshot,
)
from shop import earn, fixed, program, sale

AT = "2025-01-15T10:00:00Z"


def problems(load: Any, document: Any) -> list[tuple[str, str]]:
    with pytest.raises(DocumentError) as caught:
        load(document)
    return [(problem.path, problem.code) for problem in caught.value.problems]


EVENT = {"type": "visit", "id": "1", "occurred_at": AT}


@pytest.mark.parametrize(
    ("load", "document", "sentence"),
    [
        (load_program, EVENT, "this looks like an event, not a program: load it with load_event"),
        (load_event, program(), "this looks like a program, not an event: load it with load_program"),
        (load_snapshot, EVENT, "this looks like an event, not a snapshot: load it with load_event"),
    ],
)
def test_a_document_of_another_kind_has_one_problem(load: Any, document: dict, sentence: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load(document)
    assert [str(problem) for problem in caught.value.problems] == [f"$: {sentence} [wrong_document]"]


def test_a_program_with_keys_of_an_event_is_read_as_a_program() -> None:
    document = {**program(earn(fixed("1"))), "type": "visit", "occurred_at": AT}

    assert problems(load_program, document) == [("$.occurred_at", "unknown_key"), ("$.type", "unknown_key")]


@pytest.mark.parametrize(
    ("document", "cls"),
    [
        ({"type": "transaction", "amount": "5"}, Transaction),
        ({"type": "return", "of": "T", "amount": "5"}, Return),
        ({"type": "update", "of": "T"}, Update),
        ({"type": "confirmation", "promise": "p", "outcome": "issue"}, Confirmation),
        ({"type": "check_in"}, Activity),
    ],
)
def test_the_type_of_an_event_selects_its_class(document: dict, cls: type) -> None:
    assert type(load_event({"id": "1", "occurred_at": AT, **document})) is cls


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"id": "1"}, ("$.type", "required")),
        ({"type": None}, ("$.type", "required")),
        ({"type": 5}, ("$.type", "not_a_text")),
        ([], ("$", "wrong_type")),
        ("[]", ("$", "not_an_object")),
    ],
)
def test_an_event_without_a_type_is_one_problem(document: Any, problem: tuple[str, str]) -> None:
    assert problems(load_event, document) == [problem]


def test_all_problems_of_an_event_are_reported_at_once() -> None:
    document = {"type": "transaction", "id": "", "occurred_at": AT, "amuont": "5", "lines": [{"id": "1"}]}
    assert sorted(problems(load_event, document)) == [
        ("$.amount", "required"),
        ("$.amuont", "unknown_key"),
        ("$.id", "out_of_range"),
        ("$.lines[0].quantity", "required"),
    ]


def test_a_program_needs_its_format() -> None:
    document = program(earn(fixed("5")))
    del document["format"]
    with pytest.raises(DocumentError, match=r"\$\.format: is missing; expected 'loyalty-rules/1' \[required\]"):
        load_program(document)


def test_invalid_values_and_unknown_references_are_reported_together_and_once() -> None:
    document = program({**earn(fixed("five")), "currency": "miles"})
    assert problems(load_program, document) == [
        ("$.promotions[0].actions[0].proration.amount", "not_a_decimal"),
        ("$.promotions[0].actions[0].currency", "unknown_reference"),
    ]


def test_at_most_100_problems_are_reported() -> None:
    assert len(problems(load_event, {"type": "visit", **dict.fromkeys(map(str, range(1_000)), 1)})) == 100


def test_equal_parts_of_a_program_are_one_object() -> None:
    promotions = [{"id": name, "actions": [earn(fixed("5"))]} for name in ("a", "b")]
    first, second = load_program(program(promotions=promotions)).promotions
    assert first.actions[0].expiry is second.actions[0].expiry
    assert first.actions[0].proration is second.actions[0].proration


def test_a_snapshot_is_loaded_from_text() -> None:
    snapshot = load_snapshot('{"issued": {"p/a": {"member": {"amount": 1.5, "times": 2}}}}')
    assert snapshot.issued["p/a"].member == IssuedCounts("1.5", 2)


def test_a_program_is_loaded_from_a_path(tmp_path: Path) -> None:
    document = program(earn(fixed("5")))
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert load_program(path) == load_program(str(path)) == load_program(document)


def test_a_dumped_evaluation_is_plain_json_with_an_empty_trace() -> None:
    evaluation = load_program(program(earn(fixed("5")))).evaluate(load_event(sale("10")))
    document = dump(evaluation)
    assert document["trace"] == []
    assert document["intents"][0]["amount"] == "5"
    assert json.loads(json.dumps(document)) == document


def test_a_dumped_event_has_its_defaults() -> None:
    document = dump(load_event({"type": "check_in", "id": "1", "occurred_at": AT}))
    assert (document["type"], document["tenders"], document["member"]) == ("check_in", [], None)
    assert document["occurred_at"] == "2025-01-15T10:00:00+00:00"


@pytest.mark.parametrize("loads", [loads_program, loads_event, loads_snapshot])
def test_a_text_never_names_a_file(loads: Any, tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    path.write_text('{"secret": 1}')
    for text in (str(path), str(path).encode()):
        with pytest.raises(DocumentError, match="is not JSON"):
            loads(text)
    for other in (path, {"type": "transaction"}, None):
        with pytest.raises(DocumentError, match="expected JSON text or bytes"):
            loads(other)


def test_texts_are_loaded_as_the_same_documents() -> None:
    sale = '{"type": "transaction", "id": "T1", "occurred_at": "2025-01-15T10:00:00Z", "amount": "5"}'
    assert loads_event(sale) == load_event(sale) == loads_event(sale.encode())
    assert loads_snapshot("{}") == load_snapshot("{}")
    program = '{"format": "loyalty-rules/1", "id": "acme", "time_zone": "UTC", "currencies": {}, "promotions": []}'
    assert loads_program(program) == load_program(program)
