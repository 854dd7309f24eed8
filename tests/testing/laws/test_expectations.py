"""Expectations are read from a document and checked against the names of a program."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.testing.laws import LAWS, Expectations, assert_laws

from .proofs import COUPON, GIFT, ROUNDED_UP, promoted


@pytest.mark.parametrize(
    ("expectations", "message"),
    [
        ({"apart": []}, "expected one of apart_from, together, reasons, budgets; found 'apart'"),
        ({"apart_from": ["p/eran"]}, "expected a name of the program, found 'p/eran'; did you mean 'p/earn'?"),
        ({"apart_from": "p"}, "expected a list of texts, found the text 'p'"),
        ({"together": [["p", 5]]}, "expected a text, found the number 5"),
        ({"reasons": ["capped"]}, "expected a name of the program, found 'capped'"),
        ({"budgets": {"miles": "5"}}, "expected a name of the program, found 'miles'"),
        ({"budgets": {"points": "-5"}}, "must be zero or more"),
    ],
)
def test_an_unusable_expectation_is_refused(expectations: dict, message: str) -> None:
    with pytest.raises(lr.InvalidValueError, match=re.escape(message)):
        assert_laws(lr.load_program(ROUNDED_UP), Expectations.of(expectations))


def test_expectations_are_read_from_a_document() -> None:
    document = {"apart_from": ["p"], "together": [["a", "b"]], "reasons": ["no_member"], "budgets": {"points": "7.5"}}

    assert Expectations.of(document) == Expectations(
        apart_from=frozenset({"p"}),
        together=frozenset({frozenset({"a", "b"})}),
        reasons=frozenset({"no_member"}),
        budgets={"points": Decimal("7.5")},
    )


def test_the_order_of_a_pair_does_not_matter() -> None:
    assert Expectations.of({"together": [["a", "b"]]}) == Expectations.of({"together": [["b", "a"]]})


@pytest.mark.parametrize(
    ("promotion", "action", "counted"), [("visit", "earn", False), ("base", "gift", False), ("base", "earn", True)]
)
def test_a_named_promotion_or_action_is_not_counted(promotion: str, action: str, counted: bool) -> None:
    assert Expectations.of({"apart_from": ["visit", "base/gift"]}).counts(promotion, action) == counted


def test_only_overlaps_and_budgets_need_an_expectation() -> None:
    assert [law for law in LAWS if Expectations().has_none_for(law)] == ["budgets", "overlapping"]


def test_an_empty_list_of_pairs_is_an_expectation_and_no_budgets_are_not() -> None:
    expectations = Expectations.of({"together": [], "budgets": {}})

    assert [law for law in LAWS if expectations.has_none_for(law)] == ["budgets"]


@pytest.mark.parametrize("name", ["points", "gift", "p0", "p0/earn"])
def test_a_budget_is_for_a_currency_a_coupon_type_a_promotion_or_an_action(name: str) -> None:
    document = promoted({}, {"actions": [COUPON]}, coupon_types=GIFT)

    Expectations.of({"budgets": {name: "5"}}).check(lr.load_program(document))
    with pytest.raises(lr.InvalidValueError, match="expected a name of the program"):
        Expectations.of({"budgets": {f"{name}s": "5"}}).check(lr.load_program(document))
