"""Trackers that give less than they seem to: programs with a finding, and programs just short of one."""

from __future__ import annotations

from typing import Any

import pytest

from linting.small_programs import ON, SPEND, findings, promoted, when, window
from shop import earn, program

AWARDS = {"spend": {"measure": {"type": "awarded", "currency": "points"}, "target": "100"}}
CROSSED = {"tracker": "spend", "crossed": True}
REPEATS = {"spend": {**SPEND["spend"], "repeats": True}}


def by_crossings(trackers: dict) -> dict:
    crossings = {"type": "multiplier", "percent": "100", "of": {"type": "crossings", "tracker": "spend"}}
    return program(earn(crossings), trackers=trackers)


def banded(*percents: str, trackers: dict = SPEND, **parts: Any) -> dict:
    """A program of bands that end at 100, 200, … with these percentages."""
    *limited, last = percents
    bands = [{"up_to": 100 * number, "percent": percent} for number, percent in enumerate(limited, 1)]
    return program(earn({"type": "banded", "bands": [*bands, {"percent": last}], **parts}), trackers=trackers)


HAVE: list[tuple[str, str, dict]] = [
    ("never_crossed", "$.promotions[0].when", when(CROSSED, trackers=AWARDS)),
    ("never_crossed", f"{ON}.proration.of", by_crossings({"spend": {**AWARDS["spend"], "repeats": True}})),
    ("crossed_once", f"{ON}.proration.of", by_crossings(SPEND)),
    (
        "bands_over_another_measure",
        f"{ON}.proration.over",
        banded("1", "2", over="spend", trackers={"spend": {"measure": {"type": "count"}, "target": "5"}}),
    ),
    ("bands_alike", f"{ON}.proration.bands[1].percent", banded("1", "2", "2.0")),
]

NEARLY: list[tuple[str, dict]] = [
    ("never_crossed", when({"tracker": "spend", "reached": True}, trackers=AWARDS)),
    ("never_crossed", when(CROSSED, trackers=SPEND)),
    ("crossed_once", by_crossings(REPEATS)),
    ("crossed_once", by_crossings({"spend": {**SPEND["spend"], "window": window("year")}})),
    ("bands_over_another_measure", banded("1", "2", over="spend")),
    ("bands_alike", banded("1", "2", "1")),
    ("never_crossed", promoted({})),
]


@pytest.mark.parametrize(("code", "path", "document"), HAVE)
def test_a_program_has_a_finding_at_this_path(code: str, path: str, document: dict) -> None:
    assert findings(document) == [(code, path)]


@pytest.mark.parametrize(("code", "document"), NEARLY)
def test_a_program_just_short_of_a_finding_has_none(code: str, document: dict) -> None:
    assert code not in [found for found, _ in findings(document)]
