"""The line of each key of a TOML text: hand-written corners, and every key of the example programs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.cli.toml_lines import line_of, lines_of
from loyalty_rules.errors import path_step

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "programs").glob("*.toml"))

TEXT = '''\
# a comment with [brackets] and "quotes"
id = "shop"  # = [
"odd key" = 'it # is'

[currencies.points]
decimals = 2
[trackers]
spend.target = "100"
spend.measure = { type = "count", "more" = [1, 2] }

[[promotions]]
id = "a"
title = """
two [lines]
"""
[[promotions.actions]]
id = "x"
of = [
  "one", # [[promotions]]
  { deep = { deeper = 1 } },
]
[promotions.actions.proration]
percent = "10"

[[promotions]]
id = "b"
when.all = [{ field = "amount" }, { field = "store" }]
[[promotions.actions]]
id = "y"
[[promotions.actions]]
id = "z"
'''

LINES = {
    "$.id": 2,
    "$['odd key']": 3,
    "$.currencies.points.decimals": 6,
    "$.trackers": 7,
    "$.trackers.spend.target": 8,
    "$.trackers.spend.measure.more[1]": 9,
    "$.promotions": 11,
    "$.promotions[0]": 11,
    "$.promotions[0].title": 13,
    "$.promotions[0].actions[0]": 16,
    "$.promotions[0].actions[0].of[0]": 19,
    "$.promotions[0].actions[0].of[1].deep.deeper": 20,
    "$.promotions[0].actions[0].proration": 22,
    "$.promotions[0].actions[0].proration.percent": 23,
    "$.promotions[1].id": 26,
    "$.promotions[1].when.all[1].field": 27,
    "$.promotions[1].actions[1].id": 31,
}


@pytest.mark.parametrize("path", LINES)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_a_path_has_the_line_of_its_key(path: str, end: str) -> None:
    assert lines_of(TEXT.replace("\n", end))[path] == LINES[path]


def test_a_path_without_a_key_has_the_line_of_the_part_around_it() -> None:
    lines = lines_of(TEXT)

    assert line_of("$.promotions[1].actions[1].currency", lines) == 30
    assert line_of("$.promotions[0].actions[0].proration.of.lines", lines) == 22
    assert line_of("$.money", lines) is None


def test_a_text_that_is_no_toml_has_the_lines_before_the_mistake() -> None:
    assert lines_of('id = "shop"\nmoney = "EUR\n= 3') == {"$.id": 1, "$.money": 2}


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_key_of_an_example_is_on_its_line(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    lines, rows = lines_of(text), text.splitlines()
    paths = [*paths_of(tomllib.loads(text), "$")]

    assert len(paths) > 30
    for path, key in paths:
        assert key in rows[lines[path] - 1], path


def paths_of(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield each key of a document with its path."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield path + path_step(key), key
            yield from paths_of(each, path + path_step(key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from paths_of(each, f"{path}[{index}]")
