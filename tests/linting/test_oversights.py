"""Milestones that come once and lines that are left out: programs with a finding, and programs just short of one."""

from __future__ import annotations

from typing import Any

import pytest

from linting.small_programs import SPEND, coupon, findings, promoted, when, window
from shop import earn, fixed, program, proportional

CROSSED = {"tracker": "spend", "crossed": True}
NOT_FOOD = {"field": "category", "is_not": "Food"}
PRICE = {"type": "spend_currency", "id": "price", "currency": "points", "amount": "500"}
WIN_BACK = {"win-back": {"activity": "lapsed", "after": {"months": 3}, "since": "last_event"}}
EVERY = "A coffee for every 100"


def stamps(title: str | None, condition: dict, **tracker: Any) -> dict:
    """A program whose promotion is under a test of a tracker."""
    trackers = {"spend": {**SPEND["spend"], **tracker}}
    return promoted({"title": title, "when": condition}, trackers=trackers)


def lines_of(condition: dict) -> dict:
    return program(earn(proportional("10", {"type": "line_item_value", "lines": condition})))


def lines_less(*parts: str) -> dict:
    return program(earn(proportional("10", {"type": "line_item_value", "less": [*parts]})))


def lines_by(aggregate: str, **rounding: str) -> dict:
    return program(earn(proportional("10", {"type": "line_item_value", "aggregate": aggregate}), rounding=rounding))


LINES = "$.promotions[0].actions[0].proration.of.lines"
HAVE: list[tuple[str, str, dict]] = [
    ("crossed_once", "$.promotions[0].when", stamps(EVERY, CROSSED)),
    ("crossed_once", "$.promotions[0].when.all[0]", stamps("EVERY tenth", {"all": [CROSSED]})),
    ("drops_lines", f"{LINES}.is_not", lines_of(NOT_FOOD)),
    ("drops_lines", f"{LINES}.not_in", lines_of({"field": "extended_fields.kind", "not_in": ["a", "b"]})),
    ("drops_lines", f"{LINES}.not.not.is_not", lines_of({"not": {"not": NOT_FOOD}})),
    ("drops_lines", "$.promotions[0].when.not.lines.is_not", when({"not": {"lines": NOT_FOOD}})),
    (
        "drops_lines",
        "$.promotions[0].when.base.lines.is_not",
        when({"base": {"type": "line_item_value", "lines": NOT_FOOD}, "at_least": "5"}),
    ),
    ("lonely_trigger", "$.promotions[0].trigger", promoted({"trigger": "regsitration"})),
    ("less_beside_lines", "$.promotions[0].actions[0].proration.of.less[1]", lines_less("tax", "shipping")),
    ("parts_not_rounded", "$.promotions[0].actions[0].proration.of.aggregate", lines_by("each_unit")),
    ("parts_not_rounded", "$.promotions[0].actions[0].proration.of.aggregate", lines_by("each_line")),
    (
        "drops_lines",
        "$.coupon_types.gift.benefit.lines.is_not",
        coupon({"benefit": {"type": "amount_off", "amount": "1", "lines": NOT_FOOD}}),
    ),
]

NEARLY: list[tuple[str, dict]] = [
    ("crossed_once", stamps(EVERY, CROSSED, repeats=True)),
    ("crossed_once", stamps(EVERY, CROSSED, window=window("month"))),
    ("crossed_once", stamps("A coffee for 100", CROSSED)),
    ("crossed_once", stamps("Everyday low prices", CROSSED)),
    ("crossed_once", stamps(None, CROSSED)),
    ("crossed_once", stamps(EVERY, {"tracker": "spend", "reached": True})),
    ("drops_lines", lines_of({"not": {"field": "category", "is": "Food"}})),
    ("drops_lines", lines_of({**NOT_FOOD, "exists": True})),
    ("drops_lines", lines_of({"not": NOT_FOOD})),
    ("drops_lines", lines_of({"field": "quantity", "is_not": "0"})),
    ("drops_lines", when({"field": "store", "is_not": "S1"})),
    ("lonely_trigger", promoted({"trigger": "registration"})),
    ("lonely_trigger", promoted({"trigger": "lapsed"}, schedules=WIN_BACK)),
    ("lonely_trigger", promoted({"trigger": "petition"}, {"trigger": "petition"})),
    ("lonely_trigger", promoted({"trigger": "lunch", "actions": [PRICE, earn(fixed("1"))]})),
    ("less_beside_lines", lines_less("tax", "tenders.card")),
    ("less_beside_lines", program(earn(proportional("10", {"type": "transaction_value", "less": ["shipping"]})))),
    ("parts_not_rounded", lines_by("each_line", value="down")),
    ("parts_not_rounded", lines_by("each_unit", currency="down")),
    ("parts_not_rounded", lines_by("total")),
]


@pytest.mark.parametrize(("code", "path", "document"), HAVE)
def test_a_program_has_a_finding_at_this_path(code: str, path: str, document: dict) -> None:
    assert findings(document) == [(code, path)]


@pytest.mark.parametrize(("code", "document"), NEARLY)
def test_a_program_just_short_of_a_finding_has_none(code: str, document: dict) -> None:
    assert code not in [found for found, _ in findings(document)]
