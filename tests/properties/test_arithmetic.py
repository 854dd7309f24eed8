"""Amounts are exact, never below zero, and grow with the bill."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from reference import documents
from shop import MODES, Serials, earn, evaluate, lines, points, program, proportional, sale, stepped, text

from .examples import examples

HALF = Fraction(1, 2)

# Millionths: mostly usual sums of a bill; now and then the largest and the smallest that a document may have.
sums = st.one_of(
    st.integers(0, 1_000_000).map(lambda cents: cents * 10_000),
    st.integers(0, 2_000).map(lambda halves: halves * 500_000),
    st.integers(0, 10**9),
    st.sampled_from([0, 1, 10**21 - 1]),
)
rates = st.one_of(st.integers(0, 300 * 10**6), st.sampled_from([0, 1, 10**6, 10**8, 12_500_000]))
modes = st.sampled_from(MODES)


@st.composite
def prorations(draw) -> tuple[dict, object]:
    """Draw a proration as a document, and as a function of fractions."""
    rate = draw(rates)
    kind = draw(st.sampled_from(["proportional", "multiplier", "stepped"]))
    if kind == "stepped":
        size = draw(st.integers(1, 500 * 10**6))
        return stepped(text(size), text(rate)), lambda base: base // Fraction(size, 10**6) * Fraction(rate, 10**6)
    document = {"type": kind, "percent": text(rate), "of": {"type": "transaction_value"}}
    return document, lambda base: base * Fraction(rate, 10**6) / 100


def rounded(value: Fraction, mode: str, decimals: int) -> Fraction:
    """Round a value by its distances from its two neighbours."""
    if mode == "actual":
        return value
    scaled = value * 10**decimals
    below = math.floor(scaled)
    rest = scaled - below
    goes_up = {
        "up": rest > 0,
        "down": False,
        "nearest": rest >= HALF,
        "half_down": rest > HALF,
        "half_even": rest > HALF or (rest == HALF and below % 2 == 1),
    }
    return Fraction(below + goes_up[mode], 10**decimals)


def rounding(value: str, currency: str) -> dict:
    return {"value": value, "currency": currency}


@examples(150)
@given(sums, prorations(), modes, modes, st.integers(0, 6))
def test_an_amount_equals_its_computation_in_fractions(
    amount: int, proration: tuple, value_mode: str, mode: str, decimals: int
) -> None:
    document, prorate = proration
    award = prorate(rounded(Fraction(amount, 10**6), value_mode, 0))
    expected = rounded(rounded(award, mode, decimals), "nearest", 6)
    found = points(
        program(earn(document, rounding=rounding(value_mode, mode)), currencies={"points": {"decimals": decimals}}),
        sale(text(amount)),
    )
    assert found == expected


@examples(40)
@given(st.integers(-(10**9), 0), prorations())
def test_a_base_below_zero_earns_nothing(amount: int, proration: tuple) -> None:
    assert points(program(earn(proration[0])), sale(text(amount))) == 0


@pytest.mark.parametrize("kind", ["line_item_value", "line_item_extended_field"])
@pytest.mark.parametrize(
    ("values", "aggregate", "expected"),
    [
        (["10", "-30"], "total", 0),
        (["30", "-10"], "total", 20),
        (["-30"], "each_line", 0),
        (["10", "-30"], "each_line", 10),  # each line stops at zero by itself
    ],
)
def test_a_base_over_lines_stops_at_zero(kind: str, values: list, aggregate: str, expected: int) -> None:
    field = {"field": "points"} if kind == "line_item_extended_field" else {}
    basket = [{**line, "extended_fields": {"points": line["value"]}} for line in lines(*values)]
    action = earn(proportional("100", {"type": kind, "aggregate": aggregate, **field}))
    assert points(program(action), sale("0", lines=basket)) == expected
    evaluation = evaluate(program(action), sale("0", lines=basket))
    assert [entry["reason"] for entry in evaluation["skipped"]] == ([] if expected else ["zero_amount"])


@pytest.mark.parametrize("values", [["10", "-30"], ["-30"]])
def test_a_sale_never_moves_a_tracker_back(values: list) -> None:
    tracker = {"measure": {"type": "line_item_value"}, "target": "100"}
    assert evaluate(program(trackers={"spend": tracker}), sale("0", lines=lines(*values)))["intents"] == []


@pytest.mark.parametrize(
    ("price", "advanced"), [("0.0004", []), ("0.0005", ["0.000001"]), ("0.0015", ["0.000002"]), ("1", ["0.001"])]
)
def test_the_advance_of_a_tracker_is_rounded_half_up_to_six_decimals(price: str, advanced: list) -> None:
    tracker = {"measure": {"type": "line_item_value"}, "target": "100"}
    basket = [{"id": "1", "quantity": "0.001", "unit_price": price}]
    intents = evaluate(program(trackers={"spend": tracker}), sale("0", lines=basket))["intents"]
    assert [intent["value"] for intent in intents] == advanced


@examples(120)
@given(sums, sums, prorations(), modes, modes)
def test_a_larger_bill_never_earns_less(one: int, other: int, proration: tuple, value_mode: str, mode: str) -> None:
    rules = program(earn(proration[0], rounding=rounding(value_mode, mode)))
    less, more = sorted((one, other))
    assert points(rules, sale(text(less))) <= points(rules, sale(text(more)))


@examples(80)
@given(
    st.lists(st.integers(0, 50_000_000), min_size=2, max_size=5),
    prorations(),
    st.sampled_from(["actual", "down"]),
    st.integers(0, 2),
)
def test_splitting_a_basket_never_earns_more_if_amounts_are_rounded_down(
    parts: list, proration: tuple, value_mode: str, decimals: int
) -> None:
    rules = program(
        earn(proration[0], rounding=rounding(value_mode, "down")), currencies={"points": {"decimals": decimals}}
    )
    whole = points(rules, sale(text(sum(parts))))
    assert sum(points(rules, sale(text(part))) for part in parts) <= whole


@examples(40)
@given(st.lists(st.integers(0, 9_000_000), min_size=2, max_size=5), st.integers(1, 5_000_000))
def test_splitting_a_quantity_never_earns_more_if_amounts_are_rounded_down(parts: list, size: int) -> None:
    of = {"type": "line_item_quantity"}
    rules = program(earn(stepped(text(size), "3", of), rounding=rounding("actual", "down")))

    def earned(quantity: int) -> Fraction:
        return points(rules, sale("0", lines=[{"id": "1", "quantity": text(quantity), "value": "1"}]))

    assert sum(earned(part) for part in parts) <= earned(sum(parts))


def test_splitting_a_basket_may_earn_more_if_amounts_are_rounded_up() -> None:
    rules = program(earn(proportional("10"), rounding=rounding("actual", "up")))
    assert points(rules, sale("100")) == 10
    assert 100 * points(rules, sale("1")) == 100


@examples(40)
@given(documents.cases())
def test_every_issued_amount_is_above_zero(case: tuple) -> None:
    program, event, snapshot = case
    known = lr.load_snapshot(snapshot) if snapshot is not None else None
    intents = lr.load_program(program).evaluate(lr.load_event(event), known, serials=Serials()).intents
    amounts = [intent.amount for intent in intents if hasattr(intent, "amount")]
    assert all(amount > 0 and amount.is_finite() and amount.as_tuple().exponent >= -6 for amount in amounts)
    assert all(share.amount >= 0 for intent in intents for share in getattr(intent, "shares", ()))
