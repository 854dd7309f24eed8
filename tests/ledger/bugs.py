"""Bugs to plant in the ledger in memory, each with the facts of the contract that it breaks."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from loyalty_rules.intents import (
    AdvanceTracker,
    HoldCurrency,
    IssueCoupon,
    RedeemCoupon,
    ReleasePromise,
    ReverseCurrency,
    SendMessage,
    SpendCurrency,
    UndoRedemption,
    UndoSpend,
)
from loyalty_rules.ledger import Balance, execution, held_units, posting
from loyalty_rules.ledger.kinds import HOLDS, SHORTFALLS, balance_name
from loyalty_rules.ledger.memory import storage as memory_storage
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import TakeBack, checkout, lookups, undo_redemption
from loyalty_rules.ledger.posting import Posting
from loyalty_rules.ledger.queries import Queries
from loyalty_rules.lifecycle import (
    giving_back,
    holding,
    promises,
    redemption,
    returned_coupons,
    returns,
    spending,
    sweep,
    taking,
    undoing,
)
from loyalty_rules.lifecycle.records import Account, Hold, Lot, Refusal
from loyalty_rules.lifecycle.remainder import _Back
from loyalty_rules.lifecycle.remaining_award import action_of
from loyalty_rules.lifecycle.rolling_expiry import Extensions
from loyalty_rules.values.amounts import decimal_of, micros

Patch = pytest.MonkeyPatch


@attrs.frozen
class Bug:
    """A bug: the function that plants it, the facts that fail with it, and whether the state machine finds it."""

    plant: Callable[[Patch], None]
    breaks: tuple[str, ...]
    found_by_machine: bool

    def __str__(self) -> str:
        return self.plant.__name__


BUGS: list[Bug] = []


def bug(*breaks: str, found_by_machine: bool = True) -> Callable[[Callable[[Patch], None]], None]:
    return lambda plant: BUGS.append(Bug(plant, breaks, found_by_machine))


def post(patch: Patch, intent: type, write: Callable[[Posting, Any, Callable[[Posting, Any], Any]], Any]) -> None:
    """Replace the posting of an intent; the replacement also receives the correct function."""
    right = posting._POSTS[intent]
    patch.setitem(posting._POSTS, intent, lambda self, each: write(self, each, right))  # type: ignore[attr-defined]


# -- recorded once, completely ----------------------------------------------------------------------------------------


@bug("a_sale_processed_twice_is_recorded_once")
def a_retry_is_recorded_again(patch: Patch) -> None:
    """A retry is not recognised."""
    claim_batch = MemoryStorage.claim_batch

    def anew(self: MemoryStorage, identity: Any, *locks: Any) -> Any:
        self.batches.pop(identity.key, None)
        return claim_batch(self, identity, *locks)

    patch.setattr(MemoryStorage, "claim_batch", anew)


@bug("another_amount_under_the_same_id_is_a_conflict_that_names_the_amount")
def a_conflict_is_taken_for_a_retry(patch: Patch) -> None:
    """The recorded receipt is returned without a comparison of the inputs."""
    patch.setattr(
        execution, "replayed", lambda _kind, batch, *_: attrs.evolve(batch.receipt, status="already_recorded")
    )


@bug("an_error_rolls_the_whole_block_back")
def a_rollback_keeps_what_was_written(patch: Patch) -> None:
    patch.setattr(MemoryStorage, "rollback", MemoryStorage.commit)


@bug("a_caught_conflict_does_not_roll_the_block_back", found_by_machine=False)
def a_rollback_undoes_earlier_operations(patch: Patch) -> None:
    """An error within a transaction rolls back the whole of it, although the host catches the error."""
    rollback = MemoryStorage.rollback

    def everything(self: MemoryStorage) -> None:
        self._marks[-1] = 0
        rollback(self)

    patch.setattr(MemoryStorage, "rollback", everything)


# -- caps ------------------------------------------------------------------------------------------------------------


@bug("two_concurrent_issues_are_trimmed_to_the_cap")
def a_cap_is_not_checked_again(patch: Patch) -> None:
    """A decision is recorded without regard to what another till has recorded since."""
    patch.setattr(Posting, "within_claims", lambda _, intent: micros(intent.amount))


@bug("a_trimmed_issue_is_recorded_with_its_trimmed_amount", found_by_machine=False)
def a_trimmed_issue_is_recorded_untrimmed(patch: Patch) -> None:
    """The receipt has the trim, but the whole amount is written."""
    patch.setattr(Posting, "trimmed", lambda _self, intent, _amount: intent)


@bug("a_coupon_over_its_cap_is_refused_and_named")
def coupons_are_not_counted(patch: Patch) -> None:
    post(patch, IssueCoupon, lambda self, intent, right: right(self, attrs.evolve(intent, claims=())))


@bug("a_returned_issue_no_longer_counts_against_its_cap")
def counters_are_not_released(patch: Patch) -> None:
    count = Posting.count
    patch.setattr(Posting, "count", lambda self, claims: count(self, [each for each in claims if each.amount > 0]))


@bug("a_partial_return_reduces_the_counted_amount_but_not_the_times")
def a_time_is_released_with_each_part(patch: Patch) -> None:
    def each_time(lot: Lot, amount: Decimal) -> Any:
        claims = [(each, amount if not each.counter.endswith("/times") else each.amount) for each in lot.issue.claims]
        return tuple(attrs.evolve(each, amount=decimal_of(-micros(units))) for each, units in claims)

    patch.setattr(taking, "released_claims", each_time)


@bug("an_issue_trimmed_to_nothing_is_not_recorded_and_sends_no_message", found_by_machine=False)
def a_refused_issue_is_announced(patch: Patch) -> None:
    post(patch, SendMessage, lambda _self, intent, _right: intent)


@bug("a_return_reduces_the_tracker")
def a_tracker_keeps_returned_contributions(patch: Patch) -> None:
    post(patch, AdvanceTracker, lambda self, each, right: right(self, each) if each.value > 0 else each)


# -- promises --------------------------------------------------------------------------------------------------------


@bug("a_promise_confirmed_twice_is_released_once")
def a_promise_is_released_with_each_confirmation(patch: Patch) -> None:
    confirm = promises.confirm

    def anew(sale: Any, lot: Lot, confirmation: Any) -> Any:
        return confirm(sale, attrs.evolve(lot, promised=lot.issued), confirmation)

    patch.setattr(promises, "confirm", anew)


@bug("a_promise_is_not_settled_before_it_is_due")
def a_promise_is_settled_before_it_is_due(patch: Patch) -> None:
    patch.setattr(promises, "is_due", lambda lot, _: lot.promised > 0 and lot.issue.due_at is not None)


@bug("a_return_takes_the_promise_first")
def a_release_ignores_returns(patch: Patch) -> None:
    """The units of the issue are released, not the rest of the promise."""

    def whole(self: Posting, intent: ReleasePromise, right: Any) -> Any:
        return right(self, attrs.evolve(intent, amount=self.lot(intent.promise).issue.amount))

    post(patch, ReleasePromise, whole)


@bug("a_promise_whose_expiry_is_past_lapses")
def a_release_has_no_expiry(patch: Patch) -> None:
    patch.setattr(promises, "expiry_date", lambda *_: None)


@bug("a_promise_is_not_part_of_the_balance")
def a_promise_can_be_spent(patch: Patch) -> None:
    balance = Queries.balance

    def generous(self: Queries, *of: Any) -> Balance:
        right = balance(self, *of)
        return attrs.evolve(right, available=decimal_of(micros(right.available) + micros(right.promised)))

    patch.setattr(Queries, "balance", generous)


# -- returns ---------------------------------------------------------------------------------------------------------


@bug("two_returns_of_5_out_of_2190_lose_one_point_per_10_in_all")
def a_return_ignores_earlier_returns(patch: Patch) -> None:
    """Each return is decided as if it were the first: of 21.90, four returns of 5 take no points."""
    take_back = returns.take_back

    def as_the_first(sale: Any, back: Any, **looked_up: Any) -> Any:
        return take_back(attrs.evolve(sale, returns=()), back, **looked_up)

    patch.setattr(returns, "take_back", as_the_first)


@bug("a_deleted_promotion_changes_nothing_for_an_old_sale", "a_changed_promotion_changes_nothing_for_an_old_sale")
def a_return_is_decided_under_todays_program(patch: Patch) -> None:
    sale_of = MemoryStorage.sale
    running: list[Any] = []  # the current program of the till
    decide = TakeBack.decide

    def today(self: MemoryStorage, program: str, event: str) -> Any:
        sale = sale_of(self, program, event)
        return attrs.evolve(sale, program=running[-1]) if sale is not None and running else sale

    def taken_today(self: TakeBack, storage: Any) -> Any:
        running.append(self.program)
        return decide(self, storage)

    patch.setattr(MemoryStorage, "sale", today)
    patch.setattr(TakeBack, "decide", taken_today)


@bug("the_rest_earns_at_another_rate")
def each_action_is_decided_by_itself(patch: Patch) -> None:
    """The award of the rest by another action does not count against an issue."""
    recompute = returns._due_by_recomputing

    def alone(remainder: Any, members: list[Lot], awards: Any) -> dict[str, int]:
        dues: dict[str, int] = {}
        for lot in members:
            dues |= recompute(remainder, [lot], {key: awards[key] for key in awards if key == action_of(lot.issue)})
        return dues

    patch.setattr(returns, "_due_by_recomputing", alone)


@bug("a_sale_has_wholly_come_back_with_all_its_lines")
def a_sale_is_whole_by_its_amount_alone(patch: Patch) -> None:
    """A sale whose goods are all back is not whole as long as its postage is kept."""
    patch.setattr(_Back, "is_whole", lambda self: self.amount >= self.whole_amount)


@bug("every_issue_of_a_sale_loses_its_own_units_first", found_by_machine=False)
def other_lots_are_drawn_issue_by_issue(patch: Patch) -> None:
    """The first issue draws from other lots before the second issue has given its own units."""
    take_own = taking._Taking.take_own

    def take_all(self: Any, lots: dict[str, Lot]) -> None:
        take_own(self, lots)
        self.take_others(lots)

    patch.setattr(taking._Taking, "take_own", take_all)


@bug("expired_units_count_as_taken", "expired_units_count_as_taken_once")
def expired_units_are_owed(patch: Patch) -> None:
    """Units of the issue that nobody has any more are drawn from other lots, or are a shortfall."""
    patch.setattr(taking._Taking, "_gone", lambda *_: 0)


@bug("expired_units_count_as_taken_once", found_by_machine=False)
def expired_units_are_counted_by_each_return(patch: Patch) -> None:
    """The units that earlier returns have counted are counted again."""
    gone = taking._Taking._gone

    def anew(self: Any, lots: Any) -> int:
        self._sale = attrs.evolve(self._sale, reversals=())
        return gone(self, lots)

    patch.setattr(taking._Taking, "_gone", anew)


@bug("a_coupon_of_the_same_type_that_the_rest_earns_is_kept", found_by_machine=False)
def coupons_are_counted_by_action(patch: Patch) -> None:
    """The coupons that the rest earns by another action do not count."""

    def of_members(remainder: Any, members: Any, issued: set[str]) -> int:
        own = {action_of(each.issue) for each in members}
        only = [each for each in remainder.coupons if action_of(each) in own]
        kept = copy.copy(remainder)
        kept.coupons = only
        return surplus(kept, members, issued)

    surplus = returned_coupons.surplus_coupons
    patch.setattr(returned_coupons, "surplus_coupons", of_members)


@bug("an_action_that_issued_nothing_counts_whatever_its_policy")
def awards_of_other_policies_are_not_counted(patch: Patch) -> None:
    """An action that issued nothing at the sale counts only if it recomputes."""
    awards = returns._awards

    def recomputing(remainder: Any, pool: Any, issued: set[str]) -> dict[str, int]:
        others = {action_of(each) for each in remainder.issues if remainder.policy(each) != "recompute"}
        return awards(remainder, pool, issued | others)

    patch.setattr(returns, "_awards", recomputing)


@bug("postage_is_kept_if_goods_come_back")
def postage_comes_back_with_the_goods(patch: Patch) -> None:
    component = _Back.component

    def by_amount(self: Any, name: str) -> Any:
        self._without_lines = self._returns
        return component(self, name)

    patch.setattr(_Back, "component", by_amount)


@bug("a_return_of_more_than_the_bill_is_refused", "a_refund_above_the_value_of_its_line_is_refused")
def more_comes_back_than_was_bought(patch: Patch) -> None:
    wrong_parts = returns.wrong_parts

    def unlimited(*of: Any) -> dict[str, str]:
        return {reason: detail for reason, detail in wrong_parts(*of).items() if reason != "more_than_bought"}

    patch.setattr(returns, "wrong_parts", unlimited)


@bug("a_cancelled_promise_counts_as_taken_and_frees_its_cap_once", found_by_machine=False)
def cancelled_units_release_their_claims_again(patch: Patch) -> None:
    release = taking.released_claims
    reversal = taking._Taking.reversal

    def again(self: Any, *of: Any) -> Any:
        return attrs.evolve(reversal(self, *of), claims=release(self._lot, decimal_of(self._due)))

    patch.setattr(taking._Taking, "reversal", again)


@bug("a_coupon_that_its_sale_has_lost_is_voided_by_an_undo", found_by_machine=False)
def an_undone_redemption_reinstates_lost_coupons(patch: Patch) -> None:
    patch.setattr(undo_redemption, "is_earned", lambda *_: True)


@bug("the_next_issue_pays_the_debt_first")
def a_debt_is_never_paid(patch: Patch) -> None:
    patch.setattr(Posting, "pay_debt", lambda _self, _lot: None)


@bug("a_carried_shortfall_is_a_debt")
def a_debt_is_written_off(patch: Patch) -> None:
    post(patch, ReverseCurrency, lambda self, each, right: right(self, attrs.evolve(each, carried=False)))


@bug("a_redeemed_coupon_stays_redeemed", "a_redeemed_coupon_cannot_be_voided")
def a_redeemed_coupon_is_voided(patch: Patch) -> None:
    void = redemption.void

    def anyway(program: Any, coupon: Any, *rest: Any) -> Any:
        redeemed = coupon is not None and coupon.state == "redeemed"
        return void(program, attrs.evolve(coupon, state="issued") if redeemed else coupon, *rest)

    patch.setattr(redemption, "void", anyway)


# -- spending --------------------------------------------------------------------------------------------------------


@bug("a_spend_reduces_the_balance")
def a_spend_takes_from_no_lot(patch: Patch) -> None:
    post(patch, SpendCurrency, lambda _self, intent, _right: intent)


@bug("lots_are_spent_by_expiry_then_by_issue_and_never_expiring_ones_last")
def the_oldest_lot_is_spent_first(patch: Patch) -> None:
    def by_order(lots: Any, at: Any) -> list[Lot]:
        return sorted((lot for lot in lots if lot.is_live(at)), key=lambda lot: lot.order)

    patch.setattr(spending, "in_order_of_spending", by_order)


@bug("more_than_the_balance_cannot_be_spent")
def a_balance_is_overdrawn(patch: Patch) -> None:
    """The balance is not checked."""
    patch.setattr(spending, "available", lambda *_: Decimal(10**9))
    patch.setattr(Queries, "balance", _balance_of_lots)


def _balance_of_lots(self: Queries, program: str, account: Any, currency: str, at: Any) -> Balance:
    lots = self.lots(program, account, currency, at)
    live, promised = [lot.outstanding for lot in lots if lot.is_live(at)], [lot.promised for lot in lots]
    shortfalls = self._storage.records_at(SHORTFALLS, program, at, balance=balance_name(account, currency))
    debt = sum(each.open for each in shortfalls if each.is_owed)
    return Balance(Decimal(sum(live)), Decimal(sum(promised)), Decimal(debt))


@bug("an_expiry_does_not_take_spent_units")
def a_balance_collapses(patch: Patch) -> None:
    """The balance is the units of live lots less all spent units, also those of expired lots."""

    def collapsing(self: Queries, program: str, account: Any, currency: str, at: Any) -> Balance:
        lots = self.lots(program, account, currency, at)
        alive = [lot for lot in lots if lot.expires_at is None or at < lot.expires_at]
        gone = [lot for lot in lots if lot not in alive]
        right = _balance_of_lots(self, program, account, currency, at)
        spent = Decimal(sum(lot.spent for lot in gone))
        return attrs.evolve(right, available=right.available - spent)

    patch.setattr(Queries, "balance", collapsing)


@bug("a_spend_is_undone_once", found_by_machine=False)
def a_spend_is_undone_twice(patch: Patch) -> None:
    undo = undoing.undo_spend
    patch.setattr(undoing, "undo_spend", lambda each, *rest: undo(attrs.evolve(each, undone=Decimal(0)), *rest))


@bug("an_undo_names_expired_units_and_does_not_revive_them")
def an_undo_revives_expired_units(patch: Patch) -> None:
    undo = undoing.undo_spend

    def all_of_it(*arguments: Any) -> UndoSpend | Refusal:
        right = undo(*arguments)
        if isinstance(right, Refusal):
            return right
        return attrs.evolve(right, draws=(*right.draws, *right.expired), expired=())

    patch.setattr(undoing, "undo_spend", all_of_it)


@bug(
    "units_of_an_undone_spend_make_good_a_shortfall",
    "an_undo_in_parts_settles_as_much_as_an_undo_at_once",
    found_by_machine=False,
)
def units_come_back_to_a_sale_that_is_gone(patch: Patch) -> None:
    """A shortfall stays as it is, although units come back later."""
    patch.setattr(undoing._OpenShortfalls, "settled_by", lambda *_, **__: iter(()))


@bug("expired_units_make_good_only_the_shortfall_of_their_own_lot", found_by_machine=False)
def expired_units_settle_nothing(patch: Patch) -> None:
    settled_by = undoing._OpenShortfalls.settled_by

    def while_live(self: Any, lot: Lot, units: int, *, has_expired: bool) -> Any:
        return iter(()) if has_expired else settled_by(self, lot, units, has_expired=False)

    patch.setattr(undoing._OpenShortfalls, "settled_by", while_live)


@bug("a_shortfall_written_off_before_a_spend_is_not_made_good", found_by_machine=False)
def every_shortfall_is_settled(patch: Patch) -> None:
    patch.setattr(undoing._OpenShortfalls, "_arisen_since", lambda self: self._shortfalls)


@bug("points_go_back_with_the_whole_sale", found_by_machine=False)
def points_that_paid_do_not_come_back(patch: Patch) -> None:
    patch.setattr(returns, "undone_spends", lambda *_, **__: ())


@bug("units_that_were_undone_before_count_as_given_back", found_by_machine=False)
def earlier_undos_do_not_count(patch: Patch) -> None:
    units = giving_back._units_to_undo

    def all_of_them(sale: Any, payment: Any, *rest: Any) -> int:
        return units(sale, attrs.evolve(payment, undone=Decimal(0)), *rest)

    patch.setattr(giving_back, "_units_to_undo", all_of_them)


@bug("held_units_are_neither_available_nor_spent", found_by_machine=False)
def held_units_stay_available(patch: Patch) -> None:
    def noted(self: Posting, intent: HoldCurrency, _right: Any) -> HoldCurrency:
        self.storage.save_record(HOLDS, self.program.id, Hold(intent, Account.of(intent), self.at), self.at)
        return intent

    post(patch, HoldCurrency, noted)


@bug("units_are_available_again_by_time_alone", found_by_machine=False)
def a_hold_that_is_over_keeps_its_units(patch: Patch) -> None:
    patch.setattr(held_units, "end_holds", lambda *_: False)
    patch.setattr(lookups, "after_ended_holds", lambda _holds, lots, shortfalls, _at: (lots, shortfalls, []))


@bug("a_hold_ends_once", found_by_machine=False)
def a_hold_is_captured_after_its_release(patch: Patch) -> None:
    patch.setattr(Hold, "is_open", lambda self, at: at < self.intent.until)


@bug("the_rest_of_a_hold_is_released_when_a_part_is_captured", found_by_machine=False)
def the_rest_of_a_capture_stays_held(patch: Patch) -> None:
    capture = holding.capture
    patch.setattr(holding, "capture", lambda *parts: capture(*parts)[:2])


@bug("held_units_are_short_in_a_return_and_make_it_good_when_let_go", found_by_machine=False)
def released_units_settle_nothing(patch: Patch) -> None:
    right = holding.returned_units
    patch.setattr(holding, "returned_units", lambda draws, lots, _short, *at: right(draws, lots, [], *at))


@bug("units_held_beyond_their_last_day_expire_when_they_are_let_go", found_by_machine=False)
def released_units_are_revived(patch: Patch) -> None:
    def in_time(held: Any, key: str, lots: Any, short: Any, _at: Any, units: int) -> Any:
        return let_go(held, key, lots, short, held.at, units)

    let_go = holding._let_go
    patch.setattr(holding, "_let_go", in_time)


@bug("a_part_comes_back_from_the_lot_drawn_last", found_by_machine=False)
def the_units_drawn_first_come_back_first(patch: Patch) -> None:
    last_drawn = undoing.last_drawn
    patch.setattr(undoing, "last_drawn", lambda draws, *parts: last_drawn([*draws][::-1], *parts))


@bug("parts_come_back_until_nothing_is_spent_any_more", found_by_machine=False)
def a_part_undoes_the_whole_spend(patch: Patch) -> None:
    mark = Posting.mark_undone
    patch.setattr(Posting, "mark_undone", lambda self, key, _amount=None: mark(self, key))


# -- time ------------------------------------------------------------------------------------------------------------


@bug("a_lot_is_live_until_the_last_second_of_its_last_day")
def a_lot_lives_a_second_too_long(patch: Patch) -> None:
    """A comparison is `<=` instead of `<`."""
    alive = lambda lot, at: lot.outstanding > 0 and (lot.expires_at is None or at <= lot.expires_at)  # noqa: E731
    patch.setattr(Lot, "is_live", alive)


@bug("a_sweep_records_the_expiry_of_the_outstanding_amount")
def a_sweep_takes_spent_units(patch: Patch) -> None:
    expire = sweep.expire

    def all_of_it(lots: Any, at: Any) -> Any:
        issued = {lot.key: lot.issued for lot in lots}
        return [attrs.evolve(each, amount=issued[each.lot]) for each in expire(lots, at)]

    patch.setattr(sweep, "expire", all_of_it)


def moved_by(patch: Patch, moves: Callable[[Any, Any], bool]) -> None:
    """Move each lot by the last extension in whose scope it is, if the extension moves it."""

    def last_move(self: Extensions, lot: Any, place: int, at: Any = None) -> Any:
        since = [each for each in self if each.place >= place and (at is None or each.since <= at)]
        mine = [each for each in since if each.scope == "balance" or lot.rolling]
        live = lot.outstanding > 0 and lot.expires_at is not None
        return next((each for each in reversed(mine) if live and moves(lot, each)), None)

    patch.setattr(Extensions, "last_move", last_move)


@bug("an_extension_never_shortens")
def an_extension_shortens(patch: Patch) -> None:
    moved_by(patch, lambda lot, extension: extension.since < lot.expires_at)


@bug("an_extension_does_not_revive_expired_lots")
def an_extension_revives_expired_lots(patch: Patch) -> None:
    moved_by(patch, lambda lot, extension: lot.expires_at < extension.expires_at)


# -- coupons ---------------------------------------------------------------------------------------------------------


@bug("a_coupon_is_redeemed_once")
def a_redemption_changes_nothing(patch: Patch) -> None:
    post(patch, RedeemCoupon, lambda _self, intent, _right: intent)


@bug("an_expired_coupon_is_refused_swept_or_not")
def an_expired_coupon_is_redeemed(patch: Patch) -> None:
    reasons = redemption._reasons

    def lenient(*arguments: Any) -> list[str]:
        return [each for each in reasons(*arguments) if each != "expired"]

    patch.setattr(redemption, "_reasons", lenient)


@bug("an_undone_redemption_does_not_reinstate_an_expired_coupon")
def an_undone_redemption_revives_expired_coupons(patch: Patch) -> None:
    def issued(self: Posting, intent: UndoRedemption, right: Any) -> Any:
        right(self, intent)
        self.update_coupon(intent.coupon, state="issued")
        return intent

    post(patch, UndoRedemption, issued)


@bug("100_on_a_gift_card_are_30_and_50_and_20")
def a_gift_card_is_exhausted_by_the_first_bill(patch: Patch) -> None:
    post(patch, RedeemCoupon, lambda self, each, right: right(self, attrs.evolve(each, remaining=None)))


@bug("a_coupon_is_found_by_its_serial_however_it_is_written", found_by_machine=False)
def a_serial_is_found_only_as_it_was_printed(patch: Patch) -> None:
    patch.setattr(memory_storage, "canonical_code", lambda code: code)
    patch.setattr(checkout, "canonical_code", lambda code: code)
