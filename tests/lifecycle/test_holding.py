"""Holds: the capture, the release, and the end by time. Source: semantics 12."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.intents import CaptureHold, HoldCurrency, LotDraw, ReleaseHold, SpendCurrency
from loyalty_rules.lifecycle.holding import after_ended_holds, capture, end, hold, release
from loyalty_rules.lifecycle.records import Hold, Lot, Refusal, Shortfall
from shop import program

from .test_undoing import lot
from .till import MEMBER, instant

HELD_AT = instant("2025-01-16T10:00:00Z")
UNTIL = instant("2025-01-18T10:00:00Z")
AT = instant("2025-01-17T10:00:00Z")
SECOND = timedelta(seconds=1)
SHOP = lr.load_program(program(currencies={"points": {"redeem": {"points": "10", "value": "1"}}}))


def held(key: str, expires_at: str | None = None, units: int = 10) -> Lot:
    return attrs.evolve(lot(key, expires_at), spent=Decimal(0), held=Decimal(units), outstanding=Decimal(10 - units))


LOTS = {"a": held("a", "2025-01-17T00:00:00Z"), "b": held("b", units=5)}
DRAWS = (LotDraw("a", Decimal(10)), LotDraw("b", Decimal(5)))
INTENT = HoldCurrency("acme/H-1/hold/points", "H-1", "M1", None, "points", Decimal(15), UNTIL, DRAWS)
HOLD = Hold(INTENT, MEMBER, HELD_AT)


def short(of: str, units: int, *, at: datetime = HELD_AT, carried: bool = False) -> Shortfall:
    return Shortfall(f"short of {of}", of, MEMBER, "points", at, Decimal(units), Decimal(units), carried)


def test_a_hold_draws_as_a_spend_does() -> None:
    lots = [held("a", "2025-02-01T00:00:00Z", 0), held("b", units=4)]
    decided = hold(SHOP, MEMBER, "M1", "points", "H-1", lots, Decimal(12), UNTIL, AT)
    draws = (LotDraw("a", Decimal(10)), LotDraw("b", Decimal(2)))
    assert decided == HoldCurrency("acme/H-1/hold/points", "H-1", "M1", None, "points", Decimal(12), UNTIL, draws)
    refused = hold(SHOP, MEMBER, "M1", "points", "H-1", lots, Decimal(17), UNTIL, AT)
    assert isinstance(refused, Refusal)
    assert refused.reasons == ("insufficient",)  # 16 are available, 4 are held


def test_a_capture_spends_all_units_also_of_an_expired_lot() -> None:
    captured = capture(SHOP, HOLD, "S-1", LOTS, [], AT)
    draws = tuple(attrs.evolve(each, taken_from="held") for each in DRAWS)
    assert captured == (
        CaptureHold("acme/S-1/capture/H-1/hold/points", INTENT.key, "S-1", Decimal(15)),
        SpendCurrency("acme/S-1/spend/points", "S-1", "M1", None, "points", Decimal(15), Decimal("1.5"), draws),
    )


def test_a_capture_of_a_part_takes_the_units_drawn_first() -> None:
    """Of 10 and 5 units 8 are captured; 5 of the second lot and 2 of the first, which has expired, are released."""
    captured = capture(SHOP, HOLD, "S-1", LOTS, [short("b", 3)], AT, Decimal(8))
    assert not isinstance(captured, Refusal)
    _, spent, released = captured
    assert isinstance(spent, SpendCurrency)
    assert isinstance(released, ReleaseHold)
    assert spent.draws == (LotDraw("a", Decimal(8), "held"),)
    assert released.draws == (LotDraw("b", Decimal(2)),)
    assert released.expired == (LotDraw("a", Decimal(2)),)
    assert [(each.lot, each.amount) for each in released.settled] == [("b", 3)]


@pytest.mark.parametrize(
    ("ended_at", "at", "amount", "reasons"),
    [
        (AT, AT, None, ("hold_ended",)),
        (None, UNTIL, None, ("hold_ended",)),
        (None, HELD_AT - SECOND, "16", ("too_early", "more_than_held")),
        (None, AT, "0", ("not_positive",)),
        (AT, AT, "-1", ("hold_ended", "not_positive")),
    ],
)
def test_a_refused_capture_lists_every_reason(
    ended_at: datetime | None, at: datetime, amount: str | None, reasons: tuple[str, ...]
) -> None:
    part = Decimal(amount) if amount is not None else None
    refused = capture(SHOP, attrs.evolve(HOLD, ended_at=ended_at), "S-1", LOTS, [], at, part)
    assert isinstance(refused, Refusal)
    assert refused.reasons == reasons


def test_a_release_before_the_end_and_none_at_it() -> None:
    released = release(HOLD, "r", LOTS, [], UNTIL - SECOND)
    assert isinstance(released, ReleaseHold)
    assert (released.draws, released.expired) == ((LotDraw("b", Decimal(5)),), (LotDraw("a", Decimal(10)),))
    assert isinstance(release(HOLD, "r", LOTS, [], UNTIL), Refusal)


def test_the_end_by_time_is_as_of_its_instant() -> None:
    late = {**LOTS, "b": attrs.evolve(LOTS["b"], expires_at=UNTIL + SECOND)}
    ended = end(HOLD, late, [])
    assert (ended.key, ended.released_at) == ("acme/H-1/hold/points/end", UNTIL)
    assert ended.draws == (LotDraw("b", Decimal(5)),)


def test_after_the_end_units_are_available_and_shortfalls_since_the_hold_are_made_good() -> None:
    """The 5 units of b come first: 2 for b and 3 for a. Of the 10 of a, which has expired, 1 is still short."""
    owed = [short("b", 2), short("a", 4), attrs.evolve(short("x", 9, at=HELD_AT - SECOND), key="before")]
    lots, shortfalls, releases = after_ended_holds([HOLD], [*LOTS.values()], owed, UNTIL)
    assert [(each.key, each.outstanding, each.held, each.expired, each.reversed) for each in lots] == [
        ("a", 0, 0, 9, 1),
        ("b", 5, 0, 0, 5),
    ]
    assert [each.open for each in shortfalls] == [0, 0, 9]
    assert [each.released_at for each in releases] == [UNTIL]


@pytest.mark.parametrize(("ended_at", "at"), [(AT, UNTIL), (None, UNTIL - SECOND)])
def test_a_hold_that_stands_or_has_ended_changes_nothing(ended_at: datetime | None, at: datetime) -> None:
    lots = [*LOTS.values()]
    assert after_ended_holds([attrs.evolve(HOLD, ended_at=ended_at)], lots, [], at) == (lots, [], [])
