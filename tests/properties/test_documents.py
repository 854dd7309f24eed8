"""A dumped document loads as the same value, and values can be copied and pickled."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from reference import documents
from shop import Serials, earn, fixed, program, proportional, sale

from .examples import examples

COPIES = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def assert_loads_as_the_same_value(document: dict, load: Any) -> None:
    value = load(document)
    dumped = lr.dump(value)
    again = load(dumped)
    assert again == value
    assert lr.dump(again) == dumped
    assert load(json.dumps(dumped)) == value


@examples(80)
@given(documents.programs())
def test_a_dumped_program_loads_as_the_same_program(document: dict) -> None:
    assert_loads_as_the_same_value(document, lr.load_program)


@examples(60)
@given(documents.programs())
def test_a_dumped_program_keeps_its_document_and_its_version(document: dict) -> None:
    program = lr.load_program(document)
    again = lr.load_program(lr.dump(program))
    assert lr.dump(again) == lr.dump(program)
    assert again.version == program.version


OPERANDS = ["1.5", '"1.5"', "1", '"1"', "1.0", '"1.0"']
"""Operands in a JSON text: numbers and texts that look alike."""


def with_operand(field: str, operator: str, operand: str) -> str:
    listed = f"[{operand}]" if operator in ("in", "not_in") else operand
    rules = program(promotions=[{"id": "p", "when": "WHEN", "actions": [earn(fixed("1"))]}])
    return json.dumps(rules).replace('"WHEN"', f'{{"field": "{field}", "{operator}": {listed}}}')


def decisions(rules: lr.Program) -> list[bool]:
    """Return whether the promotion fires, for values near the operands and for one that is not a number."""
    return [
        bool(rules.evaluate(lr.load_event(sale(value, custom_fields={"size": value}))).intents)
        for value in ("1.5", "1", "1.0", "2")
    ] + [bool(rules.evaluate(lr.load_event(sale(custom_fields={"size": "large"}))).intents)]


@pytest.mark.parametrize("operator", ["is", "is_not", "in", "not_in", "at_least", "less_than"])
@pytest.mark.parametrize("field", ["amount", "custom_fields.size"])
def test_programs_with_equal_versions_decide_alike(field: str, operator: str) -> None:
    loaded = [lr.load_program(with_operand(field, operator, operand)) for operand in OPERANDS]
    again = [lr.load_program(lr.dump(rules)) for rules in loaded]
    decided = {(rules.version, *decisions(rules)) for rules in loaded + again}
    assert len(decided) == len({rules.version for rules in loaded + again})
    assert [rules.version for rules in again] == [rules.version for rules in loaded]


@examples(80)
@given(documents.cases())
def test_a_dumped_event_and_a_dumped_snapshot_load_as_the_same_values(case: tuple) -> None:
    _, event, snapshot = case
    assert_loads_as_the_same_value(event, lr.load_event)
    assert_loads_as_the_same_value(snapshot or {}, lr.load_snapshot)


@pytest.mark.parametrize(
    "document",
    [
        {
            "type": "return",
            "id": "R",
            "occurred_at": "2025-01-15T10:00:00+05:30",
            "of": "T",
            "amount": "1.50",
            "lines": [{"id": "1", "quantity": "0.5"}],
        },
        {"type": "update", "id": "U", "occurred_at": "2025-01-15T10:00:00Z", "of": "T", "status": "Shipped"},
        {"type": "update", "id": "U", "occurred_at": "2025-01-15T10:00:00Z", "of": "T", "custom_fields": {"a": [1]}},
        {
            "type": "confirmation",
            "id": "C",
            "occurred_at": "2025-01-15T10:00:00.25-10:00",
            "promise": "acme/T/p/a",
            "outcome": "cancel",
        },
    ],
    ids=lambda document: document["type"],
)
def test_a_dumped_later_event_loads_as_the_same_event(document: dict) -> None:
    assert_loads_as_the_same_value(document, lr.load_event)


@examples(60)
@given(documents.cases())
def test_two_evaluations_of_an_event_have_the_same_bytes(case: tuple) -> None:
    document, event, snapshot = case
    texts = set()
    program = lr.load_program(document)
    for each in (program, program, lr.load_program(json.dumps(document))):
        known = lr.load_snapshot(snapshot) if snapshot is not None else None
        texts.add(json.dumps(lr.dump(each.evaluate(lr.load_event(event), known, serials=Serials()))))
    assert len(texts) == 1


@pytest.mark.parametrize("way", COPIES)
@examples(25)
@given(case=documents.cases())
def test_a_copy_is_equal_and_decides_alike(way: str, case: tuple) -> None:
    copied = COPIES[way]
    program, event, snapshot = lr.load_program(case[0]), lr.load_event(case[1]), lr.load_snapshot(case[2] or {})
    evaluation = program.evaluate(event, snapshot, serials=Serials())
    # The program has been used by now: its caches must not prevent a copy.
    for value in (program, event, snapshot, evaluation):
        assert copied(value) == value
        assert lr.dump(copied(value)) == lr.dump(value)
    assert copied(program).evaluate(copied(event), copied(snapshot), serials=Serials()) == evaluation
    assert str(copied(evaluation).explain()) == str(evaluation.explain())


@examples(60)
@given(documents.cases())
def test_equal_intents_have_equal_hashes(case: tuple) -> None:
    program, event, snapshot = lr.load_program(case[0]), lr.load_event(case[1]), lr.load_snapshot(case[2] or {})
    for intent in program.evaluate(event, snapshot, serials=Serials()).intents:
        assert hash(pickle.loads(pickle.dumps(intent))) == hash(intent)


# -- the version of a program ------------------------------------------------------------------------------------------


def shuffled(value: Any, random: Any) -> Any:
    if isinstance(value, dict):
        items = [(key, shuffled(each, random)) for key, each in value.items()]
        random.shuffle(items)
        return dict(items)
    return [shuffled(each, random) for each in value] if isinstance(value, list) else value


@examples(60)
@given(documents.programs(), st.randoms(use_true_random=False))
def test_the_version_does_not_depend_on_the_order_of_keys(document: dict, random: Any) -> None:
    assert lr.load_program(shuffled(document, random)).version == lr.load_program(document).version


def priced(percent: Any, bound: Any) -> str:
    promotion = {"id": "p", "when": {"field": "amount", "at_least": bound}, "actions": [earn(proportional(percent))]}
    return lr.load_program(program(promotions=[promotion])).version


@pytest.mark.parametrize("spelled", ["10.0", "10.000000", "010", 10])
def test_the_version_does_not_depend_on_the_spelling_of_a_decimal(spelled: Any) -> None:
    assert priced(spelled, "100") == priced("10", "100")
    assert priced("10", spelled) == priced("10", "10")


def test_the_version_does_not_depend_on_explicit_defaults() -> None:
    said = program(earn(proportional("10"), rounding={"value": "actual"}, timing={"type": "immediate"}, caps=None))
    assert lr.load_program(said).version == lr.load_program(program(earn(proportional("10")))).version


CHANGES = {
    "percent": lambda p: p["promotions"][0]["actions"][0]["proration"].update(percent="11"),
    "rounding": lambda p: p["promotions"][0]["actions"][0].update(rounding={"currency": "down"}),
    "expiry": lambda p: p["promotions"][0]["actions"][0].update(expiry={"type": "fixed_date", "on": "2030-01-01"}),
    "caps": lambda p: p["promotions"][0]["actions"][0].update(caps={"per_event": "5"}),
    "timing": lambda p: p["promotions"][0]["actions"][0].update(timing={"type": "external"}),
    "condition": lambda p: p["promotions"][0].update(when={"field": "store", "is": "S1"}),
    "text for a number": lambda p: p["promotions"][0].update(when={"field": "store", "is": 1}),
    "window": lambda p: p["promotions"][0].update(starts_at="2025-01-01T00:00:00Z"),
    "zone": lambda p: p.update(time_zone="Europe/Berlin"),
    "decimals": lambda p: p["currencies"]["points"].update(decimals=2),
    "title": lambda p: p["promotions"][0].update(title="Ten percent"),
    "order of promotions": lambda p: p["promotions"].insert(0, {"id": "q", "actions": []}),
    "other order of promotions": lambda p: p["promotions"].append({"id": "q", "actions": []}),
}


def test_each_change_of_a_rule_changes_the_version() -> None:
    versions = {"none": lr.load_program(program(earn(proportional("10")))).version}
    for name, change in CHANGES.items():
        document = program(earn(proportional("10")))
        change(document)
        versions[name] = lr.load_program(document).version
    assert len(set(versions.values())) == len(CHANGES) + 1
    assert all(version.startswith("sha256:") and len(version) == 71 for version in versions.values())
