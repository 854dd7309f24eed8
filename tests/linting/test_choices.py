"""Groups, levels and samples: programs with a finding, and programs just short of one."""

from __future__ import annotations

from typing import Any

import pytest

from linting.small_programs import ON, SPEND, findings, promoted, when, window
from shop import earn, proportional

G = {"exclusive": "g"}
YEAR = {"spend": {**SPEND["spend"], "window": window("year")}}


def grouped(*promotions: dict, **group: Any) -> dict:
    return promoted(*promotions, groups={"g": group}, currencies={"points": {}, "stars": {}})


def levels(condition: Any = None, trackers: dict = YEAR, proration: Any = None, **tier: Any) -> dict:
    """A program with the levels bronze, silver (from 100) and gold (from 500), under a condition."""
    lasts = {"type": "fixed_period", "after": {"years": 1}}
    status = {"levels": ["bronze", "silver", "gold"], "by": "spend", "from": {"silver": "100", "gold": "500"}, **tier}
    actions = {"actions": [earn(proration)]} if proration is not None else {}
    return promoted({"when": condition, **actions}, trackers=trackers, tiers={"status": {"lasts": lasts, **status}})


def by_level(*known: str, **others: str) -> dict:
    return proportional({"by": "tiers.status", "of": dict.fromkeys(known, "1"), **others})


def sampled(first: int, below: int, salt: str = "spring") -> dict:
    return {"sample": "member.id", "salt": salt, "from": first, "below": below}


def two(one: dict, other: dict) -> dict:
    return promoted({"when": one}, {"when": other})


HAVE: list[tuple[str, str, dict]] = [
    ("group_without_choice", "$.groups.g", grouped(G)),
    ("group_without_choice", "$.groups.g", grouped(G, G, keep=2)),
    ("group_without_choice", "$.groups.g.of", grouped(G, G, choose="most", of="stars")),
    ("harder_to_keep", "$.tiers.status.keep_from.gold", levels(keep_from={"silver": "100", "gold": "501"})),
    ("never_falls", "$.tiers.status.lasts", levels(trackers=SPEND)),
    ("level_of_all", "$.promotions[0].when", levels({"tier": "status", "at_least": "bronze"})),
    ("contradiction", "$.promotions[0].when", levels({"tier": "status", "at_least": "gold", "at_most": "silver"})),
    ("level_without_percentage", f"{ON}.proration.percent", levels(proration=by_level("gold", "silver"))),
    ("contradiction", "$.promotions[0].when", when(sampled(50, 50))),
    ("samples_of_two_salts", "$.promotions[1].when.salt", two(sampled(0, 50), sampled(50, 100, "autumn"))),
]

NEARLY: list[tuple[str, dict]] = [
    ("group_without_choice", grouped(G, G)),
    ("group_without_choice", grouped(G, G, choose="most", of="points")),
    ("harder_to_keep", levels(keep_from={"silver": "100", "gold": "500"})),
    ("never_falls", levels(trackers=SPEND, falls="never")),
    ("never_falls", levels(trackers=SPEND, lasts={"type": "never"})),
    ("never_falls", levels()),
    ("level_of_all", levels({"tier": "status", "at_least": "silver"})),
    ("contradiction", levels({"tier": "status", "at_least": "silver", "at_most": "silver"})),
    ("level_without_percentage", levels(proration=by_level("gold", "silver", "bronze"))),
    ("level_without_percentage", levels(proration=by_level("gold", **{"else": "0.5"}))),
    ("contradiction", when(sampled(50, 51))),
    ("samples_of_two_salts", two(sampled(0, 50), sampled(50, 100))),
    ("samples_of_two_salts", two(sampled(0, 50), sampled(49, 100, "autumn"))),
    ("samples_of_two_salts", two(sampled(0, 50), sampled(0, 50, "autumn"))),
]


@pytest.mark.parametrize(("code", "path", "document"), HAVE)
def test_a_program_has_a_finding_at_this_path(code: str, path: str, document: dict) -> None:
    assert findings(document) == [(code, path)]


@pytest.mark.parametrize(("code", "document"), NEARLY)
def test_a_program_just_short_of_a_finding_has_none(code: str, document: dict) -> None:
    assert code not in [found for found, _ in findings(document)]
