"""The places of problems in a file: its name, its line, the ids of the promotion and the action."""

from __future__ import annotations

from pathlib import Path

import pytest

from loyalty_rules.cli.places import Places

TOML = """\
id = "shop"
[[promotions]]
id = "base"
actions = [
  { id = "earn" },
  { type = "issue_currency" },
]
[[promotions]]
"""
JSON = '{"id": "shop", "promotions": [{"id": "base", "actions": [{"id": "earn"}]}, 7]}'


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("$.id", "shop.toml:1: $.id"),
        ("$.promotions[0].title", "shop.toml:2: $.promotions[0].title (base)"),
        ("$.promotions[0].actions[0].type", "shop.toml:5: $.promotions[0].actions[0].type (base/earn)"),
        ("$.promotions[0].actions[1].id", "shop.toml:6: $.promotions[0].actions[1].id (base)"),
        ("$.promotions[1].id", "shop.toml:8: $.promotions[1].id"),
        ("$.promotions[9].id", "shop.toml:2: $.promotions[9].id"),
        ("$.money", "shop.toml: $.money"),
    ],
)
def test_a_path_in_toml_has_its_line_and_its_ids(tmp_path: Path, path: str, place: str) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(TOML, encoding="utf-8")

    assert Places("shop.toml", file).of(path) == place


def test_a_path_in_json_has_its_ids_and_no_line() -> None:
    places = Places("-", JSON)

    assert places.of("$.promotions[0].actions[0].type") == "-: $.promotions[0].actions[0].type (base/earn)"
    assert places.of("$.promotions[1].id") == "-: $.promotions[1].id"


def test_a_file_that_cannot_be_read_has_its_name_alone(tmp_path: Path) -> None:
    assert Places("no.toml", tmp_path / "no.toml").of("$") == "no.toml: $"
