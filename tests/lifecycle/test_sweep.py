"""Expiry by time, extensions, and sweeps, which change no query. Source: semantics 5, ledger 2."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.intents import ExpireCurrency
from loyalty_rules.ledger import reports
from loyalty_rules.ledger.posting import _POSTS
from shop import earn, fixed, program, sale

from .laws import holds, is_broken
from .till import MEMBER, Till, instant

ROLLING = {"type": "rolling", "after": {"days": 30}}


def days(number: int) -> dict:
    return {"type": "fixed_period", "after": {"days": number}}


def test_a_lot_expires_at_the_midnight_that_ends_its_day_and_a_sweep_records_it_once() -> None:
    till = Till(program(earn(fixed("10"), expiry=days(10))))
    till.sell(sale("100"))
    assert list(till.ledger.expire(till.program, instant("2025-01-25T23:59:59Z"))) == []
    (swept,) = till.ledger.expire(till.program, instant("2025-03-01T00:00:00Z"))
    (intent,) = swept.intents
    assert (intent.key, intent.amount, str(intent.expired_at)) == (
        "acme/T-1/p/earn/expire/2025-01-25", 10, "2025-01-26 00:00:00+00:00"
    )  # fmt: skip
    assert list(till.ledger.expire(till.program, instant("2025-03-01T00:00:00Z"))) == []


@pytest.mark.parametrize(("zone", "day", "ends_at"), [
    ("America/New_York", "2025-03-09", "2025-03-10T04:00:00+00:00"),   # a day of 23 hours
    ("America/New_York", "2025-11-02", "2025-11-03T05:00:00+00:00"),   # a day of 25
    ("Asia/Kolkata", "2025-03-09", "2025-03-09T18:30:00+00:00"),
    ("Africa/Cairo", "2024-04-25", "2024-04-25T22:00:00+00:00"),       # midnight does not exist: 01:00 is the first
])  # fmt: skip
def test_a_day_ends_at_the_local_midnight(zone: str, day: str, ends_at: str) -> None:
    rules = program(earn(fixed("10"), expiry={"type": "fixed_date", "on": day}), time_zone=zone)
    till = Till(rules)
    till.sell(sale("100", occurred_at=f"{day}T12:00:00Z"))
    end = instant(ends_at)
    assert till.available((end - timedelta(seconds=1)).isoformat()) == 10
    assert till.available(end.isoformat()) == 0


def test_a_coupon_expires_by_time_and_a_sweep_records_it() -> None:
    till = gifts()
    assert [len(till.ledger.expire(till.program, instant(at))) for at in
            ("2025-01-25T23:59:59Z", "2025-01-26T00:00:00Z", "2025-01-27T00:00:00Z")] == [0, 1, 0]  # fmt: skip
    assert {coupon.state for coupon in till.coupons().values()} == {"expired"}


def gifts() -> Till:
    gift = {"benefit": {"type": "amount_off", "amount": "5"}, "validity": {"expiry": days(10)}}
    action = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
    till = Till(program(action, coupon_types={"gift": gift}))
    till.sell(sale("100"))
    return till


def test_a_redeemed_coupon_does_not_expire() -> None:
    till = gifts()
    till.ledger.redeem(till.program, "S:acme/T-1/p/gift/1", lr.load_event(sale("9", id="T-2")))
    assert list(till.ledger.expire(till.program, instant("2026-01-01T00:00:00Z"))) == []


# -- expiries that move ----------------------------------------------------------------------------------------------


def test_each_visit_extends_the_live_balance() -> None:
    till = Till(program(earn(fixed("10"), expiry=ROLLING)))
    for number, day in enumerate(("2025-01-15", "2025-02-10", "2025-03-12")):
        till.sell(sale("100", id=f"T-{number}", occurred_at=f"{day}T10:00:00Z"))
    assert {str(lot.expires_on) for lot in till.lots().values()} == {"2025-04-11"}
    assert till.available("2025-04-11T23:59:59Z") == 30
    assert till.available("2025-04-12T00:00:00Z") == 0


def test_an_extension_does_not_revive_an_expired_lot_swept_or_not() -> None:
    for swept in (False, True):
        till = Till(program(earn(fixed("10"), expiry=ROLLING)))
        till.sell(sale("100"))
        if swept:
            till.ledger.expire(till.program, instant("2025-02-15T00:00:00Z"))
        till.sell(sale("100", id="T-2", occurred_at="2025-02-15T00:00:00Z"))  # the first lot has just ended
        assert till.available("2025-02-15T00:00:00Z") == 10


def test_a_visit_that_is_recorded_after_a_sweep_extends_what_was_live_then() -> None:
    for swept in (False, True):
        till = Till(program(earn(fixed("10"), expiry=ROLLING)))
        till.sell(sale("100"))  # on 15 January, so it ends with 14 February
        if swept:
            till.ledger.expire(till.program, instant("2025-02-20T00:00:00Z"))
        till.sell(sale("100", id="T-2", occurred_at="2025-02-10T10:00:00Z"))  # both end with 12 March
        assert [till.available(f"2025-{day}T12:00:00Z") for day in ("02-09", "02-10", "02-20", "03-12", "03-13")] == [
            10, 20, 20, 20, 0
        ]  # fmt: skip


def test_an_extension_neither_shortens_a_lot_nor_changes_one_without_expiry() -> None:
    rules = program(promotions=[
        {"id": "p", "when": {"field": "store", "is": "S1"},
         "actions": [earn(fixed("1"), "long", expiry=days(300)), earn(fixed("2"), "never")]},
        {"id": "q", "when": {"field": "store", "is": "S2"}, "actions": [earn(fixed("4"), expiry=ROLLING)]},
    ])  # fmt: skip
    till = Till(rules)
    till.sell(sale("100", store="S1"))
    before = {key: lot.expires_on for key, lot in till.lots().items()}
    till.sell(sale("100", id="T-2", store="S2"))
    after = {key: lot.expires_on for key, lot in till.lots().items()}
    assert {key: after[key] for key in before} == before


@pytest.mark.parametrize(("scope", "moved"), [("balance", "2025-03-03"), ("rolling_lots", "2025-02-04")])
def test_the_scope_of_an_extension(scope: str, moved: str) -> None:
    rules = program(promotions=[
        {"id": "p", "when": {"field": "store", "is": "S1"}, "actions": [earn(fixed("1"), expiry=days(20))]},
        {"id": "q", "when": {"field": "store", "is": "S2"},
         "actions": [earn(fixed("4"), expiry={**ROLLING, "scope": scope})]},
    ])  # fmt: skip
    till = Till(rules)
    till.sell(sale("100", store="S1"))
    till.sell(sale("100", id="T-2", store="S2", occurred_at="2025-02-01T10:00:00Z"))
    assert str(till.lots()["acme/T-1/p/earn"].expires_on) == moved


# -- the law ---------------------------------------------------------------------------------------------------------

START = instant("2025-01-01T10:00:00Z")
PROGRAM = program(
    promotions=[
        {"id": "p", "when": {"field": "store", "is": "S1"}, "actions": [earn(fixed("10"), expiry=days(10))]},
        {"id": "q", "when": {"field": "store", "is": "S2"}, "actions": [earn(fixed("7"), expiry=ROLLING)]},
        {"id": "g", "actions": [{"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}]},
    ],
    coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "5"}, "validity": {"expiry": days(10)}}},
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 12),  # days later
        st.one_of(
            st.sampled_from(("S1", "S2")),
            st.integers(1, 20).map(lambda amount: ("spend", amount)),
            st.just(("undo",)),
            st.integers(0, 5).map(lambda number: ("return", number)),
            st.integers(0, 5).map(lambda number: ("redeem", number)),
            st.integers(0, 5).map(lambda number: ("void", number)),
        ),
    ),
    min_size=1,
    max_size=8,
)


def a_sweep_changes_no_answer(steps: list, sweeps: list) -> None:
    """Sweep between some steps, and not at all: every query as of any instant answers the same."""
    swept, unswept = run(steps, sweeps), run(steps, [])
    for number in range(0, 130, 3):
        at = START + timedelta(days=number)
        assert answers(swept, at) == answers(unswept, at)


def run(steps: list, sweeps: list) -> Till:
    till, at, spent = Till(PROGRAM), START, 0
    for number, (later, step) in enumerate(steps):
        at += timedelta(days=later)
        if number in sweeps:
            till.ledger.expire(till.program, at)
        match step:
            case str(store):
                till.sell(sale("100", id=f"T-{number}", store=store, occurred_at=at.isoformat()))
            case ("spend", amount):
                spent = number
                till.spend(amount, event=f"P-{number}", at=at.isoformat())
            case ("undo",):
                till.ledger.undo_spend(till.program, f"acme/P-{spent}/spend/points", event=f"X-{number}", at=at)
            case ("return", of):
                till.take_back("100", of=f"T-{of}", at=at.isoformat())
            case ("redeem", of):
                purchase = lr.load_event(sale("9", id=f"C-{number}", store="S9", occurred_at=at.isoformat()))
                till.ledger.redeem(till.program, f"S:acme/T-{of}/g/gift/1", purchase)
            case ("void", of):
                till.ledger.void(till.program, f"acme/T-{of}/g/gift/1", event=f"V-{number}", at=at)
    return till


def answers(till: Till, at: datetime) -> tuple:
    ledger, rows = till.ledger, till.ledger.report_rows("acme", at)
    probe = lr.load_event(sale("1", id="probe", occurred_at=at.isoformat()))
    live = [lot for lot in ledger.lots("acme", MEMBER, "points", at) if lot.is_live(at)]
    return (
        ledger.balance("acme", MEMBER, "points", at),
        ledger.snapshot(till.program, probe),
        [(lot.key, lot.expires_on, lot.outstanding) for lot in live],
        [coupon.state_at(at) for coupon in rows.coupons],
        reports.issuance(till.program, rows, by=("promotion", "issued_in", "month")),
        reports.liability(till.program, rows),
    )


SWEEPS = st.lists(st.integers(0, 8), max_size=6)


def test_a_sweep_changes_no_query_as_of_any_instant() -> None:
    holds(a_sweep_changes_no_answer, STEPS, SWEEPS, tries=60)


def test_a_balance_that_waits_for_the_sweep_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyalty_rules.lifecycle.records.Lot.is_live", lambda lot, _at: lot.outstanding > 0)
    is_broken(a_sweep_changes_no_answer, STEPS, SWEEPS, tries=60)


def test_a_void_that_ignores_the_time_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyalty_rules.lifecycle.records.CouponRecord.state_at", lambda coupon, _at: coupon.state)
    is_broken(a_sweep_changes_no_answer, STEPS, SWEEPS, tries=60)


def test_an_expiry_recorded_at_the_instant_of_the_sweep_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(posting: Any, intent: Any) -> Any:
        posting.move(
            intent.lot, "available", "expired", intent.amount, intent.key, intent.expired_at + timedelta(days=40)
        )
        return intent

    monkeypatch.setitem(_POSTS, ExpireCurrency, late)
    is_broken(a_sweep_changes_no_answer, STEPS, SWEEPS, tries=60)
