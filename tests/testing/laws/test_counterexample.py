"""A counterexample shows a sentence, the receipts, and documents to paste."""

from __future__ import annotations

import json
import re

import pytest

from loyalty_rules.testing.laws.counterexample import Counterexample, LawBroken
from shop import earn, points, program, proportional, sale

from .proofs import ROUNDED_UP, broken

FOUND = Counterexample("more", "a receipt of 2 earns less than one of 1", ({"id": "T1"},), ("T1  sale",))


def test_a_counterexample_has_its_law_its_receipts_and_its_documents() -> None:
    assert str(FOUND) == ('more: a receipt of 2 earns less than one of 1\n\nT1  sale\n\nas documents:\n{"id": "T1"}')


def test_a_name_with_an_accent_is_readable_in_the_documents() -> None:
    assert '{"store": "Zürich"}' in str(Counterexample("caps", "too much", ({"store": "Zürich"},)))


@pytest.mark.parametrize(
    ("count", "heading"), [(1, "the program acme breaks a law"), (2, "the program acme breaks 2 laws")]
)
def test_broken_laws_are_counted_in_the_heading(count: int, heading: str) -> None:
    error = LawBroken("acme", (FOUND,) * count)

    assert str(error).split("\n\nmore: ")[0] == heading
    assert str(error).count("as documents:") == count


def test_a_broken_law_fails_a_test_as_an_assertion_does() -> None:
    assert issubclass(LawBroken, AssertionError)


# -- counterexamples of a program ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_counterexample_shows_receipts_and_documents_to_paste() -> None:
    assert str(broken(ROUNDED_UP, "splitting")) == (
        """splitting: two receipts of 0.01 earn 1 point more than one of 0.02

on two receipts:

T1  sale  2025-01-01T12:00:00Z                M1
  amount                                    0.01
+ 1 points                                p/earn

T2  sale  2025-01-01T12:00:00Z                M1
  amount                                    0.01
+ 1 points                                p/earn

on one receipt:

T3  sale  2025-01-01T12:00:00Z                M1
  amount                                    0.02
+ 1 points                                p/earn

as documents:
"""
        '{"type": "transaction", "id": "T1", "occurred_at": "2025-01-01T12:00:00Z", "member": {"id": "M1"}, '
        '"amount": "0.01"}\n'
        '{"type": "transaction", "id": "T2", "occurred_at": "2025-01-01T12:00:00Z", "member": {"id": "M1"}, '
        '"amount": "0.01"}'
    )


@pytest.mark.slow
def test_the_documents_of_a_counterexample_break_the_law() -> None:
    """Evaluate the pasted documents without the kit."""
    document = program(earn(proportional("10"), rounding={"currency": "nearest"}))
    parts = [json.loads(line) for line in str(broken(document, "splitting")).splitlines()[-2:]]

    assert sum(points(document, part) for part in parts) == 2
    assert points(document, sale("10")) == 1


@pytest.mark.slow
def test_a_line_of_a_basket_is_named_by_its_goods() -> None:
    lines = {"type": "line_item_value", "lines": {"field": "category", "is": "FOOD"}, "aggregate": "total"}
    found = broken(program(earn(proportional("10", lines), rounding={"currency": "nearest"})), "splitting")

    assert re.search(r"^  \d × line \d FOOD +[\d.]+$", str(found), re.MULTILINE)
