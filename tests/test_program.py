"""The program: its evaluation, its version, its counters, and the errors of a program or an event."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.program import FORMAT, Basis
from loyalty_rules.rules.caps import Limit
from loyalty_rules.rules.promotions import Currency
from loyalty_rules.rules.windows import Lifetime
from shop import earn, fixed, program, sale

RETURN = {"type": "return", "id": "R-1", "occurred_at": "2025-01-20T10:00:00Z", "of": "T-1", "amount": "5"}
UPDATE = {"type": "update", "id": "U-1", "occurred_at": "2025-01-20T10:00:00Z", "of": "T-1", "status": "shipped"}
CONFIRMATION = {
    "type": "confirmation",
    "id": "C-1",
    "occurred_at": "2025-01-20T10:00:00Z",
    "promise": "acme/T-1/p/earn",
    "outcome": "issue",
}


def shop(**parts: Any) -> lr.Program:
    return lr.load_program(program(earn(fixed("5")), **parts))


def empty(**parts: Any) -> lr.Program:
    """Construct a program without a document."""
    given = {"id": "acme", "time_zone": "UTC", "currencies": (Currency("points"),), "promotions": (), **parts}
    return lr.Program(**given)


# -- evaluation --------------------------------------------------------------------------------------------------------


def test_an_evaluation_names_its_event_its_program_and_the_version() -> None:
    loaded = shop()
    evaluation = loaded.evaluate(lr.load_event(sale()))
    assert (evaluation.event, evaluation.program) == ("T-1", "acme")
    assert evaluation.program_version == loaded.version


def test_the_basis_has_the_inputs_of_an_evaluation() -> None:
    loaded, event, snapshot = shop(), lr.load_event(sale()), lr.load_snapshot({"trackers": {}})
    assert loaded.evaluate(event, snapshot).basis == Basis(loaded, event, snapshot)
    assert loaded.evaluate(event).basis.snapshot == lr.Snapshot()


def test_evaluations_are_equal_by_their_results_and_not_by_their_basis() -> None:
    loaded, event = shop(), lr.load_event(sale())
    same = loaded.evaluate(event, lr.load_snapshot({"limits": {"other": "5"}}))
    assert loaded.evaluate(event) == same


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        (RETURN, "for a return call `process` of a ledger, or lifecycle.take_back with its sale"),
        (UPDATE, "for an update call `process` of a ledger, or lifecycle.update with its sale"),
        (CONFIRMATION, "for a confirmation call `process` of a ledger, or lifecycle.confirm with its promise"),
    ],
)
def test_an_event_after_the_sale_cannot_be_evaluated(document: dict, hint: str) -> None:
    event = lr.load_event(document)
    with pytest.raises(lr.WrongEventError) as raised:
        shop().evaluate(event)
    assert str(raised.value) == f"only transactions and activities can be evaluated; {hint}"
    with pytest.raises(lr.WrongEventError):
        shop().counters(event)
    with pytest.raises(lr.WrongEventError):
        shop().snapshot(event, lambda _: Decimal(0))


def test_a_document_is_no_event() -> None:
    with pytest.raises(lr.WrongEventError, match="expected a Transaction or an Activity, found an object; load_event"):
        shop().evaluate(sale())  # type: ignore[arg-type]


def test_a_document_is_no_snapshot() -> None:
    with pytest.raises(lr.InvalidValueError, match="expected a Snapshot, found an object; load_snapshot returns one"):
        shop().evaluate(lr.load_event(sale()), {})  # type: ignore[arg-type]


# -- version -----------------------------------------------------------------------------------------------------------


def test_the_version_is_the_hash_of_the_canonical_document() -> None:
    text = json.dumps(lr.dump(shop()), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert shop().version == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_equal_documents_in_another_notation_have_one_version() -> None:
    document = program(earn(fixed("5.0")))
    reordered = dict(reversed(document.items()))
    spelled_out = {**reordered, "limits": {}, "trackers": {}, "shortfall": "write_off", "money": None}
    assert lr.load_program(spelled_out).version == shop().version


def test_a_different_amount_has_a_different_version() -> None:
    assert lr.load_program(program(earn(fixed("5.000001")))).version != shop().version


# -- counters ----------------------------------------------------------------------------------------------------------


def test_a_snapshot_is_built_from_the_values_of_the_counters() -> None:
    loaded = shop(
        limits={"daily": {"currency": "points", "per": "member", "amount": "500"}},
        trackers={"spend": {"measure": {"type": "transaction_value"}, "target": "500"}},
    )
    values = {"limit/daily/M1/lifetime": Decimal(70), "tracker/spend/M1/lifetime": Decimal("12.5")}

    snapshot = loaded.snapshot(lr.load_event(sale()), lambda counter: values[counter.name])

    assert (snapshot.limits, snapshot.trackers) == ({"daily": Decimal(70)}, {"spend": Decimal("12.5")})


# -- errors of a program -----------------------------------------------------------------------------------------------


def limit(id: str) -> Limit:
    return Limit(id, "points", "total", Decimal(5), Lifetime())


def test_an_id_that_occurs_twice_is_an_error() -> None:
    with pytest.raises(lr.DocumentError) as raised:
        empty(limits=(limit("a"), limit("b"), limit("a"), limit("a")))
    (problem,) = raised.value.problems
    assert (problem.path, problem.code) == ("$.limits", "duplicate_id")
    assert problem.message == "the id 'a' occurs 3 times; an id must be unique"


def test_the_same_id_may_occur_in_different_kinds() -> None:
    assert empty(currencies=(Currency("a"), Currency("points")), limits=(limit("a"),)).limits == (limit("a"),)


def test_a_reference_to_nothing_is_an_error() -> None:
    with pytest.raises(lr.DocumentError) as raised:
        empty(currencies=(Currency("beans"),), limits=(limit("a"),))
    assert [problem.code for problem in raised.value.problems] == ["unknown_reference"]


@pytest.mark.parametrize("money", ["usd", "US", "USDX", "U5D", "ÜSD", "", 840])
def test_money_is_a_code_of_three_capital_letters(money: Any) -> None:
    with pytest.raises(lr.InvalidValueError, match='expected an ISO 4217 code such as "USD", found'):
        empty(money=money)


def test_a_program_constructed_in_python_is_that_of_its_document() -> None:
    document = {
        "format": FORMAT,
        "id": "acme",
        "time_zone": "UTC",
        "currencies": {"points": {}},
        "promotions": [],
    }
    assert empty() == lr.load_program(document)
    assert empty().version == lr.load_program(document).version


def test_a_program_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        shop().money = "EUR"  # type: ignore[misc]


def test_a_program_is_compiled_once() -> None:
    loaded = shop()
    assert loaded.plan is loaded.plan
