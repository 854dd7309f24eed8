"""Returns: the units, coupons and contributions that a sale loses when goods come back. Source: semantics 11.

A sale is worth the award of its present state, under the terms of its day: program, snapshot and updates are frozen.
Over all `recompute` actions of an account and a currency, `issued − award of the remainder` is due, clamped between the
amount taken before and the amount issued. So a full return takes exactly the amount issued, no return raises a balance,
and the same goods are taken back once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

import attrs

from loyalty_rules.events import Return, Transaction
from loyalty_rules.intents import (
    AdvanceTracker,
    LotDraw,
    ReverseCurrency,
    UndoRedemption,
    UndoSpend,
    VoidCoupon,
)
from loyalty_rules.keys import event_key, reversal_key, void_key
from loyalty_rules.lifecycle.awards import lost_awards, lowered_trackers, released_units
from loyalty_rules.lifecycle.claims import released_claims, released_claims_of_coupon
from loyalty_rules.lifecycle.giving_back import (
    Redeemed,
    after_undoing_redemptions,
    after_undoing_spends,
    part_to_give_back,
    undone_redemptions,
    undone_spends,
)
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Payment, Refusal, Sale, Shortfall
from loyalty_rules.lifecycle.redemption import is_revived
from loyalty_rules.lifecycle.remainder import wrong_parts
from loyalty_rules.lifecycle.remaining_award import RemainingAward, action_of
from loyalty_rules.lifecycle.returned_coupons import voids
from loyalty_rules.lifecycle.spending import draw, in_order_of_spending
from loyalty_rules.lifecycle.unrecovered import Unrecovered, unrecovered
from loyalty_rules.values.amounts import decimal_of, micros
from loyalty_rules.values.apportionment import unit_of

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
    given: tuple[UndoSpend | UndoRedemption, ...] = ()
    lost: tuple[VoidCoupon, ...] = ()
    part = part_to_give_back(sale, remainder)
    if part > 0:
        units = (*undone_spends(sale, back, spends, lots, shortfalls, part),)
        reinstated = (*undone_redemptions(sale, back, redeemed := [*redeemed], part),)
        lots, coupons = after_undoing_spends(lots, units), after_undoing_redemptions(coupons, reinstated, at)
        given, lost = (*units, *reinstated), tuple(_unearned(sale, back, reinstated, redeemed))
    current, reversals = {lot.key: lot for lot in lots}, [*_reversals(sale, back, key, remainder, lots)]
    surplus = _tracked_surplus(sale, remainder, tracked, [(current[each.issue], each) for each in reversals])
    intents = (
        *given,
        *reversals,
        *voids(back, key, remainder, coupons),
        *lost,
        *lowered_trackers(sale, key, surplus),
    )
    return TakenBack(intents, unrecovered(sale, back, intents, coupons, discounts or {}))


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


def _reversals(
    sale: Sale, back: Return, key: str, remainder: RemainingAward, lots: Sequence[Lot]
) -> Iterator[ReverseCurrency]:
    """Yield the reversal of each issue of the sale, in the order of issue.

    Every issue loses its own units before any takes those of other lots; no reversal draws units that another drew.
    """
    of_sale = (lot for lot in lots if lot.issue.event == sale.event.id and lot.origin is None)
    own = sorted(of_sale, key=lambda lot: lot.order)
    takings = [_Taking(sale, lot, units, back.occurred_at) for lot, units in _dues(remainder, own) if units > 0]
    current = {lot.key: lot for lot in lots}
    for taking in takings:
        taking.take_own(current)
    for taking in takings:
        taking.take_others(current)
    for taking in takings:
        yield taking.reversal(key, back)


def _dues(remainder: RemainingAward, own: Sequence[Lot]) -> list[tuple[Lot, int]]:
    """Return the lots of the sale, each with the units that this return takes back of it, in millionths."""
    dues = {lot.key: _due_by_policy(remainder, lot) for lot in own if remainder.policy(lot.issue) != "recompute"}
    pools: dict[tuple[Account, str], list[Lot]] = {}
    for lot in own:
        if remainder.policy(lot.issue) == "recompute":
            pools.setdefault((lot.account, lot.issue.currency), []).append(lot)
    issued = {action_of(lot.issue) for lot in own}
    for pool, members in pools.items():
        dues |= _due_by_recomputing(members, _awards(remainder, pool, issued))
    return [(lot, min(dues[lot.key], micros(lot.issued) - micros(lot.taken_back))) for lot in own]


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


def _due_by_recomputing(members: Sequence[Lot], awards: Mapping[str, int]) -> dict[str, int]:
    """Return the units due of each lot of a pool: in all `issued − awards`, from the last action that loses units."""
    issued = sum(micros(lot.issued) for lot in members)
    taken = sum(micros(lot.taken_back) for lot in members)
    missing = min(max(issued - sum(awards.values()), taken), issued) - taken
    dues: dict[str, int] = {}
    for lot in reversed(members):
        loss = micros(lot.issued) - awards.get(action_of(lot.issue), 0) - micros(lot.taken_back)
        dues[lot.key] = min(max(loss, 0), missing)
        missing -= dues[lot.key]
    return dues


def _due_by_policy(remainder: RemainingAward, lot: Lot) -> int:
    """Return the units due of a lot whose action reverses, keeps, or takes a proportion, in millionths."""
    issued, taken, policy = micros(lot.issued), micros(lot.taken_back), remainder.policy(lot.issue)
    if policy == "keep":
        return 0
    if policy == "reverse" or remainder.sale is None:
        return issued - taken
    if remainder.amount <= 0:
        return 0
    # Rounded down, cumulatively: no return takes more than its proportion, and the last takes the rest.
    unit = _unit(remainder.terms, lot)
    return issued * remainder.returned // (remainder.amount * unit) * unit - taken


def _unit(sale: Sale, lot: Lot) -> int:
    decimals = next(each.decimals for each in sale.program.currencies if each.id == lot.issue.currency)
    return unit_of(micros(lot.issued), decimals)


class _Taking:
    """The units that a return takes back of one issue: drawn from lots, counted as taken, or a shortfall.

    In this order: the promise and the live lot of the issue; its units that have expired, lapsed or been cancelled,
    which count as taken, once; the account's other live lots, soonest expiry first.
    """

    def __init__(self, sale: Sale, lot: Lot, due: int, at: datetime) -> None:
        self._sale = sale
        self._lot = lot
        self._due = self._missing = due
        self._at = at
        self._draws: list[LotDraw] = []
        self._counted = 0

    def take_own(self, lots: dict[str, Lot]) -> None:
        """Draw from the promise and the live lots of the issue, then count its units that are gone."""
        promised = min(self._missing, micros(self._lot.promised))
        if promised:
            self._draw(lots, [LotDraw(self._lot.key, decimal_of(promised), "promised")])
        self._draw_live(lots, [each for each in self._parts(lots) if each.account == self._lot.account])
        self._counted = min(self._missing, self._gone(lots))
        self._missing -= self._counted

    def _parts(self, lots: Mapping[str, Lot]) -> list[Lot]:
        """Return the lots with units of the issue: its own, and those that its units moved on to."""
        return [each for each in lots.values() if each.issue_key == self._lot.key]

    def _gone(self, lots: Mapping[str, Lot]) -> int:
        """Return the units of the issue that nobody has any more, less those that earlier returns counted."""
        gone = sum(
            micros(each.expired) + micros(each.voided) + (0 if each.is_live(self._at) else micros(each.outstanding))
            for each in self._parts(lots)
        )
        earlier = [each for each in self._sale.reversals if each.issue == self._lot.key]
        counted = sum(
            micros(each.amount) - micros(each.shortfall) - sum(micros(drawn.amount) for drawn in each.draws)
            for each in earlier
        )
        return gone - counted

    def take_others(self, lots: dict[str, Lot]) -> None:
        """Draw from the account's other live lots of the currency, then from units that moved to other accounts."""
        account, currency = self._lot.account, self._lot.issue.currency
        self._draw_live(
            lots, [each for each in lots.values() if each.account == account and each.issue.currency == currency]
        )
        self._draw_live(lots, self._parts(lots))

    def _draw_live(self, lots: dict[str, Lot], sources: Sequence[Lot]) -> None:
        self._draw(lots, draw(in_order_of_spending(sources, self._at), decimal_of(self._missing)))

    def _draw(self, lots: dict[str, Lot], draws: Iterable[LotDraw]) -> None:
        for each in draws:
            self._draws.append(each)
            self._missing -= micros(each.amount)
            lots[each.lot] = lots[each.lot].moved(each.taken_from, "reversed", each.amount)

    def reversal(self, key: str, back: Return) -> ReverseCurrency:
        """Return the intent; claims of units that a cancellation has released already are not released again."""
        issue = self._lot.issue
        released = self._due - min(self._counted, micros(self._lot.voided))
        return ReverseCurrency(
            reversal_key(key, action_of(issue)),
            self._lot.key,
            back.id,
            issue.member,
            issue.group,
            issue.currency,
            amount=decimal_of(self._due),
            draws=tuple(self._draws),
            shortfall=decimal_of(self._missing),
            carried=self._sale.program.shortfall == "carry",
            claims=released_claims(self._lot, decimal_of(released)) if released else (),
        )


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
    awards = lost_awards(sale, [(lot.issue, released_units(lot, each)) for lot, each in reversals])
    contributed = {name: micros(each) - remainder.tracked.get(name, 0) for name, each in tracked.items()}
    return {**contributed, **awards}
