"""A year of real receipts under the grocer's program: every award equals that of a plain computation.

The computation has fractions, a loop, and the grocer's rules in plain Python. It uses neither the engine nor
`examples/programs/grocer.toml`.
"""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.cli import main

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAM = EXAMPLES / "programs" / "grocer.toml"
RECEIPTS = EXAMPLES / "data" / "grocery-receipts.jsonl.gz"

SUMMER = date(2017, 5, 27), date(2017, 9, 4)
SATURDAY = 5


class Grocer:
    """The grocer's rules, one receipt after the other; `coupons` are the issued ones, by member."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, str], Fraction] = defaultdict(Fraction)  # by member and month
        self.today: Counter[tuple[str, str]] = Counter()  # points, by member and day
        self.milestones: set[tuple[str, str]] = set()
        self.coupons: Counter[str] = Counter()

    def awards(self, receipt: dict[str, Any]) -> dict[str, int]:
        """Return the points of each promotion for a receipt, in the order of issue."""
        member, day = receipt["member"]["id"], receipt["occurred_at"][:10]  # the till's offset is the shop's own
        awards: dict[str, int] = {}
        for promotion, points in self.due(receipt, member, day):
            points = min(points, 600 - self.today[member, day])
            if points > 0:
                awards[promotion] = points
                self.today[member, day] += points
        if "monthly-milestone" in awards:
            self.milestones.add((member, day[:7]))
        bill = Fraction(receipt["amount"])
        self.spent[member, day[:7]] += max(bill, Fraction(0))
        if bill >= 100 and self.coupons[member] < 12 and self.coupons.total() < 5000:
            self.coupons[member] += 1
        return awards

    def due(self, receipt: dict[str, Any], member: str, day: str) -> Iterator[tuple[str, int]]:
        """Yield the points of each promotion before the limit of the day."""
        bill = max(Fraction(receipt["amount"]), Fraction(0))
        yield "base-earn", int(bill)

        produce = sum(Fraction(line["value"]) for line in receipt["lines"] if line.get("category") == "PRODUCE")
        yield "double-produce", max(int(produce), 0)

        own = [line for line in receipt["lines"] if line.get("brand") == "Private" and "category" in line]
        own_value = sum(Fraction(line["value"]) for line in own if line["category"] not in ("FUEL", "MISCELLANEOUS"))
        yield "own-label", max(own_value // 10, 0) * 15

        on = date.fromisoformat(day)
        if SUMMER[0] <= on <= SUMMER[1] and on.weekday() >= SATURDAY:
            if Fraction(receipt["amount"]) >= 50:
                yield "summer-weekend-double", int(bill)
            else:
                yield "summer-weekend-half", int(bill / 2)

        before = self.spent[member, day[:7]]
        if before < 300 <= before + bill and (member, day[:7]) not in self.milestones:
            yield "monthly-milestone", 150


@pytest.fixture(scope="module")
def receipts() -> list[dict[str, Any]]:
    with gzip.open(RECEIPTS) as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def intents(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    output = tmp_path_factory.mktemp("run") / "intents.jsonl"
    assert main(["run", str(PROGRAM), str(RECEIPTS), "--output", str(output), "--quiet"]) == 0
    return [json.loads(line) for line in output.read_text().splitlines()]


@pytest.fixture(scope="module")
def issues(intents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [intent for intent in intents if intent["type"] == "issue_currency"]


def test_the_receipts_are_in_order_of_time(receipts: list[dict[str, Any]]) -> None:
    instants = [receipt["occurred_at"] for receipt in receipts]

    assert instants == sorted(instants, key=lambda each: each[:19])
    assert len(receipts) == 1747


def test_each_receipt_earns_the_same_as_in_the_plain_computation(
    receipts: list[dict[str, Any]], issues: list[dict[str, Any]]
) -> None:
    grocer = Grocer()
    expected = {receipt["id"]: grocer.awards(receipt) for receipt in receipts}

    actual: dict[str, dict[str, Fraction]] = {receipt["id"]: {} for receipt in receipts}
    for issue in issues:
        actual[issue["event"]][issue["promotion"]] = Fraction(issue["amount"])

    assert actual == expected


def test_totals_by_promotion_equal_those_of_the_plain_computation(
    receipts: list[dict[str, Any]], issues: list[dict[str, Any]]
) -> None:
    grocer = Grocer()
    expected: Counter[str] = Counter()
    for receipt in receipts:
        expected.update(grocer.awards(receipt))

    actual: dict[str, Fraction] = defaultdict(Fraction)
    for issue in issues:
        actual[issue["promotion"]] += Fraction(issue["amount"])

    assert actual == expected
    assert sum(actual.values()) == 53_630


def test_coupons_equal_those_of_the_plain_computation(
    receipts: list[dict[str, Any]], intents: list[dict[str, Any]]
) -> None:
    grocer = Grocer()
    for receipt in receipts:
        grocer.awards(receipt)

    assert Counter(each["member"] for each in intents if each["type"] == "issue_coupon") == grocer.coupons


def test_the_shares_of_every_issue_sum_to_its_amount(issues: list[dict[str, Any]]) -> None:
    for issue in issues:
        assert sum(Fraction(share["amount"]) for share in issue["shares"]) == Fraction(issue["amount"])


def test_trackers_advance_by_the_bill(receipts: list[dict[str, Any]], intents: list[dict[str, Any]]) -> None:
    grocer = Grocer()
    for receipt in receipts:
        grocer.awards(receipt)

    spent: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for intent in intents:
        if intent["type"] == "advance_tracker":
            spent[intent["member"], intent["window_starts_at"][:7]] += Fraction(intent["value"])

    assert spent == {month: amount for month, amount in grocer.spent.items() if amount}
