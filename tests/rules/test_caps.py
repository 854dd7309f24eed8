"""Caps: refusals. How they trim is in tests/engine/test_evaluation.py. Source: semantics 8."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.caps import ActionCaps, Cap, CouponCaps, Limit
from loyalty_rules.rules.windows import LIFETIME
from rules.actions import ACTION, problem_of
from shop import earn, fixed, program

REFUSED: list[tuple[dict, str, str, str]] = [
    (
        earn(fixed("1"), caps={"total": {"amount": "1", "times": 1}}),
        f"{ACTION}.caps.total",
        "required",
        "a cap has either an amount or times",
    ),
    (
        earn(fixed("1"), caps={"per_member": {}}),
        f"{ACTION}.caps.per_member",
        "required",
        "a cap has either an amount or times",
    ),
]


@pytest.mark.parametrize(("action", "path", "code", "message"), REFUSED)
def test_a_cap_of_both_or_neither_is_refused(action: dict, path: str, code: str, message: str) -> None:
    assert problem_of(program(action)) == (path, code, message)


def test_a_cap_built_in_python_is_refused_as_a_whole() -> None:
    with pytest.raises(lr.InvalidValueError) as cap:
        Cap()

    assert cap.value.name == ""


@pytest.mark.parametrize(("argument", "value"), [("amount", "-1"), ("times", -1), ("times", "3"), ("amount", 0.5)])
def test_a_negative_or_inexact_cap_is_refused(argument: str, value: object) -> None:
    with pytest.raises(lr.InvalidValueError) as cap:
        Cap(**{argument: value})

    assert cap.value.name == argument


def test_zero_is_a_cap() -> None:
    assert (Cap(amount="0").amount, Cap(times=0).times) == (0, 0)


def test_a_cap_counts_over_the_lifetime_by_default() -> None:
    limit = Limit(id="l", currency="points", per="member", amount="5")

    assert Cap(times=1).window == limit.window == LIFETIME


def test_caps_are_absent_by_default() -> None:
    caps, coupons = ActionCaps(), CouponCaps()

    assert (caps.per_event, caps.per_member, caps.total) == (None, None, None)
    assert (coupons.per_transaction, coupons.per_store, coupons.per_member, coupons.total) == (None,) * 4


def test_a_limit_counts_for_a_member_a_store_or_in_total() -> None:
    with pytest.raises(lr.InvalidValueError) as per:
        Limit(id="l", currency="points", per="event", amount="5")  # type: ignore[arg-type]

    assert (per.value.name, per.value.code) == ("per", "not_a_choice")
