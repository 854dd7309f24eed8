"""Each finding: a document that has it, at which path, and documents that nearly have it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.linting import CODES, lint
from shop import earn, fixed, program, proportional, stepped

EXAMPLES = Path(__file__).parents[2] / "examples" / "programs"
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def findings(document: dict, as_of: datetime | None = None) -> list[tuple[str, str]]:
    """The code and the path of each finding."""
    return [(advice.code, advice.path) for advice in lint(lr.load_program(document), as_of=as_of)]


def when(condition: Any, **parts: Any) -> dict:
    """A program of one promotion under a condition."""
    return promoted({"when": condition}, **parts)


def promoted(*promotions: dict, **parts: Any) -> dict:
    """A program of promotions p0, p1, …, each of which gives a point unless it says otherwise."""
    given = [{"id": f"p{number}", "actions": [earn(fixed("1"))], **each} for number, each in enumerate(promotions)]
    return program(promotions=given, **parts)


def action(**parts: Any) -> dict:
    """A program of one action that gives 10 points, unless the parts say otherwise."""
    return program(earn(parts.pop("proration", fixed("10")), **parts))


def coupon(coupon_type: dict, **parts: Any) -> dict:
    """A program of one coupon type and an action that issues one of it."""
    issue = {"type": "issue_coupon", "id": "c", "coupon_type": "gift", **parts}
    return program(issue, coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "1"}, **coupon_type}})


def limited(*limits: dict, proration: dict | None = None) -> dict:
    """A program with limits l0, l1, … on points."""
    named = {f"l{number}": {"currency": "points", "per": "member", **each} for number, each in enumerate(limits)}
    return program(earn(proration or proportional("10")), limits=named)


def period(**parts: int) -> dict:
    return {"type": "event_date", "after": parts}


def window(unit: str) -> dict:
    return {"type": "calendar", "unit": unit}


DELAYED = {"type": "delayed", "days": 30}
ON = "$.promotions[0].actions[0]"
LINE = {"type": "line_item_value"}
SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "100"}}
UP = {"currency": "up"}

HAVE: list[tuple[str, str, dict]] = [
    ("contradiction", "$.promotions[0].when", when({"field": "amount", "at_least": "100", "at_most": "50"})),
    (
        "contradiction",
        "$.promotions[0].when",
        when({"all": [{"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]}),
    ),
    ("contradiction", "$.promotions[0].when", when({"field": "weekday", "is": "monday"})),
    ("contradiction", "$.promotions[0].when", when({"field": "local_time", "at_least": "9:00"})),
    ("contradiction", "$.promotions[0].when", when({"field": "local_date", "is": "2025-02-30"})),
    ("contradiction", "$.promotions[0].when", when({"field": "type", "is": "registration"})),
    ("contradiction", "$.promotions[0].when", when({"field": "amount", "is": "ten"})),
    ("contradiction", "$.promotions[0].when", when({"field": "tax", "less_than": "0"})),
    ("contradiction", "$.promotions[0].when", when({"any": []})),
    ("contradiction", "$.promotions[0].when.not", when({"not": {"any": []}})),
    (
        "contradiction",
        "$.promotions[0].when",
        when({"all": [{"field": "member.tags", "has": "a"}, {"not": {"field": "member.tags", "has": "a"}}]}),
    ),
    (
        "contradiction",
        "$.promotions[0].when",
        when({"all": [{"field": "custom_fields.x", "is": 1}, {"field": "custom_fields.x", "exists": False}]}),
    ),
    (
        "contradiction",
        "$.promotions[0].when",
        when(
            {"all": [{"tracker": "spend", "crossed": True}, {"tracker": "spend", "reached": False}]}, trackers=SPEND
        ),
    ),
    (
        "contradiction",
        "$.promotions[0].when",
        when(
            {
                "all": [
                    {"lines": {"field": "sku", "is": "A"}, "count": {"at_least": 1}},
                    {"not": {"lines": {"field": "sku", "is": "A"}}},
                ]
            }
        ),
    ),
    (
        "contradiction",
        "$.promotions[0].when",
        when({"lines": {"field": "sku", "is": "A"}, "count": {"more_than": 1, "less_than": 2}}),
    ),
    (
        "contradiction",
        "$.promotions[0].when.all[0].any[1]",
        when(
            {
                "all": [
                    {"any": [{"field": "store", "is": "S1"}, {"field": "weekday", "in": ["Sat", "Sun"]}]},
                    {"field": "amount", "at_least": "5"},
                ]
            }
        ),
    ),
    (
        "contradiction",
        "$.promotions[0].when",
        when(
            {
                "all": [
                    {"any": [{"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]},
                    {"field": "store", "is": "S3"},
                ]
            }
        ),
    ),
    ("contradiction", f"{ON}.proration.of.lines", action(proration=proportional(
        "10", {**LINE, "lines": {"all": [{"field": "sku", "is": "A"}, {"field": "sku", "is": "B"}]}}
    ))),
    ("contradiction", "$.trackers.spend.when", program(earn(fixed("1")), trackers={
        "spend": {**SPEND["spend"], "when": {"field": "type", "is": "registration"}}
    })),
    ("contradiction", f"{ON}.timing.when", action(
        timing={"type": "transaction_update", "when": {"not": {"all": []}}}
    )),
    ("contradiction", "$.coupon_types.gift.redemption.when", coupon(
        {"redemption": {"when": {"field": "amount", "more_than": "5", "less_than": "5"}}}
    )),
    ("contradiction", "$.promotions[0].when", promoted(
        {"trigger": "registration", "when": {"field": "amount", "at_least": "1"}}
    )),
    ("shadowed", "$.promotions[1]", promoted(
        {"exclusive": "g", "priority": 5},
        {"exclusive": "g", "when": {"field": "store", "is": "S1"}},
    )),
    ("shadowed", "$.promotions[0]", promoted(
        {"exclusive": "g", "when": {"field": "amount", "at_least": "100"}},
        {"exclusive": "g", "when": {"field": "amount", "at_least": "50"}, "priority": 1},
    )),
    ("shadowed", "$.promotions[1]", promoted(
        {"exclusive": "g", "when": {"field": "store", "in": ["S1", "S2"]}},
        {"exclusive": "g", "when": {"all": [{"field": "store", "is": "S2"}, {"field": "channel", "is": "web"}]}},
    )),
    ("shadowed", "$.promotions[1]", promoted(
        {"exclusive": "g", "ends_at": "2025-03-01T00:00:00Z"},
        {"exclusive": "g", "starts_at": "2025-01-01T00:00:00Z", "ends_at": "2025-02-01T00:00:00Z"},
    )),
    ("empty_window", "$.promotions[0].ends_at", promoted(
        {"starts_at": "2025-01-01T00:00:00Z", "ends_at": "2025-01-01T00:00:00Z"}
    )),
    ("expires_before_issue", f"{ON}.expiry.after", action(timing=DELAYED, expiry=period(days=29))),
    ("expires_before_issue", f"{ON}.expiry.after", action(timing=DELAYED, expiry=period(months=1))),
    ("expires_before_issue", f"{ON}.expiry.after", action(
        timing=DELAYED, expiry={"type": "rolling", "after": {"weeks": 4}}
    )),
    ("expires_before_issue", f"{ON}.expiry.on", promoted({
        "starts_at": "2025-03-01T00:00:00Z",
        "ends_at": "2025-03-03T00:00:00Z",
        "actions": [earn(fixed("1"), expiry={"type": "fixed_date", "on": "2025-02-28"})],
    })),
    ("expires_before_issue", f"{ON}.expiry.on", promoted({
        "starts_at": "2025-03-01T00:00:00Z",
        "actions": [earn(fixed("1"), timing=DELAYED, expiry={"type": "fixed_date", "on": "2025-03-30"})],
    })),
    ("outlives_expiry", f"{ON}.expiry.on", action(expiry={"type": "fixed_date", "on": "2025-12-31"})),
    ("outlives_expiry", f"{ON}.expiry.on", promoted({
        "ends_at": "2026-01-02T00:00:00Z",
        "actions": [earn(fixed("1"), expiry={"type": "fixed_date", "on": "2025-12-31"})],
    })),
    ("starts_after_expiry", "$.coupon_types.gift.validity.starts_after", coupon(
        {"validity": {"starts_after": {"days": 8}, "expiry": {"type": "fixed_period", "after": {"weeks": 1}}}}
    )),
    ("starts_after_expiry", "$.coupon_types.gift.validity.starts_after", coupon(
        {"validity": {"starts_after": {"days": 2}, "expiry": {"type": "fixed_recurring", "month": 1, "day": 15}}}
    )),
    ("cap_of_zero", f"{ON}.caps.per_event", action(caps={"per_event": "0"})),
    ("cap_of_zero", f"{ON}.caps.total.times", action(caps={"total": {"times": 0}})),
    ("cap_of_zero", "$.limits.l0.amount", limited({"amount": "0"})),
    ("cap_of_zero", "$.coupon_types.gift.caps.per_member", coupon({"caps": {"per_member": 0}})),
    ("cap_reached_at_once", f"{ON}.caps.per_event", action(caps={"per_event": "9"})),
    ("cap_reached_at_once", f"{ON}.caps.per_member.amount", action(caps={"per_member": {"amount": "9"}})),
    ("cap_reached_at_once", f"{ON}.caps.per_event", action(
        proration=stepped("100", "10"), caps={"per_event": "9"}
    )),
    ("cap_reached_at_once", "$.limits.l0.amount", limited({"amount": "9"}, proration=fixed("10"))),
    ("cap_reached_at_once", f"{ON}.caps.per_event", action(
        proration=fixed("9.5"), rounding=UP, caps={"per_event": "9.5"}
    )),
    ("cap_reached_at_once", "$.coupon_types.gift.caps.per_transaction", coupon(
        {"caps": {"per_transaction": 1}}, quantity=2
    )),
    ("cap_out_of_reach", f"{ON}.caps.per_event", action(caps={"per_event": "11"})),
    ("cap_out_of_reach", f"{ON}.caps.per_event", action(
        proration=proportional("10"), caps={"per_event": "100", "per_member": {"amount": "50"}}
    )),
    ("cap_out_of_reach", f"{ON}.caps.per_member.amount", action(proration=proportional("10"), caps={
        "per_member": {"amount": "100", "window": window("month")}, "total": {"amount": "50", "window": window("year")}
    })),
    ("cap_out_of_reach", "$.limits.l0.amount", limited(
        {"amount": "500", "window": window("day")}, {"amount": "400", "window": window("month")}
    )),
    ("cap_out_of_reach", "$.limits.l0.amount", limited(
        {"amount": "500", "window": {"type": "rolling", "days": 7}},
        {"amount": "400", "window": {"type": "rolling", "days": 30}},
    )),
    ("cap_out_of_reach", f"{ON}.caps.per_event", program(
        earn(proportional("10"), caps={"per_event": "600"}),
        limits={"daily": {"currency": "points", "per": "member", "amount": "500", "window": window("day")}},
    )),
    ("cap_out_of_reach", "$.coupon_types.gift.caps.per_member", coupon({"caps": {"per_member": 6, "total": 5}})),
    ("limit_never_drawn", "$.limits.miles", program(
        earn(fixed("1")),
        currencies={"points": {}, "miles": {}},
        limits={"miles": {"currency": "miles", "per": "member", "amount": "5"}},
    )),
    ("percent_as_factor", f"{ON}.proration.percent", action(proration={"type": "multiplier", "percent": "2"})),
    ("issues_nothing", f"{ON}.proration.amount", action(proration=fixed("0"))),
    ("issues_nothing", f"{ON}.proration.percent", action(proration=proportional("0"))),
    ("issues_nothing", f"{ON}.proration.points_per_step", action(proration=stepped("10", "0"))),
    ("issues_nothing", f"{ON}.quantity", coupon({}, quantity=0)),
    ("needs_a_sale", f"{ON}.proration.of", promoted({"trigger": "visit", "actions": [earn(proportional("10"))]})),
    ("needs_a_sale", f"{ON}.proration.of", promoted(
        {"trigger": "visit", "actions": [earn(proportional("10", {"type": "event_value", "tracker": "spend"}))]},
        trackers=SPEND,
    )),
    ("mixed_currencies", "$.promotions[0].actions[2].proration.of.actions", program(
        earn(fixed("1"), "a"),
        earn(fixed("1"), "b", currency="miles"),
        earn(proportional("100", {"type": "awarded", "actions": ["p/a", "p/b"]}), "c"),
        currencies={"points": {}, "miles": {}},
    )),
    ("split_earns_more", f"{ON}.rounding.currency", action(proration=proportional("10"), rounding=UP)),
    ("split_earns_more", f"{ON}.rounding.value", action(
        proration=stepped("10", "1"), rounding={"value": "up"}
    )),
    ("split_earns_more", f"{ON}.rounding.currency", action(proration=stepped("10", "0.5"), rounding=UP)),
    ("coupon_never_issued", "$.coupon_types.gift", program(
        earn(fixed("1")), coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "1"}}}
    )),
    ("percent_off_over_100", "$.coupon_types.gift.benefit.percent", coupon(
        {"benefit": {"type": "percent_off", "percent": "150"}}
    )),
    ("percent_off_as_fraction", "$.coupon_types.gift.benefit.percent", coupon(
        {"benefit": {"type": "percent_off", "percent": "0.15"}}
    )),
]  # fmt: skip

NEARLY: list[tuple[str, dict]] = [
    ("contradiction", when({"field": "amount", "at_least": "50", "at_most": "50"})),
    ("contradiction", when({"any": [{"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]})),
    ("contradiction", when({"all": [{"field": "member.tags", "has": "a"}, {"field": "member.tags", "has": "b"}]})),
    (
        "contradiction",
        when({"all": [{"field": "member.tags", "has": "a"}, {"not": {"field": "member.tags", "has": "b"}}]}),
    ),
    ("contradiction", when({"field": "weekday", "in": ["sat", "Sunday"]})),
    ("contradiction", when({"field": "local_time", "at_least": "09:00", "less_than": "09:01"})),
    ("contradiction", when({"field": "local_date", "more_than": "2025-02-28", "less_than": "2025-03-02"})),
    ("contradiction", when({"field": "status", "more_than": "a", "less_than": "a b"})),
    ("contradiction", when({"field": "amount", "less_than": "0"})),
    ("contradiction", when({"field": "amount", "more_than": "1", "less_than": "1.000001"})),
    ("contradiction", when({"not": {"any": [{"field": "store", "is": "S1"}]}})),
    (
        "contradiction",
        when({"all": [{"not": {"field": "store", "is": "S1"}}, {"not": {"field": "store", "is_not": "S1"}}]}),
    ),
    ("contradiction", when({"all": [{"field": "custom_fields.x", "is": "1"}, {"field": "custom_fields.x", "is": 1}]})),
    ("contradiction", when({"field": "custom_fields.x", "at_least": "10", "at_most": "5"})),  # "3x", as texts
    (
        "contradiction",
        when(
            {"all": [{"tracker": "spend", "crossed": False}, {"tracker": "spend", "reached": True}]}, trackers=SPEND
        ),
    ),
    (
        "contradiction",
        when(
            {
                "all": [
                    {"lines": {"field": "sku", "is": "A"}, "count": {"at_least": 1}},
                    {"not": {"lines": {"field": "sku", "is": "B"}}},
                ]
            }
        ),
    ),
    ("contradiction", when({"lines": {"field": "sku", "is": "A"}, "quantity": {"more_than": 1, "less_than": 2}})),
    ("contradiction", promoted({"trigger": "registration", "when": {"field": "amount", "exists": False}})),
    ("shadowed", promoted({"exclusive": "g"}, {"exclusive": "g", "priority": 1, "when": {"field": "tip", "is": 1}})),
    ("shadowed", promoted({"exclusive": "g"}, {"exclusive": "h"})),
    ("shadowed", promoted({"exclusive": "g"}, {"exclusive": "g", "trigger": "visit"})),
    ("shadowed", promoted({"exclusive": "g", "ends_at": "2025-03-01T00:00:00Z"}, {"exclusive": "g"})),
    ("shadowed", promoted(
        {"exclusive": "g", "when": {"field": "amount", "at_least": "100"}},
        {"exclusive": "g", "when": {"field": "amount", "at_least": "99.999999"}},
    )),
    # An amount in a foreign currency without a rate is neither at least 10 nor below it.
    ("shadowed", promoted(
        {"exclusive": "g", "when": {"any": [
            {"field": "amount", "at_least": "10"}, {"field": "amount", "less_than": "10"}
        ]}},
        {"exclusive": "g"},
        money="USD",
    )),
    ("empty_window", promoted({"starts_at": "2025-01-01T00:00:00Z", "ends_at": "2025-01-01T00:00:00.000001Z"})),
    ("expires_before_issue", action(timing=DELAYED, expiry=period(days=30))),
    ("expires_before_issue", action(timing={"type": "delayed", "days": 28}, expiry=period(months=1))),
    ("expires_before_issue", action(timing=DELAYED, expiry={"type": "fixed_period", "after": {"days": 1}})),
    ("expires_before_issue", action(expiry=period(days=0))),
    ("expires_before_issue", promoted({
        "starts_at": "2025-03-01T00:00:00Z",
        "actions": [earn(fixed("1"), timing=DELAYED, expiry={"type": "fixed_date", "on": "2025-03-31"})],
    })),
    ("outlives_expiry", promoted({
        "ends_at": "2026-01-01T00:00:00Z",
        "actions": [earn(fixed("1"), expiry={"type": "fixed_date", "on": "2025-12-31"})],
    })),
    ("outlives_expiry", promoted({
        "when": {"field": "local_date", "at_most": "2025-12-31"},
        "actions": [earn(fixed("1"), expiry={"type": "fixed_date", "on": "2025-12-31"})],
    })),
    ("starts_after_expiry", coupon(
        {"validity": {"starts_after": {"days": 7}, "expiry": {"type": "fixed_period", "after": {"weeks": 1}}}}
    )),
    ("starts_after_expiry", coupon(
        {"validity": {"starts_after": {"days": 1}, "expiry": {"type": "fixed_recurring", "month": 1, "day": 15}}}
    )),
    ("starts_after_expiry", coupon({"validity": {"starts_after": {"years": 1}, "expiry": {"type": "never"}}})),
    ("cap_of_zero", action(caps={"per_event": "0.000001"})),
    ("cap_reached_at_once", action(caps={"per_event": "10"})),
    ("cap_reached_at_once", action(proration=proportional("100"), caps={"per_event": "1"})),
    ("cap_reached_at_once", action(proration=fixed("9.5"), rounding={"currency": "down"}, caps={"per_event": "9"})),
    ("cap_reached_at_once", coupon({"caps": {"per_transaction": 1}})),
    ("cap_reached_at_once", action(caps={"per_member": {"times": 1}})),
    ("cap_out_of_reach", action(caps={"per_event": "10"})),
    ("cap_out_of_reach", action(
        proration=stepped("100", "10"), caps={"per_event": "11", "per_member": {"amount": "11"}}
    )),
    ("cap_out_of_reach", action(caps={
        "per_member": {"amount": "100", "window": window("year")}, "total": {"amount": "50", "window": window("month")}
    })),
    ("cap_out_of_reach", action(caps={"per_member": {"amount": "100"}, "total": {"times": 5}})),
    ("cap_out_of_reach", limited(
        {"amount": "500", "window": window("week")}, {"amount": "400", "window": window("month")}
    )),
    ("cap_out_of_reach", limited({"amount": "500", "per": "member"}, {"amount": "400", "per": "store"})),
    ("cap_out_of_reach", limited(
        {"amount": "500", "window": {"type": "rolling", "days": 31}},
        {"amount": "400", "window": {"type": "rolling", "days": 30}},
    )),
    ("cap_out_of_reach", limited(  # late receipts: a rolling window ends with the day of the sale
        {"amount": "500", "window": window("month")}, {"amount": "400", "window": {"type": "rolling", "days": 90}}
    )),
    ("limit_never_drawn", limited({"amount": "5"})),
    ("percent_as_factor", action(proration={"type": "multiplier", "percent": "200"})),
    ("percent_as_factor", action(proration={"type": "multiplier", "percent": "2.5"})),
    ("percent_as_factor", action(proration=proportional("2"))),
    ("issues_nothing", action(proration=fixed("0.000001"))),
    ("issues_nothing", coupon({}, quantity=1)),
    ("needs_a_sale", promoted({"trigger": "visit"})),
    ("needs_a_sale", promoted(
        {"trigger": "visit", "actions": [earn(proportional("10", {"type": "gap_before", "tracker": "spend"}))]},
        trackers=SPEND,
    )),
    ("mixed_currencies", program(
        earn(fixed("1"), "a"),
        earn(fixed("1"), "b"),
        earn(proportional("1", {"type": "awarded", "actions": ["p/a", "p/b"]}), "c", currency="miles"),
        currencies={"points": {}, "miles": {}},
    )),
    ("split_earns_more", action(proration=proportional("10"), rounding={"currency": "down", "value": "down"})),
    ("split_earns_more", action(proration=fixed("1.5"), rounding=UP)),
    ("split_earns_more", action(proration=stepped("10", "1"), rounding=UP)),
    ("split_earns_more", action(
        proration=proportional("100", {"type": "line_item_quantity"}), rounding={"value": "up"}
    )),
    ("coupon_never_issued", coupon({})),
    ("percent_off_over_100", coupon({"benefit": {"type": "percent_off", "percent": "100"}})),
    ("percent_off_as_fraction", coupon({"benefit": {"type": "percent_off", "percent": "1"}})),
]  # fmt: skip


@pytest.mark.parametrize(("code", "path", "document"), HAVE)
def test_a_program_that_has_it_is_told_where(code: str, path: str, document: dict) -> None:
    assert findings(document) == [(code, path)]


@pytest.mark.parametrize(("code", "document"), NEARLY)
def test_a_program_that_nearly_has_it_is_not_told(code: str, document: dict) -> None:
    assert code not in [found for found, _ in findings(document)]


# -- what is over ------------------------------------------------------------------------------------------------------

ENDED = promoted({"ends_at": "2026-01-01T00:00:00Z"})
PAST = action(expiry={"type": "fixed_date", "on": "2025-12-31"})
PAST_COUPON = coupon({"validity": {"expiry": {"type": "fixed_date", "on": "2025-12-31"}}})
OVER = [
    ("ended", "$.promotions[0].ends_at", ENDED),
    ("expiry_past", f"{ON}.expiry.on", PAST),
    ("expiry_past", "$.coupon_types.gift.validity.expiry.on", PAST_COUPON),
]


@pytest.mark.parametrize(("code", "path", "document"), OVER)
def test_what_is_over_by_an_instant_is_told(code: str, path: str, document: dict) -> None:
    before = datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)

    assert (code, path) in findings(document, NEW_YEAR)
    assert (code, path) not in findings(document, before)
    assert (code, path) not in findings(document)


def test_an_instant_is_judged_in_the_zone_of_the_program() -> None:
    assert "expiry_past" not in dict(findings({**PAST, "time_zone": "America/New_York"}, NEW_YEAR))


def test_what_ended_is_told_once() -> None:
    past = {"ends_at": "2025-12-30T00:00:00Z", "actions": PAST["promotions"][0]["actions"]}
    assert findings(promoted(past), NEW_YEAR) == [("ended", "$.promotions[0].ends_at")]


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(lr.InvalidValueError, match="naive_instant"):
        lint(lr.load_program(ENDED), as_of=datetime(2026, 1, 1))


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_code_is_shown_by_one_that_has_it_and_one_that_nearly_has_it() -> None:
    over = {code for code, _, _ in OVER}
    assert {code for code, _, _ in HAVE} | over == set(CODES)
    assert {code for code, _ in NEARLY} | over == set(CODES)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.toml")))
def test_nothing_is_found_in_the_examples(name: str) -> None:
    assert lint(lr.load_program(EXAMPLES / name)) == []


def test_a_finding_says_where_what_why_and_what_to_do() -> None:
    [advice] = lint(lr.load_program(action(proration={"type": "multiplier", "percent": "2"})))

    assert str(advice) == (
        "$.promotions[0].actions[0].proration.percent: a multiplier of 2 % issues 2 for each 100 [percent_as_factor]\n"
        "  why: a multiplier is a percentage: 200 issues 2 times the base\n"
        "  do: write 200; if you mean 2 %, use proportional"
    )


def test_a_contradiction_shows_what_is_against_what() -> None:
    condition = {"all": [{"field": "tip", "is": 1}, {"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]}
    [advice] = lint(lr.load_program(when(condition)))

    assert advice.found == (
        'this can\'t hold: no value meets {"field": "store", "is": "S1"} and {"field": "store", "is": "S2"}'
    )


@pytest.mark.parametrize("count", [1, 12])
def test_a_condition_of_many_alternatives_counts_as_one_that_can_hold(count: int) -> None:
    """2 to the power of 12 alternatives are not tried: the linter stays fast and says nothing."""
    choices = [{"any": [{"field": "store", "is": "S1"}, {"field": "store", "is": "S2"}]} for _ in range(count)]
    found = findings(when({"all": [*choices, {"field": "store", "is": "S3"}]}))
    assert found == ([("contradiction", "$.promotions[0].when")] if count == 1 else [])
