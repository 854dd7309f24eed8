"""The conversion of documents to values and back. Source: documents."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.documents.structuring import (
    fields_of,
    is_keyed,
    key_of,
    problems_of,
    restore,
    share_parts,
    structure,
    tags_of,
    unstructure,
)
from loyalty_rules.events import Line, Member, Snapshot, Transaction
from loyalty_rules.intents import Claim, IssueCurrency, Release, Share
from loyalty_rules.program import Program
from loyalty_rules.rules.conditions import AllOf, Comparison, Condition, Not
from loyalty_rules.rules.promotions import Promotion
from loyalty_rules.rules.windows import Calendar, Lifetime, RollingDays, Window
from loyalty_rules.values.dates import Period
from shop import earn, fixed, program

AT = "2025-01-15T10:00:00Z"


def problems(document: Any, cls: type) -> list[tuple[str, str]]:
    with pytest.raises(Exception) as caught:  # noqa: PT011  (of cattrs, or an InvalidValueError)
        structure(document, cls)
    return [(problem.path, problem.code) for problem in problems_of(caught.value)]


@pytest.mark.parametrize(
    ("name", "key"), [("not_", "not"), ("is_", "is"), ("in_", "in"), ("from_date", "from"), ("id", "id")]
)
def test_a_field_has_a_key_without_underscore(name: str, key: str) -> None:
    assert key_of(name) == key


def test_the_type_comes_first_among_the_keys() -> None:
    assert next(iter(fields_of(Transaction))) == "type"
    assert [*fields_of(Claim)] == ["counter", "limit", "amount", "from", "to"]


def test_only_parts_with_ids_are_keyed() -> None:
    keyed = [key for key, field in fields_of(Program).items() if is_keyed(field)]
    assert keyed == ["currencies", "limits", "trackers", "coupon_types", "groups", "tiers", "schedules"]


def test_the_classes_of_a_union_have_their_tags() -> None:
    assert tags_of(Window) == {"lifetime": Lifetime, "calendar": Calendar, "rolling": RollingDays}


def test_null_means_absent() -> None:
    assert structure({"id": "M", "group": None, "unknown": None}, Member) == Member(id="M")


def test_a_class_may_need_at_least_one_key() -> None:
    assert structure({"days": 0}, Period) == Period()
    assert problems({}, Period) == [("$", "required")]
    assert problems({"days": None}, Period) == [("$", "required")]


@pytest.mark.parametrize(
    ("document", "condition"),
    [
        ({"field": "store", "is": "S1"}, Comparison(field="store", is_="S1")),
        ({"not": {"field": "store", "exists": True}}, Not(Comparison(field="store", exists=True))),
        ({"all": []}, AllOf([])),
        ({"all": [], "any": None}, AllOf([])),
    ],
)
def test_the_key_of_a_condition_selects_its_class(document: dict, condition: Condition) -> None:
    assert structure({"id": "p", "when": document, "actions": []}, Promotion).when == condition


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "not_a_condition"),
        ({"feild": "store"}, "not_a_condition"),
        ({"field": "store", "all": []}, "ambiguous"),
        (5, "not_an_object"),
    ],
)
def test_another_object_is_not_a_condition(document: Any, code: str) -> None:
    assert problems({"id": "p", "when": document, "actions": []}, Promotion) == [("$.when", code)]


def test_all_problems_are_collected_with_their_paths() -> None:
    document = {
        "id": "",
        "occurred_at": AT,
        "amount": 1.5,
        "lines": [{"id": "1", "quantity": "1", "value": "1"}, 5, {"id": "2", "quantity": "x", "vlaue": "1"}],
        "tenders": {},
        "memebr": {},
    }
    assert sorted(problems(document, Transaction)) == [
        ("$.amount", "float"),
        ("$.id", "out_of_range"),
        ("$.lines[1]", "not_an_object"),
        ("$.lines[2].quantity", "not_a_decimal"),
        ("$.lines[2].vlaue", "unknown_key"),
        ("$.memebr", "unknown_key"),
        ("$.tenders", "not_a_list"),
    ]


@pytest.mark.parametrize(
    ("currencies", "problem"),
    [
        ({"po ints": {}}, ("$.currencies['po ints']", "not_an_id")),
        ({"points": {"id": "points"}}, ("$.currencies.points.id", "unknown_key")),
        ({"points": 5}, ("$.currencies.points", "not_an_object")),
        ([], ("$.currencies", "not_an_object")),
    ],
)
def test_a_part_is_written_under_its_id(currencies: Any, problem: tuple[str, str]) -> None:
    document = program(earn(fixed("5")), currencies=currencies)
    assert problem in problems(document, Program)


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyError("id"), "required"), (RecursionError(), "too_deep"), (RuntimeError("x" * 500), "invalid")],
)
def test_every_error_becomes_a_problem(error: Exception, code: str) -> None:
    [problem] = problems_of(error, "$.a")
    assert (problem.path, problem.code) == ("$.a", code)
    assert len(problem.message) < 250


# -- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "document"),
    [
        (Decimal("1.50"), "1.5"),
        (date(2025, 1, 15), "2025-01-15"),
        (datetime(2025, 1, 15, 10, tzinfo=UTC), "2025-01-15T10:00:00+00:00"),
        ((1, "a", None, True), [1, "a", None, True]),
        ({"a": Decimal(1)}, {"a": "1"}),
        (Comparison(field="amount", at_least="5.0", in_=[1]), {"field": "amount", "in": ["1"], "at_least": "5"}),
        (Not(Comparison(field="store", is_="S1")), {"not": {"field": "store", "is": "S1"}}),
        (Claim("c", Decimal(5), Decimal(1)), {"counter": "c", "limit": "5", "amount": "1"}),
        (RollingDays(7), {"type": "rolling", "days": 7}),
    ],
)
def test_a_value_is_written_as_a_plain_document(value: Any, document: Any) -> None:
    assert unstructure(value) == document


def test_a_written_program_has_its_parts_by_their_ids_and_its_defaults() -> None:
    document = unstructure(structure(program(earn(fixed("5")), currencies={"points": {}}), Program))
    terms = {"title": None, "decimals": 0, "redeem": None, "transfer": None, "reminders": []}
    assert document["currencies"] == {"points": terms}
    assert (document["limits"], document["shortfall"]) == ({}, "write_off")


def test_a_written_value_is_read_back() -> None:
    line = Line(id="1", quantity="2", value="3", tags=["a"], extended_fields={"x": [1]})
    assert structure(unstructure(line), Line) == line
    snapshot = Snapshot(trackers={"spend": "5"})
    assert structure(unstructure(snapshot), Snapshot) == snapshot


# -- sharing and restoring -------------------------------------------------------------------------------------------


def test_equal_parts_without_an_id_are_shared() -> None:
    first, second = (structure(program(earn(fixed("5"))), Program).promotions[0] for _ in range(2))
    known: dict[Any, Any] = {}
    assert share_parts(first, known) is first
    assert share_parts(second, known) is second
    assert first.actions[0] is not second.actions[0]  # it has an id
    assert first.actions[0].proration is second.actions[0].proration


def test_an_intent_is_restored() -> None:
    when = Comparison(field="status", is_="Shipped")
    intent = IssueCurrency(
        key="shop/T/p/a",
        promotion="p",
        action="a",
        event="T",
        member="M",
        group=None,
        currency="points",
        amount=Decimal("1.5"),
        state="promised",
        issue_on=date(2025, 1, 15),
        due_at=datetime(2025, 1, 15, tzinfo=UTC),
        release=Release("transaction_update", when),
        expires_on=None,
        expires_at=None,
        shares=(Share("1", Decimal("1.5")),),
        claims=(Claim("c", Decimal(5), Decimal(1), date(2025, 1, 1), date(2025, 1, 31)),),
    )
    document = unstructure(intent)
    assert document["claims"][0]["from"] == "2025-01-01"
    assert restore({key: each for key, each in document.items() if key != "type"}, IssueCurrency) == intent
