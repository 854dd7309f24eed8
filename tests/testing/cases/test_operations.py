"""The operations of steps: arguments, names of earlier steps, and accounts."""

from __future__ import annotations

import pytest

from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.lifecycle import Account
from loyalty_rules.testing.cases.operations import World, account_of, perform

from .small_cases import AT, SELL, case


@pytest.fixture
def world() -> World:
    one = case()
    serials = one.serials()
    return World(one, MemoryLedger(serials), serials)


def test_a_step_calls_the_method_of_its_name(world: World) -> None:
    perform(world, SELL)
    step = {"do": "spend", "member": "anna", "currency": "points", "amount": "40", "event": "S1", "at": AT}
    (spend,) = perform(world, step).intents
    assert (spend.key, spend.amount) == ("shop/S1/spend/points", 40)


def test_a_name_stands_for_the_serial_of_a_coupon_or_the_key_of_an_intent(world: World) -> None:
    receipt = perform(world, SELL)
    world.remember({"do": "process", "as": "sale"}, receipt.intents)
    coupon = next(each for each in receipt.intents if each.type == "issue_coupon")
    assert world.text("$shop/T1/p/give/1") == coupon.serial
    assert world.text("$sale") == "shop/T1/p/earn"
    assert world.text("plain") == "plain"


def test_an_unknown_name_is_an_error(world: World) -> None:
    with pytest.raises(LookupError):
        world.text("$nobody")


def test_an_account_is_that_of_the_group_if_there_is_one() -> None:
    assert account_of({"member": "anna"}) == Account("member", "anna")
    assert account_of({"member": "anna", "group": "family"}) == Account("group", "family")
    assert account_of({"source": "anna"}, "source") == Account("member", "anna")
