"""Forgetting a member: the end of holds, promises, units and debts, and the closing of the account."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import attrs

from loyalty_rules.intent_parts import WriteOff
from loyalty_rules.intents import CancelPromise, ForgetMember, HoldCurrency, LotDraw, ReleaseHold
from loyalty_rules.lifecycle.forgetting import forget
from loyalty_rules.lifecycle.records import Hold, Lot, Refusal, Shortfall

from .accounts import ANNA, AT, WHY, drawn, lot, shop

SHOP = shop()
DAY = timedelta(days=1)


def forgotten(lots: list[Lot], **parts: Any) -> Any:
    given: dict[str, Any] = {"holds": [], "coupons": [], "shortfalls": [], "sales": {}, **parts}
    return forget(SHOP, ["anna", "old"], lots, **given, **WHY)


def hold_of(lot: Lot, units: int) -> Hold:
    draws = (LotDraw(lot.key, Decimal(units)),)
    intent = HoldCurrency("acme/H/hold/points", "H", "anna", None, "points", Decimal(units), AT + DAY, draws)
    return Hold(intent, ANNA, AT - DAY)


def short(open_: int, *, carried: bool = True) -> Shortfall:
    return Shortfall(
        "acme/R/p/earn/reversal", "acme/T/p/earn", ANNA, "points", AT - DAY, Decimal(9), Decimal(open_), carried
    )


def test_live_units_are_voided_and_expired_ones_are_left_to_the_sweep() -> None:
    lots = [lot("T1", 10), lot("T2", 5, date(2025, 1, 20)), lot("T3", 3, date(2025, 1, 19)), lot("T4", 0)]

    (closing,) = forgotten(lots)

    assert (closing.key, closing.member, closing.members) == ("acme/E-1/forget", "anna", ("anna", "old"))
    assert (closing.reason, closing.by) == ("typed by mistake", "desk-3")
    assert drawn(closing.draws) == [("T1", 10), ("T2", 5)]


def test_held_units_come_back_first_and_settle_shortfalls() -> None:
    held = attrs.evolve(lot("T1", 10), outstanding=Decimal(4), held=Decimal(6))

    released, closing = forgotten([held], holds=[hold_of(held, 6)], shortfalls=[short(2)])

    assert isinstance(released, ReleaseHold)
    assert [each.amount for each in released.settled] == [2]
    assert drawn(released.draws) == [("T1", 4)]
    assert drawn(closing.draws) == [("T1", 8)]  # 4 and the 4 that are left of 6
    assert closing.written_off == ()


def test_a_hold_that_is_newer_refuses_it() -> None:
    held = attrs.evolve(lot("T1", 10), outstanding=Decimal(4), held=Decimal(6))
    hold = attrs.evolve(hold_of(held, 6), at=AT + timedelta(hours=1))

    decided = forgotten([held], holds=[hold])

    assert isinstance(decided, Refusal)
    assert decided.reasons == ("too_early",)


def test_debts_are_written_off_and_other_shortfalls_are_not() -> None:
    owed = attrs.evolve(short(3), key="owed")

    (closing,) = forgotten([], shortfalls=[owed, attrs.evolve(short(0), key="paid"), short(4, carried=False)])

    assert closing == ForgetMember(
        "acme/E-1/forget",
        "E-1",
        "anna",
        ("anna", "old"),
        (),
        (WriteOff("owed", Decimal(3)),),
        "typed by mistake",
        "desk-3",
    )


def test_an_adjustment_that_waits_is_cancelled() -> None:
    waiting = attrs.evolve(lot("A1", 0), promised=Decimal(7))

    cancelled, closing = forgotten([waiting])

    assert cancelled == CancelPromise("acme/A1/p/earn/cancel", "acme/A1/p/earn", "E-1", "cancelled", Decimal(7), ())
    assert closing.draws == ()
