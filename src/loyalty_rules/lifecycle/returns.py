"""Returns: the units, coupons and contributions that a sale loses when goods come back. Source: semantics 11.

A sale is worth the award of its present state, under the terms of its day: program, snapshot and updates are frozen.
Over all `recompute` actions of an account and a currency, `issued − award of the remainder` is due, clamped between the
amount taken before and the amount issued. So a full return takes exactly the amount issued, no return raises a balance,
and the same goods are taken back once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

import attrs

from loyalty_rules.events import Return, Transaction
from loyalty_rules.intents import (
    AdvanceTracker,
    ReverseCurrency,
    UndoRedemption,
    UndoSpend,
    VoidCoupon,
)
from loyalty_rules.keys import event_key, void_key
from loyalty_rules.lifecycle.awards import lost_awards, lowered_trackers
from loyalty_rules.lifecycle.claims import released_claims_of_coupon
from loyalty_rules.lifecycle.giving_back import (
    Redeemed,
    after_undoing_redemptions,
    after_undoing_spends,
    part_to_give_back,
    undone_redemptions,
    undone_spends,
)
from loyalty_rules.lifecycle.prices import returned_prices
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Payment, Refusal, Sale, Shortfall
from loyalty_rules.lifecycle.redemption import is_revived
from loyalty_rules.lifecycle.remainder import wrong_parts
from loyalty_rules.lifecycle.remaining_award import RemainingAward, action_of
from loyalty_rules.lifecycle.returned_coupons import voids
from loyalty_rules.lifecycle.taking import held_units, newest_first, newly_released_units, own_lots, reversals
from loyalty_rules.lifecycle.unrecovered import Unrecovered, unrecovered
from loyalty_rules.values.amounts import micros

__all__ = ["ReturnIntent", "TakenBack", "take_back"]

ReturnIntent: TypeAlias = UndoSpend | UndoRedemption | ReverseCurrency | VoidCoupon | AdvanceTracker
"""The intents of a return."""


@attrs.frozen
class TakenBack:
    """The decision of a return: its intents, and the units and coupons that it could not take back."""

    intents: tuple[ReturnIntent, ...] = ()
    unrecovered: tuple[Unrecovered, ...] = ()


def take_back(
    sale: Sale,
    back: Return,
    lots: Iterable[Lot],
    coupons: Iterable[CouponRecord],
    tracked: Mapping[str, Decimal],
    redeemed: Iterable[Redeemed] = (),
    spends: Iterable[Payment] = (),
    shortfalls: Iterable[Shortfall] = (),
    discounts: Mapping[str, Decimal] | None = None,
) -> TakenBack | Refusal:
    """Decide a return: what paid for the sale goes back, then units, coupons and contributions are taken.

    `sale.returns` are the returns before this one. `lots` are all lots of the accounts of the sale, its own among them,
    and those that `spends` drew on. `coupons` are the coupons that the sale issued, in the order of issue. `tracked` is
    the remaining contribution of the sale to each tracker. `redeemed` and `spends` are its redemptions and spends that
    are not undone; they are undone by the program's `give_back`. `shortfalls` are those of the accounts that spent.
    `discounts` are those of the redemptions of `coupons`. The return of an activity is always a full one. Refusals:
    `unknown_line`, `more_than_bought`, `missing_amount`, `too_early`, all that apply.
    """
    if any(each.id == back.id for each in sale.returns):
        return TakenBack()  # a return that is recorded already takes nothing
    returns = (*sale.returns, back)
    refusal = _refusal(sale, returns)
    if refusal is not None:
        return refusal
    remainder = RemainingAward(sale, returns)
    key = event_key(sale.program.id, back.id)
    lots, coupons, at = [*lots], [*coupons], back.occurred_at
    part, dues = part_to_give_back(sale, remainder), _dues(remainder, own_lots(sale, lots))
    reinstated = (*undone_redemptions(sale, back, redeemed := [*redeemed], part),)
    coupons = after_undoing_redemptions(coupons, reinstated, at)
    voided = (*voids(back, key, remainder, coupons),)
    prices = returned_prices(sale, spends := [*spends], dues, coupons, {each.coupon for each in voided})
    units = (*undone_spends(sale, back, spends, lots, shortfalls, part, prices),)
    lots = after_undoing_spends(lots, units)
    current, taken = {lot.key: lot for lot in lots}, [*reversals(sale, back, dues, lots)]
    surplus = _tracked_surplus(sale, remainder, tracked, [(current[each.issue], each) for each in taken])
    intents: tuple[ReturnIntent, ...] = (
        *units,
        *reinstated,
        *taken,
        *voided,
        *_unearned(sale, back, reinstated, redeemed),
        *lowered_trackers(sale, key, surplus),
    )
    return TakenBack(intents, unrecovered(sale, remainder, at, intents, coupons, discounts or {}))


def _refusal(sale: Sale, returns: Sequence[Return]) -> Refusal | None:
    """Return the refusal of the last return, with every reason; None if it can be decided."""
    event = sale.current()
    reasons = wrong_parts(event, returns) if isinstance(event, Transaction) else {}
    if isinstance(event, Transaction) and returns[-1].amount is None:
        reasons["missing_amount"] = "the return of a transaction says which amount came back"
    if returns[-1].occurred_at < event.occurred_at:
        reasons["too_early"] = f"the return is dated before its sale {event.id!r}"
    return Refusal(tuple(reasons), "; ".join(reasons.values())) if reasons else None


def _unearned(
    sale: Sale, back: Return, reinstated: Iterable[UndoRedemption], redeemed: Iterable[Redeemed]
) -> Iterator[VoidCoupon]:
    """Yield the void of each reinstated coupon that the returns of its own sale, another one, have taken."""
    undone = {each.redemption for each in reinstated}
    for each in redeemed:
        coupon = each.coupon
        of_other_sale = each.redemption.key in undone and coupon.issue.event != sale.event.id
        if of_other_sale and not each.is_earned and is_revived(coupon, back.occurred_at):
            key = void_key(sale.program.id, back.id, coupon.key)
            yield VoidCoupon(key, coupon.key, back.id, released_claims_of_coupon(coupon))


# -- currency --------------------------------------------------------------------------------------------------------


def _dues(remainder: RemainingAward, own: Sequence[Lot]) -> list[tuple[Lot, int]]:
    """Return the lots of the sale, each with the units that this return takes back of it, in millionths."""
    dues = {lot.key: _due_by_policy(remainder, lot) for lot in own if remainder.policy(lot.issue) != "recompute"}
    pools: dict[tuple[Account, str], list[Lot]] = {}
    for lot in own:
        if remainder.policy(lot.issue) == "recompute":
            pools.setdefault((lot.account, lot.issue.currency), []).append(lot)
    issued = {action_of(lot.issue) for lot in own}
    for pool, members in pools.items():
        dues |= _due_by_recomputing(remainder, members, _awards(remainder, pool, issued))
    return [(lot, min(dues[lot.key], held_units(lot))) for lot in own]


def _awards(remainder: RemainingAward, pool: tuple[Account, str], issued: set[str]) -> dict[str, int]:
    """Return the awards of the remainder to an account in a currency, by action, in millionths.

    Counted are the `recompute` actions and, whatever their policy, the actions that issued nothing at the sale.
    """
    return {
        action_of(each): micros(each.amount)
        for each in remainder.issues
        if (Account.of(each), each.currency) == pool
        and (remainder.policy(each) == "recompute" or action_of(each) not in issued)
    }


def _due_by_recomputing(remainder: RemainingAward, members: Sequence[Lot], awards: Mapping[str, int]) -> dict[str, int]:
    """Return the units due of each lot of a pool: in all `issued − awards`, from the last action that loses units."""
    issued = sum(micros(lot.issued) for lot in members)
    taken = sum(micros(lot.taken_back) for lot in members)
    missing = min(max(issued - sum(awards.values()), taken), issued) - taken
    dues: dict[str, int] = {}
    for action, lots in reversed(remainder.by_action(members)):
        loss = sum(held_units(lot) for lot in lots) - awards.get(action, 0)
        due = min(max(loss, 0), missing)
        dues |= newest_first(lots, due)
        missing -= due
    return dues


def _due_by_policy(remainder: RemainingAward, lot: Lot) -> int:
    """Return the units due of a lot whose action reverses, keeps, or takes a proportion, in millionths."""
    policy = remainder.policy(lot.issue)
    if policy == "keep":
        return 0
    if policy == "reverse" or remainder.sale is None:
        return held_units(lot)
    return remainder.proportion_due(lot)


# -- trackers --------------------------------------------------------------------------------------------


def _tracked_surplus(
    sale: Sale,
    remainder: RemainingAward,
    tracked: Mapping[str, Decimal],
    reversals: Iterable[tuple[Lot, ReverseCurrency]],
) -> Mapping[str, int]:
    """Return the surplus of each tracker, in millionths, so that milestones cannot be farmed.

    A tracker of awards loses the units taken back; any other keeps the contribution of the remainder.
    """
    awards = lost_awards(sale, [(lot.issue, newly_released_units(sale, lot, each)) for lot, each in reversals])
    contributed = {name: micros(each) - remainder.tracked.get(name, 0) for name, each in tracked.items()}
    return {**contributed, **awards}
