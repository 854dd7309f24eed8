"""The cases of several steps hold in memory and on SQLite, and a wrong expectation is found.

`tests/ledger/sql/test_cases.py` replays them on PostgreSQL.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from ledger.sql.empty_ledgers import SQLiteTemplate
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.cases import Case, differences, load_cases

CASES = load_cases(Path(__file__).parent / "cases")
BY_NAME = {case.name: case for case in CASES}
LONG_AFTER = datetime(9998, 12, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteTemplate]:
    with closing(SQLiteTemplate(tmp_path_factory.mktemp("template"))) as template:
        yield template


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_holds_in_memory(case: Case) -> None:
    serials = case.serials()
    ledger = MemoryLedger(serials)
    assert differences(case, ledger, serials) == []
    assert [*impossible_instants(ledger, case)] == []


@pytest.mark.slow  # all of them together
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_holds_on_sqlite(case: Case, template: SQLiteTemplate) -> None:
    serials = case.serials()
    assert differences(case, template.new_ledger(serials), serials) == []


def impossible_instants(ledger: MemoryLedger, case: Case) -> Iterator[str]:
    """Yield the lots that have a bucket below zero as of the instant of an entry."""
    for document in case.programs.values():
        rows = ledger.report_rows(document["id"], LONG_AFTER).lots
        for at in sorted({entry.at for row in rows for entry in row.entries}):
            for row in ledger.report_rows(document["id"], at).lots:
                if not row.lot.is_whole():
                    yield f"{row.lot.key} as of {at}: {row.lot.buckets}"


# -- controls: differences are found ---------------------------------------------------------------------------------


def spoiled(name: str, *path: Any, value: Any) -> list[str]:
    """Return the differences of a case, on the ledger in memory, with another expectation at a path."""
    case = BY_NAME[name]
    parts = {"steps": copy.deepcopy(case.steps), "end": copy.deepcopy(case.end)}
    at: Any = parts
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    serials = case.serials()
    return differences(attrs.evolve(case, **parts), MemoryLedger(serials), serials)


@pytest.mark.parametrize(
    ("name", "path", "value", "difference"),
    [
        (
            "two-rates-exclusive",
            ("steps", 1, "expect", "sums", "reverse_currency"),
            "149.999999",
            "steps[1] (process): the sum of reverse_currency: expected 149.999999, found 150",
        ),
        (
            "two-rates-exclusive",
            ("end", "balances", 0, "available"),
            "91",
            "steps[2] (check): available of anna: expected 91, found 90",
        ),
        (
            "coupons-by-band",
            ("steps", 1, "expect", "counts", "void_coupon"),
            2,
            "steps[1] (process): the number of void_coupon: expected 2, found 1",
        ),
        (
            "coupons-by-band",
            ("end", "coupons", 1, "state"),
            "issued",
            "steps[2] (check): state of shop/T1/big/give/2: expected issued, found voided",
        ),
        (
            "limit-shared-by-two-promotions",
            ("end", "limits", 0, "value"),
            "100",
            "steps[2] (check): limit daily: expected 100, found 50",
        ),
        (
            "milestone-reached-by-this-sale",
            ("end", "trackers", 0, "value"),
            "1050",
            "steps[3] (check): tracker spend: expected 1050, found 990",
        ),
        (
            "more-returned-than-bought",
            ("steps", 2, "expect", "refusal"),
            ["too_early"],
            "steps[2] (process): refusal: expected ['too_early'], found ['more_than_bought']",
        ),
        (
            "more-returned-than-bought",
            ("steps", 2, "expect"),
            {},
            "steps[2] (process): status: expected recorded, found refused (more_than_bought)",
        ),
        (
            "lapsed-units-count-as-taken",
            ("steps", 2, "expect", "shortfall"),
            "100",
            "steps[2] (process): shortfall: expected 100, found 0",
        ),
        (
            "one-code-in-two-types",
            ("steps", 0, "expect"),
            {},
            "steps[0] (load): status: expected recorded, found invalid",
        ),
    ],
)
def test_a_wrong_expectation_is_found(name: str, path: tuple[Any, ...], value: Any, difference: str) -> None:
    assert spoiled(name, *path, value=value) == [difference]


def test_an_intent_matches_another_expected_object_each() -> None:
    one = {"type": "void_coupon"}
    assert spoiled("coupons-by-band", "steps", 1, "expect", value={"intents": [one]}) == []
    (difference,) = spoiled("coupons-by-band", "steps", 1, "expect", value={"intents": [one, one]})
    assert difference == f"steps[1] (process): expected {json.dumps(one)}, found []"
