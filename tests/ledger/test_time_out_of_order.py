"""Time out of order: a late event is decided as if no sweep had run, and nothing is dated before what it refers to.

Each history is played twice, with and without a sweep before the late event, and comes to the same. Source: ledger 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from loyalty_rules.ledger import Ledger, MemoryLedger, Receipt, SQLLedger
from loyalty_rules.ledger.late import overdrawn
from loyalty_rules.ledger.posting import Posting
from loyalty_rules.lifecycle.records import CouponRecord, Hold
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    BEN,
    SERIALS,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    moment,
    proportional,
    shop,
)

TEN_DAYS = {"type": "fixed_period", "after": {"days": 10}}
SHOP = shop(
    earn(fixed("100"), expiry=TEN_DAYS),
    hand_out(),
    currencies={"points": {"redeem": {"points": "100", "value": "1.00"}, "transfer": {}}},
    coupon_types=coupon_type({"type": "stored_value", "amount": "10"}, validity={"expiry": TEN_DAYS}),
)
VISIT = shop(earn(fixed("1"), expiry={"type": "rolling", "after": {"days": 10}}))
LOT, COUPON = "acme/T1/p/earn", "acme/T1/p/thanks/1"
BY = {"reason": "a mistake", "by": "carol", "event": "X"}

Step = Callable[[Till, Receipt | None], Receipt]


class History:
    """A sale of day 0, a step of day 3, a sweep of day 20 or none, and a late step that is dated day 5."""

    def __init__(self, ledger: Ledger, before: Step | None, late: Step, *, swept: bool) -> None:
        self.till = till = Till(ledger)
        till.runs(SHOP)
        till.sell("T1")
        till.on(3)
        made = before(till, None) if before is not None else None
        till.on(20)
        if swept:
            till.expire()
        till.on(5)
        self.receipt = late(till, made)
        self.at_once = self.answers()
        till.runs(SHOP)
        till.on(60)
        till.expire()
        self.in_the_end = self.answers()

    def answers(self) -> list[Any]:
        """Return the balances as of the days at which something happens, and the coupon."""
        balance = self.till.ledger.balance
        days = [moment(day) for day in (4, 6, 9, 11, 12, 16, 21, 70)]
        coupons = [each for account in (ANNA, BEN) for each in self.till.ledger.coupons("acme", account.id)]
        return [
            [balance("acme", account, "points", at) for account in (ANNA, BEN) for at in days],
            [(each.member, each.state_at(moment(6)), each.remaining, each.expires_on) for each in coupons],
        ]

    def story(self) -> list[Any]:
        refusal = self.receipt.refusal.reasons if self.receipt.refusal is not None else None
        return [self.receipt.status, refusal, self.receipt.intents, self.at_once, self.in_the_end]


def spend(till: Till, _: Any) -> Receipt:
    return till.spend("60", event="S")


def hold(till: Till, _: Any) -> Receipt:
    return till.ledger.hold(till.program, ANNA, "points", Decimal(60), moment(8), event="H", at=till.now)


def redeem(till: Till, _: Any) -> Receipt:
    coupon = till.ledger.coupons("acme", "anna")[0]
    return till.redeem(coupon.issue.serial or "", f"R{till.now:%d}", amount="4")


def visit(till: Till, _: Any) -> Receipt:
    till.runs(VISIT)
    return till.sell("V", "1")


def later(till: Till) -> date:
    return (till.now + timedelta(days=40)).date()


BEFORE_AND_LATE: dict[str, tuple[Step | None, Step]] = {
    "a spend": (None, spend),
    "a return": (None, lambda till, _: till.take_back("T1", "100")),
    "an amendment": (None, lambda till, _: till.process({"type": "amendment", "id": "A", "of": "T1", "amount": "50"})),
    "a hold": (None, hold),
    "a transfer": (
        None,
        lambda till, _: till.ledger.transfer(till.program, ANNA, BEN, "points", Decimal(90), **BY, at=till.now),
    ),
    "an adjustment": (
        None,
        lambda till, _: till.ledger.adjust(till.program, ANNA, "points", Decimal(-90), **BY, at=till.now),
    ),
    "a visit that extends": (None, visit),
    "an extension of a lot": (
        None,
        lambda till, _: till.ledger.extend(till.program, later(till), **BY, at=till.now, lot=LOT),
    ),
    "an extension of a coupon": (
        None,
        lambda till, _: till.ledger.extend(till.program, later(till), **BY, at=till.now, coupon=COUPON),
    ),
    "an addition to a card": (
        None,
        lambda till, _: till.ledger.top_up(till.program, COUPON, Decimal(5), **BY, at=till.now),
    ),
    "a redemption": (None, redeem),
    "a second redemption": (redeem, redeem),
    "a void": (None, lambda till, _: till.void(COUPON)),
    "a coupon for another member": (
        None,
        lambda till, _: till.ledger.reassign(till.program, COUPON, "ben", **BY, at=till.now),
    ),
    "a merge": (None, lambda till, _: till.ledger.merge(till.program, "anna", "ben", **BY, at=till.now)),
    "the undo of a spend": (spend, lambda till, made: till.undo_spend(made)),  # type: ignore[arg-type]
    "the undo of a redemption": (redeem, lambda till, made: till.undo_redemption(made)),  # type: ignore[arg-type]
    "the capture of a hold": (
        hold,
        lambda till, made: till.ledger.capture(till.program, made.intents[0].key, event="C", at=till.now),  # type: ignore[union-attr]
    ),
    "the capture of a part": (
        hold,
        lambda till, made: till.ledger.capture(
            till.program,
            made.intents[0].key,
            event="C",
            at=till.now,
            amount=Decimal(20),  # type: ignore[union-attr]
        ),
    ),
    "the release of a hold": (
        hold,
        lambda till, made: till.ledger.release(till.program, made.intents[0].key, event="C", at=till.now),  # type: ignore[union-attr]
    ),
    "a return during a hold": (hold, lambda till, _: till.take_back("T1", "100")),
    "a visit after a spend": (spend, visit),
}


@pytest.fixture(params=["memory", pytest.param("sqlite", marks=pytest.mark.slow)])
def new_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Yield a function that makes new ledgers."""
    opened: list[SQLLedger] = []

    def make() -> Any:
        if request.param == "memory":
            return MemoryLedger(SERIALS)
        opened.append(SQLLedger.open(f"sqlite:///{tmp_path}/{len(opened)}.db", serials=SERIALS))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.mark.parametrize("name", BEFORE_AND_LATE)
def test_a_late_event_comes_to_the_same_after_a_sweep(name: str, new_ledger: Callable[[], Any]) -> None:
    before, late = BEFORE_AND_LATE[name]
    unswept, swept = (History(new_ledger(), before, late, swept=each) for each in (False, True))

    assert unswept.receipt.status == "recorded"
    assert swept.story() == unswept.story()
    assert [*swept.till.ledger.check_invariants()] == []


def kept(cls: type, name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Return the old behaviour of a method: units stay as a sweep has left them."""
    return lambda monkeypatch: monkeypatch.setattr(cls, name, lambda *_: None)


OLD: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a visit that extends": kept(Posting, "recall_swept"),
    "an extension of a lot": kept(Posting, "recall_swept"),
    "an extension of a coupon": lambda monkeypatch: monkeypatch.setattr(
        CouponRecord, "state_at", lambda it, _: it.state
    ),
    "the capture of a hold": lambda monkeypatch: monkeypatch.setattr(Hold, "is_over_by_time", False),
    "a return during a hold": kept(Posting, "settle_late"),
    "a spend": lambda monkeypatch: monkeypatch.setattr(
        "loyalty_rules.ledger.operations.spend.usable_lots", lambda _, lots, __: lots
    ),
}


@pytest.mark.parametrize("name", OLD)
def test_without_its_part_a_sweep_would_change_the_answer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    OLD[name](monkeypatch)
    before, late = BEFORE_AND_LATE[name]
    unswept, swept = (History(MemoryLedger(SERIALS), before, late, swept=each) for each in (False, True))

    assert swept.story() != unswept.story()


# -- too early -------------------------------------------------------------------------------------------------------


def too_early(operation: Callable[[Till], Receipt]) -> Callable[[Till], Receipt]:
    """Return an operation of day 3 after the sale of day 5."""

    def run(till: Till) -> Receipt:
        till.runs(SHOP)
        till.on(5)
        till.sell("T1")
        till.on(3)
        return operation(till)

    return run


def confirmed_before_its_amendment(till: Till) -> Receipt:
    till.runs(shop(earn(proportional("100"), timing={"type": "external"})))
    till.sell("T1", "10")
    till.on(5)
    till.process({"type": "amendment", "id": "A", "of": "T1", "amount": "50"})
    till.on(3)
    return till.confirm("acme/A/p/earn")


def undone_before_its_spend(till: Till) -> Receipt:
    till.runs(SHOP)
    till.sell("T1")
    till.on(5)
    made = till.spend("60")
    till.on(3)
    return till.undo_spend(made)


EARLY: dict[str, Callable[[Till], Receipt]] = {
    "a return": too_early(lambda till: till.take_back("T1", "100")),
    "an amendment": too_early(lambda till: till.process({"type": "amendment", "id": "A", "of": "T1", "amount": "50"})),
    "an update": too_early(lambda till: till.update("T1", "paid")),
    "a void": too_early(lambda till: till.void(COUPON)),
    "an extension of a lot": too_early(
        lambda till: till.ledger.extend(till.program, later(till), **BY, at=till.now, lot=LOT)
    ),
    "an extension of a coupon": too_early(
        lambda till: till.ledger.extend(till.program, later(till), **BY, at=till.now, coupon=COUPON)
    ),
    "an addition to a card": too_early(
        lambda till: till.ledger.top_up(till.program, COUPON, Decimal(5), **BY, at=till.now)
    ),
    "a coupon for another member": too_early(
        lambda till: till.ledger.reassign(till.program, COUPON, "ben", **BY, at=till.now)
    ),
    "a confirmation": confirmed_before_its_amendment,
    "the undo of a spend": undone_before_its_spend,
}


@pytest.mark.parametrize("name", EARLY)
def test_nothing_is_dated_before_what_it_refers_to(name: str, new_ledger: Callable[[], Any]) -> None:
    till = Till(new_ledger())
    receipt = EARLY[name](till)

    assert receipt.refusal is not None
    assert receipt.refusal.reasons == ("too_early",)
    assert [*till.ledger.check_invariants()] == []


def test_an_update_that_is_dated_before_an_amendment_releases_its_promise_at_its_own_instant() -> None:
    delivered = {"type": "transaction_update", "when": {"field": "status", "is": "delivered"}}
    till = Till(MemoryLedger())
    till.runs(shop(earn(proportional("100"), timing=delivered)))
    till.sell("T1", "10")
    till.on(5)
    till.process({"type": "amendment", "id": "A", "of": "T1", "amount": "50"})
    till.on(3)
    till.update("T1", "delivered")

    assert [int(till.points(at=moment(day))) for day in (2, 4, 6)] == [0, 10, 50]
    assert [int(till.promised(at=moment(day))) for day in (2, 4, 6)] == [10, 0, 0]
    assert [*till.ledger.check_invariants()] == []


def test_units_that_were_taken_before_they_were_there_are_found(
    new_ledger: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty_rules.ledger.operations.confirm.issued_after", lambda *_: None)
    monkeypatch.setattr("loyalty_rules.ledger.posting.issued_after", lambda *_: None)
    till = Till(new_ledger())

    assert confirmed_before_its_amendment(till).status == "recorded"
    assert till.promised(at=moment(4)) == -30
    assert [*till.ledger.check_invariants()] == ["lot acme/A/p/earn has fewer than 0 units promised as of an instant"]


def test_entries_of_one_instant_are_one_change() -> None:
    till = Till(MemoryLedger())
    till.runs(SHOP)
    till.sell("T1")
    till.spend("60")
    entries = till.statement()

    assert [*overdrawn(reversed(entries))] == []
    assert [*overdrawn([entries[0], attrs.evolve(entries[1], at=moment(-1))])] == ["available"]


def test_a_hold_whose_units_were_used_since_has_ended() -> None:
    till = Till(MemoryLedger())
    till.runs(SHOP)
    till.sell("T1")
    till.on(3)
    held = hold(till, None)
    till.on(9)
    till.spend("50", event="S1")  # 40 were never held
    till.on(5)
    receipt = till.ledger.capture(till.program, held.intents[0].key, event="C", at=till.now)

    assert receipt.refusal is not None
    assert receipt.refusal.reasons == ("hold_ended",)
