"""Bugs to plant in the operations that the state machine draws beside sales, returns and spends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from loyalty_rules.intents import ReassignCoupon, VoidCoupon
from loyalty_rules.ledger import posting
from loyalty_rules.ledger.operations import adjust, amend, lookups
from loyalty_rules.ledger.operations import merge as merges
from loyalty_rules.ledger.posting import Posting
from loyalty_rules.lifecycle import (
    adjusting,
    amendments,
    by_hand,
    giving_back,
    holding,
    merging,
    promises,
    redemption,
    returns,
    taking,
    transferring,
)
from loyalty_rules.lifecycle.bill import Bill
from loyalty_rules.lifecycle.records import CouponRecord, Hold

Patch = pytest.MonkeyPatch
PLANTS: list[Callable[[Patch], None]] = []


def plant(function: Callable[[Patch], None]) -> Callable[[Patch], None]:
    PLANTS.append(function)
    return function


# -- amendments --------------------------------------------------------------------------------------------------------


@plant
def a_raised_bill_earns_nothing_more(patch: Patch) -> None:
    patch.setattr(amendments._Balance, "gains", lambda _: [])


@plant
def a_lowered_bill_keeps_its_units(patch: Patch) -> None:
    patch.setattr(amendments._Balance, "dues", lambda _: [])


@plant
def a_raised_bill_gives_no_coupons(patch: Patch) -> None:
    patch.setattr(amendments, "_missing_coupons", lambda *_: iter(()))


@plant
def a_lowered_bill_keeps_its_coupons(patch: Patch) -> None:
    patch.setattr(amendments, "_voids", lambda *_: iter(()))


@plant
def the_first_member_keeps_a_sale_that_goes_to_another(patch: Patch) -> None:
    patch.setattr(amendments, "_leaves", lambda *_: set())


@plant
def an_amendment_counts_its_own_issues_against_the_caps(patch: Patch) -> None:
    patch.setattr(amend, "_held", lambda *_: {})


# -- accounts ----------------------------------------------------------------------------------------------------------


@plant
def a_transfer_is_free(patch: Patch) -> None:
    drawn = transferring._drawn
    patch.setattr(transferring, "_drawn", lambda lots, amount, fee: (drawn(lots, amount, fee)[0], ()))


@plant
def a_return_does_not_find_moved_units(patch: Patch) -> None:
    patch.setattr(taking._Taking, "_parts", lambda self, lots: [lots[self._lot.key]])


@plant
def one_person_is_enough_for_any_adjustment(patch: Patch) -> None:
    right = adjusting.adjust
    patch.setattr(
        adjust, "adjust", lambda program, *of, **more: right(attrs.evolve(program, adjustments=None), *of, **more)
    )


@plant
def an_adjustment_takes_from_the_last_lot(patch: Patch) -> None:
    right = adjusting.in_order_of_spending
    patch.setattr(adjusting, "in_order_of_spending", lambda *of: [*reversed(right(*of))])


@plant
def a_merge_forgets_the_counters(patch: Patch) -> None:
    right = merging.merge
    patch.setattr(merges, "merge", lambda *of, **more: attrs.evolve(right(*of, **more), claims=()))


@plant
def an_amendment_does_not_know_that_a_member_was_merged(patch: Patch) -> None:
    right = lookups.current_sale

    def forgetful(storage: Any, program: Any, event: str) -> Any:
        sale, found = storage.sale(program.id, event), right(storage, program, event)
        return attrs.evolve(found, updates=sale.updates) if found is not None else None

    patch.setattr(lookups, "current_sale", forgetful)


@plant
def a_lot_is_extended_to_an_earlier_day(patch: Patch) -> None:
    patch.setattr(by_hand, "_against_extension", lambda *_: None)


@plant
def units_voided_by_a_person_stay_in_their_caps(patch: Patch) -> None:
    patch.setattr(lookups, "with_ended_units", lambda _, lots: [attrs.evolve(lot, ended=lot.voided) for lot in lots])


# -- coupons -----------------------------------------------------------------------------------------------------------


@plant
def a_set_is_redeemed_as_given(patch: Patch) -> None:
    patch.setattr(redemption, "_order", lambda _: (0, 0))


@plant
def each_of_a_set_sees_the_whole_bill(patch: Patch) -> None:
    patch.setattr(Bill, "less", lambda self, _: self)


@plant
def a_card_with_an_addition_frees_its_cap_again(patch: Patch) -> None:
    patch.setattr(CouponRecord, "is_lost", property(lambda self: self.state == "voided"))


@plant
def an_addition_goes_with_the_card(patch: Patch) -> None:
    void = Posting.void_coupon

    def whole(self: Any, intent: Any) -> Any:
        self.change_coupon(intent.coupon, topped_up=0 * self.coupon(intent.coupon).topped_up)
        return void(self, intent)

    patch.setitem(posting._POSTS, VoidCoupon, whole)  # type: ignore[attr-defined]


@plant
def a_coupon_stays_with_its_first_member(patch: Patch) -> None:
    patch.setitem(posting._POSTS, ReassignCoupon, lambda _, intent: intent)  # type: ignore[attr-defined]


# -- payments and promises ---------------------------------------------------------------------------------------------


@plant
def held_units_belong_to_the_payer(patch: Patch) -> None:
    right = holding.hold

    def of_payer(program: Any, account: Any, member: str, *of: Any, **more: Any) -> Any:
        held = right(program, account, member, *of, **more)
        return attrs.evolve(held, member=member) if hasattr(held, "until") else held

    patch.setattr(holding, "hold", of_payer)


@plant
def an_ended_hold_can_be_captured(patch: Patch) -> None:
    patch.setattr(Hold, "is_open", lambda *_: True)


@plant
def a_partial_return_gives_nothing_back(patch: Patch) -> None:
    right = giving_back.part_to_give_back
    patch.setattr(returns, "part_to_give_back", lambda *of: right(*of) // 1)


@plant
def an_update_of_some_pieces_releases_all(patch: Patch) -> None:
    patch.setattr(promises, "_delivered", lambda *_: None)


@plant
def an_extended_promise_lapses_at_its_former_end(patch: Patch) -> None:
    release = promises._Part.release

    def unaware(self: Any, *of: Any) -> Any:
        return release(attrs.evolve(self, lot=attrs.evolve(self.lot, expires_on=None)), *of)

    patch.setattr(promises._Part, "release", unaware)
