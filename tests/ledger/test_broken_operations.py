"""The state machine sees a bug in each operation, in a few steps that show it; without the bug the steps agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.ledgers.reference_records import GoodsBack
from loyalty_rules.testing.ledgers.state_machine import ledger_state_machine

from .bugs import BUGS
from .machine_bugs import PLANTS

Step = Callable[[Any], Any]

ANNA, BEN = ("member", "anna"), ("member", "ben")


def place(of: dict[str, Any], key: str) -> int:
    """Return the number that chooses the value of a key."""
    return len(of) - 1 - [*of].index(key)


def lot(machine: Any, key: str) -> int:
    return place(machine.model.lots, f"acme/{key}/do")


def card(machine: Any) -> int:
    return place(machine.model.coupons, "acme/T1/card/do/1")


def give_back(of: str, amount: int, pieces: int | None = None) -> Step:
    return lambda machine: machine.return_goods(machine.model.sales[of], GoodsBack(amount, pieces))


def sale(amount: int, member: str | None = "anna", version: int = 0, pieces: int = 1) -> Step:
    return lambda machine: machine.sell(member, "S1", pieces, amount // pieces, version)


def a_bill(tens: int) -> Step:
    return lambda machine: machine.amend_the_bill(0, tens, True)


def a_member(name: str) -> Step:
    return lambda machine: machine.amend_the_member(0, name)


def a_hold(hours: int, of: Any = ANNA) -> Step:
    def hold(machine: Any) -> None:
        lots = {key: each for key, each in machine.model.lots.items() if each.outstanding}
        key = next(key for key, each in lots.items() if (each.account, each.rule.currency) == (of, "points"))
        machine.hold(place(lots, key), 1, 0, hours)

    return hold


def merge(machine: Any) -> None:
    machine.merge(0)


def coupons_and_points(machine: Any) -> None:
    """Redeem the card of T1 with another coupon, in the other order."""
    live = {key: each for key, each in machine.model.coupons.items() if each.state == "issued"}
    machine.sell_for_a_set(place(live, "acme/T1/card/do/1"), 4000, 1, 0, 0)


def use_up_the_card(machine: Any) -> None:
    live = {key: each for key, each in machine.model.coupons.items() if each.state == "issued"}
    machine.redeem_a_live_coupon(place(live, "acme/T1/card/do/1"), 6000)


STEPS: dict[str, Sequence[Step]] = {
    "a_raised_bill_earns_nothing_more": [sale(2000), a_bill(80)],
    "a_lowered_bill_keeps_its_units": [sale(4000), a_bill(20)],
    "a_raised_bill_gives_no_coupons": [sale(2000), a_bill(150)],
    "a_lowered_bill_keeps_its_coupons": [sale(7000), a_bill(60)],
    "the_first_member_keeps_a_sale_that_goes_to_another": [sale(2000), a_member("ben")],
    "an_amendment_counts_its_own_issues_against_the_caps": [sale(40000), a_bill(810)],
    "a_transfer_is_free": [sale(4000), lambda machine: machine.transfer(0, 1, "stars", 4, 0)],
    "a_return_does_not_find_moved_units": [
        sale(4000, "carl"), lambda machine: machine.transfer(2, 1, "stars", 12, 0), give_back("T2", 4000),
    ],
    "one_person_is_enough_for_any_adjustment": [lambda machine: machine.adjust(0, "points", 16, 0, "goodwill", None)],
    "an_adjustment_takes_from_the_last_lot": [
        sale(4000), lambda machine: machine.register("anna"),
        lambda machine: machine.adjust(0, "points", -2, 0, "goodwill", None),
    ],
    "a_merge_forgets_the_counters": [
        sale(2000, "carl"), merge, lambda machine: machine.compare_the_counters("ben", "S1", 0),
    ],
    "an_amendment_does_not_know_that_a_member_was_merged": [sale(2000), a_member("carl"), merge, a_member("ben")],
    "a_lot_is_extended_to_an_earlier_day": [lambda machine: machine.extend_a_lot(lot(machine, "T1/base"), 2)],
    "units_voided_by_a_person_stay_in_their_caps": [
        sale(4000, "carl"), lambda machine: machine.adjust(2, "points", -2, 0, "goodwill", None), give_back("T2", 4000),
    ],
    "a_set_is_redeemed_as_given": [coupons_and_points],
    "each_of_a_set_sees_the_whole_bill": [coupons_and_points],
    "a_card_with_an_addition_frees_its_cap_again": [
        lambda machine: machine.top_up(0, 500), give_back("T1", 100), give_back("T1", 100),
    ],
    "an_addition_goes_with_the_card": [lambda machine: machine.top_up(0, 500), give_back("T1", 7000)],
    "a_coupon_stays_with_its_first_member": [lambda machine: machine.reassign(card(machine), "carl")],
    "held_units_belong_to_the_payer": [sale(4000, "ben"), a_hold(1, BEN), lambda machine: machine.wait(24)],
    "an_ended_hold_can_be_captured": [
        a_hold(1), lambda machine: machine.wait(24), lambda machine: machine.capture(0, None, False),
    ],
    "a_partial_return_gives_nothing_back": [
        sale(4000, version=1), lambda machine: machine.spend_from(ANNA, "points", 600, 1, "T2"), give_back("T2", 2000),
    ],
    "an_update_of_some_pieces_releases_all": [
        sale(4000, pieces=4), lambda machine: machine.update(0, "Shipped", 1),
    ],
    "an_extended_promise_lapses_at_its_former_end": [
        lambda machine: machine.extend_a_lot(lot(machine, "T1/ship"), 12), lambda machine: machine.wait(72),
        lambda machine: machine.wait(72), lambda machine: machine.update(0, "Shipped", None),
    ],
    "an_undone_redemption_reinstates_lost_coupons": [
        use_up_the_card, give_back("T1", 700), lambda machine: machine.undo_redemption(0, 0, None),
    ],
    "units_come_back_to_a_sale_that_is_gone": [
        sale(4000, "ben"), lambda machine: machine.spend_from(BEN, "points", 400, 0), give_back("T2", 4000),
        lambda machine: machine.undo_spend(0, 0, None),
    ],
    "points_that_paid_do_not_come_back": [
        sale(4000, "ben"), lambda machine: machine.spend_from(BEN, "points", 400, 0, "T2"), give_back("T2", 4000),
    ],
    "a_spend_is_undone_twice": [
        lambda machine: machine.spend_from(ANNA, "points", 600, 0),
        *[lambda machine: machine.undo_spend(0, 0, None)] * 2,
    ],
    "held_units_stay_available": [a_hold(30)],
    "a_hold_that_is_over_keeps_its_units": [a_hold(1), lambda machine: machine.wait(24)],
    "a_hold_is_captured_after_its_release": [
        a_hold(30), lambda machine: machine.release_a_hold(0), lambda machine: machine.capture(0, None, False),
    ],
    "the_rest_of_a_capture_stays_held": [a_hold(30), lambda machine: machine.capture(0, 1, False)],
    "released_units_settle_nothing": [
        sale(4000, "ben"), a_hold(30, BEN), give_back("T2", 4000), lambda machine: machine.wait(72),
    ],
    "released_units_are_revived": [
        sale(4000, "ben"), a_hold(300, BEN), *[lambda machine: machine.wait(72)] * 4,
        lambda machine: machine.release_a_hold(0),
    ],
    "the_units_drawn_first_come_back_first": [
        sale(4000, "ben"), lambda machine: machine.register("ben"),
        lambda machine: machine.spend_from(BEN, "points", 2000, 0), lambda machine: machine.undo_spend(0, 0, 1),
    ],
    "a_part_undoes_the_whole_spend": [
        lambda machine: machine.spend_from(ANNA, "points", 600, 0), lambda machine: machine.undo_spend(0, 0, 1),
        lambda machine: machine.undo_spend(0, 0, 1),
    ],
    "every_shortfall_is_settled": [
        sale(2000, "carl", 1), lambda machine: machine.spend_from(("member", "carl"), "points", 400, 1),
        give_back("T2", 2000), lambda machine: machine.wait(1), sale(2000, "carl", 1),
        lambda machine: machine.spend_from(("member", "carl"), "points", 400, 1),
        lambda machine: machine.undo_spend(0, 0, None),
    ],
}  # fmt: skip
"""The steps that show each bug, after a sale of 70 to anna."""

BY_NAME = {str(bug): bug.plant for bug in BUGS} | {plant.__name__: plant for plant in PLANTS}


def run(steps: Sequence[Step]) -> None:
    """Take steps, and compare the ledger with the model after each."""
    machine: Any = ledger_state_machine(MemoryLedger)()
    machine.open_the_shop(pieces=1, price=7000)
    for step in steps:
        step(machine)
        machine.balances_equal_those_of_the_model()
        machine.lots_equal_those_of_the_model()
        machine.coupons_equal_those_of_the_model()
        machine.no_invariant_is_violated()


def test_each_planted_bug_has_steps_that_show_it() -> None:
    assert {plant.__name__ for plant in PLANTS} <= STEPS.keys() <= BY_NAME.keys()


@pytest.mark.parametrize("name", STEPS)
def test_the_machine_agrees_with_the_ledger(name: str) -> None:
    run(STEPS[name])


@pytest.mark.parametrize("name", STEPS)
def test_the_machine_sees(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BY_NAME[name](monkeypatch)

    with pytest.raises(Exception):  # noqa: B017, PT011  (a broken ledger fails in its own way)
        run(STEPS[name])
