"""The personal parts of inputs: which they are, how they are split off and joined again."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.ledger.personal import joined, member_in, member_of, split, without_personal_parts
from loyalty_rules.lifecycle.records import Sale
from shop import earn, fixed, program, sale

ANNA = {
    "id": "M1",
    "group": "household-7",
    "tier": "gold",
    "registered_on": "2023-06-10",
    "tags": ["staff"],
    "contacts": {"sms": "+15550100"},
    "extended_fields": {"born": "1990-02-03"},
}
LINES = [{"id": "1", "quantity": "1", "value": "10", "tags": ["wool"], "extended_fields": {"engraving": "for Jo"}}]
BILL = sale(member=ANNA, lines=LINES, custom_fields={"note": "ring twice"}, extended_fields={"door": "7b"})


def event(document: dict[str, Any]) -> Any:
    return lr.dump(lr.load_event(document))


def later(kind: str, **parts: Any) -> dict[str, Any]:
    return event({"type": kind, "id": "E-1", "of": "T-1", "occurred_at": "2025-01-16T10:00:00Z", **parts})


def test_contacts_tags_extended_and_free_form_fields_are_personal() -> None:
    public, parts = split({"event": event(BILL)})
    assert {".".join(map(str, path)): value for path, value in parts} == {
        "event.custom_fields": {"note": "ring twice"},
        "event.extended_fields": {"door": "7b"},
        "event.member.contacts": {"sms": "+15550100"},
        "event.member.tags": ["staff"],
        "event.member.extended_fields": {"born": "1990-02-03"},
        "event.lines.0.extended_fields": {"engraving": "for Jo"},
    }
    member = public["event"]["member"]
    assert [member[name] for name in ("id", "group", "tier", "registered_on")] == [
        *("M1", "household-7", "gold", "2023-06-10")
    ]
    assert public["event"]["lines"][0]["tags"] == ["wool"]  # of the goods


INPUTS = {
    "sale": {"event": event(BILL), "program_version": "sha256:1"},
    "bill": {"account": "member M1", "member": "M1", "amount": "5", "bill": event(BILL)},
    "update": {"event": later("update", custom_fields={"note": "x"})},
    "return": {"event": later("return", amount="1", lines=[{"id": "1", "quantity": "1", "extended_fields": {"a": 1}}])},
    "amendment": {"event": later("amendment", member=ANNA)},
    "nothing": {"event": event(sale(member={"id": "M1"}))},
    "no event": {"hold": "acme/H-1/hold/points", "amount": None},
}


@pytest.mark.parametrize("inputs", INPUTS.values(), ids=INPUTS)
def test_joined_undoes_split_and_neither_changes_its_argument(inputs: dict[str, Any]) -> None:
    before = repr(inputs)
    public, parts = split(inputs)
    assert joined(public, parts) == inputs
    assert repr(inputs) == before
    assert split(public) == (public, [])


@pytest.mark.parametrize("name", ["nothing", "no event"])
def test_inputs_without_personal_parts_stay_as_they_are(name: str) -> None:
    public, parts = split(INPUTS[name])
    assert public is INPUTS[name]
    assert parts == []


def test_an_anonymous_sale_is_nobodys() -> None:
    assert split({"event": event({**BILL, "member": None})})[1] == []


def test_a_field_that_an_update_leaves_alone_stays_absent() -> None:
    public, _ = split({"event": later("update", custom_fields={"note": "x"})})
    assert (public["event"]["custom_fields"], public["event"]["extended_fields"]) == ({}, None)


@pytest.mark.parametrize(
    ("name", "member"), [("sale", "M1"), ("bill", "M1"), ("amendment", "M1"), ("update", None), ("no event", None)]
)
def test_the_member_in_inputs(name: str, member: str | None) -> None:
    assert member_in(INPUTS[name]) == member


def test_the_member_of_a_sale_is_the_one_who_has_it_now() -> None:
    terms = lr.load_program(program(earn(fixed(10))))
    sold: Any = lr.load_event(BILL)
    given: Any = lr.load_event(
        {"type": "amendment", "id": "E", "of": "T-1", "occurred_at": "2025-01-16T10:00:00Z", "member": {"id": "M2"}}
    )
    assert member_of(Sale(terms, sold, lr.Snapshot())) == "M1"
    assert member_of(Sale(terms, sold, lr.Snapshot(), updates=(given,))) == "M2"
    assert member_of(None) is None


def test_an_event_without_its_personal_parts_is_still_an_event() -> None:
    bare: Any = without_personal_parts(lr.load_event(BILL))
    assert (bare.amount, bare.member.id) == (lr.load_event(BILL).amount, "M1")  # type: ignore[union-attr]
    assert (bare.custom_fields, bare.member.contacts, bare.member.tags) == ({}, {}, None)
