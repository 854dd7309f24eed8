"""Conditions that the linter calls impossible never hold, over random programs and events."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.linting import lint
from loyalty_rules.linting.possibility import Leaf, can_hold, clash, implies
from loyalty_rules.paths import LINE, SALE, Circumstances
from loyalty_rules.rules.conditions import AllOf, AnyOf, Comparison, Condition, LineTest, Measure, Not, TrackerTest
from loyalty_rules.rules.predicates import bind
from properties.examples import examples
from reference import drawn_conditions, drawn_events, drawn_programs
from reference.pools import Drawer as _Drawer
from shop import Serials, earn, fixed, program

seeds = st.integers(0, 2**64 - 1)
TRACKERS = {name: {"measure": {"type": "transaction_value"}, "target": "100"} for name in ("spend", "visits")}
LEVELS = {"levels": ["bronze", "silver", "gold"], "by": "spend", "from": {"silver": "100", "gold": "500"}}
TIERS = {"status": {**LEVELS, "lasts": {"type": "never"}}}


class Drawer(_Drawer):
    """Draws by a seed, since a law below needs many conditions and sales at once."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, pool: Sequence) -> object:
        return self.random.choice(pool)


def condition(seed: int) -> Condition:
    """A random condition on a sale."""
    drawn = drawn_conditions.condition(Drawer(seed), ("spend", "visits"))
    document = program(
        trackers=TRACKERS, tiers=TIERS, promotions=[{"id": "p", "when": drawn, "actions": [earn(fixed("1"))]}]
    )
    when = lr.load_program(document).promotions[0].when
    assert when is not None
    return when


def sales(seed: int, count: int) -> list[lr.Transaction]:
    """Random sales with unusual values."""
    d = Drawer(seed)
    shop = drawn_programs.program(d)
    events = [lr.load_event(drawn_events.event(d, shop)) for _ in range(count)]
    return [event for event in events if isinstance(event, lr.Transaction)]


PLAN = lr.load_program(program(trackers=TRACKERS, tiers=TIERS, money="USD")).plan


# -- truth tables ------------------------------------------------------------------------------------------------------

S1, S2 = Comparison(field="store", is_="S1"), Comparison(field="store", is_="S2")
ANY_STORE = Comparison(field="store", in_=["S1", "S2"])
MUG = Comparison(field="sku", is_="MUG")
CHEAP, DEAR = Comparison(field="amount", less_than=10), Comparison(field="amount", at_least=10)


@pytest.mark.parametrize(
    ("condition", "where", "expected"),
    [
        (S1, SALE, True),
        (AllOf([S1, S2]), SALE, False),
        (AnyOf([S1, S2]), SALE, True),
        (AllOf([S1, Not(S1)]), SALE, False),
        (Not(AnyOf([S1, Not(S1)])), SALE, False),
        (AllOf([]), SALE, True),
        (AnyOf([]), SALE, False),
        (AllOf([CHEAP, DEAR]), SALE, False),
        (AllOf([Not(CHEAP), Not(DEAR)]), SALE, True),  # foreign money without a rate
        (DEAR, Circumstances("visit"), False),  # an activity has no amount
        (Comparison(field="amount", exists=False), Circumstances("visit"), True),
        (Comparison(field="quantity", less_than=0), LINE, True),  # a voided line
        (Comparison(field="value", less_than=0), LINE, True),  # a discount line
        (AllOf([MUG, Comparison(field="category", is_="MUG")]), LINE, True),  # two subjects
        (LineTest(MUG, count=Measure(more_than=1, less_than=2)), SALE, False),
        (LineTest(MUG, quantity=Measure(more_than=1, less_than=2)), SALE, True),
        (LineTest(MUG), Circumstances("visit"), False),  # an activity has no lines
        (AllOf([TrackerTest("t", crossed=True), TrackerTest("t", reached=False)]), SALE, False),
        (AllOf([TrackerTest("t", crossed=False), TrackerTest("t", reached=True)]), SALE, True),
    ],
)
def test_a_condition_can_hold(condition: Condition, where: Circumstances, expected: bool) -> None:
    assert can_hold(condition, where) is expected


@pytest.mark.parametrize(
    ("condition", "other", "expected"),
    [
        (S1, ANY_STORE, True),
        (ANY_STORE, S1, False),
        (S1, None, True),
        (None, S1, False),
        (None, None, True),
        (None, AllOf([]), True),
        (AllOf([S1, CHEAP]), CHEAP, True),
        (CHEAP, Comparison(field="amount", less_than="10.000001"), True),
        (CHEAP, Comparison(field="amount", less_than="9.999999"), False),
        (CHEAP, Not(DEAR), True),
        (Not(DEAR), CHEAP, False),  # foreign money without a rate
        (
            AllOf([S1, S2]),
            Comparison(field="channel", is_="web"),
            True,
        ),  # a condition that can't hold implies every other
    ],
)
def test_a_condition_implies_another(condition: Condition | None, other: Condition | None, expected: bool) -> None:
    assert implies(condition, other, SALE) is expected


def test_a_clash_consists_of_the_tests_on_one_subject() -> None:
    assert clash(AllOf([CHEAP, S1, Not(ANY_STORE)]), SALE) == (Leaf(S1, True), Leaf(ANY_STORE, False))
    assert clash(AllOf([CHEAP, S1]), SALE) == ()
    assert clash(AnyOf([]), SALE) == ()


# -- laws --------------------------------------------------------------------------------------------------------------


@examples(150)
@given(seeds, seeds)
def test_a_condition_that_can_not_hold_holds_for_no_sale(seed: int, other: int) -> None:
    one, two = condition(seed), condition(seed + 1)
    for each in (one, AllOf((one, two)), AllOf((one, Not(two))), Not(one)):
        if not can_hold(each, SALE):
            holds = bind(each)
            snapshot = lr.load_snapshot({"trackers": {"spend": "60"}})
            assert not any(holds(PLAN.facts(sale, snapshot)) for sale in sales(other, 30))


def test_some_of_the_random_conditions_can_not_hold_and_most_can() -> None:
    """Otherwise the law above would prove nothing."""
    pairs = [AllOf((condition(seed), condition(seed + 1))) for seed in range(0, 400, 2)]
    possible = sum(can_hold(pair, SALE) for pair in pairs)
    assert 20 < possible < 190


@pytest.mark.parametrize("seed", range(40))
def test_a_condition_implies_itself_and_weaker_conditions(seed: int) -> None:
    one, two = condition(seed), condition(seed + 1)
    assert implies(one, one, SALE)
    assert implies(AllOf((one, two)), two, SALE)
    assert implies(one, None, SALE)


@examples(250)
@given(seeds)
def test_a_promotion_with_a_finding_of_never_issuing_never_issues(seed: int) -> None:
    """A promotion with a contradiction never fires; a shadowed one is excluded or does not fire."""
    d = Drawer(seed)
    document = drawn_programs.program(d)
    for promotion in document["promotions"]:
        promotion["exclusive"] = "g1"  # random groups rarely meet
    shop = lr.load_program(document)
    found = {(finding.path, finding.code) for finding in lint(shop)}
    silent = {
        promotion.id
        for index, promotion in enumerate(shop.promotions)
        if found & {(f"$.promotions[{index}]", "shadowed"), (f"$.promotions[{index}].when", "contradiction")}
    }
    for _ in range(5 if silent else 0):
        event = lr.load_event(drawn_events.event(d, document))
        snapshot = lr.load_snapshot(drawn_events.snapshot(d, document))
        evaluation = shop.evaluate(event, snapshot, serials=Serials())
        assert not silent & {getattr(intent, "promotion", None) for intent in evaluation.intents}
        assert {skip.reason for skip in evaluation.skipped if skip.promotion in silent} <= {"excluded_by"}


def test_the_random_programs_have_promotions_that_never_count() -> None:
    """Otherwise the law above would prove nothing."""
    codes: Counter[str] = Counter()
    for seed in range(150):
        document = drawn_programs.program(Drawer(seed))
        for promotion in document["promotions"]:
            promotion["exclusive"] = "g1"
        codes.update(finding.code for finding in lint(lr.load_program(document)))
    assert codes["shadowed"] > 20
    assert codes["contradiction"] > 10
