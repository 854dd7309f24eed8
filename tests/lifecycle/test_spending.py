"""Spending: the order of lots, the limits of a rate, the value of an amount, and the undoing. Source: semantics 12."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.intents import IssueCurrency, SpendCurrency, UndoSpend
from loyalty_rules.ledger import Receipt
from loyalty_rules.lifecycle import Account, Lot, available, in_order_of_spending, spend, spending, worth
from loyalty_rules.rules.promotions import RedeemRate
from shop import earn, fixed, program, sale

from .laws import holds, is_broken
from .till import MEMBER, SOLD_AT, Till, instant


def expiring(name: str, amount: str, days: int | None) -> dict:
    period = {"expiry": {"type": "fixed_period", "after": {"days": days}}} if days else {}
    return earn(fixed(amount), name, **period)


def shop(*actions: dict, **redeem: str) -> Till:
    """A till where M1 has bought once."""
    rate = {"redeem": redeem or {"points": "100", "value": "1.00"}}
    till = Till(program(*actions, currencies={"points": rate}, money="EUR"))
    till.sell(sale("100"))
    return till


def drawn(receipt: Receipt) -> list[tuple[str, Decimal]]:
    (intent,) = receipt.intents
    assert isinstance(intent, SpendCurrency)
    return [(draw.lot.rpartition("/")[2], draw.amount) for draw in intent.draws]


def refused(receipt: Receipt) -> tuple[str, ...]:
    assert receipt.refusal is not None
    return receipt.refusal.reasons


# -- from which lots -------------------------------------------------------------------------------------------------


def test_lots_are_spent_by_expiry_soonest_first_then_in_the_order_of_issue() -> None:
    till = shop(
        expiring("never", "5", None),
        expiring("late", "5", 60),
        expiring("soon", "5", 10),
        expiring("late-too", "5", 60),
    )
    assert drawn(till.spend("17")) == [("soon", 5), ("late", 5), ("late-too", 5), ("never", 2)]
    assert drawn(till.spend("3", event="T-10")) == [("never", 3)]
    assert refused(till.spend("0.000001", event="T-11")) == ("insufficient",)


def test_a_lot_is_live_to_the_end_of_its_last_day_and_not_an_instant_longer() -> None:
    till = shop(expiring("earn", "5", 10))
    assert refused(till.spend("5", at="2025-01-26T00:00:00Z")) == ("insufficient",)
    assert drawn(till.spend("5", at="2025-01-25T23:59:59.999999Z")) == [("earn", 5)]


def test_spent_units_stay_spent_when_their_lot_expires() -> None:
    """The "balance collapse" of other systems: expired lots drop out of the sum, the spends against them stay."""
    till = shop(expiring("soon", "10", 10), expiring("late", "10", 60))
    till.spend("8")
    assert till.available("2025-01-25T12:00:00Z") == 12
    assert till.available("2025-01-26T00:00:00Z") == 10
    till.ledger.expire(till.program, instant("2025-02-01T00:00:00Z"))
    assert till.available("2025-02-01T00:00:00Z") == 10
    soon = till.lots()["acme/T-1/p/soon"]
    assert (soon.spent, soon.expired, soon.outstanding) == (8, 2, 0)


def test_currencies_and_accounts_do_not_mix() -> None:
    actions = (earn(fixed("5")), {**earn(fixed("7"), "miles"), "currency": "miles"},
               earn(fixed("9"), "group", recipient="member_group"))  # fmt: skip
    till = Till(program(*actions, currencies={"points": {"redeem": {"points": "100", "value": "1.00"}}, "miles": {}}))
    till.sell(sale("100", member={"id": "M1", "group": "M1"}))  # a group that is named as the member is
    assert refused(till.spend("6")) == ("insufficient",)
    group = Account("group", "M1")
    receipt = till.ledger.spend(till.program, group, "M1", "points", Decimal(9), event="T-9", at=instant(SOLD_AT))
    assert drawn(receipt) == [("group", 9)]
    (intent,) = receipt.intents
    assert isinstance(intent, SpendCurrency)
    assert (intent.member, intent.group) == ("M1", "M1")
    assert till.ledger.balance("acme", MEMBER, "miles", instant(SOLD_AT)).available == 7


# -- how much --------------------------------------------------------------------------------------------------------

RATE = {"points": "100", "value": "5.00", "least": "500", "block": "100", "most": "1000"}


@pytest.mark.parametrize(("balance", "amount", "reasons"), [
    ("500", "500", ()),
    ("2000", "1000", ()),
    ("2000", "400", ("below_least",)),               # the least that one transaction spends
    ("2000", "550", ("not_a_block",)),
    ("2000", "1100", ("above_most",)),
    ("500", "600", ("insufficient",)),
    ("499", "450", ("below_least", "not_a_block")),
    ("499", "1050.5", ("not_a_block", "above_most", "insufficient")),
    ("2000", "0", ("not_positive", "below_least")),
    ("2000", "-100", ("not_positive", "below_least")),
])  # fmt: skip
def test_the_minimum_the_block_and_the_maximum_of_a_rate(balance: str, amount: str, reasons: tuple) -> None:
    till = shop(earn(fixed(balance)), **RATE)
    receipt = till.spend(amount)
    assert (receipt.refusal.reasons if receipt.refusal else ()) == reasons
    assert till.available() == Decimal(balance) - (0 if reasons else Decimal(amount))


def test_a_currency_that_the_program_does_not_have_is_refused() -> None:
    assert refused(shop(earn(fixed("5"))).spend("1", currency="miles")) == ("unknown_currency",)


@pytest.mark.parametrize(("points", "value", "amount", "money"), [
    ("100", "5.00", "500", "25"),
    ("100", "5.00", "1", "0.05"),
    ("3", "1", "1", "0.333333"),          # rounded down at the sixth decimal, in favour of the program
    ("3", "1", "2", "0.666666"),
    ("3", "2", "3", "2"),
    ("0.5", "1", "0.25", "0.5"),
])  # fmt: skip
def test_the_value_of_an_amount_is_rounded_down(points: str, value: str, amount: str, money: str) -> None:
    assert worth(RedeemRate(Decimal(points), Decimal(value)), Decimal(amount)) == Decimal(money)


def test_several_purchases_draw_a_balance_down_and_each_has_its_value() -> None:
    till = shop(earn(fixed("1000")), points="100", value="5.00", block="100")
    intents = [till.spend(amount, event=f"P-{amount}").intents[0] for amount in ("300", "500", "200")]
    assert [(each.amount, each.value) for each in intents if isinstance(each, SpendCurrency)] == [
        (300, 15), (500, 25), (200, 10)
    ]  # fmt: skip
    assert till.available() == 0


def test_a_currency_without_a_rate_cannot_be_spent() -> None:
    till = Till(program(earn(fixed("5")), currencies={"points": {}}))
    till.sell(sale("100"))
    assert refused(till.spend("1")) == ("not_redeemable",)
    assert refused(till.spend("6")) == ("not_redeemable", "insufficient")
    assert till.available() == 5


def test_a_spend_is_recorded_once_for_a_transaction_and_currency() -> None:
    till = shop(earn(fixed("10")))
    first = till.spend("4")
    assert till.spend("4").intents == first.intents
    assert till.available() == 6


# -- undo ------------------------------------------------------------------------------------------------------------


def undo(till: Till, at: str, event: str = "X-1") -> Receipt:
    return till.sound(till.ledger.undo_spend(till.program, "acme/T-9/spend/points", event=event, at=instant(at)))


def test_an_undo_returns_the_units_to_their_lots_which_keep_their_expiry() -> None:
    till = shop(expiring("soon", "5", 10), expiring("late", "5", 60))
    before = till.lots()
    till.spend("7")
    (intent,) = undo(till, "2025-01-20T10:00:00Z").intents
    assert isinstance(intent, UndoSpend)
    assert ([draw.amount for draw in intent.draws], intent.expired) == ([2, 5], ())
    assert till.lots() == before


def test_an_undo_names_the_units_of_expired_lots_and_does_not_revive_them() -> None:
    till = shop(expiring("soon", "5", 10), expiring("late", "5", 60))
    till.spend("7")
    (intent,) = undo(till, "2025-01-26T00:00:00Z").intents
    assert isinstance(intent, UndoSpend)
    assert [(draw.lot.rpartition("/")[2], draw.amount) for draw in intent.draws] == [("late", 2)]
    assert [(draw.lot.rpartition("/")[2], draw.amount) for draw in intent.expired] == [("soon", 5)]
    assert till.available("2025-01-26T00:00:00Z") == 5


def test_a_spend_is_undone_once() -> None:
    till = shop(earn(fixed("10")))
    till.spend("4")
    assert undo(till, SOLD_AT).status == "recorded"
    assert undo(till, SOLD_AT).status == "already_recorded"
    assert refused(undo(till, SOLD_AT, event="X-2")) == ("already_undone",)
    assert till.available() == 10


def test_an_unknown_spend_cannot_be_undone() -> None:
    assert refused(undo(shop(earn(fixed("10"))), SOLD_AT)) == ("unknown_spend",)


# -- the law ---------------------------------------------------------------------------------------------------------

DAYS = ("2025-01-16", "2025-01-17", "2025-01-17", None)


@st.composite
def wallets(draw: Any) -> tuple[list[Lot], Decimal]:
    till = shop(earn(fixed("1")))
    (issue,) = (lot.issue for lot in till.lots().values())
    assert isinstance(issue, IssueCurrency)
    lots = []
    for order in range(draw(st.integers(0, 6))):
        day = draw(st.sampled_from(DAYS))
        amount = Decimal(draw(st.integers(0, 300))) / 100
        expires_at = instant(f"{day}T00:00:00Z") if day else None
        lot = attrs.evolve(issue, key=f"lot {order}")
        lots.append(Lot(lot, order, amount, outstanding=amount, expires_at=expires_at))
    return draw(st.permutations(lots)), Decimal(draw(st.integers(1, 900))) / 100


RULES = lr.load_program(program())


def a_spend_takes_all_of_what_expires_sooner_before_any_of_what_expires_later(case: tuple) -> None:
    lots, amount = case
    at = instant("2025-01-16T00:00:00Z")  # the first of the days has just ended
    decided = spend(RULES, MEMBER, "M1", "points", "T-9", lots, amount, at)
    if not isinstance(decided, SpendCurrency):
        assert available(lots, at) < amount
        return
    taken = {draw.lot: draw.amount for draw in decided.draws}
    assert sum(taken.values()) == amount
    live = [lot for lot in lots if lot.outstanding and (lot.expires_at is None or at < lot.expires_at)]
    assert taken.keys() <= {lot.key for lot in live}
    for lot in live:
        for later in live:
            sooner = (lot.expires_at is None, str(lot.expires_at), lot.order) < (
                later.expires_at is None, str(later.expires_at), later.order)  # fmt: skip
            if sooner and taken.get(later.key):
                assert taken.get(lot.key) == lot.outstanding


def test_a_spend_exhausts_each_lot_before_it_draws_from_one_that_expires_later() -> None:
    holds(a_spend_takes_all_of_what_expires_sooner_before_any_of_what_expires_later, wallets(), tries=150)


@pytest.mark.parametrize("mistake", ["by order of issue", "expired too", "never-expiring first"])
def test_another_order_of_spending_is_caught(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(lots: Any, at: Any) -> list[Lot]:
        if mistake == "expired too":
            return sorted(lots, key=lambda lot: (lot.expires_at is None, str(lot.expires_at), lot.order))
        live = in_order_of_spending(lots, at)
        return sorted(live, key=lambda lot: lot.order if "issue" in mistake else lot.expires_at is not None)

    monkeypatch.setattr(spending, "in_order_of_spending", wrong)
    is_broken(a_spend_takes_all_of_what_expires_sooner_before_any_of_what_expires_later, wallets(), tries=150)
