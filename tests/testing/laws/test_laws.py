"""The laws together: each has a name and its place in the order; one failure reports all broken laws."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from loyalty_rules.testing import laws
from loyalty_rules.testing.laws import LAWS, LawBroken, assert_laws, prove
from shop import earn, program, proportional

from . import test_baskets, test_ceilings, test_cycling, test_reaching, test_returning
from .proofs import DOWN, ROUNDED_UP, UP

CASES = (test_baskets, test_ceilings, test_returning, test_cycling, test_reaching)


def test_every_law_is_broken_by_one_program_and_kept_by_another() -> None:
    assert {case[0] for cases in CASES for case in cases.BROKEN} == {*LAWS} - {"cycling"}  # a law about ledgers
    assert {case[0] for cases in CASES for case in cases.KEPT} == set(LAWS)


@pytest.mark.slow
def test_all_broken_laws_are_reported_together() -> None:
    document = program(earn(proportional("10"), rounding=UP, on_return="keep"))

    with pytest.raises(LawBroken) as caught:
        assert_laws(lr.load_program(document), examples=100)

    assert [found.law for found in caught.value.counterexamples] == ["splitting", "returning"]
    assert str(caught.value).startswith("the program acme breaks 2 laws\n\nsplitting: two receipts of 0.01 earn ")


@pytest.mark.slow
def test_a_program_that_keeps_all_laws_passes() -> None:
    assert_laws(lr.load_program(program(earn(proportional("10"), rounding=DOWN))), examples=40)


def test_an_unknown_law_is_refused() -> None:
    with pytest.raises(lr.InvalidValueError, match="expected one of splitting, more, "):
        assert_laws(lr.load_program(ROUNDED_UP), laws=["spliting"])


def test_laws_are_proved_in_the_order_of_their_names() -> None:
    proofs = prove(lr.load_program(program(earn(proportional("10"), rounding=DOWN))), laws=["caps", "budgets"])

    assert [*proofs] == [("caps", None), ("budgets", None)]


def test_a_law_is_tried_only_when_its_proof_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    planted = {name: lambda *_, name=name: tried.append(name) for name in ("first", "second")}
    monkeypatch.setattr(laws, "LAWS", planted)

    proofs = prove(lr.load_program(ROUNDED_UP), laws=["first", "second"])

    assert tried == []
    assert next(proofs) == ("first", None)
    assert tried == ["first"]
