"""Texts and terms of coupons: programs with a finding, and programs just short of one."""

from __future__ import annotations

from typing import Any

import pytest

from linting.small_programs import coupon, findings
from shop import program

CARDS = {"type": "line_item_value", "lines": {"field": "category", "is": "CARD"}}
GIFT = "$.coupon_types.gift"


def off(**parts: Any) -> dict:
    return {"benefit": {"type": "percent_off", "percent": "10", **parts}}


def two(one: Any, other: Any) -> dict:
    """A program of two coupon types, each of which names those with which it may share a transaction."""
    benefit = {"type": "amount_off", "amount": "1"}
    types = {
        name: {"benefit": benefit, "redemption": {"together": together}}
        for name, together in (("one", one), ("other", other))
    }
    issues = [{"type": "issue_coupon", "id": name, "coupon_type": name} for name in types]
    return program(*issues, coupon_types=types)


HAVE: list[tuple[str, str, dict]] = [
    ("unknown_name", f"{GIFT}.till_message", coupon({"till_message": "{title}: {kode} until {expires_on}"})),
    ("unknown_name", f"{GIFT}.till_message", coupon({"till_message": {"en": "{code}", "de": "{Code}"}})),
    ("language_missing", f"{GIFT}.terms", coupon({"title": {"en": "a", "de": "b"}, "terms": {"en": "c"}})),
    ("one_sided", "$.coupon_types.one.redemption.together", two(["other"], "none")),
    ("one_sided", "$.coupon_types.one.redemption.together", two(["other"], ["other"])),
    ("cap_out_of_reach", f"{GIFT}.benefit.most", coupon({**off(most="20", most_in_all="19"), "uses": 3})),
    ("cap_out_of_reach", f"{GIFT}.benefit.most_in_all", coupon(off(most_in_all="19"))),
    (
        "card_of_every_line",
        f"{GIFT}.benefit.amount",
        coupon({"benefit": {"type": "stored_value", "amount": {"type": "line_item_value"}}}),
    ),
]

NEARLY: list[tuple[str, dict]] = [
    ("unknown_name", coupon({"till_message": "{title}: {code} until {expires_on} { } {1}"})),
    ("language_missing", coupon({"title": {"en": "a", "de": "b"}, "terms": {"en": "c", "de": "d"}})),
    ("language_missing", coupon({"title": {"en": "a", "de": "b"}, "terms": "c"})),
    ("one_sided", two(["other"], ["one"])),
    ("one_sided", two(["other"], "any")),
    ("cap_out_of_reach", coupon({**off(most="20", most_in_all="20"), "uses": 3})),
    ("card_of_every_line", coupon({"benefit": {"type": "stored_value", "amount": CARDS}})),
]


@pytest.mark.parametrize(("code", "path", "document"), HAVE)
def test_a_program_has_a_finding_at_this_path(code: str, path: str, document: dict) -> None:
    assert findings(document) == [(code, path)]


@pytest.mark.parametrize(("code", "document"), NEARLY)
def test_a_program_just_short_of_a_finding_has_none(code: str, document: dict) -> None:
    assert code not in [found for found, _ in findings(document)]
