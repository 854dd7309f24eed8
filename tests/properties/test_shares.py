"""The parts of a split amount sum to it, and follow the weights."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.values.apportionment import split
from reference import documents
from shop import Serials

from .examples import examples

amounts = st.integers(0, 10**12)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=12)


@examples(200)
@given(amounts, weights)
def test_parts_sum_to_the_amount(amount: int, weights: list) -> None:
    assert sum(split(amount, weights)) == amount


@examples(200)
@given(amounts, weights)
def test_each_part_is_within_one_unit_of_its_exact_share(amount: int, weights: list) -> None:
    shares = weights if any(weights) else [1] * len(weights)
    for part, weight in zip(split(amount, weights), shares, strict=True):
        assert abs(part - Fraction(amount * weight, sum(shares))) < 1


@examples(200)
@given(amounts, weights)
def test_a_zero_weight_gets_zero_unless_all_are_zero(amount: int, weights: list) -> None:
    if any(weights):
        assert all(part == 0 for part, weight in zip(split(amount, weights), weights, strict=True) if weight == 0)


@examples(200)
@given(amounts, weights)
def test_a_larger_weight_never_gets_less(amount: int, weights: list) -> None:
    pairs = sorted(zip(weights, split(amount, weights), strict=True))
    for (lighter, less), (heavier, more) in pairwise(pairs):
        assert less <= more or lighter == heavier


@examples(80)
@given(documents.cases())
def test_the_shares_of_an_issue_sum_to_its_amount(case: tuple) -> None:
    program, event, snapshot = case
    known = lr.load_snapshot(snapshot) if snapshot is not None else None
    evaluation = lr.load_program(program).evaluate(lr.load_event(event), known, serials=Serials())
    for intent in evaluation.intents:
        if hasattr(intent, "shares"):
            assert bool(intent.shares) == bool(event.get("lines"))
            assert not intent.shares or sum(share.amount for share in intent.shares) == intent.amount
