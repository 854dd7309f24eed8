"""Comparisons: operators of every kind of subject. Source: semantics 7."""

from __future__ import annotations

from loyalty_rules.rules.comparisons import Subject, bind_to
from loyalty_rules.rules.conditions import Comparison


def test_a_comparison_can_be_bound_to_a_subject_of_the_caller() -> None:
    test = bind_to(Comparison(field="amount", at_least="1.5"), Subject(lambda value: value, "number", 10**6))

    assert [test(1_499_999), test(1_500_000), test(None)] == [False, True, False]
