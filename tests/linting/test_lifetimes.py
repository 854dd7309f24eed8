"""Active windows and expiries: programs with a finding, and programs just short of one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import loyalty_rules as lr
from linting.small_programs import DELAYED, ON, action, coupon, findings, period, promoted
from loyalty_rules.linting import lint
from shop import earn, fixed

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)

HAVE: list[tuple[str, str, dict]] = [
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
]  # fmt: skip

NEARLY: list[tuple[str, dict]] = [
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
]  # fmt: skip


@pytest.mark.parametrize(("code", "path", "document"), HAVE)
def test_a_program_has_a_finding_at_this_path(code: str, path: str, document: dict) -> None:
    assert findings(document) == [(code, path)]


@pytest.mark.parametrize(("code", "document"), NEARLY)
def test_a_program_just_short_of_a_finding_has_none(code: str, document: dict) -> None:
    assert code not in [found for found, _ in findings(document)]


# -- as of an instant --------------------------------------------------------------------------------------------------

ENDED = promoted({"ends_at": "2026-01-01T00:00:00Z"})
PAST = action(expiry={"type": "fixed_date", "on": "2025-12-31"})
PAST_COUPON = coupon({"validity": {"expiry": {"type": "fixed_date", "on": "2025-12-31"}}})
OVER = [
    ("ended", "$.promotions[0].ends_at", ENDED),
    ("expiry_past", f"{ON}.expiry.on", PAST),
    ("expiry_past", "$.coupon_types.gift.validity.expiry.on", PAST_COUPON),
]


@pytest.mark.parametrize(("code", "path", "document"), OVER)
def test_a_program_that_is_over_by_an_instant_has_a_finding(code: str, path: str, document: dict) -> None:
    before = datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)

    assert (code, path) in findings(document, NEW_YEAR)
    assert (code, path) not in findings(document, before)
    assert (code, path) not in findings(document)


def test_an_instant_is_compared_in_the_time_zone_of_the_program() -> None:
    assert "expiry_past" not in dict(findings({**PAST, "time_zone": "America/New_York"}, NEW_YEAR))


def test_a_promotion_that_ended_has_one_finding() -> None:
    past = {"ends_at": "2025-12-30T00:00:00Z", "actions": PAST["promotions"][0]["actions"]}
    assert findings(promoted(past), NEW_YEAR) == [("ended", "$.promotions[0].ends_at")]


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(lr.InvalidValueError, match="naive_instant"):
        lint(lr.load_program(ENDED), as_of=datetime(2026, 1, 1))
